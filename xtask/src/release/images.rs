//! Images of one platform, by the Dockerfile: into the engine of this machine, or pushed without a name. A name
//! is given when all platforms are there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{PROGRAMS, VERSION};
use crate::cache::finished;
use crate::root::say;

/// For whom, and where to.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ImageOptions {
    /// As the engine says it: `linux/amd64`, `linux/arm64`.
    #[arg(long)]
    platform: String,

    /// The registry and folder that they are pushed to; the engine of this machine when nothing is said.
    #[arg(long, requires = "digests")]
    push: Option<String>,

    /// Where a file per program says what was pushed.
    #[arg(long, requires = "push")]
    digests: Option<PathBuf>,

    /// The commit, for the label.
    #[arg(long, default_value = "unknown")]
    revision: String,

    /// Where the source is, for the label.
    #[arg(long, default_value = "")]
    source: String,

    /// Says what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn build(root: &Path, options: &ImageOptions) -> anyhow::Result<ExitCode> {
    let created = commit_time(root)?;
    let scratch = tempfile::tempdir()?;
    for program in PROGRAMS {
        let said = scratch.path().join(program);
        let words = words(options, program, &created, &said.display().to_string());
        if options.dry_run {
            say(&format!("docker {}", words.join(" ")));
            continue;
        }
        let mut command = Command::new("docker");
        command.current_dir(root).args(&words);
        finished(&mut command, &format!("the image of {program}"))?;
        if let (Some(registry), Some(digests)) = (&options.push, &options.digests) {
            let digest = digest(&fs::read_to_string(&said)?)?;
            let folder = root.join(digests);
            fs::create_dir_all(&folder)?;
            fs::write(
                folder.join(program),
                format!("{registry}/{program}@{digest}\n"),
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn words(options: &ImageOptions, program: &str, created: &str, metadata: &str) -> Vec<String> {
    let mut words = vec!["buildx".to_owned(), "build".to_owned()];
    words.extend(["--platform".to_owned(), options.platform.clone()]);
    for (name, value) in [
        ("SERVICE", program),
        ("VERSION", VERSION),
        ("REVISION", &options.revision),
        ("SOURCE", &options.source),
        ("CREATED", created),
    ] {
        words.extend(["--build-arg".to_owned(), format!("{name}={value}")]);
    }
    match &options.push {
        // How it was built goes with it; without a name nobody takes it for released.
        Some(registry) => words.extend([
            "--provenance=mode=max".to_owned(),
            format!("--metadata-file={metadata}"),
            format!(
                "--output=type=image,name={registry}/{program},push-by-digest=true,name-canonical=true,push=true"
            ),
        ]),
        None => words.extend([
            "--load".to_owned(),
            format!("--tag=taskledger/{program}:{VERSION}"),
        ]),
    }
    words.push(".".to_owned());
    words
}

/// What buildx says of what it pushed.
fn digest(metadata: &str) -> anyhow::Result<String> {
    let metadata: Value = serde_json::from_str(metadata)?;
    let digest = metadata["containerimage.digest"]
        .as_str()
        .unwrap_or_default();
    ensure!(
        digest.starts_with("sha256:"),
        "buildx says no digest: {metadata}"
    );
    Ok(digest.to_owned())
}

/// The same commit is the same image, whenever it is built.
fn commit_time(root: &Path) -> anyhow::Result<String> {
    let mut command = Command::new("git");
    command
        .current_dir(root)
        .args(["log", "-1", "--format=%cI"]);
    let output = command.output().context("cannot run git")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::workspace_root;

    fn options(push: Option<&str>) -> ImageOptions {
        ImageOptions {
            platform: "linux/arm64".to_owned(),
            push: push.map(str::to_owned),
            digests: push.map(|_| "digests".into()),
            revision: "abc".to_owned(),
            source: "here".to_owned(),
            dry_run: false,
        }
    }

    #[test]
    fn what_is_pushed_has_its_provenance_and_no_name() {
        let words = words(
            &options(Some("registry/suite")),
            "notifier",
            "today",
            "said",
        );
        assert!(words.contains(&"--provenance=mode=max".to_owned()));
        assert!(
            !words.iter().any(|word| word.starts_with("--tag")),
            "{words:?}"
        );
        let output = "--output=type=image,name=registry/suite/notifier,push-by-digest=true,";
        assert!(
            words.iter().any(|word| word.starts_with(output)),
            "{words:?}"
        );
    }

    #[test]
    fn without_a_registry_it_has_the_name_of_the_compose_file() {
        let words = words(&options(None), "notifier", "today", "said");
        let compose = fs::read_to_string(workspace_root().join("docker-compose.yml")).unwrap();
        let name = format!("taskledger/notifier:${{TASKLEDGER_VERSION:-{VERSION}}}");
        assert!(compose.contains(&name), "{name}");
        assert!(words.contains(&format!("--tag=taskledger/notifier:{VERSION}")));
    }

    #[test]
    fn the_dockerfile_takes_every_argument() {
        let text = fs::read_to_string(workspace_root().join("Dockerfile")).unwrap();
        let words = words(&options(None), "notifier", "today", "said");
        let arguments: Vec<_> = words
            .iter()
            .filter_map(|word| word.split_once('='))
            .collect();
        for (name, _) in arguments.iter().filter(|(name, _)| !name.starts_with('-')) {
            assert!(text.contains(&format!("\nARG {name}")), "no ARG {name}");
        }
        assert!(text.contains(&format!("\nARG VERSION={VERSION}\n")));
    }

    #[test]
    fn what_was_pushed_is_known_by_its_digest() {
        let said = r#"{"containerimage.digest": "sha256:12"}"#;
        assert_eq!(digest(said).unwrap(), "sha256:12");
        assert!(digest("{}").is_err());
    }
}
