use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clock::{Clock, TestClock};
use local_sidecar::{Broker, NewRecord};
use tempfile::TempDir;

async fn broker() -> (Broker, TestClock, TempDir) {
    let dir = TempDir::new().unwrap();
    let clock = TestClock::new(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000));
    let path = dir.path().join("broker.db");
    let broker = Broker::open(&path, clock.shared(), Duration::from_secs(1))
        .await
        .unwrap();
    (broker, clock, dir)
}

async fn append(broker: &Broker, topic: &str, key: &str, value: Option<&'static str>) {
    let record = NewRecord {
        key: Some(key.to_owned()),
        value: value.map(Into::into),
        ..NewRecord::default()
    };
    broker.publish(topic, vec![record]).await.unwrap();
}

async fn values(broker: &Broker, topic: &str) -> Vec<String> {
    let mut values = Vec::new();
    for partition in 0..broker.partitions(topic).unwrap() {
        for record in broker.read(topic, partition, 0, 100).await.unwrap() {
            let value = record.value.unwrap_or_else(|| "tombstone".into());
            values.push(String::from_utf8(value.to_vec()).unwrap());
        }
    }
    values.sort();
    values
}

#[tokio::test]
async fn records_older_than_the_retention_go_and_their_offsets_are_not_used_again() {
    let (broker, clock, _dir) = broker().await;
    append(&broker, "recurring-events", "a", Some("old")).await;
    clock.advance(TimeDelta::days(31));
    append(&broker, "recurring-events", "a", Some("young")).await;
    clock.advance(TimeDelta::days(1));

    assert_eq!(broker.run_retention(clock.now()).await.unwrap(), 1);

    assert_eq!(values(&broker, "recurring-events").await, ["young"]);
    clock.advance(TimeDelta::days(60));
    assert_eq!(broker.run_retention(clock.now()).await.unwrap(), 1);
    append(&broker, "recurring-events", "a", Some("next")).await;
    assert_eq!(
        broker.read("recurring-events", 0, 0, 10).await.unwrap()[0].offset,
        2
    );
}

#[tokio::test]
async fn a_compacted_topic_keeps_the_newest_of_a_key_and_everything_younger_than_the_lag() {
    let (broker, clock, _dir) = broker().await;
    append(&broker, "task-events", "a", Some("a1")).await;
    append(&broker, "task-events", "a", Some("a2")).await;
    append(&broker, "task-events", "idle", Some("idle1")).await;
    append(&broker, "task-events", "gone", Some("gone1")).await;
    append(&broker, "task-events", "gone", None).await;
    clock.advance(TimeDelta::days(6));
    append(&broker, "task-events", "a", Some("a3")).await;
    append(&broker, "task-events", "a", Some("a4")).await;

    assert_eq!(broker.run_retention(clock.now()).await.unwrap(), 0);
    clock.advance(TimeDelta::days(2));
    broker.run_retention(clock.now()).await.unwrap();

    assert_eq!(values(&broker, "task-events").await, ["a3", "a4", "idle1"]);
    clock.advance(TimeDelta::days(400));
    broker.run_retention(clock.now()).await.unwrap();
    assert_eq!(values(&broker, "task-events").await, ["a4", "idle1"]);
}
