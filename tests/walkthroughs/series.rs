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

#[tokio::test]
async fn another_rule_waits_for_the_open_occurrence_and_an_undo_holds_it_back() {
    let suite = Suite::start().await;
    let rent = json!({
        "title": "Pay rent",
        "due": { "local": "2027-01-31T09:00", "time_zone": "Europe/Berlin" },
        "recurrence": { "rrule": "FREQ=MONTHLY" },
    });
    let january = suite.post("/v1/tasks", &rent, 201).await;
    let at = |task: &Value, rest: &str| format!("/v1/tasks/{}{rest}", task["id"].as_str().unwrap());
    let note = json!({ "notes": "Ask for a receipt" });
    suite.patch(&at(&january, "?scope=this"), &note, 200).await;

    // What somebody has put work into is finished first, also when the series is paused meanwhile.
    let path = format!("/v1/series/{}", january["series_id"].as_str().unwrap());
    suite.post(&format!("{path}/pause"), &json!({}), 200).await;
    let wednesdays = json!({ "recurrence": { "rrule": "FREQ=WEEKLY;BYDAY=WE" } });
    let series = suite.patch(&path, &wednesdays, 200).await;
    assert_eq!(
        (&series["state"], &series["begins_after"]),
        (&json!("paused"), &january["id"])
    );
    let path = format!("/v1/series/{}", series["id"].as_str().unwrap());
    suite.post(&format!("{path}/resume"), &json!({}), 200).await;
    assert_eq!(open(&suite).await, ["2027-01-31T09:00"]);

    let first = complete(&suite, &january).await;
    assert_eq!(
        (&first["series_id"], &first["slot"]),
        (&series["id"], &json!("2027-02-03T09:00"))
    );
    let undone = suite.post(&at(&january, "/reopen"), &json!({}), 200).await;
    assert_eq!(undone["successor"]["outcome"], "withdrawn");
    assert_eq!(open(&suite).await, ["2027-01-31T09:00"]);
    suite
        .post(&at(&january, "/complete"), &json!({}), 200)
        .await;
    suite
        .eventually(&at(&first, ""), |_, task| {
            (task["withdrawn"] == false).then_some(())
        })
        .await;
    assert_eq!(open(&suite).await, ["2027-02-03T09:00"]);

    // What nobody has touched is replaced: one open occurrence stays one.
    let fridays = json!({ "recurrence": { "rrule": "FREQ=WEEKLY;BYDAY=FR" } });
    suite.patch(&path, &fridays, 200).await;
    assert_eq!(open(&suite).await, ["2027-02-05T09:00"]);
    suite.stop().await;
}
