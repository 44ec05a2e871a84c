//! What a restart of either side changes, and what it does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::app::{each, success};
use crate::seen::Seen;
use crate::stage::{Stage, Topic, event};

pub(crate) async fn observe(stage: &mut Stage, seen: &mut Seen) {
    both_anew(stage, seen).await;
    unanswered(stage, seen).await;
    published_meanwhile(stage, seen).await;
    discovery_that_fails(stage, seen).await;
}

async fn both_anew(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(success());
    stage.backend.stop().await;
    stage.app.leave().await;
    stage.app.listen().await;
    stage.restart().await;
    stage.publish(Topic::Bulk, &key, &event("e1")).await;
    let got = stage.app.next().await.events().next().unwrap()["id"].to_string();
    seen.check("delivery when both have been away", r#""e1""#, got);
}

/// Not answered before the sidecar ended, so it comes again.
async fn unanswered(stage: &mut Stage, seen: &mut Seen) {
    let fails = Arc::new(AtomicBool::new(true));
    let failing = Arc::clone(&fails);
    let key = stage.scene(Arc::new(move |delivery| {
        if failing.load(Ordering::SeqCst) {
            (500, String::new())
        } else {
            each(delivery, |_| "SUCCESS")
        }
    }));
    stage.publish(Topic::Bulk, &key, &event("e1")).await;
    stage.app.next().await;
    stage.backend.stop().await;
    fails.store(false, Ordering::SeqCst);
    stage.restart().await;
    stage.publish(Topic::Bulk, &key, &event("e2")).await;
    let mut after = Vec::new();
    while !after.iter().any(|id| id == "e2") {
        let given = stage.app.next().await;
        let ids = given
            .events()
            .map(|event| event["id"].as_str().unwrap().to_owned());
        after.extend(ids);
    }
    after.dedup();
    seen.check(
        "what was not answered before a restart",
        "e1 e2",
        after.join(" "),
    );
}

async fn published_meanwhile(stage: &mut Stage, seen: &mut Seen) {
    let key = stage.scene(success());
    stage.publish(Topic::Single, &key, &event("before")).await;
    stage.app.next().await;
    stage.restart().await;
    stage.publish(Topic::Single, &key, &event("after")).await;
    let mut ids = Vec::new();
    while !ids.iter().any(|id| id == "after") {
        ids.push(
            stage.app.next().await.body["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    // A second's worth may come again; nothing is skipped.
    ids.retain(|id| id != "before");
    seen.check("delivery goes on after a restart", "after", ids.join(" "));
}

/// It is asked once: an answer that is no list means that there is none.
async fn discovery_that_fails(stage: &mut Stage, seen: &mut Seen) {
    for (rule, status) in [
        ("500 to the question for subscriptions", 500),
        ("404 to the question for subscriptions", 404),
    ] {
        stage.app.subscribe(status, json!("nothing"));
        stage.restart().await;
        let listed = stage.metadata().await["subscriptions"].to_string();
        seen.check(rule, "null", listed);
    }
}
