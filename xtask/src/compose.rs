//! `cargo xtask compose`: `docker-compose.yml` on a real engine, and checks of it that need none.

mod engine;
mod facts;
mod file;
mod images;
mod root_fs;
mod rules;
mod stand_ins;
mod suite;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use crate::cache::CacheOptions;
use crate::root::say;
use crate::secrets::for_compose;
use engine::Engine;
use file::ComposeFile;

/// What to do with the compose file.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A name for a suite beside that of the file.
    #[arg(long, global = true)]
    project: Option<String>,

    #[command(flatten)]
    cache: CacheOptions,

    #[command(subcommand)]
    command: ComposeCommand,
}

#[derive(Debug, Subcommand)]
enum ComposeCommand {
    /// Compares the file with the topic contract, the secrets that are made, and our rules. Needs no engine.
    Check,
    /// Makes missing secrets and images, starts everything, and waits until it is healthy.
    Up(images::ImageOptions),
    /// Stops everything and removes the containers; the data stays.
    Down {
        /// Removes the data too.
        #[arg(long, short)]
        volumes: bool,
    },
    /// Says what is running, and how it is.
    Status,
    /// Shows the end of the logs.
    Logs {
        /// The services, as `status` shows them; all when none is named.
        services: Vec<String>,
    },
    /// Restarts some services, and waits until all is healthy again.
    Restart {
        /// The services, as `status` shows them.
        #[arg(required = true)]
        services: Vec<String>,
    },
    /// Starts a suite of its own, walks through it, restarts every container under load, removes it all.
    Test(suite::TestOptions),
}

pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    if let ComposeCommand::Check = options.command {
        return check(root);
    }
    let cache = options.cache.folder()?;
    let mut engine = Engine::find(root, &cache)?;
    if let Some(project) = &options.project {
        engine = engine.of_project(project, &[]);
    }
    match &options.command {
        ComposeCommand::Check => {}
        ComposeCommand::Up(wanted) => {
            for_compose(root)?;
            images::prepare(root, &cache, &engine, *wanted)?;
            engine.up()?;
        }
        ComposeCommand::Down { volumes: false } => engine.compose(&["down"])?,
        ComposeCommand::Down { volumes: true } => engine.compose(&["down", "--volumes"])?,
        ComposeCommand::Status => engine.compose(&["ps", "--all"])?,
        ComposeCommand::Logs { services } => {
            engine.compose_with(&["logs", "--tail=20"], services)?;
        }
        ComposeCommand::Restart { services } => engine.restart(services)?,
        ComposeCommand::Test(wanted) => return suite::run(root, &cache, engine, *wanted),
    }
    Ok(ExitCode::SUCCESS)
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
