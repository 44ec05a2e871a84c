//! `cargo xtask compose test`: the real file on a real engine, under a name of its own.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use event_schema::App;
use serde_json::json;

use super::engine::{Engine, docker};
use super::facts;
use super::file::ComposeFile;
use super::images::{self, ImageOptions};
use crate::cache::finished;
use crate::root::{cargo, say};
use crate::secrets::{FOLDER, for_compose};

const PROJECT: &str = "taskledger-test";
const TESTS: [&str; 2] = ["walkthroughs", "compose"];

/// How to test.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct TestOptions {
    #[command(flatten)]
    images: ImageOptions,

    /// Leaves the suite running.
    #[arg(long)]
    keep: bool,
}

/// What was done, and how long it took.
#[derive(Default)]
struct Times(Vec<(&'static str, Duration)>);

impl Times {
    fn taken<T>(
        &mut self,
        what: &'static str,
        done: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        say(&format!("compose: {what}"));
        let began = Instant::now();
        let outcome = done().context(what);
        self.0.push((what, began.elapsed()));
        outcome
    }
}

pub(super) fn run(
    root: &Path,
    cache: &Path,
    engine: Engine,
    options: TestOptions,
) -> anyhow::Result<ExitCode> {
    let port = free_port()?;
    let engine = engine.of_project(PROJECT, &[("GATEWAY_PORT", port.to_string())]);
    let mut times = Times::default();
    engine.compose(&["down", "--volumes"])?;
    let outcome = test(root, cache, &engine, port, options, &mut times);
    if outcome.is_err() {
        engine.compose(&["ps", "--all"])?;
        engine.compose(&["logs", "--tail=20"])?;
    }
    if !options.keep {
        times.taken("down --volumes", || engine.compose(&["down", "--volumes"]))?;
        times.taken("nothing is left", nothing_left)?;
    }
    outcome?;
    for (what, took) in &times.0 {
        say(&format!("{what:<44}{:>8.1} s", took.as_secs_f64()));
    }
    Ok(ExitCode::SUCCESS)
}

fn test(
    root: &Path,
    cache: &Path,
    engine: &Engine,
    port: u16,
    options: TestOptions,
    times: &mut Times,
) -> anyhow::Result<()> {
    for_compose(root)?;
    times.taken("images", || {
        images::prepare(root, cache, engine, options.images)
    })?;
    times.taken("tests built", || {
        let mut command = test_command(root);
        command.args(TESTS.map(|name| ["--test", name]).as_flattened());
        finished(command.arg("--no-run"), "building the tests")
    })?;
    times.taken("up, and healthy", || engine.up())?;
    let place = tempfile::NamedTempFile::new()?;
    describe(root, place.path(), port)?;
    times.taken("walkthroughs through the gateway", || {
        tests(root, TESTS[0], place.path())
    })?;
    times.taken("every container restarted under load", || {
        tests(root, TESTS[1], place.path())
    })?;
    times.taken("images and containers looked at", || {
        let apps = App::ALL.map(|app| facts::of_service(engine, app.id()));
        let facts = apps.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        facts::assert_modest(&facts)
    })
}

/// Tells the tests where the suite is: a file, because it has the key of tokens.
fn describe(root: &Path, file: &Path, port: u16) -> anyhow::Result<()> {
    let key = root.join(FOLDER).join("auth/jwt-key");
    let services = ComposeFile::read(root)?;
    let place = json!({
        "base": format!("http://127.0.0.1:{port}"),
        "services": services.lasting(),
        "xtask": std::env::current_exe()?,
        "project": PROJECT,
        "key": std::fs::read_to_string(&key).with_context(|| key.display().to_string())?,
    });
    std::fs::write(file, place.to_string()).context("a file for the tests")
}

fn tests(root: &Path, name: &str, place: &Path) -> anyhow::Result<()> {
    let mut command = test_command(root);
    command.args(["--test", name, "--", "--test-threads=1", "--nocapture"]);
    command
        .env("TASKLEDGER_STACK", "compose")
        .env("TASKLEDGER_COMPOSE", place);
    finished(&mut command, name)
}

fn test_command(root: &Path) -> Command {
    let mut command = cargo(root);
    command.args(["test", "--quiet", "--locked", "--package", "suite-tests"]);
    command
}

/// Of containers, volumes and networks; images are kept for the next time.
fn nothing_left() -> anyhow::Result<()> {
    let filter = format!("label=com.docker.compose.project={PROJECT}");
    for kind in ["container", "volume", "network"] {
        let all: &[&str] = if kind == "container" { &["--all"] } else { &[] };
        let words = [&[kind, "ls", "--quiet", "--filter", &filter], all].concat();
        let left = docker(&words)?;
        ensure!(left.is_empty(), "a {kind} is left: {left}");
    }
    Ok(())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
