//! Asking an app what it subscribes to: once, as soon as it listens.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Delivery, FIRST_KNOCK, LAST_KNOCK, Subscription};

/// What Kafka's component takes when the app does not say.
const DEFAULT_BULK: u32 = 80;
const LARGEST_BULK: u32 = 1000;

/// Completes when the app has answered. An answer that cannot be used is "none", and it is not
/// asked again, as with the real one.
pub(super) async fn ask(delivery: &Delivery) -> Vec<Subscription> {
    let app_id = delivery.app.group();
    let mut knock = FIRST_KNOCK;
    let (status, body) = loop {
        match delivery.app.subscriptions().await {
            Ok(answer) => break answer,
            Err(error) => {
                tracing::debug!("{app_id} cannot be asked for its subscriptions yet: {error}");
                tokio::time::sleep(knock).await;
                knock = (knock * 2).min(LAST_KNOCK);
            }
        }
    };
    match (status, serde_json::from_slice::<Vec<Wire>>(&body)) {
        (200, Ok(listed)) => accepted(delivery, listed),
        (200, Err(error)) => {
            tracing::error!("the subscriptions of {app_id} cannot be read: {error}");
            Vec::new()
        }
        (404, _) => Vec::new(),
        (status, _) => {
            tracing::error!("{app_id} answered {status} instead of its subscriptions");
            Vec::new()
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "pubsubname")]
    pubsub: String,
    topic: String,
    #[serde(default)]
    route: String,
    #[serde(default)]
    routes: Routes,
    #[serde(rename = "deadLetterTopic", default)]
    dead_letter_topic: String,
    #[serde(rename = "bulkSubscribe", default)]
    bulk: Bulk,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Routes {
    rules: Vec<serde_json::Value>,
    default: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bulk {
    enabled: bool,
    #[serde(rename = "maxMessagesCount")]
    max_messages: u32,
}

/// One per topic; the last duplicate wins.
fn accepted(delivery: &Delivery, listed: Vec<Wire>) -> Vec<Subscription> {
    let accepted: BTreeMap<String, Subscription> = listed
        .into_iter()
        .filter_map(|wire| accept(delivery, wire))
        .map(|subscription| (subscription.topic.clone(), subscription))
        .collect();
    accepted.into_values().collect()
}

fn accept(delivery: &Delivery, wire: Wire) -> Option<Subscription> {
    let app_id = delivery.app.group();
    let topic = wire.topic;
    let refused = |why: &str| tracing::error!("{app_id} cannot subscribe to {topic}: {why}");
    let path = if wire.route.is_empty() {
        wire.routes.default
    } else {
        wire.route
    };
    if wire.pubsub != delivery.pubsub {
        refused("no such component");
        return None;
    }
    if path.is_empty() {
        refused("it names no default route");
        return None;
    }
    if !wire.routes.rules.is_empty() {
        tracing::warn!("routing rules are not evaluated: all of {topic} goes to {path}");
    }
    if !delivery.scopes.may_subscribe(app_id, &topic) {
        refused("the topic contract does not name it as a consumer");
        return None;
    }
    if delivery.broker.partitions_of(&topic).is_err() {
        refused("the topic does not exist");
        return None;
    }
    let dead_letter_topic = Some(wire.dead_letter_topic).filter(|topic| !topic.is_empty());
    if let Some(dead) = &dead_letter_topic
        && delivery.broker.partitions_of(dead).is_err()
    {
        refused("its dead-letter topic does not exist");
        return None;
    }
    let bulk = wire.bulk.enabled.then_some(match wire.bulk.max_messages {
        0 => DEFAULT_BULK,
        count => count.min(LARGEST_BULK),
    });
    Some(Subscription {
        pubsub: wire.pubsub,
        topic,
        path,
        dead_letter_topic,
        bulk,
    })
}
