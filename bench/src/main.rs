#![doc = include_str!("../README.md")]

mod case;
mod ceiling;
mod child;
mod cpu;
mod driver;
mod latency;
mod ledger;
mod mix;
mod naive;
mod place;
mod probe;
mod report;
mod rows;
mod sidecar;
mod statistics;
mod store;
mod task_api_process;

use anyhow::bail;
use clap::{Parser, Subcommand};
use service_kit::lifecycle::shutdown_signal;
use tokio::runtime::Builder;

use child::parent_asks_to_stop;

/// Measures the ledger side by side with what it replaces.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Commands through task-api, through a handler with a transaction each, and written directly.
    Ledger(Box<ledger::Config>),
    /// A part of a comparison: task-api.
    #[command(hide = true)]
    TaskApi(Box<task_api::config::Config>),
    /// A part of a comparison: a handler with a transaction per request.
    #[command(hide = true)]
    Naive(Box<naive::Config>),
    /// A part of a comparison: a sidecar that takes every event.
    #[command(hide = true)]
    Sidecar(sidecar::Config),
}

fn main() -> anyhow::Result<()> {
    let command = Cli::parse().command;
    let mut runtime = match command {
        // The driver shares the machine with what it measures: one thread does not steal from itself.
        Command::Ledger(_) => Builder::new_current_thread(),
        Command::TaskApi(_) | Command::Naive(_) | Command::Sidecar(_) => {
            Builder::new_multi_thread()
        }
    };
    let runtime = runtime.enable_all().build()?;
    runtime.block_on(run(command))
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Ledger(config) => tokio::select! {
            outcome = ledger::run(*config) => outcome,
            () = shutdown_signal() => bail!("interrupted"),
        },
        Command::TaskApi(config) => task_api_process::run(*config, parent_asks_to_stop()).await,
        Command::Naive(config) => naive::run(*config, parent_asks_to_stop()).await,
        Command::Sidecar(config) => sidecar::run(config, parent_asks_to_stop()).await,
    }
}
