//! What becomes of a published event until it is delivered.

use serde_json::{Value, json};

use crate::app::success;
use crate::seen::Seen;
use crate::stage::{CLOUD_EVENT, JSON, Stage, Topic, event, said};

/// The event as the app gets it.
async fn delivered(stage: &mut Stage, query: &str, content_type: &str, body: &str) -> Value {
    let key = stage.scene(success());
    let query = format!("?metadata.partitionKey={key}{query}");
    let path = stage.publish_path(Topic::Single, &query);
    stage.taken(stage.post(&path, content_type, body)).await;
    stage.app.next().await.body
}

pub(crate) async fn observe(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(success());
    let path = stage.publish_path(Topic::Single, &format!("?metadata.partitionKey={key}"));
    let answer = said(stage.post(&path, CLOUD_EVENT, &event("e1").to_string())).await;
    seen.check("a publish that was taken", "204", answer);

    whole_events(stage, seen).await;
    wrapped(stage, seen).await;
}

async fn whole_events(stage: &mut Stage, seen: &mut Seen) {
    let ours = r#"{"type":"conformance.v1","id":"e1","specversion":"1.0","source":"/conformance","time":"2026-11-22T07:00:00.123456Z","sequence":"7","topic":"other","pubsubname":"other","traceid":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"b":"<x> & é","a":1.50,"big":9007199254740993}}"#;
    let mut got = delivered(stage, "", CLOUD_EVENT, ours).await;
    let owned = got["topic"] == stage.name(Topic::Single) && got["pubsubname"] == "pubsub";
    seen.check(
        "topic and component in the event are the real ones",
        "true",
        owned.to_string(),
    );
    let mut sent: Value = serde_json::from_str(ours).unwrap();
    for event in [&mut got, &mut sent] {
        for name in ["topic", "pubsubname", "tracestate"] {
            event.as_object_mut().unwrap().remove(name);
        }
    }
    seen.check(
        "everything else of an event is kept",
        "true",
        (got == sent).to_string(),
    );

    let got = delivered(stage, "", CLOUD_EVENT, r#"{"data":{"n":9007199254740993}}"#).await;
    seen.check(
        "an integer above 2^53, one by one",
        r#"{"n":9007199254740993}"#,
        got["data"].to_string(),
    );
    let filled = json!([got["source"], got["type"], got["specversion"], got["id"]]);
    seen.check(
        "attributes that an event lacks",
        r#"["Dapr","com.dapr.event.sent","1.0",null]"#,
        filled.to_string(),
    );
}

async fn wrapped(stage: &mut Stage, seen: &mut Seen) {
    for (rule, content_type, body, expected) in [
        ("JSON is wrapped", JSON, r#"{"n":1}"#, r#"{"n":1}"#),
        (
            "broken JSON is wrapped as text",
            JSON,
            "{broken",
            r#""{broken""#,
        ),
        ("text is wrapped", "text/plain", "hi", r#""hi""#),
    ] {
        let got = delivered(stage, "", content_type, body).await;
        seen.check(rule, expected, got["data"].to_string());
    }
    let got = delivered(stage, "", "application/octet-stream", "hi").await;
    seen.check(
        "bytes are wrapped",
        r#""aGk=""#,
        got["data_base64"].to_string(),
    );
    let query = "&metadata.cloudevent.id=i&metadata.cloudevent.type=t&metadata.cloudevent.time=no";
    let got = delivered(stage, query, JSON, "1").await;
    let given = json!([got["id"], got["type"], got["time"] == "no"]);
    seen.check(
        "attributes of a wrapped event by metadata",
        r#"["i","t",false]"#,
        given.to_string(),
    );
}
