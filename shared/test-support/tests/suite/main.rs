//! The suite itself, around the smallest service there can be: it notes every task that is created.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod finishing;
mod service;

use event_schema::Topic;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::{OTHER_USER, TestSuite, fixture};

use service::{Calls, parts};

async fn suite() -> (TestSuite, Calls) {
    let calls = Calls::default();
    let seen = calls.clone();
    let suite = TestSuite::start(move |environment| parts(environment, seen.clone())).await;
    (suite, calls)
}

#[tokio::test]
async fn events_are_delivered_three_times_and_have_one_effect() {
    let (mut suite, calls) = suite().await;
    let tasks = ["One", "Two", "Three"].map(|title| fixture::task(title).created().last());

    suite.deliver(tasks).await;
    suite.run_workers().await;

    let mut counts: Vec<usize> = calls.by_event().into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts, [3, 3, 3]);
    assert_eq!(suite.published_of("notification.created.v1").len(), 3);
    suite.finish().await;
}

#[tokio::test]
async fn the_order_of_deliveries_follows_from_the_seed() {
    let mut orders = Vec::new();
    for seed in [1, 1, 2] {
        let (suite, calls) = suite().await;
        let mut suite = suite.seed(seed);
        let titles = (0..10).map(|number| format!("Task {number}"));
        suite
            .deliver(titles.map(|title| fixture::task(&title).created().last()))
            .await;
        orders.push(calls.in_order());
        suite.finish().await;
    }
    assert_eq!(orders[0], orders[1]);
    assert_ne!(orders[0], orders[2]);
}

#[tokio::test]
async fn a_delivery_can_be_refused() {
    let (suite, _) = suite().await;
    let mut event = fixture::task("Unwelcome").created().last();
    let answer = suite.deliver_single(Topic::TaskEvents, &event).await;
    assert_eq!(answer, "RETRY");

    event["subject"] = json!("no id");
    let answers = suite.deliver_bulk(Topic::TaskEvents, &[event]).await;
    assert_eq!(answers, ["RETRY"]);
    suite.finish().await;
}

#[tokio::test]
async fn events_of_other_topics_are_left_out_on_request() {
    let (mut suite, calls) = suite().await;
    let story = fixture::task("One").created().renamed("Two");

    suite.deliver_subscribed(story.events()).await;

    assert_eq!(calls.by_event().len(), 1);
    suite.finish().await;
}

#[tokio::test]
async fn requests_are_of_the_usual_user_unless_they_say_otherwise() {
    let (suite, _) = suite().await;
    let me = suite.get("/me", StatusCode::OK).await;
    assert_eq!(me, json!(test_support::USER));

    let other = suite
        .request(Method::GET, "/me")
        .user(OTHER_USER)
        .send()
        .await;
    assert_eq!(other.expect(StatusCode::OK).json(), json!(OTHER_USER));

    let nobody = suite.request(Method::GET, "/me").anonymous().send().await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);

    let echoed = suite.post("/echo", json!({ "a": 1 }), StatusCode::OK).await;
    assert_eq!(echoed, json!({ "a": 1 }));
    let malformed = suite.request(Method::POST, "/echo");
    let malformed = malformed.bytes("application/json", "{").send().await;
    assert_eq!(malformed.status, StatusCode::BAD_REQUEST);
    suite.finish().await;
}

#[tokio::test]
async fn workers_run_until_none_has_anything_left() {
    let (mut suite, calls) = suite().await;
    calls.plan_work(5);

    suite.run_workers().await;

    assert_eq!(calls.work_left(), 0);
    suite.finish().await;
}

#[tokio::test]
async fn a_restart_keeps_what_was_committed_and_publishes_what_was_left() {
    for mut suite in TestSuite::every(|environment| parts(environment, Calls::default())).await {
        suite.sidecar().go_down();
        suite.deliver(fixture::task("One").created().events()).await;
        suite.run_workers().await;
        assert_eq!(suite.published(), Vec::<Value>::new());

        suite.restart().await;
        suite.sidecar().recover();
        suite.run_workers().await;

        assert_eq!(suite.published_types(), ["notification.created.v1"]);
        suite.deliver(fixture::task("One").created().events()).await;
        assert_eq!(suite.ledger().last_position().await.unwrap(), 1);
        suite.finish().await;
    }
}
