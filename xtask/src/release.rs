//! `cargo xtask release`: what a release is made of, as far as one machine can make it. The workflows in
//! `.github` call it, and are checked by it.

mod files;
mod images;
mod rules;
mod workflow;

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use clap::Subcommand;

use crate::root::say;
use workflow::Workflow;

/// What to do for a release.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: ReleaseCommand,
}

#[derive(Debug, Subcommand)]
enum ReleaseCommand {
    /// Checks the workflows: pinned actions, least permissions, and steps and commands that exist.
    Check {
        /// Has to be `v` and the version of the workspace.
        #[arg(long)]
        tag: Option<String>,
    },
    /// Writes what goes beside the images: bills of materials (`CycloneDX`), licenses, checksums.
    Files(files::FileOptions),
    /// Builds the image of every service for one platform, by the Dockerfile.
    Images(images::ImageOptions),
}

/// What has an image: a program each.
pub(crate) const PROGRAMS: [&str; 5] = [
    "task-api",
    "reminder-scheduler",
    "recurring-generator",
    "notifier",
    "taskledger",
];

/// Of the workspace; xtask has the same.
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    match &options.command {
        ReleaseCommand::Check { tag } => check(root, tag.as_deref()),
        ReleaseCommand::Files(wanted) => files::write(root, wanted),
        ReleaseCommand::Images(wanted) => images::build(root, wanted),
    }
}

fn check(root: &Path, tag: Option<&str>) -> anyhow::Result<ExitCode> {
    if let Some(tag) = tag {
        ensure!(
            tag == format!("v{VERSION}"),
            "the tag is {tag}, the version in Cargo.toml is {VERSION}: change one of them"
        );
    }
    let workflows = Workflow::all(root)?;
    let findings = rules::findings(root, &workflows)?;
    for finding in &findings {
        say(finding);
    }
    say(&format!(
        "release: {} workflows, {} findings",
        workflows.len(),
        findings.len()
    ));
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
