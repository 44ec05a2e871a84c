use std::sync::atomic::{AtomicU32, Ordering};

use dapr_client::{Lack, MetadataError};
use event_schema::Topic;

use crate::fake_sidecar::FakeSidecar;

#[tokio::test]
async fn a_sidecar_is_ready_with_204_and_nothing_else() {
    for (status, ready) in [(204, true), (200, false), (500, false)] {
        let sidecar = FakeSidecar::start(move |_| (status, "")).await;

        assert_eq!(sidecar.client.outbound_ready().await, ready);

        assert_eq!(sidecar.paths(), ["/v1.0/healthz/outbound"]);
    }
}

#[tokio::test]
async fn a_sidecar_that_is_late_is_waited_for() {
    let asked = AtomicU32::new(0);
    let sidecar = FakeSidecar::start(move |_| {
        if asked.fetch_add(1, Ordering::SeqCst) < 2 {
            (500, "")
        } else {
            (204, "")
        }
    })
    .await;

    sidecar.client.wait_until_ready().await;

    assert_eq!(sidecar.paths().len(), 3);
}

#[tokio::test]
async fn the_metadata_says_what_is_subscribed() {
    let sidecar = FakeSidecar::start(|_| {
        (200, r#"{"id":"notifier","runtimeVersion":"1.18.3","subscriptions":[{"pubsubname":"pubsub","topic":"task-events","rules":[{"path":"/e"}],"deadLetterTopic":"notifier.dead-letters","type":"PROGRAMMATIC"}]}"#)
    })
    .await;

    let metadata = sidecar.client.metadata().await.unwrap();

    assert_eq!(
        (metadata.id.as_str(), metadata.runtime_version.as_str()),
        ("notifier", "1.18.3")
    );
    assert!(metadata.subscribes_to(&[Topic::TaskEvents]));
    assert!(!metadata.subscribes_to(&[Topic::TaskEvents, Topic::ReminderEvents]));
    assert_eq!(sidecar.asked()[0].header("dapr-api-token"), "secret");
}

#[tokio::test]
async fn a_sidecar_without_subscriptions_omits_them() {
    let sidecar = FakeSidecar::start(|_| (200, r#"{"id":"notifier"}"#)).await;
    assert!(
        !sidecar
            .client
            .metadata()
            .await
            .unwrap()
            .subscribes_to(&[Topic::TaskEvents])
    );

    let sidecar = FakeSidecar::start(|_| (401, "invalid api token\n")).await;
    assert!(matches!(
        sidecar.client.metadata().await,
        Err(MetadataError::Refused(401))
    ));

    let sidecar = FakeSidecar::start(|_| (200, "no json")).await;
    assert!(matches!(
        sidecar.client.metadata().await,
        Err(MetadataError::Unreachable(_))
    ));
}

#[tokio::test]
async fn what_a_sidecar_lacks_is_named() {
    let store = r#"{"name":"secretstore","type":"secretstores.local.file","version":"v1"}"#;
    let kafka = r#"{"name":"pubsub","type":"pubsub.kafka","version":"v1"}"#;
    let other = r#"{"name":"events","type":"pubsub.kafka","version":"v1"}"#;
    let subscribed = r#","subscriptions":[{"pubsubname":"pubsub","topic":"task-events"}]"#;
    let pubsub = "pubsub".to_owned();
    let topics = "task-events".to_owned();
    for (components, subscriptions, lack) in [
        (format!("{store},{kafka}"), subscribed, None),
        (kafka.to_owned(), subscribed, None),
        (
            format!("{store},{kafka}"),
            "",
            Some(Lack::Subscriptions { topics }),
        ),
        (
            format!("{store},{other}"),
            subscribed,
            Some(Lack::Component {
                pubsub: pubsub.clone(),
            }),
        ),
        (
            other.to_owned(),
            subscribed,
            Some(Lack::SecretStore {
                pubsub: pubsub.clone(),
            }),
        ),
        (
            String::new(),
            subscribed,
            Some(Lack::SecretStore {
                pubsub: pubsub.clone(),
            }),
        ),
    ] {
        let answer = format!(r#"{{"id":"notifier","components":[{components}]{subscriptions}}}"#);
        let sidecar = FakeSidecar::start(move |_| (200, answer.clone())).await;

        let metadata = sidecar.client.metadata().await.unwrap();

        assert_eq!(
            metadata.lack("pubsub", &[Topic::TaskEvents]),
            lack,
            "{components}{subscriptions}"
        );
    }
}
