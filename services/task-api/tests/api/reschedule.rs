//! Moving one task, and one occurrence of a series, to another time.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::series::{monthly, occurrence_due, series_path};
use crate::{berlin, create, errors, parts, path, suite};

async fn reschedule(suite: &TestSuite, task: &Value, body: Value, status: StatusCode) -> Value {
    suite.post(&path(task, "/reschedule"), body, status).await
}

#[tokio::test]
async fn a_moved_occurrence_keeps_slot_and_series_and_the_next_comes_in_its_place() {
    for mut suite in TestSuite::every(parts).await {
        let task = monthly(&suite).await;
        let series = suite.get(&series_path(&task, ""), StatusCode::OK).await;
        let body = json!({"due": berlin("2027-02-03T18:00"), "scope": "this"});

        let preview = json!({"action": "reschedule", "due": berlin("2027-02-03T18:00")});
        let preview = suite
            .post(&path(&task, "/preview"), preview, StatusCode::OK)
            .await;
        assert_eq!(suite.get(&path(&task, ""), StatusCode::OK).await, task);
        let moved = reschedule(&suite, &task, body, StatusCode::OK).await;

        assert_eq!(moved["due"]["instant"], "2027-02-03T17:00:00Z");
        for kept in ["id", "series_id", "slot", "occurrence_index", "recurrence"] {
            assert_eq!(moved[kept], task[kept], "{kept}");
        }
        assert_eq!(moved["version"], 2);
        // It is what the preview said, which also knows what follows.
        assert_eq!(preview["task"], moved);
        assert_eq!(preview["next_occurrence"]["slot"], "2027-02-28T09:00");
        assert_eq!(
            suite.get(&series_path(&task, ""), StatusCode::OK).await,
            series
        );
        let done = suite
            .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
            .await;
        assert_eq!(done["next_occurrence"], preview["next_occurrence"]);
        occurrence_due(&mut suite, &task, "2027-02-28T09:00", 2).await;
        let open = suite.get("/v1/tasks?status=open", StatusCode::OK).await;
        assert_eq!(open["items"][0]["due"]["local"], "2027-02-28T09:00");
        suite.run_workers().await;
        assert_eq!(suite.published_of("task.updated.v1").len(), 1);
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_task_that_does_not_repeat_is_moved_too_and_the_same_time_is_no_change() {
    let suite = suite().await;
    let task = create(&suite, json!({"title": "Once"})).await;
    let body = json!({"due": {"date": "2027-02-03"}});
    let moved = reschedule(&suite, &task, body.clone(), StatusCode::OK).await;
    assert_eq!(
        (&moved["due"]["date"], &moved["version"]),
        (&json!("2027-02-03"), &json!(2))
    );
    let again = reschedule(&suite, &task, body.clone(), StatusCode::OK).await;
    assert_eq!(again, moved);
    let stale = suite
        .request(Method::POST, &path(&task, "/reschedule"))
        .if_match(1);
    let stale = stale.json(&body).send().await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    suite.finish().await;
}

#[tokio::test]
async fn only_an_open_task_of_ones_own_is_moved() {
    let suite = suite().await;
    let body = json!({"due": {"date": "2027-02-03"}});
    let task = create(&suite, json!({"title": "Once"})).await;
    suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    let refused = reschedule(&suite, &task, body.clone(), StatusCode::CONFLICT).await;
    assert_eq!(refused["code"], "illegal-transition");
    let preview = json!({"action": "reschedule", "due": {"date": "2027-02-03"}});
    let preview = suite
        .post(&path(&task, "/preview"), preview, StatusCode::CONFLICT)
        .await;
    assert_eq!(preview["detail"], refused["detail"]);
    let unknown = json!({"id": "01890000-0000-7000-8000-000000000000"});
    reschedule(&suite, &unknown, body, StatusCode::NOT_FOUND).await;
    suite.finish().await;
}

#[tokio::test]
async fn what_cannot_be_moved_so_is_told_with_what_to_send() {
    let suite = suite().await;
    let task = monthly(&suite).await;
    let due = berlin("2027-02-03T18:00");
    for (body, expected) in [
        (json!({}), ("/due", "missing")),
        (json!({"due": null}), ("/due", "missing")),
        (json!({"due": "tomorrow"}), ("/due", "wrong_type")),
        (
            json!({"due": {"local": "2027-02-30T18:00", "time_zone": "Europe/Berlin"}}),
            ("/due/local", "invalid_value"),
        ),
        (
            json!({"due": {"instant": "2027-02-03T18:00:00Z"}}),
            ("/due", "invalid_value"),
        ),
        (
            json!({"due": due, "scope": "all"}),
            ("/scope", "invalid_value"),
        ),
        (
            json!({"due": due, "scope": "future"}),
            ("/scope", "wrong_scope"),
        ),
        (
            json!({"due": due, "scope": "series"}),
            ("/scope", "wrong_scope"),
        ),
        (json!({"due": due, "to": 1}), ("/to", "unknown_field")),
    ] {
        let refused = reschedule(&suite, &task, body, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(errors(&refused), [expected]);
    }
    let further = json!({"due": due, "scope": "future"});
    let refused = reschedule(&suite, &task, further, StatusCode::UNPROCESSABLE_ENTITY).await;
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains("PATCH of the task with ?scope=future"),
        "{detail}"
    );

    for (body, expected) in [
        (json!({"action": "reschedule"}), ("/due", "missing")),
        (
            json!({"action": "skip", "due": due}),
            ("/due", "reschedule_only"),
        ),
    ] {
        let refused = suite
            .post(
                &path(&task, "/preview"),
                body,
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await;
        assert_eq!(errors(&refused), [expected]);
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_day_is_refused_where_a_reminder_counts_from_the_time() {
    let suite = suite().await;
    let task = create(
        &suite,
        json!({"title": "Call", "due": berlin("2027-01-31T09:00"),
               "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-PT30M"}}]}),
    )
    .await;
    let body = json!({"due": {"date": "2027-02-03"}});
    let refused = reschedule(&suite, &task, body, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(errors(&refused), [("/due", "anchor_without_time")]);
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("/reminders/0/trigger/to"), "{detail}");
    suite.finish().await;
}
