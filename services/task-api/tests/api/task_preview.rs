//! What a command on a task would do, before it is given.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::{berlin, create, errors, path, suite};

async fn weekly(suite: &TestSuite) -> Value {
    let body = json!({"title": "Water the plants", "due": berlin("2026-11-23T09:00"),
                      "recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=MO"}});
    create(suite, body).await
}

#[tokio::test]
async fn a_preview_answers_what_the_command_answers_then() {
    let suite = suite().await;
    for action in ["complete", "skip", "cancel"] {
        let task = weekly(&suite).await;
        let preview = suite
            .post(
                &path(&task, "/preview"),
                json!({"action": action}),
                StatusCode::OK,
            )
            .await;
        let command = path(&task, &format!("/{action}"));
        let done = suite.post(&command, Value::Null, StatusCode::OK).await;
        assert_eq!(preview, done, "{action}");
        assert_eq!(preview["next_occurrence"]["slot"], "2026-11-30T09:00");
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_preview_writes_nothing() {
    let mut suite = suite().await;
    let task = weekly(&suite).await;
    let body = json!({"action": "complete"});
    suite
        .post(&path(&task, "/preview"), body, StatusCode::OK)
        .await;

    assert_eq!(suite.get(&path(&task, ""), StatusCode::OK).await, task);
    let history = suite.get(&path(&task, "/history"), StatusCode::OK).await;
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
    suite.run_workers().await;
    assert_eq!(suite.published_of("task.completed.v1").len(), 0);
    suite.finish().await;
}

#[tokio::test]
async fn a_time_can_be_asked_for_also_a_future_one() {
    let suite = suite().await;
    let task = weekly(&suite).await;
    for (at, slot) in [
        ("2026-11-21T10:00:00Z", "2026-11-30T09:00"),
        ("2026-11-30T07:59:59Z", "2026-11-30T09:00"),
        ("2026-11-30T08:00:00Z", "2026-12-07T09:00"),
        ("2027-01-05T10:00:00Z", "2027-01-11T09:00"),
    ] {
        let body = json!({"action": "complete", "at": at});
        let preview = suite
            .post(&path(&task, "/preview"), body, StatusCode::OK)
            .await;
        assert_eq!(preview["next_occurrence"]["slot"], slot, "{at}");
        assert_eq!(preview["task"]["completed_at"], at);
    }
    suite.finish().await;
}

#[tokio::test]
async fn what_follows_an_occurrence_that_is_finished_again_is_known_too() {
    let suite = suite().await;
    let task = weekly(&suite).await;
    for command in ["/complete", "/reopen"] {
        suite
            .post(&path(&task, command), Value::Null, StatusCode::OK)
            .await;
    }
    let body = json!({"action": "skip"});
    let preview = suite
        .post(&path(&task, "/preview"), body, StatusCode::OK)
        .await;
    let done = suite
        .post(&path(&task, "/skip"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(preview, done);
    suite.finish().await;
}

#[tokio::test]
async fn a_task_that_does_not_repeat_has_nothing_after_it() {
    let suite = suite().await;
    let task = create(&suite, json!({"title": "Once"})).await;
    let body = json!({"action": "complete"});
    let preview = suite
        .post(&path(&task, "/preview"), body, StatusCode::OK)
        .await;
    assert_eq!(preview["task"]["status"], "completed");
    assert_eq!(preview["next_occurrence"], Value::Null);
    suite.finish().await;
}

#[tokio::test]
async fn what_the_command_refuses_its_preview_refuses() {
    let suite = suite().await;
    let once = create(&suite, json!({"title": "Once"})).await;
    let skip = json!({"action": "skip"});
    let refused = suite
        .post(&path(&once, "/preview"), skip, StatusCode::CONFLICT)
        .await;
    assert_eq!(refused["code"], "not-recurring");

    let task = weekly(&suite).await;
    suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    let complete = json!({"action": "complete"});
    let refused = suite
        .post(
            &path(&task, "/preview"),
            complete.clone(),
            StatusCode::CONFLICT,
        )
        .await;
    assert_eq!(refused["code"], "illegal-transition");

    let unknown = "/v1/tasks/01890000-0000-7000-8000-000000000000/preview";
    let refused = suite.post(unknown, complete, StatusCode::NOT_FOUND).await;
    assert_eq!(refused["code"], "not-found");
    suite.finish().await;
}

#[tokio::test]
async fn a_preview_of_an_old_version_is_refused() {
    let suite = suite().await;
    let task = weekly(&suite).await;
    for (version, status) in [(1, StatusCode::OK), (2, StatusCode::PRECONDITION_FAILED)] {
        let request = suite
            .request(Method::POST, &path(&task, "/preview"))
            .if_match(version);
        let body = json!({"action": "complete"});
        let _answer = request.json(&body).send().await.expect(status);
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_preview_of_a_command_is_read_strictly() {
    let suite = suite().await;
    let task = weekly(&suite).await;
    let invalid = StatusCode::UNPROCESSABLE_ENTITY;
    let body = json!({"action": "explode", "at": "tomorrow", "x": 1});
    let refused = suite.post(&path(&task, "/preview"), body, invalid).await;
    assert_eq!(
        errors(&refused),
        [
            ("/action", "invalid_value"),
            ("/at", "invalid_value"),
            ("/x", "unknown_field")
        ]
    );
    let refused = suite
        .post(&path(&task, "/preview"), json!({}), invalid)
        .await;
    assert_eq!(errors(&refused), [("/action", "missing")]);
    suite.finish().await;
}
