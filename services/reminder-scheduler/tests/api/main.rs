//! The service as its sidecar and the clock see it.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod dead_letters;
mod fire_due_timers;
mod follow_zone_rules;
mod task_events;
mod task_update_events;

use chrono::{DateTime, Utc};
use reminder_scheduler::app::{self, AppState};
use reminder_scheduler::config::Config;
use reminder_scheduler::workers::{fire_due_timers as timers, follow_zone_rules as zone_rules};
use service_kit::service::Service;
use test_support::fixture::{TaskStory, local, task};
use test_support::{TestEnvironment, TestParts, fixture};

/// Builds the service as production does.
async fn build(environment: TestEnvironment) -> anyhow::Result<Service<AppState>> {
    let config = Config {
        service: environment.service(),
    };
    Ok(app::build_with(config, environment.clock()).await?)
}

async fn parts(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let service = build(environment).await?;
    let firing = service.state.clone();
    let planning = service.state.clone();
    let parts = TestParts::of(service)?.worker("timers", move || {
        let state = firing.clone();
        async move { timers::run_once(&state).await }
    });
    Ok(parts.worker("zone rules", move || {
        let state = planning.clone();
        async move { zone_rules::run_once(&state).await.map(|pass| pass.tasks) }
    }))
}

/// Due at noon UTC, with a reminder ten minutes before.
fn rent() -> TaskStory {
    task("Pay rent")
        .due(local("2026-11-22T12:00", "UTC"))
        .reminder(-600)
}

/// When the reminder of [`rent`] fires.
fn its_time() -> DateTime<Utc> {
    fixture::instant("2026-11-22T11:50:00Z")
}

const SCHEDULED: &str = "reminder.scheduled.v1";
const MOVED: &str = "reminder.moved.v1";
const FIRED: &str = "reminder.fired.v1";
const MISSED: &str = "reminder.missed.v1";
const CANCELLED: &str = "reminder.cancelled.v1";
