//! Requests that are repeated, and requests that meet a newer version.

use reqwest::Method;
use serde_json::json;
use suite_tests::{Suite, answer};
use tokio::task::JoinSet;

#[tokio::test]
async fn the_same_key_fifty_times_at_once_creates_one_task_and_gets_one_answer() {
    let suite = Suite::start().await;
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let request = suite
            .request(Method::POST, "/v1/tasks")
            .header("idempotency-key", "once");
        requests.spawn(answer(request.json(&json!({ "title": "Only one" })), 201));
    }

    let mut answers = requests.join_all().await;

    answers.dedup();
    assert_eq!(answers.len(), 1);
    let tasks = suite.get("/v1/tasks", 200).await;
    assert_eq!(tasks["items"].as_array().unwrap().len(), 1);
    suite.stop().await;
}

#[tokio::test]
async fn a_change_of_an_older_version_is_refused_with_the_current_one() {
    let suite = Suite::start().await;
    let task = suite
        .post("/v1/tasks", &json!({ "title": "Draft" }), 201)
        .await;
    let path = format!("/v1/tasks/{}", task["id"].as_str().unwrap());
    suite.patch(&path, &json!({ "title": "Newer" }), 200).await;

    let request = suite
        .request(Method::PATCH, &path)
        .header("if-match", "\"v1\"");
    let problem = answer(request.json(&json!({ "title": "Older" })), 412).await;

    assert_eq!(problem["code"], "version-conflict");
    assert_eq!(problem["current"]["title"], "Newer");
    suite.stop().await;
}
