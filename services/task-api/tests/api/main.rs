//! The service as its callers and its sidecar see it.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod about;
mod bad_fields;
mod bad_input;
mod exceptions;
mod history;
mod late;
mod openapi;
mod preferences;
mod projections;
mod recurrence;
mod recurrence_preview;
mod recurrence_refusals;
mod recurring_events;
mod reminder_answers;
mod reminder_events;
mod reminder_list;
mod reminders;
mod reschedule;
mod scope;
mod series;
mod series_changes;
mod series_rule;
mod series_turnover;
mod task_list;
mod task_preview;
mod tasks;
mod transitions;
mod undo;

use http::StatusCode;
use serde_json::{Value, json};
use task_api::app;
use task_api::config::Config;
use task_api::workers::follow_home_zones;
use test_support::{TestEnvironment, TestParts, TestSuite};

/// Builds the service as production does.
async fn parts(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = Config {
        service: environment.service(),
        auth: environment.auth(),
    };
    let service = app::build_with(config, environment.clock()).await?;
    let state = service.state.clone();
    Ok(TestParts::of(service)?.worker("home zones", move || {
        let state = state.clone();
        async move { follow_home_zones::run_once(&state).await }
    }))
}

async fn suite() -> TestSuite {
    TestSuite::start(parts).await
}

/// A task that was created from a body.
async fn create(suite: &TestSuite, body: Value) -> Value {
    suite.post("/v1/tasks", body, StatusCode::CREATED).await
}

/// The path of a task, or of a command on it.
fn path(task: &Value, command: &str) -> String {
    format!("/v1/tasks/{}{command}", task["id"].as_str().unwrap())
}

fn berlin(local: &str) -> Value {
    json!({ "local": local, "time_zone": "Europe/Berlin" })
}

/// The wrong fields of a problem: pointers and codes.
fn errors(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
    let mut errors: Vec<_> = errors
        .iter()
        .map(|error| {
            let text = |name: &str| error[name].as_str().unwrap();
            (text("pointer"), text("code"))
        })
        .collect();
    errors.sort_unstable();
    errors
}
