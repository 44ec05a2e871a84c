//! What the app's answers mean: again, dead, done or lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::app::{Answer, Delivery, Script, each};
use crate::seen::Seen;
use crate::stage::{ATTEMPTS, Stage, Topic, event};

/// Answers the first deliveries in which `e1` is as `fails` does, and then with success.
fn failing(times: u32, fails: impl Fn(&Delivery) -> Answer + Send + Sync + 'static) -> Script {
    let left = AtomicU32::new(times);
    Arc::new(move |delivery| {
        let due = delivery.events().any(|event| event["id"] == "e1");
        let take = |n: u32| n.checked_sub(1);
        if due
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
                .is_ok()
        {
            return fails(delivery);
        }
        each(delivery, |_| "SUCCESS")
    })
}

fn status(status: &'static str) -> impl Fn(&Delivery) -> Answer + Send + Sync {
    move |delivery| {
        let of_event = |event: &Value| {
            if event["id"] == "e1" {
                status
            } else {
                "SUCCESS"
            }
        };
        each(delivery, of_event)
    }
}

fn code(code: u16) -> impl Fn(&Delivery) -> Answer + Send + Sync {
    move |_| (code, String::new())
}

/// Publishes `e1`, always answered so, and tells how often it came and what became of it.
async fn fate(stage: &mut Stage, topic: Topic, script: Script) -> String {
    let key = stage.scene(script);
    stage.publish(topic, &key, &event("e1")).await;
    // Else what follows could come in the same delivery.
    stage.app.next().await;
    let mut times = 1;
    let dead = stage.is_dead(topic, &key, "e1").await;
    // Published after it, so that all deliveries of it have been.
    stage.publish(topic, &key, &event("last")).await;
    loop {
        let given = stage.app.next().await;
        times += given.events().filter(|event| event["id"] == "e1").count();
        if given.events().any(|event| event["id"] == "last") {
            break;
        }
    }
    let deliveries = if times == 1 { "delivery" } else { "deliveries" };
    let end = if dead {
        "a dead letter"
    } else {
        "no dead letter"
    };
    format!("{times} {deliveries}, {end}")
}

pub(crate) async fn observe(stage: &mut Stage, seen: &mut Seen) {
    single(stage, seen).await;
    bulk(stage, seen).await;
    in_place(stage, seen).await;
    entries(stage, seen).await;
    dead_letter(stage, seen).await;
}

async fn single(stage: &mut Stage, seen: &mut Seen) {
    let once = "1 delivery, no dead letter";
    let given_up = format!("{ATTEMPTS} deliveries, a dead letter");
    let text = |text: &'static str| move |_: &Delivery| (200, text.to_owned());
    let always = u32::MAX;
    for (rule, script, expected) in [
        ("SUCCESS to a single delivery", failing(0, code(500)), once),
        (
            "200 without a body to a single delivery",
            failing(always, code(200)),
            once,
        ),
        (
            "200 with something else to a single delivery",
            failing(always, text("fine")),
            once,
        ),
        (
            "RETRY to a single delivery",
            failing(always, status("RETRY")),
            &given_up,
        ),
        (
            "an unknown status to a single delivery",
            failing(always, status("success")),
            &given_up,
        ),
        (
            "500 to a single delivery",
            failing(always, code(500)),
            &given_up,
        ),
        (
            "400 to a single delivery",
            failing(always, code(400)),
            &given_up,
        ),
        (
            "DROP to a single delivery",
            failing(always, status("DROP")),
            "1 delivery, a dead letter",
        ),
        (
            "404 to a single delivery",
            failing(always, code(404)),
            "1 delivery, a dead letter",
        ),
        (
            "RETRY and then SUCCESS to a single delivery",
            failing(2, status("RETRY")),
            "3 deliveries, no dead letter",
        ),
    ] {
        seen.check(rule, expected, fate(stage, Topic::Single, script).await);
    }
}

async fn bulk(stage: &mut Stage, seen: &mut Seen) {
    let given_up = format!("{ATTEMPTS} deliveries, a dead letter");
    let always = u32::MAX;
    let nothing = |_: &Delivery| (200, r#"{"statuses":[]}"#.to_owned());
    for (rule, script, expected) in [
        (
            "SUCCESS to a bulk delivery",
            failing(0, code(500)),
            "1 delivery, no dead letter",
        ),
        (
            "RETRY to a bulk delivery",
            failing(always, status("RETRY")),
            &given_up,
        ),
        (
            "no status for an entry of a bulk delivery",
            failing(always, nothing),
            &given_up,
        ),
        (
            "no body to a bulk delivery",
            failing(always, code(200)),
            &given_up,
        ),
        (
            "500 to a bulk delivery",
            failing(always, code(500)),
            &given_up,
        ),
        (
            "404 to a bulk delivery",
            failing(always, code(404)),
            "1 delivery, no dead letter",
        ),
        (
            "DROP to a bulk delivery",
            failing(always, status("DROP")),
            "1 delivery, a dead letter",
        ),
        (
            "RETRY and then SUCCESS to a bulk delivery",
            failing(2, status("RETRY")),
            "3 deliveries, no dead letter",
        ),
    ] {
        seen.check(rule, expected, fate(stage, Topic::Bulk, script).await);
    }
}

/// What comes after it in its partition waits.
async fn in_place(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(failing(2, status("RETRY")));
    for id in ["e1", "e2"] {
        stage.publish(Topic::Single, &key, &event(id)).await;
    }
    let mut order = Vec::new();
    for _ in 0..4 {
        order.push(
            stage.app.next().await.body["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    seen.check(
        "an event that is retried holds up its partition",
        "e1 e1 e1 e2",
        order.join(" "),
    );
}

/// Only the entry that failed comes again, under its id.
async fn entries(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(failing(1, status("RETRY")));
    let events = ["e0", "e1", "e2"].map(event);
    stage.publish_all(Topic::Bulk, &key, &events).await;
    let mut shown = Vec::new();
    let mut known = 0;
    while known < 3 || shown.len() < 2 {
        let given = stage.app.next().await;
        let ids = given
            .entries
            .iter()
            .map(|entry| entry.event["id"].as_str().unwrap().to_owned());
        let ids: Vec<_> = ids.collect();
        known += ids.len();
        shown.push(ids.join(" "));
    }
    seen.check(
        "what comes again of a bulk delivery",
        "e0 e1 e2, e1",
        shown.join(", "),
    );
}

async fn dead_letter(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(failing(u32::MAX, status("DROP")));
    stage.publish(Topic::Single, &key, &event("e1")).await;
    let dead = stage.dead_letter(&key).await;
    let original = dead.topic == stage.name(Topic::Single);
    seen.check(
        "a dead letter names the topic it comes from",
        "true",
        original.to_string(),
    );
    let whole: Value = serde_json::from_str(&dead.text).unwrap();
    seen.check(
        "a dead letter is the event",
        r#""e1""#,
        whole["id"].to_string(),
    );
}
