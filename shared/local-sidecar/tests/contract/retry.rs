use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use local_sidecar::RetryPolicy;
use serde_json::{Value, json};

use crate::stage::{App, Script, Stage, bulk, event, json_of, single, statuses, success};

const DEAD_LETTERS: &str = "notifier.dead-letters";

/// Answers the first deliveries of one event badly.
fn failing(id: &'static str, times: u32, status: u16, answer: Value) -> Script {
    let left = AtomicU32::new(times);
    Arc::new(move |delivery| {
        let fails = delivery.body["id"] == id
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                .is_ok();
        if fails {
            (status, answer.clone())
        } else {
            (200, json!({}))
        }
    })
}

#[tokio::test]
async fn a_failed_event_is_retried_in_place_before_the_next_of_its_partition() {
    let script = failing("e1", 2, 503, json!({ "status": "DROP" }));
    let mut stage = Stage::start(single("recurring-events"), script).await;

    stage.publish("recurring-events", "k", event("e1")).await;
    stage.publish("recurring-events", "k", event("e2")).await;

    for id in ["e1", "e1", "e1", "e2"] {
        assert_eq!(stage.app.next().await.body["id"], id);
    }
    stage.idle().await;
    assert_eq!(stage.broker.end(DEAD_LETTERS, 0).unwrap(), 0);
}

#[tokio::test]
async fn a_partition_that_waits_does_not_hold_up_another() {
    let script: Script = Arc::new(|delivery| {
        if delivery.body["id"] == "stuck" {
            (500, json!({}))
        } else {
            (200, json!({}))
        }
    });
    let mut subscriptions = single("task-events");
    subscriptions[0]
        .as_object_mut()
        .unwrap()
        .remove("deadLetterTopic");
    let mut stage = Stage::start(subscriptions, script).await;
    stage.publish("task-events", "a", event("stuck")).await;
    assert_eq!(stage.app.next().await.body["id"], "stuck");

    for key in ["b", "c", "d", "e", "f", "g", "h"] {
        stage.publish("task-events", key, event("free")).await;
    }

    while stage.app.next().await.body["id"] != "free" {}
    assert!(!stage.broker.is_idle());
}

#[tokio::test]
async fn after_the_last_attempt_an_event_goes_to_the_dead_letter_topic() {
    let script = failing("e1", u32::MAX, 200, json!({ "status": "RETRY" }));
    let mut stage = Stage::start(single("recurring-events"), script).await;

    stage.publish("recurring-events", "k", event("e1")).await;
    stage.publish("recurring-events", "k", event("e2")).await;

    for id in ["e1", "e1", "e1", "e2"] {
        assert_eq!(stage.app.next().await.body["id"], id);
    }
    stage.idle().await;
    let dead = stage.only_record(DEAD_LETTERS).await;
    assert_eq!(json_of(&dead)["topic"], "recurring-events");
    assert_eq!(dead.key.as_deref(), Some("k"));
    assert_eq!(dead.headers["__topic"], "recurring-events");
    assert_eq!(dead.headers["__offset"], "0");
    assert_eq!(dead.headers["__partition"], "0");
}

#[tokio::test]
async fn an_event_is_tried_until_it_succeeds_unless_the_attempts_are_limited() {
    for (subscriptions, answer) in [
        (single("recurring-events"), json!({ "status": "RETRY" })),
        (bulk("recurring-events"), json!({ "statuses": [] })),
    ] {
        let left = AtomicU32::new(30);
        let script: Script = Arc::new(move |delivery| {
            let fails = left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                .is_ok();
            let entries = delivery.body["entries"].is_array();
            match (fails, entries) {
                (true, _) => (200, answer.clone()),
                (false, true) => (200, statuses(delivery, |_| "SUCCESS")),
                (false, false) => (200, json!({})),
            }
        });
        let stage = Stage::start_with(subscriptions, script, |config| {
            config.retry.max_attempts = RetryPolicy::default().max_attempts;
        })
        .await;

        stage.publish("recurring-events", "k", event("e1")).await;

        stage.idle().await;
        assert_eq!(stage.broker.end(DEAD_LETTERS, 0).unwrap(), 0);
    }
}

#[tokio::test]
async fn a_dropped_event_and_a_404_go_to_the_dead_letter_topic_at_once() {
    for (status, answer) in [(200, json!({ "status": "DROP" })), (404, json!({}))] {
        let mut stage = Stage::start(single("task-events"), failing("e1", 1, status, answer)).await;

        stage.publish("task-events", "k", event("e1")).await;

        stage.app.next().await;
        stage.idle().await;
        assert!(!stage.app.received_more());
        assert_eq!(json_of(&stage.only_record(DEAD_LETTERS).await)["id"], "e1");
    }
}

#[tokio::test]
async fn a_consumer_of_dead_letters_sees_the_original_place() {
    let subscriptions = json!([
        { "pubsubname": "pubsub", "topic": "reminder-events", "route": "/a", "deadLetterTopic": DEAD_LETTERS },
        { "pubsubname": "pubsub", "topic": DEAD_LETTERS, "route": "/dead" },
    ]);
    let script: Script = Arc::new(|delivery| {
        if delivery.path == "/a" {
            (404, json!({}))
        } else {
            (200, json!({}))
        }
    });
    let mut stage = Stage::start(subscriptions, script).await;

    stage.publish("reminder-events", "k", event("e1")).await;

    assert_eq!(stage.app.next().await.path, "/a");
    let dead = stage.app.next().await;
    assert_eq!(
        (dead.path.as_str(), dead.header("__topic")),
        ("/dead", "reminder-events")
    );
}

#[tokio::test]
async fn only_the_failed_entries_of_a_bulk_delivery_come_again_under_their_ids() {
    let refused = AtomicU32::new(1);
    let script: Script = Arc::new(move |delivery| {
        let first = refused.swap(0, Ordering::SeqCst) == 1;
        (
            200,
            statuses(delivery, |event| {
                if first && event["id"] == "e1" {
                    "RETRY"
                } else {
                    "SUCCESS"
                }
            }),
        )
    });
    // Everything is published before the app listens, so that it comes in one batch.
    let app = App::start("127.0.0.1:0", bulk("recurring-events"), script).await;
    let dir = tempfile::TempDir::new().unwrap();
    let mut stage = Stage::over(dir, app, |_| ()).await;
    let entries: Vec<_> = ["e0", "e1", "e2"]
        .map(|id| json!({ "entryId": id, "event": event(id), "contentType": "application/cloudevents+json" }))
        .to_vec();
    let path = "/v1.0/publish/bulk/pubsub/recurring-events";
    stage
        .post(path, "application/json", Value::from(entries).to_string())
        .send()
        .await
        .unwrap();

    assert_eq!(
        stage.app.next().await.body["entries"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let again = stage.app.next().await.body["entries"].clone();

    assert_eq!(again.as_array().unwrap().len(), 1);
    assert_eq!(
        (&again[0]["entryId"], &again[0]["event"]["id"]),
        (&json!("1"), &json!("e1"))
    );
    stage.idle().await;
    assert!(!stage.app.received_more());
}

#[tokio::test]
async fn bulk_entries_that_fail_too_often_are_dead_letters_and_the_rest_is_done() {
    let script: Script = Arc::new(|delivery| {
        (
            200,
            statuses(delivery, |event| {
                if event["id"] == "e1" {
                    "RETRY"
                } else {
                    "SUCCESS"
                }
            }),
        )
    });
    let stage = Stage::start(bulk("recurring-events"), script).await;

    for id in ["e0", "e1", "e2"] {
        stage.publish("recurring-events", "k", event(id)).await;
    }

    stage.idle().await;
    assert_eq!(json_of(&stage.only_record(DEAD_LETTERS).await)["id"], "e1");
}

#[tokio::test]
async fn what_is_no_json_object_never_reaches_the_app() {
    for subscriptions in [single("task-events"), bulk("task-events")] {
        let mut stage = Stage::start(subscriptions, success()).await;
        let path = "/v1.0/publish/pubsub/task-events?metadata.rawPayload=true";

        stage
            .post(path, "text/plain", "no json")
            .send()
            .await
            .unwrap();

        stage.idle().await;
        assert!(!stage.app.received_more());
        assert_eq!(
            stage.only_record(DEAD_LETTERS).await.value.unwrap(),
            "no json"
        );
    }
}

#[tokio::test]
async fn an_expired_event_is_a_dead_letter() {
    let mut stage = Stage::start(single("task-events"), success()).await;
    let path = "/v1.0/publish/pubsub/task-events?metadata.ttlInSeconds=0";

    stage
        .post(path, "application/cloudevents+json", r#"{"id":"e1"}"#)
        .send()
        .await
        .unwrap();

    stage.idle().await;
    assert!(!stage.app.received_more());
    assert_eq!(
        json_of(&stage.only_record(DEAD_LETTERS).await)["expiration"],
        "2026-11-22T07:00:00Z"
    );
}

#[tokio::test]
async fn an_app_that_does_not_listen_uses_up_no_attempts() {
    let stage = Stage::start_with(single("task-events"), success(), |config| {
        config.retry.max_attempts = Some(1);
    })
    .await;
    stage.idle().await;
    let address = stage.app.address;
    let Stage { app, broker, .. } = stage;
    app.stop().await;

    let record = local_sidecar::NewRecord {
        value: Some(event("e1").to_string().into()),
        ..Default::default()
    };
    broker.publish("task-events", vec![record]).await.unwrap();
    let mut app = App::start(&address.to_string(), json!([]), success()).await;

    assert_eq!(app.next().await.body["id"], "e1");
    broker.wait_until_idle().await;
    assert_eq!(broker.end(DEAD_LETTERS, 0).unwrap(), 0);
}
