//! Published set = log, in order per key, whatever the sidecar does.

use std::sync::Arc;
use std::time::Duration;

use clock::TestClock;
use database::on;
use event_schema::{TaskEvent, TaskUpdated};
use event_store::{Answer, Relay, RelayPass, Unit};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixture::{Fixture, TestError, TestTask, complete, open, start_of_test};
use crate::sidecar::Sidecar;

pub(crate) async fn create_and_complete(fixture: &Fixture, ids: std::ops::RangeInclusive<u128>) {
    for id in ids {
        fixture.create(id, "published").await.unwrap();
        fixture
            .ledger
            .execute(fixture.context(), None, &[], complete(id))
            .await
            .unwrap();
    }
}

/// Runs passes until nothing is left.
pub(crate) async fn drain(relay: &mut Relay) -> usize {
    let mut published = 0;
    loop {
        let pass = relay.run_once().await.unwrap();
        published += pass.published;
        if pass == RelayPass::default() {
            return published;
        }
    }
}

fn assert_in_order_per_key(taken: &[(u128, u64)], keys: std::ops::RangeInclusive<u128>) {
    for key in keys {
        let versions: Vec<u64> = taken
            .iter()
            .filter(|(subject, _)| *subject == key)
            .map(|(_, v)| *v)
            .collect();
        assert_eq!(versions, [1, 2], "key {key}");
    }
}

#[tokio::test]
async fn the_log_is_published_once_in_order_with_one_event_per_key_in_flight() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        create_and_complete(&fixture, 1..=40).await;
        let mut relay = Relay::new(&fixture.ledger, client);

        assert_eq!(drain(&mut relay).await, 80);

        assert_in_order_per_key(&sidecar.taken(), 1..=40);
        assert_eq!(sidecar.with(|recorded| recorded.most_per_key), 1);
        assert_eq!(drain(&mut relay).await, 0);
    }
}

#[tokio::test]
async fn what_is_published_is_what_is_stored() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        fixture.create(1, "byte for byte").await.unwrap();
        drain(&mut Relay::new(&fixture.ledger, client)).await;

        let stored = fixture.ledger.events_after(0, 1).await.unwrap();

        let stored: serde_json::Value = serde_json::from_str(&stored[0].envelope).unwrap();
        sidecar.with(|recorded| {
            assert_eq!(recorded.events, [("task-events".to_owned(), stored)]);
        });
    }
}

#[tokio::test]
async fn an_outage_loses_nothing_and_parks_nothing() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        sidecar.with(|recorded| recorded.down = true);
        create_and_complete(&fixture, 1..=5).await;
        let mut relay = Relay::new(&fixture.ledger, client);
        for _ in 0..30 {
            let pass = relay.run_once().await.unwrap();
            assert!(pass.outage);
        }

        sidecar.with(|recorded| recorded.down = false);

        assert_eq!(drain(&mut relay).await, 10);
        assert_in_order_per_key(&sidecar.taken(), 1..=5);
    }
}

#[tokio::test]
async fn a_refused_key_is_parked_with_everything_behind_it_and_others_pass() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let refused = Uuid::from_u128(3).to_string();
        sidecar.with(|recorded| recorded.refused.insert(refused));
        create_and_complete(&fixture, 1..=6).await;
        let mut relay = Relay::new(&fixture.ledger, client);

        // Refusals count while others pass: only then it is the event and not the broker.
        for id in 100..120 {
            fixture.create(id, "passes").await.unwrap();
            relay.run_once().await.unwrap();
            fixture.clock.advance(chrono::TimeDelta::seconds(31));
        }

        sidecar.with(|recorded| recorded.refused.clear());
        drain(&mut relay).await;
        let taken = sidecar.taken();
        assert!(taken.iter().all(|(subject, _)| *subject != 3));
        assert_in_order_per_key(&taken, 1..=2);
        assert_in_order_per_key(&taken, 4..=6);
    }
}

#[tokio::test]
async fn a_commit_wakes_the_running_relay() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let stop = CancellationToken::new();
        let relay = tokio::spawn(Relay::new(&fixture.ledger, client).run(stop.clone()));

        create_and_complete(&fixture, 1..=3).await;

        while sidecar.taken().len() < 6 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        relay.await.unwrap();
        assert_in_order_per_key(&sidecar.taken(), 1..=3);
    }
}

/// An event of another topic, as often as one likes.
pub(crate) async fn update(fixture: &Fixture, id: u128) {
    let decide = move |unit: &mut Unit<'_>| {
        let change = serde_json::json!({"updated_at": unit.now()});
        let change: TaskUpdated = serde_json::from_value(change).unwrap();
        unit.append::<TestTask>(Uuid::from_u128(id), &TaskEvent::Updated(Box::new(change)));
        Ok::<_, TestError>(Answer::default())
    };
    let ledger = &fixture.ledger;
    ledger
        .execute(fixture.context(), None, &[], decide)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_outage_of_a_part_of_the_broker_parks_nothing() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let refused = Uuid::from_u128(3).to_string();
        sidecar.with(|recorded| recorded.refused.insert(refused));
        create_and_complete(&fixture, 1..=6).await;
        let mut relay = Relay::new(&fixture.ledger, client);
        for id in 100..140 {
            fixture.create(id, "passes").await.unwrap();
            relay.run_once().await.unwrap();
            fixture.clock.advance(chrono::TimeDelta::seconds(1));
        }

        sidecar.with(|recorded| recorded.refused.clear());
        fixture.clock.advance(chrono::TimeDelta::seconds(5));

        drain(&mut relay).await;
        assert_in_order_per_key(&sidecar.taken(), 1..=6);
    }
}

#[tokio::test]
async fn a_topic_that_may_not_be_published_to_parks_nothing() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let topic = "task-update-events".to_owned();
        fixture.create(1, "updated").await.unwrap();
        update(&fixture, 1).await;
        sidecar.with(|recorded| recorded.forbidden.insert(topic));
        let mut relay = Relay::new(&fixture.ledger, client);
        for id in 100..120 {
            fixture.create(id, "passes").await.unwrap();
            relay.run_once().await.unwrap();
            fixture.clock.advance(chrono::TimeDelta::minutes(1));
        }

        sidecar.with(|recorded| recorded.forbidden.clear());

        drain(&mut relay).await;
        assert!(sidecar.taken().contains(&(1, 2)));
    }
}

#[tokio::test]
async fn a_refused_event_does_not_hold_up_other_keys_however_many_events_they_have() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let refused = Uuid::from_u128(1).to_string();
        sidecar.with(|recorded| recorded.refused.insert(refused));
        for id in 1..=40 {
            fixture
                .create(id, "one of them shares its bucket with the first")
                .await
                .unwrap();
        }
        let mut relay = Relay::new(&fixture.ledger, client);
        relay.run_once().await.unwrap();
        // Together far more than a pass reads of a bucket, whichever key it is.
        for _ in 0..8 {
            join_all(
                (2..=40)
                    .flat_map(|id| (0..18).map(move |_| id))
                    .map(|id| update(&fixture, id)),
            )
            .await;
        }
        fixture
            .create(100, "so that something passes")
            .await
            .unwrap();

        for _ in 0..10 {
            relay.run_once().await.unwrap();
        }

        let other_keys = 39 + 8 * 39 * 18 + 1;
        assert_eq!(sidecar.taken().len(), other_keys);
    }
}

/// Another task, in the same bucket of the relay.
pub(crate) async fn neighbor(fixture: &Fixture, id: u128) -> u128 {
    let mut tx = fixture.test.database.read().await.unwrap();
    let rows: Vec<(Uuid,)> = on!(&mut tx, conn => sqlx::query_as(
        "select key from event
          where key <> $1 and bucket in (select bucket from event where key = $1)
          order by position limit 1"
    ).bind(Uuid::from_u128(id)).fetch_all(conn).await)
    .unwrap();
    rows[0].0.as_u128()
}

#[tokio::test]
async fn what_was_published_ahead_of_a_refused_event_is_bounded_and_not_read_again() {
    const EVENTS: usize = 1600;
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        for id in 1..=80 {
            fixture.create(id, "published").await.unwrap();
        }
        let mut relay = Relay::new(&fixture.ledger, client);
        drain(&mut relay).await;
        let neighbor = neighbor(&fixture, 1).await;
        let refused = Uuid::from_u128(1).to_string();
        sidecar.with(|recorded| recorded.refused.insert(refused));
        update(&fixture, 1).await;
        for _ in 0..EVENTS / 200 {
            join_all((0..200).map(|_| update(&fixture, neighbor))).await;
        }
        fixture
            .create(100, "so that something passes")
            .await
            .unwrap();

        let mut passes = Vec::new();
        for _ in 0..12 {
            passes.push(relay.run_once().await.unwrap());
        }

        assert!(passes.iter().all(|pass| pass.read <= 257), "{passes:?}");
        let taken = sidecar.taken().len() - 81;
        assert!((1024..=1024 + 256).contains(&taken), "{taken}");
        // Neither what is published nor the refused event, whose turn has not come.
        assert_eq!(passes[11].read, 0);

        sidecar.with(|recorded| recorded.refused.clear());
        fixture.clock.advance(chrono::TimeDelta::seconds(5));
        drain(&mut relay).await;

        let mut taken = sidecar.taken();
        assert_eq!(taken.len(), 81 + 1 + EVENTS);
        let versions = taken.iter().filter(|(subject, _)| *subject == neighbor);
        assert!(
            versions
                .map(|(_, version)| *version)
                .eq(1..=1 + EVENTS as u64)
        );
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), 81 + 1 + EVENTS);
    }
}

#[tokio::test]
async fn what_waits_behind_a_refused_event_is_read_when_its_turn_has_come() {
    const EVENTS: u64 = 600;
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let refused = Uuid::from_u128(1).to_string();
        sidecar.with(|recorded| recorded.refused.insert(refused));
        fixture.create(1, "waits").await.unwrap();
        fixture.create(2, "passes").await.unwrap();
        let mut relay = Relay::new(&fixture.ledger, client);
        let first = relay.run_once().await.unwrap();
        assert_eq!((first.read, first.published, first.left), (2, 1, 1));
        for _ in 0..EVENTS / 200 {
            join_all((0..200).map(|_| update(&fixture, 1))).await;
            let pass = relay.run_once().await.unwrap();
            assert_eq!((pass.read, pass.published), (0, 0));
        }

        // Its turn: refused once more, and what is behind it is not tried.
        fixture.clock.advance(chrono::TimeDelta::seconds(5));
        fixture.create(3, "passes").await.unwrap();
        let pass = relay.run_once().await.unwrap();
        assert_eq!((pass.read, pass.published), (64 + 1, 1));
        assert_eq!(relay.run_once().await.unwrap().read, 0);

        sidecar.with(|recorded| recorded.refused.clear());
        fixture.clock.advance(chrono::TimeDelta::seconds(5));
        drain(&mut relay).await;

        let taken = sidecar.taken();
        let versions = taken.iter().filter(|(subject, _)| *subject == 1);
        assert!(versions.map(|(_, version)| *version).eq(1..=1 + EVENTS));
        assert_eq!(taken.len(), 3 + usize::try_from(EVENTS).unwrap());
    }
}

#[tokio::test]
async fn events_of_another_replica_are_published_however_busy_this_one_is() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        fixture.create(1, "busy").await.unwrap();
        let stop = CancellationToken::new();
        let relay = tokio::spawn(Relay::new(&fixture.ledger, client).run(stop.clone()));
        while sidecar.taken().is_empty() {
            tokio::task::yield_now().await;
        }
        let clock = Arc::new(TestClock::new(start_of_test()));
        let (other, mut lane) = open(fixture.ledger.database(), &clock);
        let task = crate::fixture::task(2, "elsewhere", start_of_test());
        let create = crate::fixture::create(task);
        let (created, ()) =
            tokio::join!(other.execute(fixture.context(), None, &[], create), async {
                while lane.run_once().await == 0 {}
            },);
        created.unwrap();

        let published = async {
            while !sidecar.taken().contains(&(2, 1)) {
                update(&fixture, 1).await;
                fixture.clock.advance(chrono::TimeDelta::milliseconds(100));
            }
        };
        let published = tokio::time::timeout(Duration::from_secs(10), published).await;

        stop.cancel();
        relay.await.unwrap();
        assert!(published.is_ok());
    }
}

#[tokio::test]
async fn a_pass_ends_before_its_leases_do() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        fixture.create(1, "one key").await.unwrap();
        for _ in 0..5 {
            update(&fixture, 1).await;
        }
        let clock = Arc::clone(&fixture.clock);
        let slow = move || clock.advance(chrono::TimeDelta::seconds(4));
        sidecar.with(|recorded| recorded.before_call = Some(Box::new(slow)));
        let mut relay = Relay::new(&fixture.ledger, client);

        let pass = relay.run_once().await.unwrap();

        assert_eq!((pass.published, pass.left), (1, 5));
        assert_eq!(drain(&mut relay).await, 5);
    }
}

#[tokio::test]
async fn leases_taken_by_a_clock_far_ahead_do_not_stall_the_relay() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        fixture.clock.advance(chrono::TimeDelta::hours(1));
        let mut ahead = Relay::new(&fixture.ledger, client.clone());
        drain(&mut ahead).await;
        drop(ahead); // As a kill would: its leases stay.
        fixture.clock.set(start_of_test());
        fixture.create(1, "published").await.unwrap();

        assert_eq!(drain(&mut Relay::new(&fixture.ledger, client)).await, 1);
        assert_eq!(sidecar.taken(), [(1, 1)]);
    }
}

#[tokio::test]
async fn however_long_an_outage_lasts_a_pass_holds_a_bounded_page_of_the_log() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        sidecar.with(|recorded| recorded.down = true);
        let mut relay = Relay::new(&fixture.ledger, client);
        fixture.create(1, "waits").await.unwrap();
        let mut held = Vec::new();
        for _ in 0..4 {
            join_all((0..200).map(|_| update(&fixture, 1))).await;
            held.push(relay.run_once().await.unwrap().read);
        }

        // All of one key, and so of one bucket.
        assert!(held.iter().all(|read| *read <= 256), "{held:?}");
        assert_eq!((held[2], held[3]), (held[1], held[1]));
        sidecar.with(|recorded| recorded.down = false);
        assert_eq!(drain(&mut relay).await, 801);
    }
}
