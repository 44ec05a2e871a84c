//! A series that is moved, changed and goes on, through all services.

use serde_json::{Value, json};
use suite_tests::Suite;

/// Completes a task, and waits for the occurrence that follows.
async fn complete(suite: &Suite, task: &Value) -> Value {
    let id = task["id"].as_str().unwrap();
    let path = format!("/v1/tasks/{id}/complete");
    let answer = suite.post(&path, &json!({}), 200).await;
    let next = answer["next_occurrence"]["id"].as_str().unwrap();
    suite
        .eventually(&format!("/v1/tasks/{next}"), |status, task| {
            (status == 200).then(|| task.clone())
        })
        .await
}

/// The slots of the open tasks, in order.
async fn open(suite: &Suite) -> Vec<String> {
    let page = suite.get("/v1/tasks?status=open&sort=due", 200).await;
    let slot = |task: &Value| task["slot"].as_str().unwrap().to_owned();
    page["items"].as_array().unwrap().iter().map(slot).collect()
}

#[tokio::test]
async fn a_moved_occurrence_and_another_rule_leave_one_task_for_each_slot() {
    let suite = Suite::start().await;
    let rent = json!({
        "title": "Pay rent",
        "due": { "local": "2027-01-31T09:00", "time_zone": "Europe/Berlin" },
        "recurrence": { "rrule": "FREQ=MONTHLY" },
    });
    let january = suite.post("/v1/tasks", &rent, 201).await;
    let moved = json!({ "due": { "date": "2027-02-02" }, "scope": "this" });
    let path = format!("/v1/tasks/{}/reschedule", january["id"].as_str().unwrap());
    suite.post(&path, &moved, 200).await;
    let february = complete(&suite, &january).await;
    assert_eq!(february["due"]["local"], "2027-02-28T09:00");

    let weekly =
        json!({ "recurrence": { "rrule": "FREQ=WEEKLY" }, "effective_from": "2027-02-03" });
    let path = format!("/v1/series/{}", january["series_id"].as_str().unwrap());
    let series = suite.patch(&path, &weekly, 200).await;
    assert_eq!(series["previous_series_id"], january["series_id"]);
    assert_eq!(open(&suite).await, ["2027-02-03T09:00"]);

    // The generator knows the series that goes on as it knows every other.
    let page = suite.get("/v1/tasks?status=open", 200).await;
    let second = complete(&suite, &page["items"][0]).await;
    assert_eq!(
        (&second["series_id"], &second["slot"]),
        (&series["id"], &json!("2027-02-10T09:00"))
    );
    complete(&suite, &second).await;
    assert_eq!(open(&suite).await, ["2027-02-17T09:00"]);
    let old = suite.get(&path, 200).await;
    assert_eq!(
        (&old["state"], &old["next_series_id"]),
        (&json!("ended"), &series["id"])
    );
    suite.stop().await;
}
