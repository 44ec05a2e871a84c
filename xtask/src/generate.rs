//! `cargo xtask generate`: what is written from the Rust types and the topic contract.
//!
//! The files are checked in, so that a reviewer sees what a change does to the wire.

mod catalogue;
mod plan;

use std::path::Path;
use std::process::ExitCode;

use crate::root::say;
use plan::Plan;

/// What to do with the generated files.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Options {
    /// Writes nothing; fails when a file is missing, stale or orphaned.
    #[arg(long)]
    check: bool,
    /// Rewrites schemas incompatibly, for versions that nobody has published yet.
    #[arg(long, conflicts_with = "check")]
    unreleased: bool,
}

pub(crate) fn run(root: &Path, options: Options) -> anyhow::Result<ExitCode> {
    let plan = Plan::compare(root, options.unreleased)?;
    let problems = if options.check {
        plan.differences()
    } else {
        plan.refusals()
    };
    for problem in &problems {
        say(problem);
    }
    if !problems.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    if !options.check {
        plan.write(root)?;
    }
    say(&plan.summary(options.check));
    Ok(ExitCode::SUCCESS)
}
