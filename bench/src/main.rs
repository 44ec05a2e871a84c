#![doc = include_str!("../README.md")]

mod case;
mod ceiling;
mod child;
mod cpu;
mod delivery;
mod driver;
mod latency;
mod ledger;
mod mix;
mod naive;
mod peers;
mod pipeline;
mod place;
mod probe;
mod rebuild;
mod recurrence;
mod reminders;
mod report;
mod rows;
mod service;
mod sidecar;
mod statistics;
mod store;
mod suite;
mod timers;

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
    /// Task commands and timers against pg-boss, graphile-worker and Restate, which npm installs.
    Peers(Box<ledger::Config>),
    /// The tables of a projection made anew from a long log.
    Rebuild(rebuild::Config),
    /// A crowd of reminders that is due at once, among very many that are not.
    Timers(timers::Config),
    /// Commands through the real stack to their effects in every subscriber, beside a bare driver.
    Pipeline(pipeline::Config),
    /// Series whose occurrences are completed within seconds, through the whole suite to the next ones.
    Recurrence(recurrence::Config),
    /// Reminders that become due at a steady rate, through the whole suite to inbox and task.
    Reminders(reminders::Config),
    /// A part of a measurement: the whole suite.
    #[command(hide = true)]
    Suite(suite::Config),
    /// A part of a comparison: task-api.
    #[command(hide = true)]
    TaskApi(Box<task_api::config::Config>),
    /// A part of a comparison: reminder-scheduler.
    #[command(hide = true)]
    ReminderScheduler(Box<reminder_scheduler::config::Config>),
    /// A part of a comparison: a handler with a transaction per request.
    #[command(hide = true)]
    Naive(Box<naive::Config>),
    /// A part of a comparison: subscribers that do nothing.
    #[command(hide = true)]
    Sink(pipeline::SinkConfig),
    /// A part of a comparison: a sidecar that takes every event.
    #[command(hide = true)]
    Sidecar(sidecar::Config),
}

fn main() -> anyhow::Result<()> {
    let command = Cli::parse().command;
    let mut runtime = match command {
        // The driver shares the machine with what it measures: one thread does not steal from itself.
        Command::Ledger(_)
        | Command::Peers(_)
        | Command::Pipeline(_)
        | Command::Recurrence(_)
        | Command::Reminders(_) => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build()?;
    let outcome = runtime.block_on(run(command));
    // A thread that reads what never comes must not keep us.
    runtime.shutdown_background();
    outcome
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Ledger(config) => until_interrupted(ledger::run(*config)).await,
        Command::Peers(config) => until_interrupted(ledger::run(config.only_peers())).await,
        Command::Rebuild(config) => rebuild::run(config).await,
        Command::Timers(config) => until_interrupted(timers::run(config)).await,
        Command::Pipeline(config) => until_interrupted(pipeline::run(config)).await,
        Command::Recurrence(config) => until_interrupted(recurrence::run(config)).await,
        Command::Reminders(config) => until_interrupted(reminders::run(config)).await,
        Command::Suite(config) => suite::run(config, parent_asks_to_stop()).await,
        Command::Sink(config) => pipeline::sink(config, parent_asks_to_stop()).await,
        Command::TaskApi(config) => service::task_api(*config, parent_asks_to_stop()).await,
        Command::ReminderScheduler(config) => {
            service::reminder_scheduler(*config, parent_asks_to_stop()).await
        }
        Command::Naive(config) => naive::run(*config, parent_asks_to_stop()).await,
        Command::Sidecar(config) => sidecar::run(config, parent_asks_to_stop()).await,
    }
}

async fn until_interrupted(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        outcome = work => outcome,
        () = shutdown_signal() => bail!("interrupted"),
    }
}
