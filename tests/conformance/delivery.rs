//! What the app is asked and what it is given.

use serde_json::{Value, json};

use crate::app::{each, success};
use crate::seen::Seen;
use crate::stage::{APP_TOKEN, Stage, Topic, event};

pub(crate) async fn observe(stage: &mut Stage, seen: &mut Seen) {
    discovery(stage, seen).await;
    single(stage, seen).await;
    bulk(stage, seen).await;
    order(stage, seen).await;
}

async fn discovery(stage: &mut Stage, seen: &mut Seen) {
    let asked = stage.app.asked().unwrap();
    let token = asked["dapr-api-token"].to_str().unwrap();
    seen.check(
        "the token on the question for subscriptions",
        APP_TOKEN,
        token,
    );

    let metadata = stage.metadata().await;
    let listed = metadata["subscriptions"].as_array().unwrap().iter();
    let mut listed: Vec<_> = listed
        .filter(|one| one["rules"][0]["path"] != crate::app::DEAD)
        .map(|one| {
            let (path, kind) = (&one["rules"][0]["path"], &one["type"]);
            format!("{} {}", path.as_str().unwrap(), kind.as_str().unwrap())
        })
        .collect();
    listed.sort();
    seen.check(
        "subscriptions to what is forbidden, elsewhere or without a path",
        "/bulk PROGRAMMATIC, /single PROGRAMMATIC",
        listed.join(", "),
    );
}

async fn single(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(success());
    stage.publish(Topic::Single, &key, &event("e1")).await;
    let given = stage.app.next().await;

    seen.check("the path of a delivery", "/single", &given.path);
    let kind = given.header("content-type").to_owned();
    seen.check(
        "the content type of an event",
        "application/cloudevents+json",
        kind,
    );
    seen.check(
        "the token on a delivery",
        APP_TOKEN,
        given.header("dapr-api-token"),
    );
    let same = |name: &str, value: &str| (given.header(name) == value).to_string();
    seen.check("the key as a header", "true", same("__key", &key));
    seen.check(
        "the topic as a header",
        "true",
        same("__topic", stage.name(Topic::Single)),
    );
    seen.check(
        "the metadata of the publisher as a header",
        "true",
        same("partitionkey", &key),
    );
    seen.check(
        "the partition as a header",
        "0",
        given.header("__partition"),
    );
    let number = |name: &str| given.header(name).parse::<u64>().is_ok().to_string();
    seen.check("the offset as a header", "true", number("__offset"));
    seen.check(
        "the time as a header, in milliseconds",
        "true",
        number("__timestamp"),
    );
}

async fn bulk(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(success());
    let events: Vec<_> = (0..20).map(|id: u32| event(&id.to_string())).collect();
    stage.publish_all(Topic::Bulk, &key, &events).await;

    let mut ids = Vec::new();
    let mut first = None;
    while ids.len() < events.len() {
        let given = stage.app.next().await;
        ids.extend(given.events().map(|event| event["id"].clone()));
        first.get_or_insert(given);
    }
    let first = first.unwrap();
    let entry = &first.entries[0];
    let attributes = json!({
        "type": first.body["type"], "pubsubname": first.body["pubsubname"],
        "topic": first.body["topic"] == stage.name(Topic::Bulk),
        "contentType": first.body["entries"][0]["contentType"],
        "path": first.path, "header": first.header("content-type"),
        "key": entry.metadata["__key"] == key.as_str(), "id": entry.id,
    });
    let expected = r#"{"contentType":"application/cloudevents+json","header":"application/json","id":"0","key":true,"path":"/bulk","pubsubname":"pubsub","topic":true,"type":"com.dapr.event.sent.bulk"}"#;
    seen.check("a bulk delivery", expected, attributes.to_string());
    let expected: Vec<Value> = (0..20).map(|id: u32| id.to_string().into()).collect();
    seen.check(
        "the order of a bulk delivery",
        "true",
        (ids == expected).to_string(),
    );
}

/// Keys side by side, each in order, over partitions and deliveries of either kind.
async fn order(stage: &mut Stage, seen: &mut Seen) {
    for (rule, topic) in [
        ("the order of each key, one by one", Topic::Single),
        ("the order of each key, in bulk", Topic::Bulk),
    ] {
        let prefix = stage.scene(std::sync::Arc::new(|delivery| {
            each(delivery, |_| "SUCCESS")
        }));
        for version in 0..20 {
            for key in 0..6 {
                let mut event = event(&format!("{key}-{version}"));
                event["version"] = version.into();
                stage
                    .publish(topic, &format!("{prefix}-{key}"), &event)
                    .await;
            }
        }
        let mut next = [0; 6];
        let mut outcome = "in order";
        while next.iter().sum::<u64>() < 120 {
            for entry in stage.app.next().await.entries {
                let key: usize = entry.key.rsplit('-').next().unwrap().parse().unwrap();
                if entry.event["version"].as_u64() != Some(next[key]) {
                    outcome = "not in order";
                }
                next[key] += 1;
            }
        }
        seen.check(rule, "in order", outcome);
    }
}
