//! Replicas die in the midst of deliveries, every event comes twice and out of order, and all that was said
//! is said again: every slot of every series is announced once.

use std::time::Duration;

use database::testing::TestDatabase;
use serde_json::Value;
use test_support::{Random, RecordingSidecar};
use tokio::time::{Instant, interval};

use crate::deliveries::Deliveries;
use crate::replicas::Replicas;
use crate::world::World;

const KILLS: usize = 20;
const SERIES: usize = 20;
const OCCURRENCES: u32 = 12;
/// When nothing was announced for so long, nothing comes any more.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_are_killed_again_and_again_announce_each_slot_once() {
    for test in TestDatabase::every(&[]).await {
        let begun = Instant::now();
        let sidecar = RecordingSidecar::start().await;
        let mut replicas = Replicas::start(&test, &sidecar).await;
        let (mut world, mut random) = (World::new(SERIES, OCCURRENCES), Random::new(1));
        let (mut kills, mut delivered) = (0, 0);
        let mut outbox = world.begin();
        while !world.created().1 || kills < KILLS || !outbox.is_empty() {
            if outbox.is_empty() {
                outbox = next(&mut world, &sidecar).await;
            }
            let doors = replicas.doors();
            let deliveries = Deliveries::of(&outbox, &doors, &mut random);
            let dying = async {
                if kills < KILLS {
                    deliveries.midst().await;
                    replicas.kill(kills).await;
                    kills += 1;
                }
            };
            let (left, ()) = tokio::join!(deliveries.make(), dying);
            delivered += deliveries.count() - left.len();
            outbox = left;
            outbox.extend(world.react(&sidecar.taken()));
        }

        world.assert_each_slot_once();
        let catalog = recurring_generator::app::catalog();
        let verified = event_store::Verifier::new(&test.database, &catalog);
        let findings = verified.run().await.unwrap().findings;
        assert!(findings.is_empty(), "{findings:?}");
        eprintln!(
            "{}: {kills} kills, {} occurrences by {delivered} deliveries, {} announcements published again, in {:.0?}",
            test.name(),
            world.created().0,
            sidecar.taken().len() - sidecar.distinct().len(),
            begun.elapsed()
        );
    }
}

/// What is said to the next announcement. When there is none to come, everything once more.
async fn next(world: &mut World, sidecar: &RecordingSidecar) -> Vec<Value> {
    if world.created().1 {
        return world.said();
    }
    let deadline = Instant::now() + PATIENCE;
    let mut looks = interval(Duration::from_millis(10));
    loop {
        looks.tick().await;
        let said = world.react(&sidecar.taken());
        if !said.is_empty() {
            return said;
        }
        let (created, _) = world.created();
        assert!(Instant::now() < deadline, "no more than {created}");
    }
}
