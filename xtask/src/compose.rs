//! `cargo xtask compose`: checks of `docker-compose.yml` that need no engine.

mod file;
mod rules;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use crate::root::say;
use file::ComposeFile;

/// What to do with the compose file.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: ComposeCommand,
}

#[derive(Debug, Subcommand)]
enum ComposeCommand {
    /// Compares the file with the topic contract, the secrets that are made, and our rules. Needs no engine.
    Check,
}

pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let ComposeCommand::Check = options.command;
    check(root)
}
fn check(root: &Path) -> anyhow::Result<ExitCode> {
    let file = ComposeFile::read(root)?;
    let findings = rules::findings(root, &file)?;
    for finding in &findings {
        say(&format!("docker-compose.yml: {finding}"));
    }
    say(&format!(
        "compose: {} services, {} findings",
        file.services().count(),
        findings.len()
    ));
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
