//! A person who travels: what floats goes with them, through all services.

use chrono::{DateTime, TimeDelta, Utc};
use clock::{Clock, SystemClock};
use serde_json::{Value, json};
use suite_tests::Suite;

/// Nine hours ahead of UTC, for ever.
const EAST: &str = "Etc/GMT-9";

#[tokio::test]
async fn a_floating_reminder_fires_where_its_owner_is() {
    let suite = Suite::start().await;
    let soon = SystemClock::new().now() + TimeDelta::seconds(2);
    // In UTC that is nine hours from now.
    let there = (soon + TimeDelta::hours(9)).format("%Y-%m-%dT%H:%M:%S");
    let pills = json!({
        "title": "Pills",
        "due": { "local": there.to_string(), "time_zone": "floating" },
        "reminders": [{ "trigger": { "type": "relative", "to": "due", "offset": "PT0S" } }],
    });
    let task = suite.post("/v1/tasks", &pills, 201).await;

    let preferences = json!({ "time_zone": EAST });
    suite.patch("/v1/me/preferences", &preferences, 200).await;

    let told = suite
        .eventually("/v1/notifications", |_, page| page["items"].get(0).cloned())
        .await;
    assert_eq!(told["task_id"], task["id"]);
    let path = format!("/v1/tasks/{}", task["id"].as_str().unwrap());
    let task = suite
        .eventually(&path, |_, task: &Value| {
            let reminder = &task["reminders"][0];
            (reminder["state"] == "fired").then(|| task.clone())
        })
        .await;
    let due: DateTime<Utc> = task["due"]["instant"].as_str().unwrap().parse().unwrap();
    let created: DateTime<Utc> = told["created_at"].as_str().unwrap().parse().unwrap();
    assert!(
        due <= created && created - due < TimeDelta::hours(1),
        "{due} {created}"
    );
    suite.stop().await;
}
