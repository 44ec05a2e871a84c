//! The service as its callers and its sidecar see it.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod description;
mod inbox;
mod missed;
mod recurring_events;
mod reminder_events;
mod stream;
mod task_events;

use notifier::app;
use notifier::config::Config;
use serde_json::Value;
use test_support::{TestEnvironment, TestParts, TestSuite};

async fn parts(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = Config {
        service: environment.service(),
        auth: environment.auth(),
    };
    Ok(TestParts::of(
        app::build_with(config, environment.clock()).await?,
    )?)
}

async fn suite() -> TestSuite {
    TestSuite::start(parts).await
}

/// The titles in the usual user's inbox, newest first.
async fn titles(suite: &TestSuite) -> Vec<String> {
    let page = suite.get("/v1/notifications", http::StatusCode::OK).await;
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| text(item, "title")).collect()
}

fn text(item: &Value, field: &str) -> String {
    item[field].as_str().unwrap_or_default().to_owned()
}
