//! What happens to a task as a whole.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{create, path, suite};

#[tokio::test]
async fn a_task_is_completed_as_of_the_past_and_reopened() {
    let mut suite = suite().await;
    let task = create(&suite, json!({"title": "x"})).await;

    let request = suite.request(Method::POST, &path(&task, "/complete"));
    let answer = request
        .json(&json!({"completed_at": "2026-11-20T09:00:00+01:00"}))
        .send()
        .await;
    let answer = answer.expect(StatusCode::OK);

    assert_eq!(answer.version(), 2);
    let body = answer.json();
    assert_eq!(body["next_occurrence"], Value::Null);
    assert_eq!(body["task"]["completed_at"], "2026-11-20T08:00:00Z");
    assert_eq!(
        body["task"]["completed_by"],
        "user:00000000-0000-7000-8000-000000000001"
    );
    let reopened = suite
        .post(&path(&task, "/reopen"), json!({}), StatusCode::OK)
        .await;
    assert_eq!(
        (&reopened["status"], &reopened["completed_at"]),
        (&json!("open"), &Value::Null)
    );
    suite.run_workers().await;
    assert_eq!(
        suite.published_types(),
        ["task.created.v1", "task.completed.v1", "task.reopened.v1"]
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_transition_that_is_illegal_names_the_state_and_changes_nothing() {
    let suite = suite().await;
    let task = create(&suite, json!({"title": "x"})).await;
    let refused = async |command: &str| {
        suite
            .post(&path(&task, command), Value::Null, StatusCode::CONFLICT)
            .await
    };

    for command in ["/reopen", "/restore"] {
        let problem = refused(command).await;
        assert_eq!(problem["code"], "illegal-transition");
        assert!(
            problem["detail"].as_str().unwrap().contains("is open"),
            "{problem}"
        );
    }
    assert_eq!(refused("/skip").await["code"], "not-recurring");
    suite
        .post(&path(&task, "/cancel"), Value::Null, StatusCode::OK)
        .await;
    for command in ["/complete", "/cancel"] {
        let problem = refused(command).await;
        assert!(
            problem["detail"].as_str().unwrap().contains("is cancelled"),
            "{problem}"
        );
    }
    let now = suite.get(&path(&task, ""), StatusCode::OK).await;
    assert_eq!(
        (&now["status"], &now["version"]),
        (&json!("cancelled"), &json!(2))
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_repeated_command_with_its_key_is_answered_as_before() {
    let suite = suite().await;
    let task = create(&suite, json!({"title": "x"})).await;
    let ask = |command: &str| {
        let request = suite.request(Method::POST, &path(&task, command));
        request.idempotency_key("k1").send()
    };

    let first = ask("/complete").await.expect(StatusCode::OK);
    let second = ask("/complete").await.expect(StatusCode::OK);

    assert_eq!(first.body, second.body);
    assert_eq!(second.header("idempotent-replayed"), "true");
    let other = ask("/cancel")
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.json()["code"], "idempotency-key-reused");
    suite.finish().await;
}
