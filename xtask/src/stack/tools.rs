//! The real parts: daprd and Kafka from their published modules, built once per version and kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail, ensure};

use crate::postgres::Binaries;
use crate::root::say;

const DAPRD: &str = "tools/daprd";
const KAFKA: &str = "tools/kafka";
/// What daprd says it is.
const DAPR_VERSION: &str = "1.14.0";

/// A program, the question that it answers when it is there, and the packages that bring it.
const PROGRAMS: [(&str, &str, &str); 3] = [
    (
        "go",
        "version",
        "Go 1.24 or newer: https://go.dev/dl, apt-get install golang, dnf install golang, brew install go",
    ),
    (
        "java",
        "-version",
        "Java 17 or newer: apt-get install default-jre-headless, dnf install java-latest-openjdk-headless, brew install openjdk",
    ),
    (
        "mvn",
        "-version",
        "Maven: apt-get install maven, dnf install maven, brew install maven",
    ),
];
const PSQL: &str =
    "psql: apt-get install postgresql-client, dnf install postgresql, brew install postgresql";

/// What a stack runs that is not ours.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) daprd: PathBuf,
    /// A folder of jars.
    pub(super) kafka: PathBuf,
    pub(super) postgres: Binaries,
}

impl Tools {
    /// Finds them, and builds what is missing into the cache.
    pub(super) fn prepare(root: &Path, cache: &Path) -> anyhow::Result<Self> {
        let postgres = programs()?;
        let kafka = cached(root, cache, KAFKA, &["pom.xml"], fetch_kafka)?;
        let daprd = cached(root, cache, DAPRD, &["go.mod", "go.sum"], build_daprd)?;
        Ok(Self {
            daprd: daprd.join("daprd"),
            kafka,
            postgres,
        })
    }
}

/// Says all that is missing at once.
fn programs() -> anyhow::Result<Binaries> {
    let absent = |(program, question, _): &&(&str, &str, &str)| {
        Command::new(program).arg(question).output().is_err()
    };
    let mut missing: Vec<_> = PROGRAMS
        .iter()
        .filter(absent)
        .map(|(_, _, package)| (*package).to_owned())
        .collect();
    let postgres = Binaries::find();
    match &postgres {
        Err(error) => missing.push(error.to_string()),
        Ok(binaries)
            if Command::new(binaries.path("psql"))
                .arg("--version")
                .output()
                .is_err() =>
        {
            missing.push(PSQL.to_owned());
        }
        Ok(_) => {}
    }
    ensure!(
        missing.is_empty(),
        "the stack needs programs that are not here:\n  {}",
        missing.join("\n  ")
    );
    postgres
}

/// What was made of these sources before, or is made now. Half of it is never taken for the whole.
fn cached(
    root: &Path,
    cache: &Path,
    folder: &str,
    sources: &[&str],
    build: fn(&Path, &Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let sources_in = root.join(folder);
    let name = Path::new(folder)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let made = cache.join(format!(
        "{name}-{:016x}",
        fingerprint(&sources_in, sources)?
    ));
    if made.exists() {
        return Ok(made);
    }
    let started = Instant::now();
    fs::create_dir_all(cache).with_context(|| cache.display().to_string())?;
    let half = tempfile::Builder::new().prefix(&name).tempdir_in(cache)?;
    build(&sources_in, half.path())?;
    match fs::rename(half.path(), &made) {
        // Somebody else has made the same meanwhile.
        Err(_) if made.exists() => {}
        renamed => renamed.with_context(|| made.display().to_string())?,
    }
    say(&format!(
        "stack: {name} is ready after {} s, kept in {}",
        started.elapsed().as_secs(),
        made.display()
    ));
    Ok(made)
}

/// FNV-1a over the sources: they are ours, and nobody wants to forge them.
fn fingerprint(folder: &Path, sources: &[&str]) -> anyhow::Result<u64> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for source in sources {
        let path = folder.join(source);
        for byte in fs::read(&path).with_context(|| path.display().to_string())? {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(hash)
}

fn fetch_kafka(sources: &Path, into: &Path) -> anyhow::Result<()> {
    say("stack: fetching Kafka, about 55 MB");
    let mut command = Command::new("mvn");
    command.args([
        "--quiet",
        "--batch-mode",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
    ]);
    command
        .arg(format!("-DoutputDirectory={}", into.display()))
        .arg("-f")
        .arg(sources.join("pom.xml"));
    finished(&mut command, "fetching Kafka by Maven")
}

fn build_daprd(sources: &Path, into: &Path) -> anyhow::Result<()> {
    say("stack: building daprd, which takes about six minutes the first time");
    let version = format!("-s -w -X github.com/dapr/dapr/pkg/buildinfo.version={DAPR_VERSION}");
    let mut command = Command::new("go");
    command.current_dir(sources).env("CGO_ENABLED", "0");
    command.args([
        "build",
        "-mod=readonly",
        "-tags",
        "stablecomponents",
        "-trimpath",
        "-ldflags",
        &version,
        "-o",
    ]);
    command
        .arg(into.join("daprd"))
        .arg("github.com/dapr/dapr/cmd/daprd");
    finished(&mut command, "building daprd")
}

/// Runs a command with its words on our terminal.
pub(super) fn finished(command: &mut Command, what: &str) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{what}: cannot run {command:?}"))?;
    if status.success() {
        Ok(())
    } else {
        bail!("{what} failed with {status}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(root: &Path, build: fn(&Path, &Path) -> anyhow::Result<()>) -> anyhow::Result<PathBuf> {
        cached(root, &root.join("cache"), "tool", &["source"], build)
    }

    fn works(sources: &Path, into: &Path) -> anyhow::Result<()> {
        fs::copy(sources.join("source"), into.join("made"))?;
        Ok(())
    }

    fn fails(_: &Path, into: &Path) -> anyhow::Result<()> {
        fs::write(into.join("made"), "half")?;
        bail!("no room")
    }

    #[test]
    fn a_tool_is_made_once_per_source_and_never_half() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("tool")).unwrap();
        fs::write(root.path().join("tool/source"), "one").unwrap();

        assert!(made(root.path(), fails).is_err());
        let first = made(root.path(), works).unwrap();
        assert_eq!(fs::read_to_string(first.join("made")).unwrap(), "one");
        assert_eq!(made(root.path(), fails).unwrap(), first);

        fs::write(root.path().join("tool/source"), "two").unwrap();
        assert!(made(root.path(), fails).is_err());
        assert_ne!(made(root.path(), works).unwrap(), first);
    }
}
