//! An operator releases what the relay parked.

use chrono::TimeDelta;
use event_store::Relay;
use uuid::Uuid;

use crate::fixture::Fixture;
use crate::relay::{create_and_complete, drain, neighbor, update};
use crate::sidecar::Sidecar;

/// The sidecar refuses the key until the relay parks it, while others pass.
async fn park(fixture: &Fixture, sidecar: &Sidecar, relay: &mut Relay, key: Uuid) {
    sidecar.with(|recorded| recorded.refused.insert(key.to_string()));
    for id in 1000..1020 {
        fixture.create(id, "passes").await.unwrap();
        pass(fixture, relay).await;
        fixture.clock.advance(TimeDelta::seconds(31));
    }
    let parked = fixture.ledger.parked_keys(10).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].key, key);
    assert!(!parked[0].released);
    assert_eq!(parked[0].reason, "refused");
    sidecar.with(|recorded| recorded.refused.clear());
}

/// A pass that looks at the leases, and so at what an operator released.
async fn pass(fixture: &Fixture, relay: &mut Relay) {
    fixture.clock.advance(TimeDelta::seconds(6));
    relay.run_once().await.unwrap();
}

fn versions_of(sidecar: &Sidecar, key: u128) -> Vec<u64> {
    let taken = sidecar.taken().into_iter();
    taken
        .filter(|(subject, _)| *subject == key)
        .map(|(_, version)| version)
        .collect()
}

#[tokio::test]
async fn a_released_key_is_published_in_order_and_is_like_any_other_again() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let (key, mut relay) = (Uuid::from_u128(3), Relay::new(&fixture.ledger, client));
        create_and_complete(&fixture, 1..=6).await;
        park(&fixture, &sidecar, &mut relay, key).await;
        // More than a pass catches up with.
        for _ in 0..100 {
            update(&fixture, 3).await;
        }
        drain(&mut relay).await;
        assert!(versions_of(&sidecar, 3).is_empty());

        assert!(fixture.ledger.release_parked(key).await.unwrap());
        pass(&fixture, &mut relay).await;
        update(&fixture, 3).await; // While the relay catches up.
        drain(&mut relay).await;

        let all: Vec<u64> = (1..=103).collect();
        assert_eq!(versions_of(&sidecar, 3), all);
        assert!(fixture.ledger.parked_keys(10).await.unwrap().is_empty());
        update(&fixture, 3).await;
        drain(&mut relay).await;
        assert_eq!(versions_of(&sidecar, 3).last(), Some(&104));
        assert_eq!(sidecar.with(|recorded| recorded.most_per_key), 1);
    }
}

#[tokio::test]
async fn what_a_pass_skipped_ahead_of_a_key_that_waits_is_published_too() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let (key, mut relay) = (Uuid::from_u128(3), Relay::new(&fixture.ledger, client));
        create_and_complete(&fixture, 1..=80).await;
        park(&fixture, &sidecar, &mut relay, key).await;
        drain(&mut relay).await;
        let neighbor = neighbor(&fixture, 3).await;
        let refused = Uuid::from_u128(neighbor).to_string();
        sidecar.with(|recorded| recorded.refused.insert(refused));
        update(&fixture, neighbor).await; // The cursor of the bucket stays before it.
        for id in 3000..3005 {
            update(&fixture, 3).await;
            fixture.create(id, "passes").await.unwrap();
            pass(&fixture, &mut relay).await;
        }

        fixture.ledger.release_parked(key).await.unwrap();
        for _ in 0..5 {
            pass(&fixture, &mut relay).await;
        }

        assert_eq!(versions_of(&sidecar, 3), [1, 2, 3, 4, 5, 6, 7]);
        sidecar.with(|recorded| recorded.refused.clear());
        pass(&fixture, &mut relay).await;
        drain(&mut relay).await;
        assert_eq!(versions_of(&sidecar, neighbor), [1, 2, 3]);
    }
}

#[tokio::test]
async fn a_release_is_idempotent_and_one_of_an_unknown_key_changes_nothing() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let (key, mut relay) = (Uuid::from_u128(3), Relay::new(&fixture.ledger, client));
        create_and_complete(&fixture, 1..=6).await;
        park(&fixture, &sidecar, &mut relay, key).await;

        let ledger = &fixture.ledger;
        assert!(!ledger.release_parked(Uuid::from_u128(4)).await.unwrap());
        assert!(ledger.release_parked(key).await.unwrap());
        assert!(ledger.release_parked(key).await.unwrap());
        assert!(ledger.parked_keys(10).await.unwrap()[0].released);
        pass(&fixture, &mut relay).await;
        assert!(!ledger.release_parked(key).await.unwrap());
        pass(&fixture, &mut relay).await;

        assert_eq!(versions_of(&sidecar, 3), [1, 2]);
    }
}

#[tokio::test]
async fn a_released_key_that_is_refused_again_holds_up_nobody_and_is_parked_again() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let (key, mut relay) = (Uuid::from_u128(3), Relay::new(&fixture.ledger, client));
        create_and_complete(&fixture, 1..=6).await;
        park(&fixture, &sidecar, &mut relay, key).await;
        fixture.ledger.release_parked(key).await.unwrap();
        sidecar.with(|recorded| recorded.refused.insert(key.to_string()));
        pass(&fixture, &mut relay).await;
        assert!(fixture.ledger.parked_keys(10).await.unwrap()[0].released);
        let before = sidecar.taken().len();

        for id in 2000..2020 {
            fixture.create(id, "passes").await.unwrap();
            pass(&fixture, &mut relay).await;
            fixture.clock.advance(TimeDelta::seconds(31));
        }

        assert_eq!(sidecar.taken().len(), before + 20);
        assert!(!fixture.ledger.parked_keys(10).await.unwrap()[0].released);
        sidecar.with(|recorded| recorded.refused.clear());
        fixture.ledger.release_parked(key).await.unwrap();
        pass(&fixture, &mut relay).await;
        assert_eq!(versions_of(&sidecar, 3), [1, 2]);
    }
}

#[tokio::test]
async fn a_successor_goes_on_catching_up_where_a_dead_relay_stopped() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        let (key, mut relay) = (
            Uuid::from_u128(3),
            Relay::new(&fixture.ledger, client.clone()),
        );
        create_and_complete(&fixture, 1..=6).await;
        park(&fixture, &sidecar, &mut relay, key).await;
        for _ in 0..100 {
            update(&fixture, 3).await;
        }
        drain(&mut relay).await;
        fixture.ledger.release_parked(key).await.unwrap();
        pass(&fixture, &mut relay).await;
        drop(relay); // As a kill would: its leases stay.
        let caught_up = versions_of(&sidecar, 3).len();
        assert!(0 < caught_up && caught_up < 102, "{caught_up}");

        fixture.clock.advance(TimeDelta::seconds(16));
        drain(&mut Relay::new(&fixture.ledger, client)).await;

        let all: Vec<u64> = (1..=102).collect();
        assert_eq!(versions_of(&sidecar, 3), all);
    }
}
