//! `cargo xtask test-postgres`: the store tests, on a PostgreSQL server that lives as long as they do.

mod server;

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ExitCode};
use std::time::Duration;

use anyhow::Context;

use crate::root::{cargo, say};
use crate::signals::{Interrupts, wait_or_stop};
use server::Server;

/// The crates whose tests run on PostgreSQL too.
const PACKAGES: [&str; 7] = [
    "database",
    "event-store",
    "task-api",
    "reminder-scheduler",
    "recurring-generator",
    "notifier",
    "taskledger",
];

/// Where the tests find the server.
const URL: &str = "TEST_POSTGRES_URL";

/// What a shell answers when a command was interrupted.
const INTERRUPTED: u8 = 130;

const POLL: Duration = Duration::from_millis(100);

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Arguments for `cargo test`; `-p` or `--workspace` among them replaces the list of packages.
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let interrupts = Interrupts::listen()?;
    let Some(server) = Server::start(&interrupts)? else {
        return Ok(ExitCode::from(INTERRUPTED));
    };
    say(&format!(
        "test-postgres: {} at {}",
        server.version(),
        server.url()
    ));
    let mut tests = cargo_test(root, options, server.url())?;
    let Some(status) = wait_or_stop(&mut tests, &interrupts)? else {
        say("test-postgres: interrupted, stopping the server");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let connections = server.connections()?;
    say(&format!(
        "test-postgres: the tests opened {connections} connections"
    ));
    if status.success() && connections == 0 {
        say(&format!(
            "test-postgres: no test used the server; do they read {URL}?"
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn cargo_test(root: &Path, options: &Options, url: &str) -> anyhow::Result<Child> {
    let mut command = cargo(root);
    command.args(["test", "--locked"]).env(URL, url);
    if !options
        .arguments
        .iter()
        .any(|argument| argument == "-p" || argument == "--package")
    {
        command.args(PACKAGES.iter().flat_map(|package| ["-p", package]));
    }
    command.args(&options.arguments);
    // A group of its own: an interrupt reaches it through us, once, with everything it started.
    command
        .process_group(0)
        .spawn()
        .context("cannot run cargo test")
}
