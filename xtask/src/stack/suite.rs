//! `cargo xtask stack test`: the suite's tests on the real parts.

use std::path::Path;
use std::process::{Child, ExitCode};

use anyhow::Context;

use super::layout::Layout;
use super::part::Part;
use super::up::{self, UpOptions};
use crate::root::{cargo, say};
use crate::signals::{Interrupts, wait_or_stop};

/// The test binaries, by what they need: `real-stack` has nothing to run on without a stack.
const TESTS: [&str; 3] = ["walkthroughs", "real-stack", "conformance"];

/// What a shell answers when a command was interrupted.
const INTERRUPTED: u8 = 130;

/// How to test.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TestOptions {
    #[command(flatten)]
    up: UpOptions,

    /// Leaves the stack running when it was started for the tests.
    #[arg(long)]
    keep: bool,

    /// Only this test binary: `walkthroughs`, `real-stack` or `conformance`.
    #[arg(long)]
    only: Option<String>,

    /// Arguments for the test binaries, such as a name.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Starts a stack unless one runs, tests it, and stops it if it was started for that.
pub(super) fn run(
    root: &Path,
    directory: &Path,
    options: &TestOptions,
) -> anyhow::Result<ExitCode> {
    let was_there = Layout::load(directory)?.is_some();
    let interrupts = Interrupts::listen()?;
    let outcome = up::run(root, directory, &options.up)
        .and_then(|layout| test(root, &layout, options, &interrupts));
    let failed = !matches!(&outcome, Ok(code) if *code == ExitCode::SUCCESS);
    if failed && let Some(layout) = Layout::load(directory)? {
        tell_last_words(&layout);
    }
    if !was_there && !options.keep {
        super::down(directory)?;
    }
    outcome
}

fn test(
    root: &Path,
    layout: &Layout,
    options: &TestOptions,
    interrupts: &Interrupts,
) -> anyhow::Result<ExitCode> {
    for name in TESTS {
        if options.only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let mut tests = spawn(root, layout, name, &options.arguments)?;
        let Some(status) = wait_or_stop(&mut tests, interrupts)? else {
            say("stack: interrupted");
            return Ok(ExitCode::from(INTERRUPTED));
        };
        if !status.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One test at a time: they share the stack, and some stop parts of it.
fn spawn(root: &Path, layout: &Layout, name: &str, arguments: &[String]) -> anyhow::Result<Child> {
    use std::os::unix::process::CommandExt;

    let mut command = cargo(root);
    command.args([
        "test",
        "--locked",
        "-p",
        "suite-tests",
        "--test",
        name,
        "--",
        "--test-threads=1",
    ]);
    command.args(arguments);
    command
        .env("TASKLEDGER_STACK", "real")
        .env("TASKLEDGER_STACK_DIR", &layout.directory);
    command
        .process_group(0)
        .spawn()
        .context("cannot run cargo test")
}

/// The stack goes, and with it the logs that may say why.
fn tell_last_words(layout: &Layout) {
    for part in Part::all(layout) {
        say(&format!("── the end of the log of {}", part.name()));
        say(&part.last_words(layout));
    }
}
