//! The operator's binary: without a subcommand it runs the whole suite on this machine.

use std::process::ExitCode;

use clap::Parser;
use service_kit::lifecycle::shutdown_signal;
use service_kit::telemetry;
use taskledger::app::App;
use taskledger::config::{Cli, Command, UpConfig};
use taskledger::{banner, events, ledger};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command() {
        Command::Up(config) => up(*config).await,
        Command::Events(command) => events::run(command).await,
        Command::Ledger(command) => ledger::run(command).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One sentence: what is wrong, and where it says so, what to do.
            banner::complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn up(config: UpConfig) -> anyhow::Result<()> {
    let telemetry = telemetry::init("taskledger", &config.telemetry())?;
    // Telemetry is flushed whether or not the suite could be built.
    let outcome = async {
        let app = App::build(config).await?;
        banner::print(&app)?;
        app.run(shutdown_signal()).await
    }
    .await;
    telemetry.shutdown().await;
    outcome
}
