//! Where a relay goes on that takes over.

use std::sync::Arc;

use chrono::TimeDelta;
use clock::TestClock;
use event_store::{Relay, RelayPass};
use uuid::Uuid;

use crate::fixture::{Fixture, open, start_of_test};
use crate::relay::{create_and_complete, drain, neighbor, update};
use crate::sidecar::Sidecar;

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
        fixture.clock.advance(TimeDelta::seconds(16));

        assert_eq!(drain(&mut second).await, 4);
        assert_eq!(sidecar.taken().len(), 10);
    }
}

/// Three events are published, 100 ms apart, and perhaps the relay has another look; then it dies. Returns
/// what its successor publishes.
async fn repeated_by_a_successor(fixture: &Fixture, has_another_look: bool) -> usize {
    let (_sidecar, client) = Sidecar::start().await;
    let mut relay = Relay::new(&fixture.ledger, client.clone());
    for id in 1..=3 {
        fixture.create(id, "published").await.unwrap();
        assert_eq!(relay.run_once().await.unwrap().published, 1);
        fixture.clock.advance(TimeDelta::milliseconds(100));
    }
    if has_another_look {
        assert_eq!(relay.run_once().await.unwrap(), RelayPass::default());
    }
    drop(relay); // As a kill would: its leases stay.
    fixture.clock.advance(TimeDelta::seconds(16));
    drain(&mut Relay::new(&fixture.ledger, client)).await
}

#[tokio::test]
async fn a_successor_repeats_only_what_was_published_since_the_cursors_were_stored() {
    for fixture in Fixture::every().await {
        // The cursor of the first was stored at once, and those of the others were not due.
        assert_eq!(repeated_by_a_successor(&fixture, false).await, 2);
    }
    for fixture in Fixture::every().await {
        assert_eq!(repeated_by_a_successor(&fixture, true).await, 0);
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
        fixture.clock.advance(TimeDelta::seconds(16));
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
async fn a_robbed_relay_leaves_what_waits_to_its_successor() {
    for fixture in Fixture::every().await {
        let (sidecar, client) = Sidecar::start().await;
        for id in 1..=80 {
            fixture.create(id, "published").await.unwrap();
        }
        let mut robbed = Relay::new(&fixture.ledger, client.clone());
        drain(&mut robbed).await;
        let refused = Uuid::from_u128(1).to_string();
        sidecar.with(|recorded| recorded.refused.insert(refused));
        fixture.clock.advance(TimeDelta::milliseconds(100));
        update(&fixture, neighbor(&fixture, 1).await).await;
        update(&fixture, 1).await;
        assert_eq!(robbed.run_once().await.unwrap().published, 1);
        sidecar.with(|recorded| recorded.refused.clear());
        let clock = Arc::new(TestClock::new(start_of_test() + TimeDelta::seconds(16)));
        let (ledger, _lane) = open(fixture.ledger.database(), &clock);
        assert_eq!(drain(&mut Relay::new(&ledger, client)).await, 2);
        let taken = sidecar.taken();

        // It learns of it when it stores the cursor, and then the turn of the key comes.
        for _ in 0..2 {
            fixture.clock.advance(TimeDelta::milliseconds(160));
            robbed.run_once().await.unwrap();
        }

        assert_eq!(sidecar.taken(), taken);
    }
}
