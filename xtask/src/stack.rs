//! `cargo xtask stack`: the suite on daprd, Kafka and PostgreSQL, secured as in production, on this
//! machine and without containers.
//!
//! Everything it runs listens on loopback and lives in one directory, which `down` removes.

mod certificates;
mod daprd;
mod http;
mod kafka;
mod layout;
mod part;
mod postgres;
mod restart;
mod services;
mod suite;
mod tools;
mod up;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use crate::root::say;
pub(crate) use daprd::GARBAGE;
use layout::Layout;
use part::Part;
pub(crate) use tools::{daprd as daprd_program, kafka as kafka_jars, missing as missing_programs};

/// What to do with the stack.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Everything the stack keeps; `stack` in the target folder when nothing is said.
    #[arg(long, env = "TASKLEDGER_STACK_DIR", global = true)]
    dir: Option<PathBuf>,

    #[command(subcommand)]
    command: StackCommand,
}

#[derive(Debug, Subcommand)]
enum StackCommand {
    /// Starts what is not running, builds what is missing, and says where everything is. A service that
    /// was built anew is started anew.
    Up(up::UpOptions),
    /// Runs the suite's tests on the stack; starts one for them, and stops it, unless one is there.
    Test(suite::TestOptions),
    /// Stops everything and removes the directory.
    Down,
    /// Says what is running, and where.
    Status,
    /// Shows the end of the logs.
    Logs {
        /// The parts, by the names that `status` shows; all when none is named.
        parts: Vec<String>,
        /// How many lines of each.
        #[arg(long, default_value_t = 20)]
        lines: usize,
    },
    /// Stops some parts; `up` starts them again.
    Stop {
        /// The parts, by the names that `status` shows.
        #[arg(required = true)]
        parts: Vec<String>,
        /// At once, as a crash or a power cut would.
        #[arg(long)]
        kill: bool,
    },
    /// Starts some parts again with the files of the directory as they are, and waits for nothing: change
    /// one, and see what happens. `up` writes them anew.
    Restart(restart::RestartOptions),
    /// Gives the brokers other certificates, which they show once they are started again: to rehearse the
    /// end of one. Without dates they are good again.
    Certificate(certificates::CertificateOptions),
}

pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let directory = match &options.dir {
        Some(directory) => std::path::absolute(directory)?,
        None => target()?.join("stack"),
    };
    match &options.command {
        StackCommand::Up(wanted) => {
            let layout = up::run(root, &directory, wanted)?;
            show(&layout)?;
        }
        StackCommand::Test(wanted) => return suite::run(root, &directory, wanted),
        StackCommand::Down => down(&directory)?,
        StackCommand::Status => show(&running(&directory)?)?,
        StackCommand::Logs { parts, lines } => logs(&running(&directory)?, parts, *lines)?,
        StackCommand::Stop { parts, kill } => stop(&running(&directory)?, parts, *kill)?,
        StackCommand::Restart(wanted) => restart::run(root, &running(&directory)?, wanted)?,
        StackCommand::Certificate(wanted) => {
            certificates::replace(&running(&directory)?, *wanted)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder that cargo builds into, which this program is in.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.ancestors().nth(2);
    Ok(folder
        .context("this program is not in a target folder")?
        .to_path_buf())
}

fn running(directory: &Path) -> anyhow::Result<Layout> {
    let layout = Layout::load(directory)?;
    layout.with_context(|| {
        format!(
            "there is no stack in {}: run `cargo xtask stack up`",
            directory.display()
        )
    })
}

/// Stops everything, users before those they use.
fn down(directory: &Path) -> anyhow::Result<()> {
    let Some(layout) = Layout::load(directory)? else {
        say(&format!("stack: there is none in {}", directory.display()));
        return Ok(());
    };
    for part in Part::all(&layout).iter().rev() {
        match part {
            // The last brokers of three would wait for a majority; what they keep goes with the folder.
            Part::Kafka(..) => part.kill(&layout)?,
            _ => part.stop(&layout)?,
        }
    }
    std::fs::remove_dir_all(directory).with_context(|| directory.display().to_string())?;
    say(&format!(
        "stack: stopped, {} is removed",
        directory.display()
    ));
    Ok(())
}

fn stop(layout: &Layout, names: &[String], kill: bool) -> anyhow::Result<()> {
    for part in chosen(layout, names)? {
        if kill {
            part.kill(layout)?;
        } else {
            part.stop(layout)?;
        }
    }
    Ok(())
}

fn logs(layout: &Layout, names: &[String], lines: usize) -> anyhow::Result<()> {
    for part in chosen(layout, names)? {
        let path = part.log(layout);
        let text = std::fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<_> = text.lines().collect();
        say(&format!("── {} ({})", part.name(), path.display()));
        for line in all.iter().skip(all.len().saturating_sub(lines)) {
            say(line);
        }
    }
    Ok(())
}

/// The parts of these names, or all.
fn chosen(layout: &Layout, names: &[String]) -> anyhow::Result<Vec<Part>> {
    let all = Part::all(layout);
    let known: Vec<_> = all.iter().map(Part::name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!(
            "there is no part {unknown}; there are: {}",
            known.join(", ")
        );
    }
    let chosen = all
        .into_iter()
        .filter(|part| names.is_empty() || names.iter().any(|name| name == part.name()));
    Ok(chosen.collect())
}

fn show(layout: &Layout) -> anyhow::Result<()> {
    for part in Part::all(layout) {
        let state = match part.process(layout)? {
            Some(process) => format!("runs as {process}"),
            None => "is not running".to_owned(),
        };
        say(&format!(
            "{:<26}{state:<18}{}",
            part.name(),
            part.address(layout)?
        ));
    }
    say(&format!("everything is in {}", layout.directory.display()));
    Ok(())
}
