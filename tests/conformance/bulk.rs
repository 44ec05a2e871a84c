//! Publishing many events in one call.

use serde_json::{Value, json};

use crate::app::success;
use crate::seen::Seen;
use crate::stage::{JSON, Stage, Topic, entry, event, said};

pub(crate) async fn observe(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(success());
    let name = stage.name(Topic::Bulk);
    let stable = format!("/v1.0/publish/bulk/pubsub/{name}");
    let body = json!([entry("1", &key, &event("e1"))]).to_string();
    seen.check(
        "a bulk publish on the stable path",
        "204",
        said(stage.post(&stable, JSON, &body)).await,
    );
    let alpha = stage.bulk_path(Topic::Bulk, "");
    seen.check(
        "a bulk publish on the alpha path",
        "204",
        said(stage.post(&alpha, JSON, &body)).await,
    );

    keys(stage, seen).await;
    numbers(stage, seen).await;
    partial(stage, seen).await;
}

async fn keys(stage: &mut Stage, seen: &mut Seen) {
    let prefix = stage.scene(success());
    let entries = ["a", "b", "c"].map(|id| entry(id, &format!("{prefix}-{id}"), &event(id)));
    let path = stage.bulk_path(Topic::Bulk, "");
    stage
        .taken(stage.post(&path, JSON, &json!(entries).to_string()))
        .await;
    let mut got = Vec::new();
    while got.len() < 3 {
        let entries = stage.app.next().await.entries.into_iter();
        got.extend(
            entries.map(|entry| {
                entry.key == format!("{prefix}-{}", entry.event["id"].as_str().unwrap())
            }),
        );
    }
    seen.check(
        "every entry has its own key",
        "[true, true, true]",
        format!("{got:?}"),
    );

    let key = stage.scene(success());
    let path = stage.bulk_path(Topic::Bulk, &format!("?metadata.partitionKey={key}"));
    let body = json!([entry("1", "of-the-entry", &event("e1"))]).to_string();
    stage.taken(stage.post(&path, JSON, &body)).await;
    let wins = stage.app.next().await.entries[0].key == key;
    seen.check(
        "the key of the call wins over that of the entry",
        "true",
        wins.to_string(),
    );
}

async fn numbers(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(success());
    let body = format!(
        r#"[{{"entryId":"1","event":{{"id":"e1","n":9007199254740993}},"contentType":"application/cloudevents+json","metadata":{{"partitionKey":"{key}"}}}}]"#
    );
    let path = stage.bulk_path(Topic::Single, "");
    stage.taken(stage.post(&path, JSON, &body)).await;
    let got = stage.app.next().await.body["n"].to_string();
    seen.check(
        "an integer above 2^53 in a bulk publish",
        "9007199254740992",
        got,
    );
}

async fn partial(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(success());
    let mut large = event("large");
    large["data"] = "x".repeat(1_200_000).into();
    let entries = json!([entry("0", &key, &event("small")), entry("1", &key, &large)]);
    let path = stage.bulk_path(Topic::Bulk, "");
    let answer = stage
        .post(&path, JSON, &entries.to_string())
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    let mut answer = status.to_string();
    if let Some(failed) = body["failedEntries"].as_array() {
        let failed: Vec<_> = failed
            .iter()
            .filter_map(|entry| entry["entryId"].as_str())
            .collect();
        let code = body["errorCode"].as_str().unwrap_or_default();
        answer = format!("{status} {code}, failed: {}", failed.join(" "));
    }
    seen.check(
        "a bulk publish with an entry that the broker does not take",
        "204",
        answer,
    );
    let got = stage.app.next().await.entries[0].event["id"].to_string();
    seen.check("the other entries of such a call", r#""small""#, got);
}
