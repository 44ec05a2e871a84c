//! `cargo xtask generate`: what is written from the Rust types and the topic contract; and
//! `cargo xtask contract`, the part of it that follows from the topic contract.
//!
//! The files are checked in, so that a reviewer sees what a change does to the wire and to the broker.

mod catalogue;
mod contract;
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

/// What to do with the files of the topic contract.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct ContractOptions {
    /// Writes nothing; fails when a file is missing or stale.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(root: &Path, options: Options) -> anyhow::Result<ExitCode> {
    let plan = Plan::compare(root, options.unreleased)?;
    finish(root, &plan, options.check)
}

pub(crate) fn run_contract(root: &Path, options: ContractOptions) -> anyhow::Result<ExitCode> {
    let plan = Plan::compare_contract(root)?;
    finish(root, &plan, options.check)
}

fn finish(root: &Path, plan: &Plan, check: bool) -> anyhow::Result<ExitCode> {
    let problems = if check {
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
    if !check {
        plan.write(root)?;
    }
    say(&plan.summary(check));
    Ok(ExitCode::SUCCESS)
}
