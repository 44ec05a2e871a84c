//! The service as its sidecar sees it.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod on_schedule;
mod recurring_events;
mod task_events;
mod task_update_events;

use recurring_generator::app;
use recurring_generator::config::Config;
use recurring_generator::workers::make_due_occurrences as timers;
use serde_json::Value;
use test_support::{TestEnvironment, TestParts, TestSuite};

/// Builds the service as production does.
async fn parts(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = Config {
        service: environment.service(),
    };
    let service = app::build_with(config, environment.clock()).await?;
    let making = service.state.clone();
    let renewing = service.state.clone();
    let parts = TestParts::of(service)?.worker("renewal", move || {
        let state = renewing.clone();
        async move { timers::renew(&state).await }
    });
    Ok(parts.worker("timers", move || {
        let state = making.clone();
        async move { timers::run_once(&state).await }
    }))
}

/// The slots that were announced, in order.
fn announced(suite: &TestSuite) -> Vec<String> {
    let due = suite.published_of("occurrence.due.v1");
    let slot = |event: &Value| event["data"]["change"]["slot"].as_str().unwrap().to_owned();
    due.iter().map(slot).collect()
}
