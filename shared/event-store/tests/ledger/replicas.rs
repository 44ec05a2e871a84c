//! Several replicas on one database: the buckets are shared, and those of a dead one are taken over.

use std::sync::Arc;

use chrono::TimeDelta;
use clock::{Clock, TestClock};
use dapr_client::Client;
use database::{Database, on};
use event_store::{Ledger, Relay};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixture::{Fixture, TestTask, create, open, task};
use crate::relay::{create_and_complete, update};
use crate::sidecar::Sidecar;

/// How many buckets each owner has; under `None` those that nobody has.
async fn shares(database: &Database) -> Vec<(Option<Uuid>, i64)> {
    let mut tx = database.read().await.unwrap();
    let rows: Vec<(Option<Uuid>, i64)> = on!(&mut tx, conn => sqlx::query_as(
        "select owner, count(*) from relay_bucket group by owner order by count(*), owner"
    ).fetch_all(conn).await)
    .unwrap();
    rows
}

/// The sizes of the shares, the smallest first. Fails when a bucket is nobody's.
async fn sizes(database: &Database) -> Vec<i64> {
    let shares = shares(database).await;
    assert!(
        shares.iter().all(|(owner, _)| owner.is_some()),
        "{shares:?}"
    );
    shares.into_iter().map(|(_, count)| count).collect()
}

/// A replica as far as its relay goes: a ledger of its own, which knows nothing of the others' commits.
fn replica(fixture: &Fixture, client: &Client) -> Relay {
    let (ledger, _lane) = open(fixture.ledger.database(), &fixture.clock);
    Relay::new(&ledger, client.clone())
}

/// What a second does to replicas that have nothing to publish.
async fn second(clock: &TestClock, relays: &mut [Relay]) {
    clock.advance(TimeDelta::seconds(1));
    for relay in relays {
        relay.run_once().await.unwrap();
    }
}

#[tokio::test]
async fn replicas_share_the_buckets_and_stay_with_their_shares() {
    for fixture in Fixture::every().await {
        let (_sidecar, client) = Sidecar::start().await;
        let database = fixture.ledger.database();
        let mut relays = Vec::new();
        for expected in [
            vec![16],
            vec![8, 8],
            vec![5, 5, 6],
            vec![4; 4],
            vec![3, 3, 3, 3, 4],
        ] {
            relays.push(replica(&fixture, &client));
            // One second to be seen and to get what the others give back, one to take what is left.
            second(&fixture.clock, &mut relays).await;
            second(&fixture.clock, &mut relays).await;
            assert_eq!(sizes(database).await, expected);
        }

        let settled = owners(database).await;
        for _ in 0..30 {
            second(&fixture.clock, &mut relays).await;
        }

        assert_eq!(owners(database).await, settled);
    }
}

/// Owner and fence of every bucket.
async fn owners(database: &Database) -> Vec<(i16, Option<Uuid>, i64)> {
    let mut tx = database.read().await.unwrap();
    on!(&mut tx, conn => sqlx::query_as(
        "select bucket, owner, fence from relay_bucket order by bucket"
    ).fetch_all(conn).await)
    .unwrap()
}

#[tokio::test]
async fn the_buckets_of_a_dead_replica_are_taken_over_a_second_after_its_lease() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let mut relays: Vec<Relay> = (0..3).map(|_| replica(&fixture, &client)).collect();
        for _ in 0..3 {
            second(&fixture.clock, &mut relays).await;
        }
        relays.pop(); // As a kill would: its leases stay.
        create_and_complete(&fixture, 1..=40).await;
        for _ in 0..14 {
            second(&fixture.clock, &mut relays).await;
        }
        let before = sidecar.taken().len();
        assert!(before < 80, "{before}");
        assert_eq!(sizes(fixture.ledger.database()).await.len(), 3);

        // The last sign of life was at most 15 seconds ago a moment before this.
        second(&fixture.clock, &mut relays).await;
        second(&fixture.clock, &mut relays).await;

        assert_eq!(sizes(fixture.ledger.database()).await, [8, 8]);
        assert_eq!(sidecar.taken().len(), 80);
    }
}

#[tokio::test]
async fn a_replica_that_stops_gives_its_buckets_back_at_once() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let mut relays = vec![replica(&fixture, &client)];
        second(&fixture.clock, &mut relays).await;
        let stop = CancellationToken::new();
        let stopping = tokio::spawn(replica(&fixture, &client).run(stop.clone()));
        while shares(fixture.ledger.database()).await.len() < 2 {
            second(&fixture.clock, &mut relays).await;
        }

        stop.cancel();
        stopping.await.unwrap();
        create_and_complete(&fixture, 1..=20).await;
        second(&fixture.clock, &mut relays).await;

        assert_eq!(sizes(fixture.ledger.database()).await, [16]);
        assert_eq!(sidecar.taken().len(), 40);
    }
}

#[tokio::test]
async fn a_share_that_moves_while_events_come_loses_none_and_keeps_the_order_of_keys() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let mut relays = Vec::new();
        for id in 1..=20 {
            fixture.create(id, "moves").await.unwrap();
        }
        for round in 0..12 {
            for id in 1..=20 {
                update(&fixture, id).await;
            }
            match round {
                0 | 2 | 4 => relays.push(replica(&fixture, &client)),
                7 => drop(relays.remove(0)), // As a kill would.
                _ => {}
            }
            second(&fixture.clock, &mut relays).await;
        }
        for _ in 0..16 {
            second(&fixture.clock, &mut relays).await;
        }

        let taken = sidecar.taken();
        for id in 1..=20 {
            let versions = taken.iter().filter(|(subject, _)| *subject == id);
            let versions: Vec<u64> = versions.map(|(_, version)| *version).collect();
            let all: Vec<u64> = (1..=13).collect();
            assert_eq!(versions, all, "key {id}");
        }
    }
}

/// Creates tasks from several callers until the log has `goal` events; returns how many were its own.
async fn load(ledger: &Ledger, fixture: &Fixture, first: u128, goal: i64) -> usize {
    let callers = (0..8_u128).map(|caller| async move {
        let mut created = 0;
        while ledger.last_position().await.unwrap() < goal {
            let id = first + caller * 10_000 + created;
            let new = task(id, "one of many", fixture.clock.now());
            let stream = event_store::StreamRef::of::<TestTask>(new.id.as_uuid());
            ledger
                .execute(fixture.context(), None, &[stream], create(new))
                .await
                .unwrap();
            created += 1;
        }
        usize::try_from(created).unwrap()
    });
    join_all(callers).await.into_iter().sum()
}

#[tokio::test]
async fn two_lanes_under_load_each_get_a_fair_part_and_positions_stay_gapless() {
    for fixture in Fixture::every().await {
        let clock = Arc::clone(&fixture.clock);
        let (other, lane) = open(fixture.ledger.database(), &clock);
        let stop = CancellationToken::new();
        let lane = tokio::spawn(lane.run(stop.clone()));

        let (one, two) = tokio::join!(
            load(&fixture.ledger, &fixture, 1, 800),
            load(&other, &fixture, 1_000_000, 800),
        );

        stop.cancel();
        lane.await.unwrap();
        assert!(one.min(two) >= 200, "{one} and {two}");
        fixture.assert_dense().await;
    }
}
