//! The engine and Compose, as commands.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::file::{ComposeFile, PATH};
use crate::cache::{cached, finished};
use crate::root::say;

const SOURCES: &str = "tools/compose";
/// What Compose says it is.
const VERSION: &str = "v2.40.3";
const UP: [&str; 5] = ["up", "--detach", "--wait", "--no-build", "--pull=never"];
const MISSING: &str = "there is no Docker engine to ask: install one (apt-get install docker.io, \
    dnf install moby-engine, or Docker Desktop), start it, and let DOCKER_HOST name it if it is elsewhere";

/// An engine, Compose, and which suite is meant.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    root: PathBuf,
    /// Compose alone; none when the engine's client has it.
    program: Option<PathBuf>,
    /// The name of the suite; the file's own when nothing is said.
    project: Option<String>,
    /// For the file's variables.
    variables: Vec<(String, String)>,
}

impl Engine {
    /// Asks the engine, and builds Compose when its client has none.
    pub(super) fn find(root: &Path, cache: &Path) -> anyhow::Result<Self> {
        answer(Command::new("docker").args(["version", "--format={{.Server.Version}}"]))
            .context(MISSING)?;
        let with_client = answer(Command::new("docker").args(["compose", "version"])).is_ok();
        let program = if with_client {
            None
        } else {
            Some(cached(root, cache, SOURCES, &["go.mod", "go.sum"], build)?.join("docker-compose"))
        };
        Ok(Self {
            root: root.to_path_buf(),
            program,
            project: None,
            variables: Vec::new(),
        })
    }

    /// The same engine for another suite beside that of the file, with its variables set.
    pub(super) fn of_project(mut self, project: &str, variables: &[(&str, String)]) -> Self {
        self.project = Some(project.to_owned());
        let owned = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        self.variables = variables.iter().map(owned).collect();
        self
    }

    /// Runs a command of Compose with its words on our terminal.
    pub(super) fn compose(&self, words: &[&str]) -> anyhow::Result<()> {
        self.compose_with(words, &[])
    }

    pub(super) fn compose_with(&self, words: &[&str], services: &[String]) -> anyhow::Result<()> {
        let mut command = self.command();
        command.args(words).args(services);
        finished(&mut command, &format!("docker compose {}", words.join(" ")))
    }

    /// Starts everything, and waits until it is healthy.
    pub(super) fn up(&self) -> anyhow::Result<()> {
        self.compose(&UP)
    }

    /// Restarts services with what shares their network, and waits until all is healthy.
    pub(super) fn restart(&self, services: &[String]) -> anyhow::Result<()> {
        let file = ComposeFile::read(&self.root)?;
        let lasting = file.lasting();
        let unknown = |name: &&String| !lasting.contains(&name.as_str());
        if let Some(name) = services.iter().find(unknown) {
            bail!(
                "there is no service {name}; there are: {}",
                lasting.join(", ")
            );
        }
        self.compose_with(&["restart"], services)?;
        let words = [UP.as_slice(), &["--no-deps", "--no-recreate"], &lasting].concat();
        self.compose(&words)
    }

    /// What a command of Compose answers.
    pub(super) fn ask(&self, words: &[&str]) -> anyhow::Result<String> {
        answer(self.command().args(words))
    }

    fn command(&self) -> Command {
        let mut command = Command::new("docker");
        if let Some(program) = &self.program {
            command = Command::new(program);
        } else {
            command.arg("compose");
        }
        command.current_dir(&self.root).args(["--file", PATH]);
        command.arg("--progress=quiet");
        if let Some(project) = &self.project {
            command.args(["--project-name", project]);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// What the engine answers.
pub(super) fn docker(words: &[&str]) -> anyhow::Result<String> {
    answer(Command::new("docker").args(words))
}

/// What a container has said so far, on either stream, each line after its time.
pub(super) fn log(container: &str) -> anyhow::Result<String> {
    let mut command = Command::new("docker");
    let output = command.args(["logs", "--timestamps", container]).output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// What a program prints, or its complaint.
fn answer(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn build(sources: &Path, into: &Path) -> anyhow::Result<()> {
    say("compose: building Docker Compose, which takes some minutes the first time");
    let version = format!("-s -w -X github.com/docker/compose/v2/internal.Version={VERSION}");
    let mut command = Command::new("go");
    command.current_dir(sources).env("CGO_ENABLED", "0");
    command.args([
        "build",
        "-mod=readonly",
        "-trimpath",
        "-ldflags",
        &version,
        "-o",
    ]);
    command.arg(into.join("docker-compose"));
    command.arg("github.com/docker/compose/v2/cmd");
    finished(&mut command, "building Docker Compose")
}
