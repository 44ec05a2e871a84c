#![doc = include_str!("../README.md")]

mod ledger;
mod report;

use clap::{Parser, Subcommand};

/// Measures the ledger side by side with what it replaces.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Commands through the lane against a transaction per command.
    Ledger(ledger::Config),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Ledger(config) => ledger::run(config).await,
    }
}
