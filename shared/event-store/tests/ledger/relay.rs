//! Published set = log, in order per key, whatever the sidecar does.

use std::sync::Arc;

use clock::TestClock;
use event_store::{Relay, RelayPass};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixture::{Fixture, complete, open, start_of_test};
use crate::sidecar::Sidecar;

async fn create_and_complete(fixture: &Fixture, ids: std::ops::RangeInclusive<u128>) {
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
async fn drain(relay: &mut Relay) -> usize {
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
async fn a_successor_goes_on_where_the_relay_stopped() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        create_and_complete(&fixture, 1..=3).await;
        let mut first = Relay::new(&fixture.ledger, client.clone());
        drain(&mut first).await;
        drop(first); // As a kill would: its leases stay.
        create_and_complete(&fixture, 4..=5).await;

        let mut second = Relay::new(&fixture.ledger, client);
        assert_eq!(drain(&mut second).await, 0);
        fixture.clock.advance(chrono::TimeDelta::seconds(16));

        assert_eq!(drain(&mut second).await, 4);
        assert_eq!(sidecar.taken().len(), 10);
    }
}

#[tokio::test]
async fn a_robbed_relay_no_longer_moves_the_cursor() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        sidecar.with(|recorded| recorded.down = true);
        create_and_complete(&fixture, 1..=2).await;
        let stalled_clock = Arc::new(TestClock::new(start_of_test()));
        let (stalled, _lane) = open(fixture.ledger.database(), &stalled_clock);
        let mut stalled = Relay::new(&stalled, client.clone());
        let mut successor = Relay::new(&fixture.ledger, client);
        stalled.run_once().await.unwrap();
        fixture.clock.advance(chrono::TimeDelta::seconds(16));
        successor.run_once().await.unwrap(); // Finds the leases over and takes them.
        sidecar.with(|recorded| recorded.down = false);

        assert_eq!(drain(&mut stalled).await, 4); // It does not know yet.

        assert_eq!(drain(&mut successor).await, 4); // So its cursors stood still.
        let mut taken = sidecar.taken();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken, [(1, 1), (1, 2), (2, 1), (2, 2)]);
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
