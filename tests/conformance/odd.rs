//! Large events, odd ones, and what is no event.

use crate::app::success;
use crate::seen::Seen;
use crate::stage::{CLOUD_EVENT, JSON, Stage, Topic, event};

/// What the ledger lets through at most, and almost all that a record may be.
const SIZES: [(&str, usize); 2] = [
    ("an event of 256 KiB", 256 * 1024),
    ("an event of 900 kB", 900_000),
];

pub(crate) async fn observe(stage: &mut Stage, seen: &mut Seen) {
    for (rule, bytes) in SIZES {
        let key = stage.scene(success());
        let mut large = event("large");
        large["data"] = "é".repeat(bytes / 2).into();
        stage.publish(Topic::Single, &key, &large).await;
        let whole = stage.app.next().await.body["data"] == large["data"];
        seen.check(rule, "true", whole.to_string());
    }
    text(stage, seen).await;
    tombstone(stage, seen).await;
    no_json(stage, seen).await;
}

async fn text(stage: &mut Stage, seen: &mut Seen) {
    let odd = "\u{0}\u{7f} \u{2028}\"\\ <script>&amp; 𝄞 \u{202e}";
    for (rule, topic) in [
        ("odd text, one by one", Topic::Single),
        ("odd text in bulk", Topic::Bulk),
    ] {
        let key = stage.scene(success());
        let mut event = event("odd");
        event["data"] = odd.into();
        stage.publish(topic, &key, &event).await;
        let given = stage.app.next().await;
        let same = given.events().next().unwrap()["data"] == odd;
        seen.check(rule, "true", same.to_string());
    }
}

async fn tombstone(stage: &mut Stage, seen: &mut Seen) {
    for (rule, topic) in [
        ("a tombstone, one by one", Topic::Single),
        ("a tombstone in bulk", Topic::Bulk),
    ] {
        let key = stage.scene(success());
        let query = format!("?metadata.rawPayload=true&metadata.partitionKey={key}");
        let path = stage.publish_path(topic, &query);
        stage.taken(stage.post(&path, JSON, "null")).await;
        let given = stage.app.next().await;
        let event = given.events().next().unwrap().to_string();
        seen.check(rule, "null", event);
    }
}

async fn no_json(stage: &mut Stage, seen: &mut Seen) {
    for (rule, topic) in [
        ("a record that is no JSON, one by one", Topic::Single),
        ("a record that is no JSON, in bulk", Topic::Bulk),
    ] {
        let key = stage.scene(success());
        let query = format!("?metadata.rawPayload=true&metadata.partitionKey={key}");
        let path = stage.publish_path(topic, &query);
        stage.taken(stage.post(&path, CLOUD_EVENT, "no json")).await;
        stage.publish(topic, &key, &event("next")).await;
        let first = stage.app.next().await;
        let dead = stage.dead_letter(&key).await.text;
        let first = first.events().next().unwrap()["id"].to_string();
        seen.check(
            rule,
            r#"no json is dead, "next" came"#,
            format!("{dead} is dead, {first} came"),
        );
    }
}
