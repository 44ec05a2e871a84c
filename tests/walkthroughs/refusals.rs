//! Bad input: a problem with a stable code and pointers, and nothing written.

use reqwest::Method;
use serde_json::{Value, json};
use suite_tests::{Suite, answer};

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    let mut pointers: Vec<&str> = errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    pointers
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once_and_nothing_is_written() {
    let suite = Suite::start().await;
    let wrong = json!({
        "title": "  ",
        "due": { "local": "2027-01-31T09:00", "time_zone": "Mars/Olympus" },
        "labels": ["fine", ""],
    });

    let problem = suite.post("/v1/tasks", &wrong, 422).await;

    assert_eq!(problem["code"], "validation-failed");
    assert_eq!(
        pointers(&problem),
        ["/due/time_zone", "/labels/1", "/title"]
    );
    assert_eq!(suite.get("/v1/tasks", 200).await["items"], json!([]));
    suite.stop().await;
}

#[tokio::test]
async fn unreadable_bodies_and_unknown_places_are_problems() {
    let suite = Suite::start().await;
    let post = |body: &'static str| {
        let request = suite.request(Method::POST, "/v1/tasks");
        request
            .header("content-type", "application/json")
            .body(body)
    };
    for (request, status) in [
        (post("{"), 400),
        (post(r#"{"title":"a","title":"b"}"#), 400),
        (post(r#"{"title":"\ud800"}"#), 400),
        (post(r#"{"title":"a\u0000b"}"#), 422),
        (post(r#"{"title":"a","surprise":1}"#), 422),
        (
            suite.request(Method::POST, "/v1/tasks").body("title=a"),
            415,
        ),
        (
            post("{}").body(format!(r#"{{"title":"{}"}}"#, "x".repeat(400_000))),
            413,
        ),
        (suite.request(Method::GET, "/v1/nowhere"), 404),
        (suite.request(Method::GET, "/v1/tasks/not-an-id"), 404),
        (suite.request(Method::PUT, "/v1/tasks"), 405),
    ] {
        let problem = answer(request, status).await;
        assert!(problem["code"].is_string(), "{problem}");
    }
    assert_eq!(suite.get("/v1/tasks", 200).await["items"], json!([]));
    suite.stop().await;
}
