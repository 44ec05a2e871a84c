use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clock::TestClock;
use local_sidecar::{Broker, Error, LocalSidecar};
use serde_json::json;
use tempfile::TempDir;

use crate::stage::{App, Script, Stage, config, event, single, success};

#[tokio::test]
async fn what_was_answered_does_not_come_again_after_a_restart() {
    let mut stage = Stage::start(single("recurring-events"), success()).await;
    stage.publish("recurring-events", "k", event("e1")).await;
    assert_eq!(stage.app.next().await.body["id"], "e1");
    stage.idle().await;
    let (dir, app) = stage.stop().await;

    let mut stage = Stage::over(dir, app, |_| ()).await;
    stage.publish("recurring-events", "k", event("e2")).await;

    assert_eq!(stage.app.next().await.body["id"], "e2");
    assert_eq!(stage.broker.end("recurring-events", 0).unwrap(), 2);
    stage.idle().await;
    assert!(!stage.app.received_more());
}

#[tokio::test]
async fn a_delivery_in_flight_is_finished_before_the_stop() {
    let mut stage = Stage::start(single("recurring-events"), success()).await;
    stage.app.answering.send_replace(false);
    stage.publish("recurring-events", "k", event("e1")).await;
    assert_eq!(stage.app.next().await.body["id"], "e1");

    stage.begin_stop();
    stage.app.answering.send_replace(true);
    let (dir, app) = stage.stop().await;

    let stage = Stage::over(dir, app, |_| ()).await;
    stage.idle().await;
    assert_eq!(
        stage
            .broker
            .committed("notifier", "recurring-events", 0)
            .unwrap(),
        1
    );
    let (_, mut app) = stage.stop().await;
    assert!(!app.received_more());
}

#[tokio::test]
async fn a_delivery_that_outlasts_the_grace_comes_again() {
    let mut stage = Stage::start_with(single("recurring-events"), success(), |config| {
        config.shutdown_grace = Duration::ZERO;
    })
    .await;
    stage.app.answering.send_replace(false);
    stage.publish("recurring-events", "k", event("e1")).await;
    stage.app.next().await;

    let (dir, app) = stage.stop().await;
    app.answering.send_replace(true);

    let mut stage = Stage::over(dir, app, |_| ()).await;
    assert_eq!(stage.app.next().await.body["id"], "e1");
    stage.idle().await;
}

#[tokio::test]
async fn what_was_not_answered_comes_again_after_a_restart() {
    let fails = Arc::new(AtomicBool::new(true));
    let failing = Arc::clone(&fails);
    let script: Script = Arc::new(move |_| {
        let status = if failing.load(Ordering::SeqCst) {
            500
        } else {
            200
        };
        (status, json!({}))
    });
    let mut stage = Stage::start_with(single("recurring-events"), script, |config| {
        config.retry.max_attempts = None;
    })
    .await;
    stage.publish("recurring-events", "k", event("e1")).await;
    stage.app.next().await;

    let (dir, mut app) = stage.stop().await;
    while app.received_more() {}
    fails.store(false, Ordering::SeqCst);

    let mut stage = Stage::over(dir, app, |_| ()).await;
    assert_eq!(stage.app.next().await.body["id"], "e1");
    stage.idle().await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_when_nothing_was_closed() {
    let dir = TempDir::new().unwrap();
    let (copy, path) = (dir.path().join("copy.db"), dir.path().join("broker.db"));
    let clock = TestClock::new(chrono::DateTime::UNIX_EPOCH);
    let broker = Broker::open(&path, clock.shared(), Duration::from_secs(1))
        .await
        .unwrap();
    let record = local_sidecar::NewRecord {
        value: Some("{}".into()),
        ..Default::default()
    };
    broker
        .publish("recurring-events", vec![record.clone(), record])
        .await
        .unwrap();

    // What a kill would leave: the files as they are, without the closing of a connection.
    for suffix in ["", "-wal"] {
        let name = |file: &std::path::Path| format!("{}{suffix}", file.display());
        std::fs::copy(name(&path), name(&copy)).unwrap();
    }

    let copied = Broker::open(&copy, clock.shared(), Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(
        copied
            .read("recurring-events", 0, 0, 10)
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!(copied.end("recurring-events", 0).unwrap(), 2);
}

#[tokio::test]
async fn a_clean_stop_leaves_one_file() {
    let stage = Stage::start(single("recurring-events"), success()).await;
    stage.publish("recurring-events", "k", event("e1")).await;
    stage.idle().await;

    let (dir, _) = stage.stop().await;

    let left = |suffix: &str| dir.path().join(format!("broker.db{suffix}")).exists();
    assert_eq!(["", "-wal", "-shm"].map(left), [true, false, false]);
}

#[tokio::test]
async fn a_second_broker_on_the_same_file_is_refused() {
    let app = App::start("127.0.0.1:0", json!([]), success()).await;
    let dir = TempDir::new().unwrap();
    let clock = TestClock::new(chrono::DateTime::UNIX_EPOCH);
    let first = LocalSidecar::bind(config(dir.path(), app.address, &clock))
        .await
        .unwrap();

    let second = LocalSidecar::bind(config(dir.path(), app.address, &clock)).await;

    assert!(matches!(second, Err(Error::InUse(_))));
    first.broker().close().await;
    LocalSidecar::bind(config(dir.path(), app.address, &clock))
        .await
        .unwrap();
}
