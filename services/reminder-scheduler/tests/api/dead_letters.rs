//! Poison waits with its key until an operator decides; nothing of the key is lost meanwhile.

use event_schema::Topic;
use test_support::{TestSuite, fixture};

use crate::{SCHEDULED, parts, rent};

/// A task whose first event cannot be read and whose second waits behind it; another task goes on.
async fn poisoned(suite: &mut TestSuite) -> i64 {
    let story = rent().created().renamed("Pay the rent");
    let key = story.events()[0]["partitionkey"]
        .as_str()
        .unwrap()
        .to_owned();
    let json = "application/cloudevents+json";
    suite
        .deliver_bytes(Topic::TaskEvents, json, &key, "{\"type\":")
        .await;
    suite.deliver(story.events().into_iter().skip(1)).await;
    let other = fixture::task("Other")
        .due(fixture::local("2026-11-22T12:00", "UTC"))
        .reminder(-600);
    suite.deliver(other.created().events()).await;
    suite.run_workers().await;
    assert_eq!(suite.published_types(), [SCHEDULED]); // The other task's.
    let rows = suite.dead_letters().await;
    let states: Vec<&str> = rows.iter().map(|row| row.state.as_str()).collect();
    assert_eq!(states, ["parked", "waiting"]);
    rows[0].dead_letter_id
}

#[tokio::test]
async fn dropping_poison_lets_what_waited_take_effect() {
    let mut suite = TestSuite::start(parts).await;
    let parked = poisoned(&mut suite).await;

    suite.dead_letter_table().discard(parked).await.unwrap();
    suite.run_workers().await;

    assert_eq!(suite.published_types(), [SCHEDULED, SCHEDULED]);
    suite.finish().await; // Nothing is left in the table.
}

#[tokio::test]
async fn replaying_what_is_still_poison_parks_it_again_with_what_waits() {
    let mut suite = TestSuite::start(parts).await;
    let parked = poisoned(&mut suite).await;

    suite.dead_letter_table().replay(parked).await.unwrap();
    suite.run_workers().await;

    let rows = suite.dead_letters().await;
    let states: Vec<&str> = rows.iter().map(|row| row.state.as_str()).collect();
    assert_eq!(states, ["parked", "waiting"]);
    assert_eq!(suite.published_types(), [SCHEDULED]);
    suite.expect_dead_letters(2);
    suite.finish().await;
}
