use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use dapr_client::{FailedEntry, Message};

use crate::fake_sidecar::{FakeSidecar, message, problem};

const STABLE: &str = "/v1.0/publish/bulk/pubsub/task-events";
const ALPHA: &str = "/v1.0-alpha1/publish/bulk/pubsub/task-events";
const TOPIC: &str = "task-events";

const TWO: [Message<'static>; 2] = [
    Message {
        position: 7,
        key: "a\"b",
        envelope: r#"{"id":"e1","n":9007199254740993}"#,
    },
    Message {
        position: 8,
        key: "c",
        envelope: r#"{"id":"e2"}"#,
    },
];

#[tokio::test]
async fn envelopes_are_spliced_in_with_their_keys() {
    let sidecar = FakeSidecar::start(|_| (204, "")).await;

    assert_eq!(sidecar.client.publish_bulk(TOPIC, &TWO).await.unwrap(), []);

    let asked = &sidecar.asked()[0];
    assert_eq!(asked.uri, STABLE);
    assert_eq!(asked.header("content-type"), "application/json");
    assert_eq!(asked.header("dapr-api-token"), "secret");
    assert_eq!(
        asked.body,
        concat!(
            r#"[{"entryId":"7","contentType":"application/cloudevents+json","metadata":{"partitionKey":"a\"b"},"event":{"id":"e1","n":9007199254740993}},"#,
            r#"{"entryId":"8","contentType":"application/cloudevents+json","metadata":{"partitionKey":"c"},"event":{"id":"e2"}}]"#
        )
    );
}

#[tokio::test]
async fn nothing_to_publish_asks_nobody() {
    let sidecar = FakeSidecar::start(|_| (500, "")).await;

    assert_eq!(sidecar.client.publish_bulk(TOPIC, &[]).await.unwrap(), []);

    assert!(sidecar.paths().is_empty());
}

#[tokio::test]
async fn an_old_sidecar_is_remembered_by_its_alpha_path() {
    let sidecar = FakeSidecar::start(|asked| {
        if asked.uri == ALPHA {
            (204, String::new())
        } else {
            (404, problem("ERR_PUBSUB_NOT_FOUND"))
        }
    })
    .await;

    for _ in 0..2 {
        sidecar.client.publish_bulk(TOPIC, &TWO).await.unwrap();
    }

    assert_eq!(sidecar.paths(), [STABLE, ALPHA, ALPHA]);
}

#[tokio::test]
async fn an_alpha_path_that_refuses_is_remembered_too() {
    let sidecar = FakeSidecar::start(|asked| {
        if asked.uri == ALPHA {
            (500, "")
        } else {
            (404, "")
        }
    })
    .await;

    for _ in 0..2 {
        assert!(sidecar.client.publish_bulk(TOPIC, &TWO).await.is_err());
    }

    assert_eq!(sidecar.paths(), [STABLE, ALPHA, ALPHA]);
}

#[tokio::test]
async fn an_unknown_component_is_not_taken_for_an_old_sidecar() {
    let sidecar = FakeSidecar::start(|_| (404, problem("ERR_PUBSUB_NOT_FOUND"))).await;

    for _ in 0..2 {
        let error = sidecar.client.publish_bulk(TOPIC, &TWO).await.unwrap_err();
        assert!(error.is_configuration());
    }

    assert_eq!(sidecar.paths(), [STABLE, ALPHA, STABLE, ALPHA]);
}

#[tokio::test]
async fn an_old_sidecar_that_lost_its_component_is_told_by_the_name_of_the_component() {
    let asked_before = AtomicBool::new(false);
    let sidecar = FakeSidecar::start(move |asked| match asked.uri.as_str() {
        ALPHA if !asked_before.swap(true, Ordering::SeqCst) => (204, String::new()),
        ALPHA => (404, not_found("pubsub")),
        _ => (404, not_found("bulk")),
    })
    .await;
    sidecar.client.publish_bulk(TOPIC, &TWO).await.unwrap();

    let error = sidecar.client.publish_bulk(TOPIC, &TWO).await.unwrap_err();

    assert_eq!(sidecar.paths(), [STABLE, ALPHA, ALPHA, STABLE]);
    assert!(
        error.to_string().contains("pubsub pubsub is not found"),
        "{error}"
    );
}

fn not_found(component: &str) -> String {
    format!(r#"{{"errorCode":"ERR_PUBSUB_NOT_FOUND","message":"pubsub {component} is not found"}}"#)
}

#[tokio::test]
async fn a_sidecar_that_was_updated_is_found_on_the_stable_path() {
    let updated = AtomicU32::new(0);
    let sidecar = FakeSidecar::start(move |asked| {
        let is_new = updated.load(Ordering::SeqCst) > 0;
        if asked.uri == ALPHA {
            updated.fetch_add(1, Ordering::SeqCst);
        }
        if (asked.uri == ALPHA) == is_new {
            (404, "")
        } else {
            (204, "")
        }
    })
    .await;

    for _ in 0..3 {
        sidecar.client.publish_bulk(TOPIC, &TWO).await.unwrap();
    }

    assert_eq!(sidecar.paths(), [STABLE, ALPHA, ALPHA, STABLE, STABLE]);
}

#[tokio::test]
async fn entries_that_failed_are_reported_and_the_others_are_published() {
    let sidecar = FakeSidecar::start(|_| {
        (500, r#"{"failedEntries":[{"entryId":"8","error":"no leader"},{"entryId":"99"},{"entryId":"x"}],"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE"}"#)
    })
    .await;

    let failed = sidecar.client.publish_bulk(TOPIC, &TWO).await.unwrap();

    let expected = FailedEntry {
        position: 8,
        reason: "no leader".to_owned(),
        permanent: false,
    };
    assert_eq!(failed, [expected]);
}

#[tokio::test]
async fn a_failure_without_entries_is_a_failure_of_the_whole_call() {
    for body in [
        problem("ERR_PUBSUB_PUBLISH_MESSAGE"),
        String::new(),
        r#"{"failedEntries":[]}"#.to_owned(),
    ] {
        let sidecar = FakeSidecar::start(move |_| (500, body.clone())).await;

        let error = sidecar.client.publish_bulk(TOPIC, &TWO).await.unwrap_err();

        assert!(!error.is_permanent() && !error.is_configuration());
    }
}

#[tokio::test]
async fn a_call_refused_for_good_is_taken_apart_to_find_the_guilty_event() {
    let sidecar = FakeSidecar::start(|asked| {
        if asked.uri == STABLE {
            (400, problem("ERR_PUBSUB_EVENTS_SER"))
        } else if asked.body.contains("e2") {
            (500, problem("ERR_PUBSUB_CLOUD_EVENTS_SER"))
        } else {
            (204, String::new())
        }
    })
    .await;

    let failed = sidecar.client.publish_bulk(TOPIC, &TWO).await.unwrap();

    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0].position, failed[0].permanent), (8, true));
}

#[tokio::test]
async fn large_calls_are_split_below_a_mebibyte() {
    let sidecar = FakeSidecar::start(|_| (204, "")).await;
    let envelope = format!("\"{}\"", "x".repeat(250 * 1024));
    let keys: Vec<_> = (0..9).map(|key: u64| key.to_string()).collect();
    let messages: Vec<_> = (0..9)
        .zip(&keys)
        .map(|(position, key)| message(position, key, &envelope))
        .collect();

    sidecar.client.publish_bulk(TOPIC, &messages).await.unwrap();

    let sizes: Vec<_> = sidecar
        .asked()
        .iter()
        .map(|asked| asked.body.len())
        .collect();
    assert_eq!(sizes.len(), 3);
    assert!(sizes.iter().all(|size| *size <= 1024 * 1024));
}

#[tokio::test]
async fn what_follows_a_failed_part_is_reported_as_failed() {
    let calls = AtomicU32::new(0);
    let sidecar = FakeSidecar::start(move |_| {
        if calls.fetch_add(1, Ordering::SeqCst) == 0 {
            (204, "")
        } else {
            (500, "")
        }
    })
    .await;
    let envelope = format!("\"{}\"", "x".repeat(700 * 1024));
    let messages = [1, 2, 3].map(|position| message(position, "k", &envelope));

    let failed = sidecar.client.publish_bulk(TOPIC, &messages).await.unwrap();

    assert_eq!(
        failed
            .iter()
            .map(|entry| entry.position)
            .collect::<Vec<_>>(),
        [2, 3]
    );
    assert_eq!(sidecar.paths().len(), 2);
}
