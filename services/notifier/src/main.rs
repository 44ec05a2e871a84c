//! The service as a process of its own.

use clap::Parser;
use notifier::app;
use notifier::config::Config;
use service_kit::lifecycle::shutdown_signal;
use service_kit::{probe, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if let Some(health) = probe::requested(std::env::args_os()) {
        return Ok(probe::ask(health.ops_listen)?);
    }
    let config = Config::parse();
    let telemetry = telemetry::init("notifier", &config.service.telemetry)?;
    // Telemetry is flushed whether or not the service could be built.
    let outcome = async { Ok(app::build(config).await?.run(shutdown_signal()).await?) }.await;
    telemetry.shutdown().await;
    outcome
}
