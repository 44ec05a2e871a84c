//! What happened to a task.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{berlin, create, path, suite};

#[tokio::test]
async fn every_step_is_told_with_who_when_and_what() {
    let suite = suite().await;
    let task = create(
        &suite,
        json!({"title": "Pay rent", "priority": "high", "due": berlin("2027-01-31T09:00"),
               "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-PT30M"}}]}),
    )
    .await;
    suite.advance(chrono::TimeDelta::minutes(1));
    let patch = json!({"title": "Pay the rent", "reminders": []});
    suite.patch(&path(&task, ""), patch, StatusCode::OK).await;
    let completed = json!({"completed_at": "2026-11-20T08:00:00Z"});
    suite
        .post(&path(&task, "/complete"), completed, StatusCode::OK)
        .await;

    let history = suite.get(&path(&task, "/history"), StatusCode::OK).await;

    let user = "user:00000000-0000-7000-8000-000000000001";
    // What is to be done is history; where it stands is said by the task.
    let wish = json!({"id": task["reminders"][0]["id"], "urgent": false, "nag": null, "carry_over": true,
                      "trigger": task["reminders"][0]["trigger"],
                      "misfire": {"policy": "fire_late", "grace": "P1D"}});
    let due = json!({"local": "2027-01-31T09:00", "time_zone": "Europe/Berlin", "instant": "2027-01-31T08:00:00Z"});
    assert_eq!(
        history,
        json!({"next_cursor": null, "items": [
            {"version": 1, "type": "task.created.v1", "time": "2026-11-22T10:00:00Z", "actor": user, "changes": [
                {"field": "due", "from": null, "to": due},
                {"field": "priority", "from": null, "to": "high"},
                {"field": "reminders", "from": null, "to": [wish]},
                {"field": "status", "from": null, "to": "open"},
                {"field": "title", "from": null, "to": "Pay rent"},
            ]},
            {"version": 2, "type": "task.updated.v1", "time": "2026-11-22T10:01:00Z", "actor": user, "changes": [
                {"field": "reminders", "from": [wish], "to": []},
                {"field": "title", "from": "Pay rent", "to": "Pay the rent"},
            ]},
            {"version": 3, "type": "task.completed.v1", "time": "2026-11-22T10:01:00Z", "actor": user, "changes": [
                {"field": "completed_at", "from": null, "to": "2026-11-20T08:00:00Z"},
                {"field": "completed_by", "from": null, "to": user},
                {"field": "status", "from": "open", "to": "completed"},
            ]},
        ]})
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_reason_is_told() {
    let suite = suite().await;
    let body =
        json!({"title": "x", "due": {"date": "2026-11-23"}, "recurrence": {"rrule": "FREQ=DAILY"}});
    let task = create(&suite, body).await;
    let skip = json!({"reason": " On vacation "});
    suite
        .post(&path(&task, "/skip"), skip, StatusCode::OK)
        .await;

    let history = suite.get(&path(&task, "/history"), StatusCode::OK).await;

    let skipped = &history["items"][1];
    assert_eq!(skipped["type"], "task.skipped.v1");
    assert_eq!(
        skipped["changes"],
        json!([{"field": "reason", "from": null, "to": "On vacation"},
               {"field": "status", "from": "open", "to": "skipped"}])
    );
    suite.finish().await;
}

#[tokio::test]
async fn history_comes_in_pages() {
    let suite = suite().await;
    let task = create(&suite, json!({"title": "0"})).await;
    for title in 1..5 {
        let patch = json!({"title": title.to_string()});
        suite.patch(&path(&task, ""), patch, StatusCode::OK).await;
    }
    let mut versions = Vec::new();
    let mut next = path(&task, "/history?limit=2");
    loop {
        let page = suite.get(&next, StatusCode::OK).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        versions.extend(items.iter().map(|item| item["version"].as_u64().unwrap()));
        match &page["next_cursor"] {
            Value::String(cursor) => {
                next = path(&task, &format!("/history?limit=2&cursor={cursor}"));
            }
            _ => break,
        }
    }
    assert_eq!(versions, [1, 2, 3, 4, 5]);
    suite.finish().await;
}
