use serde_json::{Value, json};

use crate::stage::{Stage, json_of, success};

const PATHS: [&str; 2] = [
    "/v1.0/publish/bulk/pubsub/task-events",
    "/v1.0-alpha1/publish/bulk/pubsub/task-events",
];

async fn stage() -> Stage {
    Stage::start(json!([]), success()).await
}

fn entry(id: &str, key: &str, event: &Value) -> Value {
    json!({
        "entryId": id, "event": event, "contentType": "application/cloudevents+json",
        "metadata": { "partitionKey": key },
    })
}

#[tokio::test]
async fn both_paths_publish_every_entry_under_its_own_key() {
    for path in PATHS {
        let stage = stage().await;
        let body = json!([
            entry("1", "k1", &json!({ "id": "a" })),
            entry("2", "k2", &json!({ "id": "b" }))
        ]);

        let answer = stage
            .post(path, "application/json", body.to_string())
            .send()
            .await
            .unwrap();

        assert_eq!(answer.status(), 204);
        let mut keys = Vec::new();
        for partition in 0..3 {
            keys.extend(
                stage
                    .records("task-events", partition)
                    .await
                    .into_iter()
                    .map(|r| r.key),
            );
        }
        keys.sort();
        assert_eq!(keys, [Some("k1".to_owned()), Some("k2".to_owned())]);
    }
}

#[tokio::test]
async fn integers_above_2_to_the_53rd_are_altered() {
    let stage = stage().await;
    let body = r#"[{"entryId":"1","event":{"id":"a","n":9007199254740993,"traceid":"t"},"contentType":"application/cloudevents+json"}]"#;

    stage
        .post(PATHS[0], "application/json", body)
        .send()
        .await
        .unwrap();

    let record = stage.only_record("task-events").await;
    assert!(
        record
            .value
            .unwrap()
            .as_ref()
            .windows(16)
            .any(|part| part == b"9007199254740992")
    );
}

#[tokio::test]
async fn metadata_of_the_request_wins_over_that_of_the_entry() {
    let stage = stage().await;
    let path = format!("{}?metadata.partitionKey=request", PATHS[0]);

    stage
        .post(
            &path,
            "application/json",
            json!([entry("1", "entry", &json!({}))]).to_string(),
        )
        .send()
        .await
        .unwrap();

    assert_eq!(
        stage.only_record("task-events").await.key.as_deref(),
        Some("request")
    );
}

#[tokio::test]
async fn text_and_bytes_are_wrapped() {
    let stage = stage().await;
    let body =
        json!([{ "entryId": "1", "event": "aGk=", "contentType": "application/octet-stream" }]);

    stage
        .post(PATHS[0], "application/json", body.to_string())
        .send()
        .await
        .unwrap();

    assert_eq!(
        json_of(&stage.only_record("task-events").await)["data_base64"],
        "aGk="
    );
}

#[tokio::test]
async fn a_raw_null_entry_is_a_tombstone() {
    let stage = stage().await;
    let path = format!("{}?metadata.rawPayload=true", PATHS[0]);
    let body = json!([{ "entryId": "1", "event": null, "contentType": "application/json", "metadata": { "partitionKey": "k" } }]);

    let answer = stage
        .post(&path, "application/json", body.to_string())
        .send()
        .await
        .unwrap();

    assert_eq!(answer.status(), 204);
    assert_eq!(stage.only_record("task-events").await.value, None);
}

#[tokio::test]
async fn calls_that_cannot_be_read_are_refused_whole() {
    let stage = stage().await;
    let duplicate = json!([entry("1", "k", &json!({})), entry("1", "k", &json!({}))]).to_string();
    let nameless = json!([entry("", "k", &json!({}))]).to_string();
    let mismatch =
        json!([{ "entryId": "1", "event": {}, "contentType": "text/plain" }]).to_string();
    for (body, reason) in [
        ("{", "UNMARSHAL_EVENTS"),
        (&" ".repeat(4 * 1024 * 1024 + 1), "UNMARSHAL_EVENTS"),
        (&mismatch, "MARSHAL_ENVELOPE"),
        (&duplicate, "MARSHAL_EVENTS"),
        (&nameless, "MARSHAL_EVENTS"),
    ] {
        let answer = stage
            .post(PATHS[0], "application/json", body)
            .send()
            .await
            .unwrap();

        assert_eq!(answer.status(), 400);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["errorCode"], "ERR_PUBSUB_EVENTS_SER");
        assert_eq!(
            problem["details"][0]["reason"],
            format!("DAPR_PUBSUB_{reason}")
        );
    }
    assert_eq!(stage.broker.end("task-events", 0).unwrap(), 0);
}
