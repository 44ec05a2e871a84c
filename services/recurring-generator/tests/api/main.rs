//! The service as its sidecar sees it.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod recurring_events;
mod task_events;
mod task_update_events;

use recurring_generator::app::App;
use recurring_generator::config::Config;
use recurring_generator::workers::purge;
use serde_json::Value;
use test_support::{TestEnvironment, TestParts, TestSuite};

/// Builds the service as production does.
async fn parts(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = Config {
        http: environment.http(),
        database: environment.database(),
        dapr: environment.dapr(),
        telemetry: environment.telemetry(),
    };
    let app = App::build_with(config, environment.clock()).await?;
    let parts = app.into_parts();
    let ledger = parts.state.ledger.clone();
    let state = parts.state;
    Ok(
        TestParts::new(ledger, parts.lane, parts.relay, parts.public, parts.sidecar).worker(
            "purge",
            move || {
                let state = state.clone();
                async move { purge::run_once(&state).await }
            },
        ),
    )
}

/// The slots that were announced, in order.
fn announced(suite: &TestSuite) -> Vec<String> {
    let due = suite.published_of("occurrence.due.v1");
    let slot = |event: &Value| event["data"]["change"]["slot"].as_str().unwrap().to_owned();
    due.iter().map(slot).collect()
}
