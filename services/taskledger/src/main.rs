//! The operator's binary: without a subcommand it runs the whole suite on this machine.

use std::future::poll_fn;
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;

use clap::Parser;
use service_kit::lifecycle::shutdown_signal;
use service_kit::{probe, telemetry};
use taskledger::app::App;
use taskledger::config::{Cli, Command, UpConfig};
use taskledger::{banner, dead_letters, events, ledger, relay};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command() {
        Command::Up(config) => up(*config).await,
        Command::Health(health) => probe::ask(health.ops_listen).map_err(Into::into),
        Command::Events(command) => events::run(command).await,
        Command::Ledger(command) => ledger::run(command).await,
        Command::DeadLetters(command) => dead_letters::run(*command).await,
        Command::Relay(command) => relay::run(command).await,
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
    let mut stop = pin!(shutdown_signal());
    // Asked once, it listens: a signal during the start is not lost, and ends it well.
    let _ = poll_fn(|context| Poll::Ready(stop.as_mut().poll(context))).await;
    let telemetry = telemetry::init("taskledger", &config.telemetry())?;
    // Telemetry is flushed whether or not the suite could be built.
    let outcome = async {
        let app = App::build(config).await?;
        // A banner that nobody reads is no reason to stop.
        let _ = banner::print(&app);
        app.run(stop).await
    }
    .await;
    telemetry.shutdown().await;
    outcome
}
