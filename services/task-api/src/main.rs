//! The service as a process of its own.

use clap::Parser;
use service_kit::lifecycle::shutdown_signal;
use service_kit::telemetry;
use task_api::app;
use task_api::config::Config;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::parse();
    let telemetry = telemetry::init("task-api", &config.service.telemetry)?;
    // Telemetry is flushed whether or not the service could be built.
    let outcome = async { Ok(app::build(config).await?.run(shutdown_signal()).await?) }.await;
    telemetry.shutdown().await;
    outcome
}
