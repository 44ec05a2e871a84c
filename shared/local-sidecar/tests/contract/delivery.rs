use local_sidecar::Scopes;
use serde_json::{Value, json};

use crate::stage::{APP, App, Stage, bulk, event, every_entry, single, success};

#[tokio::test]
async fn a_single_delivery_is_the_stored_event_with_its_metadata_as_headers() {
    let mut stage = Stage::start_with(single("task-events"), success(), |config| {
        config.apps[0].app_api_token = Some("secret".into());
    })
    .await;

    let mut event = event("e1");
    event["traceparent"] = "00-a-b-01".into();
    stage.publish("task-events", "k1", event).await;

    let delivery = stage.app.next().await;
    assert_eq!(delivery.path, "/events/here");
    assert_eq!(delivery.body["id"], "e1");
    assert_eq!(delivery.body["topic"], "task-events");
    for (name, value) in [
        ("content-type", "application/cloudevents+json"),
        ("dapr-api-token", "secret"),
        ("traceparent", "00-a-b-01"),
        ("__key", "k1"),
        ("__topic", "task-events"),
        ("__offset", "0"),
        ("__timestamp", "1795330800000"),
        ("pubsubname", "pubsub"),
        ("partitionkey", "k1"),
    ] {
        assert_eq!(delivery.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn a_bulk_delivery_takes_what_has_gathered_and_keeps_the_order() {
    let app = App::start(
        "127.0.0.1:0",
        bulk("recurring-events"),
        every_entry("SUCCESS"),
    )
    .await;
    let dir = tempfile::TempDir::new().unwrap();
    let mut stage = Stage::over(dir, app, |_| ()).await;
    let entries: Vec<_> = (0..300)
        .map(|id: u32| {
            json!({
                "entryId": id.to_string(), "event": event(&id.to_string()),
                "contentType": "application/cloudevents+json", "metadata": { "partitionKey": "k" },
            })
        })
        .collect();
    let path = "/v1.0/publish/bulk/pubsub/recurring-events";
    stage
        .post(path, "application/json", Value::from(entries).to_string())
        .send()
        .await
        .unwrap();

    let first = stage.app.next().await;
    let second = stage.app.next().await;

    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!(first.body["type"], "com.dapr.event.sent.bulk");
    assert_eq!(first.body["topic"], "recurring-events");
    assert_eq!(first.body["pubsubname"], "pubsub");
    let entry = &first.body["entries"][0];
    assert_eq!(entry["contentType"], "application/cloudevents+json");
    assert_eq!(entry["metadata"]["__key"], "k");
    let ids: Vec<u32> = [first, second]
        .iter()
        .flat_map(|delivery| delivery.body["entries"].as_array().unwrap())
        .map(|entry| entry["event"]["id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(ids, (0..300).collect::<Vec<_>>());
    stage.idle().await;
}

#[tokio::test]
async fn each_key_stays_in_order_while_partitions_are_delivered_side_by_side() {
    let mut stage = Stage::start(single("task-events"), success()).await;
    let publishing = (0..8).map(|key| {
        let stage = &stage;
        async move {
            for version in 0..20 {
                let mut event = event("e");
                event["key"] = key.into();
                event["version"] = version.into();
                stage
                    .publish("task-events", &format!("k{key}"), event)
                    .await;
            }
        }
    });
    futures_util::future::join_all(publishing).await;

    let mut seen = [0; 8];
    for _ in 0..160 {
        let delivery = stage.app.next().await;
        let key = usize::try_from(delivery.body["key"].as_u64().unwrap()).unwrap();
        assert_eq!(delivery.body["version"], seen[key]);
        seen[key] += 1;
    }
    assert_eq!(seen, [20; 8]);
}

#[tokio::test]
async fn the_metadata_lists_what_is_subscribed() {
    let stage = Stage::start(bulk("task-events"), every_entry("SUCCESS")).await;
    stage.idle().await;

    let answer = stage.get("/v1.0/metadata").send().await.unwrap();

    let metadata: Value = answer.json().await.unwrap();
    assert_eq!(metadata["id"], APP);
    assert_eq!(
        metadata["subscriptions"],
        json!([{
            "pubsubname": "pubsub", "topic": "task-events", "rules": [{ "path": "/events/here" }],
            "deadLetterTopic": "notifier.dead-letters", "type": "PROGRAMMATIC",
        }])
    );
}

#[tokio::test]
async fn an_app_that_listens_late_gets_everything() {
    let placeholder = App::start("127.0.0.1:0", json!([]), success()).await;
    let address = placeholder.address;
    placeholder.stop().await;
    let away = App::start("127.0.0.1:0", json!([]), success()).await;
    let dir = tempfile::TempDir::new().unwrap();
    let stage = Stage::over(dir, away, |config| {
        config.apps[0].app_url = format!("http://{address}");
    })
    .await;
    stage.publish("task-events", "k", event("e1")).await;
    assert_eq!(
        stage.get("/v1.0/healthz").send().await.unwrap().status(),
        500
    );
    assert_eq!(
        stage
            .get("/v1.0/healthz/outbound")
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    assert!(!stage.broker.is_idle());

    let mut app = App::start(&address.to_string(), single("task-events"), success()).await;

    assert_eq!(app.next().await.body["id"], "e1");
    stage.idle().await;
    assert_eq!(
        stage.get("/v1.0/healthz").send().await.unwrap().status(),
        204
    );
}

#[tokio::test]
async fn a_subscription_that_the_contract_does_not_know_is_ignored() {
    let subscriptions = json!([
        { "pubsubname": "pubsub", "topic": "notification-events", "route": "/a" },
        { "pubsubname": "other", "topic": "task-events", "route": "/b" },
        { "pubsubname": "pubsub", "topic": "task-events" },
        { "pubsubname": "pubsub", "topic": "reminder-events", "route": "/c" },
        { "pubsubname": "pubsub", "topic": "reminder-events", "route": "/d" },
    ]);
    let stage = Stage::start_with(subscriptions, success(), |config| {
        config.scopes = Scopes::Contract;
    })
    .await;
    stage.idle().await;

    let groups = stage.broker.groups();

    assert!(groups.iter().all(|group| group.topic == "reminder-events"));
    assert_eq!(groups.len(), 2);
}

#[tokio::test]
async fn every_event_comes_twice_when_that_is_wanted() {
    let mut stage = Stage::start_with(single("task-events"), success(), |config| {
        config.deliver_twice = true;
    })
    .await;

    stage.publish("task-events", "k", event("e1")).await;

    assert_eq!(stage.app.next().await.body["id"], "e1");
    assert_eq!(stage.app.next().await.body["id"], "e1");
    stage.idle().await;
    assert!(!stage.app.received_more());
}
