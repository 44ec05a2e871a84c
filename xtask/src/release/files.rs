//! What goes beside the images: per program a bill of materials in `CycloneDX`, the licenses of everything that
//! is in a program, and the checksums of these files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::PROGRAMS;
use crate::cache::finished;
use crate::root::{cargo, say};

/// Where to.
#[derive(Debug, clap::Args)]
pub(super) struct FileOptions {
    /// The folder, which is made and has to be empty.
    #[arg(long, default_value = "target/release-files")]
    out: PathBuf,

    /// Installs the tools that are missing.
    #[arg(long)]
    install: bool,
}

/// A subcommand of cargo that is not ours.
struct Tool {
    name: &'static str,
    version: &'static str,
    features: &'static str,
}

const CYCLONEDX: Tool = Tool {
    name: "cyclonedx",
    version: "0.5.9",
    features: "",
};
/// The Dockerfile has the same.
const ABOUT: Tool = Tool {
    name: "about",
    version: "0.9.3",
    features: "cli",
};
const LICENSES: &str = "licenses.txt";
const SUMS: &str = "SHA256SUMS";
/// Images are static; the other platform has the same crates.
const TARGET: &str = "x86_64-unknown-linux-musl";

pub(super) fn write(root: &Path, options: &FileOptions) -> anyhow::Result<ExitCode> {
    let out = root.join(&options.out);
    fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    let occupied = fs::read_dir(&out)?.next().is_some();
    ensure!(!occupied, "{} is not empty: remove it", out.display());
    for tool in [CYCLONEDX, ABOUT] {
        tool.prepare(root, options.install)?;
    }
    materials(root, &out)?;
    licenses(root, &out)?;
    let sums = checksums(&out)?;
    fs::write(out.join(SUMS), &sums)?;
    say(&format!(
        "release: {} files in {}",
        sums.lines().count() + 1,
        out.display()
    ));
    Ok(ExitCode::SUCCESS)
}

impl Tool {
    fn prepare(&self, root: &Path, install: bool) -> anyhow::Result<()> {
        let output = cargo(root).args([self.name, "--version"]).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said.split_whitespace().last().unwrap_or_default();
        if output.status.success() && version == self.version {
            return Ok(());
        }
        let words = self.installing();
        if !install {
            bail!(
                "cargo {} {} is not here: say --install, or: cargo {}",
                self.name,
                self.version,
                words.join(" ")
            );
        }
        finished(
            cargo(root).args(&words),
            &format!("installing cargo {}", self.name),
        )
    }

    fn installing(&self) -> Vec<String> {
        let mut words = vec!["install".to_owned(), format!("cargo-{}", self.name)];
        words.extend(["--locked", "--version", self.version].map(str::to_owned));
        if !self.features.is_empty() {
            words.extend(["--features", self.features].map(str::to_owned));
        }
        words
    }
}

/// The tool writes beside every manifest of the workspace; what belongs to no program is removed.
fn materials(root: &Path, out: &Path) -> anyhow::Result<()> {
    let mut command = cargo(root);
    command.args([
        "cyclonedx",
        "--quiet",
        "--format",
        "json",
        "--spec-version",
        "1.5",
    ]);
    command.args([
        "--describe",
        "binaries",
        "--no-build-deps",
        "--target",
        TARGET,
    ]);
    finished(&mut command, "writing bills of materials")?;
    for (package, file) in written(root)? {
        if PROGRAMS.contains(&package.as_str()) {
            let text = fs::read_to_string(&file)?;
            let count = components(&text).with_context(|| file.display().to_string())?;
            fs::write(out.join(format!("{package}.cdx.json")), &text)?;
            say(&format!("{package:<21}{count:>5} crates"));
        }
        fs::remove_file(&file)?;
    }
    let missing = PROGRAMS
        .iter()
        .find(|name| !out.join(format!("{name}.cdx.json")).exists());
    ensure!(
        missing.is_none(),
        "cargo cyclonedx wrote nothing for {missing:?}"
    );
    Ok(())
}

/// `services/notifier/notifier_bin.cdx.json`, by package.
fn written(root: &Path) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for folder in [root.to_path_buf(), root.join("services")] {
        for entry in fs::read_dir(&folder)? {
            let package = entry?.path();
            let name = package
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let file = package.join(format!("{name}_bin.cdx.json"));
            if file.exists() {
                found.insert(name, file);
            }
        }
    }
    Ok(found)
}

/// How many crates a bill names; one without is none.
fn components(text: &str) -> anyhow::Result<usize> {
    let bill: Value = serde_json::from_str(text)?;
    let all = bill["components"]
        .as_array()
        .context("it has no components")?;
    ensure!(bill["bomFormat"] == "CycloneDX", "it is no CycloneDX");
    let nameless = all.iter().find(|item| !item["purl"].is_string());
    ensure!(nameless.is_none(), "a component has no purl: {nameless:?}");
    Ok(all.len())
}

/// Of the operator's program: it holds the four services.
fn licenses(root: &Path, out: &Path) -> anyhow::Result<()> {
    let file = out.join(LICENSES);
    let mut command = cargo(root);
    command.args(["about", "generate", "--locked", "--fail"]);
    command.args(["--config", "tools/licenses/about.toml"]);
    command.args([
        "--manifest-path",
        "services/taskledger/Cargo.toml",
        "--output-file",
    ]);
    command.arg(&file).arg("tools/licenses/licenses.hbs");
    finished(&mut command, "collecting licenses")?;
    let text = fs::read_to_string(&file)?;
    let headings = text.lines().filter(|line| line.starts_with("=== ")).count();
    ensure!(headings > 0, "{} names no license", file.display());
    say(&format!(
        "{LICENSES}: {headings} texts, {} kB",
        text.len() / 1000
    ));
    Ok(())
}

/// As `sha256sum --check` reads them.
fn checksums(folder: &Path) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let digest = Sha256::digest(fs::read(&path)?);
        let digest = digest
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        lines.push((name.into_owned(), digest));
    }
    lines.sort();
    let lines = lines
        .iter()
        .map(|(name, digest)| format!("{digest}  {name}\n"));
    Ok(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::workspace_root;

    #[test]
    fn a_bill_that_names_nothing_is_refused() {
        let bill = r#"{"bomFormat": "CycloneDX", "components": [{"purl": "pkg:cargo/a@1.0.0"}]}"#;
        assert_eq!(components(bill).unwrap(), 1);
        assert!(components(&bill.replace("CycloneDX", "SPDX")).is_err());
        assert!(components(&bill.replace("purl", "name")).is_err());
        assert!(components("{}").is_err());
    }

    #[test]
    fn checksums_are_those_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b"), "abc").unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n\
                        ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n";
        assert_eq!(checksums(folder.path()).unwrap(), expected);
    }

    /// The quoted items of a list.
    fn listed(path: &str, name: &str) -> Vec<String> {
        let text = fs::read_to_string(workspace_root().join(path)).unwrap();
        let (_, list) = text.split_once(&format!("\n{name} = [\n")).unwrap();
        let (list, _) = list.split_once("\n]").unwrap();
        let items = list.lines().filter_map(|line| line.split('"').nth(1));
        items.map(str::to_owned).collect()
    }

    #[test]
    fn the_licenses_that_are_collected_are_those_that_may_be_there() {
        let allowed = listed("deny.toml", "allow");
        assert!(allowed.len() > 5);
        assert_eq!(listed("tools/licenses/about.toml", "accepted"), allowed);
    }

    #[test]
    fn the_dockerfile_collects_licenses_with_the_same_tool() {
        let text = fs::read_to_string(workspace_root().join("Dockerfile")).unwrap();
        let line = format!("ARG CARGO_ABOUT_VERSION={}\n", ABOUT.version);
        assert!(text.contains(&line), "the Dockerfile has no line {line}");
    }
}
