//! The service as its sidecar sees it.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod recurring_events;
mod task_events;
mod task_update_events;

use recurring_generator::app;
use recurring_generator::config::Config;
use serde_json::Value;
use test_support::{TestEnvironment, TestParts, TestSuite};

/// Builds the service as production does.
async fn parts(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = Config {
        service: environment.service(),
    };
    Ok(TestParts::of(
        app::build_with(config, environment.clock()).await?,
    )?)
}

/// The slots that were announced, in order.
fn announced(suite: &TestSuite) -> Vec<String> {
    let due = suite.published_of("occurrence.due.v1");
    let slot = |event: &Value| event["data"]["change"]["slot"].as_str().unwrap().to_owned();
    due.iter().map(slot).collect()
}
