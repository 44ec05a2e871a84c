//! task-api as its own binary runs it, without a second build.

use service_kit::telemetry;
use task_api::app;
use task_api::config::Config;

/// Serves until `stop`.
pub(crate) async fn run(config: Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let telemetry = telemetry::init("task-api", &config.service.telemetry)?;
    let outcome = async { Ok(app::build(config).await?.run(stop).await?) }.await;
    telemetry.shutdown().await;
    outcome
}
