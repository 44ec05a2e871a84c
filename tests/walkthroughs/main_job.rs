//! The main job: a repeating task with a reminder, from creation to the third occurrence.

use chrono::{DateTime, TimeDelta, Utc};
use clock::{Clock, SystemClock};
use serde_json::{Value, json};
use suite_tests::Suite;

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

async fn create_rent(suite: &Suite, remind_at: DateTime<Utc>) -> Value {
    let rent = json!({
        "title": "Pay rent",
        "due": { "local": "2027-01-31T09:00", "time_zone": "Europe/Berlin" },
        "recurrence": { "rrule": "FREQ=MONTHLY" },
        "reminders": [{ "trigger": { "type": "absolute", "at": { "instant": remind_at } } }],
    });
    suite.post("/v1/tasks", &rent, 201).await
}

async fn complete(suite: &Suite, task: &str) -> Value {
    suite
        .post(&format!("/v1/tasks/{task}/complete"), &json!({}), 200)
        .await
}

#[tokio::test]
async fn a_monthly_task_reminds_repeats_at_month_ends_and_keeps_its_history() {
    let clock = SystemClock::new();
    let suite = Suite::start().await;
    let remind_at = clock.now() + TimeDelta::seconds(2);

    let first = create_rent(&suite, remind_at).await;
    let first_id = first["id"].as_str().unwrap();
    assert_eq!(first["slot"], "2027-01-31T09:00");
    assert_eq!(first["due"]["instant"], "2027-01-31T08:00:00Z");

    let told = suite
        .eventually("/v1/notifications", |_, page| page["items"].get(0).cloned())
        .await;
    assert_eq!(told["task_id"], first_id);
    assert!(instant(&told["created_at"]) >= remind_at, "early: {told}");

    let answer = complete(&suite, first_id).await;
    let next = &answer["next_occurrence"];
    assert_eq!(answer["task"]["status"], "completed");
    assert_eq!(next["slot"], "2027-02-28T09:00");
    assert_eq!(next["pending"], true);
    let second_id = next["id"].as_str().unwrap();
    let path = format!("/v1/tasks/{second_id}");
    let second = suite
        .eventually(&path, |status, task| (status == 200).then(|| task.clone()))
        .await;
    assert_eq!(
        (&second["slot"], &second["title"]),
        (&json!("2027-02-28T09:00"), &json!("Pay rent"))
    );

    let answer = complete(&suite, second_id).await;
    assert_eq!(answer["next_occurrence"]["slot"], "2027-03-31T09:00");

    let history = suite
        .get(&format!("/v1/tasks/{first_id}/history"), 200)
        .await;
    let steps: Vec<(u64, &str)> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            (
                step["version"].as_u64().unwrap(),
                step["type"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(steps, [(1, "task.created.v1"), (2, "task.completed.v1")]);
    let last = &history["items"][1];
    assert!(
        last["actor"].as_str().unwrap().starts_with("user:"),
        "{last}"
    );
    assert!(instant(&last["time"]) >= remind_at);
    let status = last["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["field"] == "status");
    assert_eq!(
        status.unwrap(),
        &json!({"field": "status", "from": "open", "to": "completed"})
    );
    suite.stop().await;
}

#[tokio::test]
async fn a_restart_loses_nothing_and_repeats_nothing() {
    let clock = SystemClock::new();
    let suite = Suite::start().await;
    let first = create_rent(&suite, clock.now()).await;
    let first_id = first["id"].as_str().unwrap();
    suite
        .eventually("/v1/notifications", |_, page| page["items"].get(0).cloned())
        .await;

    let suite = suite.restart().await;

    let again = suite.get(&format!("/v1/tasks/{first_id}"), 200).await;
    // What became of its reminder differs, and nothing else.
    let without_reminders = |task: &Value| {
        let mut task = task.clone();
        task["reminders"].take();
        task
    };
    assert_eq!(without_reminders(&again), without_reminders(&first));
    let answer = complete(&suite, first_id).await;
    let next = format!(
        "/v1/tasks/{}",
        answer["next_occurrence"]["id"].as_str().unwrap()
    );
    suite
        .eventually(&next, |status, _| (status == 200).then_some(()))
        .await;
    let inbox = suite.get("/v1/notifications", 200).await;
    assert_eq!(inbox["items"].as_array().unwrap().len(), 1);
    suite.stop().await;
}
