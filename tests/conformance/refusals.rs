//! What is not published, and what is said instead.

use reqwest::Method;

use crate::seen::Seen;
use crate::stage::{CLOUD_EVENT, JSON, Stage, Topic, entry, event, said};

pub(crate) async fn observe(stage: &mut Stage, seen: &mut Seen) {
    tokens(stage, seen).await;
    single(stage, seen).await;
    bulk(stage, seen).await;
}

async fn tokens(stage: &Stage, seen: &mut Seen) {
    let path = stage.publish_path(Topic::Single, "");
    let without = said(stage.bare(Method::POST, &path).body("{}")).await;
    seen.check(
        "a publish without the token",
        "401 invalid api token",
        without,
    );
    let wrong = stage
        .bare(Method::POST, &path)
        .header("dapr-api-token", "wrong");
    seen.check(
        "a publish with a wrong token",
        "401 invalid api token",
        said(wrong.body("{}")).await,
    );
    let asked = said(stage.bare(Method::GET, "/v1.0/metadata")).await;
    seen.check("metadata without the token", "401 invalid api token", asked);
    let health = said(stage.bare(Method::GET, "/v1.0/healthz/outbound")).await;
    seen.check("health without the token", "204", health);
}

async fn single(stage: &Stage, seen: &mut Seen) {
    let large = format!(r#"{{"data":"{}"}}"#, "x".repeat(4 * 1024 * 1024));
    let path = |topic, query: &str| stage.publish_path(topic, query);
    let other = "/v1.0/publish/other/somewhere".to_owned();
    for (rule, path, body, expected) in [
        (
            "a component that is not there",
            other,
            "{}",
            "404 ERR_PUBSUB_NOT_FOUND DAPR_PUBSUB_NOT_FOUND",
        ),
        (
            "no topic",
            "/v1.0/publish/pubsub/".to_owned(),
            "{}",
            "404 ERR_TOPIC_NAME_EMPTY DAPR_PUBSUB_TOPIC_NAME_EMPTY",
        ),
        (
            "a topic that the app has no right to",
            path(Topic::Foreign, ""),
            "{}",
            "403 ERR_PUBSUB_FORBIDDEN DAPR_PUBSUB_FORBIDDEN",
        ),
        (
            "a topic that does not exist",
            path(Topic::Missing, ""),
            "{}",
            "500 ERR_PUBSUB_PUBLISH_MESSAGE DAPR_PUBSUB_PUBLISH_MESSAGE",
        ),
        (
            "rawPayload that is no boolean",
            path(Topic::Single, "?metadata.rawPayload=maybe"),
            "{}",
            "400 ERR_PUBSUB_REQUEST_METADATA DAPR_PUBSUB_METADATA_DESERIALIZATION",
        ),
        (
            "an event that is no object",
            path(Topic::Single, ""),
            "[1]",
            "500 ERR_PUBSUB_CLOUD_EVENTS_SER DAPR_PUBSUB_CLOUD_EVENT_CREATION",
        ),
        (
            "an event that is no JSON",
            path(Topic::Single, ""),
            "{",
            "500 ERR_PUBSUB_CLOUD_EVENTS_SER DAPR_PUBSUB_CLOUD_EVENT_CREATION",
        ),
        (
            "a body above 4 MiB",
            path(Topic::Single, ""),
            &large,
            "500 ERR_PUBSUB_PUBLISH_MESSAGE DAPR_PUBSUB_PUBLISH_MESSAGE",
        ),
    ] {
        seen.check(
            rule,
            expected,
            said(stage.post(&path, CLOUD_EVENT, body)).await,
        );
    }
}

async fn bulk(stage: &Stage, seen: &mut Seen) {
    let one = entry("1", "k", &event("e1"));
    let twice = serde_json::json!([one, one]).to_string();
    let nameless = serde_json::json!([entry("", "k", &event("e1"))]).to_string();
    let mut mismatch = one.clone();
    mismatch["contentType"] = "text/plain".into();
    let mismatch = serde_json::json!([mismatch]).to_string();
    let unread = "400 ERR_PUBSUB_EVENTS_SER DAPR_PUBSUB_UNMARSHAL_EVENTS";
    for (rule, body, expected) in [
        ("a bulk publish that is no JSON", "{", unread),
        (
            "a bulk publish above 4 MiB",
            &" ".repeat(4 * 1024 * 1024 + 1),
            unread,
        ),
        (
            "an entry that does not fit its content type",
            &mismatch,
            "400 ERR_PUBSUB_EVENTS_SER DAPR_PUBSUB_MARSHAL_ENVELOPE",
        ),
        (
            "two entries with one id",
            &twice,
            "400 ERR_PUBSUB_EVENTS_SER DAPR_PUBSUB_MARSHAL_EVENTS",
        ),
        (
            "an entry without an id",
            &nameless,
            "400 ERR_PUBSUB_EVENTS_SER DAPR_PUBSUB_MARSHAL_EVENTS",
        ),
    ] {
        let path = stage.bulk_path(Topic::Bulk, "");
        seen.check(rule, expected, said(stage.post(&path, JSON, body)).await);
    }
    let path = stage.bulk_path(Topic::Foreign, "");
    let forbidden = "403 ERR_PUBSUB_FORBIDDEN DAPR_PUBSUB_FORBIDDEN";
    seen.check(
        "a bulk publish without the right",
        forbidden,
        said(stage.post(&path, JSON, "[]")).await,
    );
}
