use std::sync::atomic::Ordering;

use event_schema::Topic;
use serde_json::json;

use crate::app::{App, event};

#[tokio::test]
async fn a_handled_event_is_a_success() {
    let app = App::new();
    let body = event("task.created.v1", 7).to_string();

    let (status, answer) = app.single(body.clone()).await;

    assert_eq!(
        (status.as_u16(), answer),
        (200, json!({ "status": "SUCCESS" }))
    );
    let delivery = app.handled().remove(0);
    assert_eq!(delivery.topic, Topic::TaskEvents);
    assert_eq!(delivery.envelope.version(), 7);
    assert_eq!(delivery.raw, body.as_bytes());
    assert_eq!(delivery.traceparent.as_deref(), Some("00-a-b-01"));
}

#[tokio::test]
async fn what_heals_by_itself_is_retried() {
    for event_type in ["retry", "transient"] {
        let app = App::new();

        let (status, answer) = app.single(event(event_type, 1).to_string()).await;

        assert_eq!(
            (status.as_u16(), answer),
            (200, json!({ "status": "RETRY" }))
        );
        assert!(app.parked().is_empty());
    }
}

#[tokio::test]
async fn what_never_heals_is_parked_with_its_reason() {
    for (event_type, reason) in [
        (
            "permanent",
            "handling failed: an error occurred when formatting an argument",
        ),
        ("panic", "panicked: out of cheese"),
    ] {
        let app = App::new();
        let body = event(event_type, 3).to_string();

        let (status, answer) = app.single(body.clone()).await;

        assert_eq!(
            (status.as_u16(), answer),
            (200, json!({ "status": "SUCCESS" }))
        );
        let dead = app.parked().remove(0);
        assert_eq!(
            (dead.topic.as_str(), dead.reason.as_str()),
            ("task-events", reason)
        );
        assert_eq!(dead.event_type.as_deref(), Some(event_type));
        assert_eq!((dead.version, dead.key.as_deref()), (Some(3), Some("k")));
        assert_eq!(dead.raw, body.as_bytes());
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_byte_for_byte() {
    let mut wrong_version = event("t", 1);
    wrong_version["specversion"] = "0.3".into();
    for body in [
        "{",
        "[]",
        "12",
        "\"text\"",
        "{}",
        "\u{0}",
        &wrong_version.to_string(),
    ] {
        for content_type in [
            "application/cloudevents+json",
            "application/json",
            "text/plain",
        ] {
            let app = App::new();

            let (status, answer) = app.deliver(content_type, body.to_owned()).await;

            assert_eq!(
                (status.as_u16(), answer),
                (200, json!({ "status": "SUCCESS" })),
                "{body}"
            );
            assert_eq!(app.parked().remove(0).raw, body.as_bytes());
            assert!(app.handled().is_empty());
        }
    }
}

#[tokio::test]
async fn a_tombstone_is_a_success() {
    for body in ["null", " null\n", ""] {
        let app = App::new();

        let (status, answer) = app.single(body).await;

        assert_eq!(
            (status.as_u16(), answer),
            (200, json!({ "status": "SUCCESS" }))
        );
        assert!(app.handled().is_empty() && app.parked().is_empty());
    }
}

#[tokio::test]
async fn what_cannot_even_be_parked_is_retried() {
    let app = App::new();
    app.table_is_away.store(true, Ordering::SeqCst);

    for body in ["{".to_owned(), event("permanent", 1).to_string()] {
        assert_eq!(app.single(body).await.1, json!({ "status": "RETRY" }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_is_cut_off_and_retried() {
    let app = App::new();

    assert_eq!(
        app.single(event("hang", 1).to_string()).await.1,
        json!({ "status": "RETRY" })
    );

    assert_eq!(app.running.load(Ordering::SeqCst), 1);
    assert!(app.parked().is_empty());
}
