//! Services as their own binaries run them, without a second build.

use service_kit::telemetry;

/// Serves until `stop`.
pub(crate) async fn task_api(
    config: task_api::config::Config,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let telemetry = telemetry::init("task-api", &config.service.telemetry)?;
    let outcome = async { Ok(task_api::app::build(config).await?.run(stop).await?) }.await;
    telemetry.shutdown().await;
    outcome
}

/// Serves until `stop`.
pub(crate) async fn reminder_scheduler(
    config: reminder_scheduler::config::Config,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let telemetry = telemetry::init("reminder-scheduler", &config.service.telemetry)?;
    let service = Box::pin(reminder_scheduler::app::build(config));
    let outcome = async { Ok(service.await?.run(stop).await?) }.await;
    telemetry.shutdown().await;
    outcome
}
