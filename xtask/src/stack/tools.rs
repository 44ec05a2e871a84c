//! The real parts: daprd and Kafka from their published modules, built once per version and kept.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use crate::cache::{cached, finished};
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
        Ok(Self {
            kafka: kafka(root, cache)?,
            daprd: daprd(root, cache)?,
            postgres,
        })
    }
}

/// A folder of Kafka's jars.
pub(crate) fn kafka(root: &Path, cache: &Path) -> anyhow::Result<PathBuf> {
    cached(root, cache, KAFKA, &["pom.xml"], fetch_kafka)
}

/// The sidecar's program.
pub(crate) fn daprd(root: &Path, cache: &Path) -> anyhow::Result<PathBuf> {
    let made = cached(root, cache, DAPRD, &["go.mod", "go.sum"], build_daprd)?;
    Ok(made.join("daprd"))
}

/// Says all that is missing at once.
fn programs() -> anyhow::Result<Binaries> {
    let missing = missing();
    ensure!(
        missing.is_empty(),
        "the stack needs programs that are not here:\n  {}",
        missing.join("\n  ")
    );
    Binaries::find()
}

/// The programs that are not here, and the packages that bring them.
pub(crate) fn missing() -> Vec<String> {
    let absent = |(program, question, _): &&(&str, &str, &str)| {
        Command::new(program).arg(question).output().is_err()
    };
    let mut missing: Vec<_> = PROGRAMS
        .iter()
        .filter(absent)
        .map(|(_, _, package)| (*package).to_owned())
        .collect();
    match Binaries::find() {
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
    missing
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
