use serde_json::json;

use crate::stage::{Stage, json_of, single, success};

const TASK_EVENTS: &str = "/v1.0/publish/pubsub/task-events";
const CLOUD_EVENT: &str = "application/cloudevents+json";

async fn stage() -> Stage {
    Stage::start(json!([]), success()).await
}

#[tokio::test]
async fn our_own_event_keeps_everything_but_what_the_sidecar_owns() {
    let stage = stage().await;
    let event = r#"{"type":"task.created.v1","id":"e1","specversion":"1.0","source":"/task-api","time":"2026-11-22T07:00:00.123456Z",
        "sequence":"7","big":9007199254740993,"topic":"other","traceid":"t","traceparent":"p","data":{"b":"<x>","a":1.50}}"#;

    let path = format!("{TASK_EVENTS}?metadata.partitionKey=k1&metadata.partitionKey=k2");
    let answer = stage.post(&path, CLOUD_EVENT, event).send().await.unwrap();

    assert_eq!(answer.status(), 204);
    assert_eq!(answer.bytes().await.unwrap(), "");
    let record = stage.only_record("task-events").await;
    assert_eq!(
        str::from_utf8(record.value.as_ref().unwrap()).unwrap(),
        r#"{"big":9007199254740993,"data":{"a":1.50,"b":"\u003cx\u003e"},"id":"e1","pubsubname":"pubsub","sequence":"7","source":"/task-api","specversion":"1.0","time":"2026-11-22T07:00:00.123456Z","topic":"task-events","traceid":"t","traceparent":"p","type":"task.created.v1"}"#
    );
    assert_eq!(record.key.as_deref(), Some("k1"));
    assert_eq!(record.headers["partitionKey"], "k1");
}

#[tokio::test]
async fn an_event_without_attributes_gets_all_of_them_but_an_id() {
    let stage = stage().await;
    let request = stage.post(
        TASK_EVENTS,
        "application/cloudevents+json; charset=utf-8",
        "{}",
    );

    let answer = request
        .header("traceparent", "00-a-b-01")
        .send()
        .await
        .unwrap();

    assert_eq!(answer.status(), 204);
    assert_eq!(
        json_of(&stage.only_record("task-events").await),
        json!({
            "source": "Dapr", "type": "com.dapr.event.sent", "specversion": "1.0",
            "time": "2026-11-22T07:00:00Z", "topic": "task-events", "pubsubname": "pubsub",
            "traceid": "00-a-b-01", "traceparent": "00-a-b-01", "tracestate": "",
        })
    );
}

#[tokio::test]
async fn anything_else_is_wrapped() {
    for (content_type, body, member, expected) in [
        ("application/json", r#"{"n":1}"#, "data", json!({ "n": 1 })),
        ("application/json", "{broken", "data", json!("{broken")),
        ("text/plain", "hi", "data", json!("hi")),
        (
            "application/octet-stream",
            "hi",
            "data_base64",
            json!("aGk="),
        ),
    ] {
        let stage = stage().await;

        let answer = stage
            .post(TASK_EVENTS, content_type, body)
            .send()
            .await
            .unwrap();

        assert_eq!(answer.status(), 204);
        let event = json_of(&stage.only_record("task-events").await);
        assert_eq!(event[member], expected);
        assert_eq!(event["source"], "notifier");
        assert_eq!(event["type"], "com.dapr.event.sent");
        assert_eq!(event["time"], "2026-11-22T07:00:00Z");
        assert_eq!(event["datacontenttype"], content_type);
        assert_eq!(event["traceid"], event["traceparent"]);
        assert!(event["id"].is_string());
    }
}

#[tokio::test]
async fn seven_attributes_of_a_wrapped_event_can_be_given() {
    let stage = stage().await;
    let path = format!(
        "{TASK_EVENTS}?metadata.cloudevent.id=i&metadata.CloudEvent.Type=t&metadata.cloudevent.subject=s&metadata.cloudevent.time=no"
    );

    stage
        .post(&path, "application/json", "1")
        .send()
        .await
        .unwrap();

    let event = json_of(&stage.only_record("task-events").await);
    assert_eq!(
        (&event["id"], &event["type"], &event["subject"]),
        (&json!("i"), &json!("t"), &json!("s"))
    );
    assert_eq!(event["time"], "2026-11-22T07:00:00Z");
}

#[tokio::test]
async fn a_raw_null_is_a_tombstone() {
    let mut stage = Stage::start(single("task-events"), success()).await;
    let path = format!("{TASK_EVENTS}?metadata.rawPayload=true&metadata.partitionKey=k");

    stage
        .post(&path, "application/json", "null")
        .send()
        .await
        .unwrap();

    assert_eq!(stage.only_record("task-events").await.value, None);
    assert!(stage.app.next().await.body.is_null());
}

#[tokio::test]
async fn keyless_events_go_round() {
    let stage = stage().await;
    for _ in 0..3 {
        stage
            .post(TASK_EVENTS, CLOUD_EVENT, "{}")
            .send()
            .await
            .unwrap();
    }
    for partition in 0..3 {
        assert_eq!(stage.records("task-events", partition).await.len(), 1);
    }
}
