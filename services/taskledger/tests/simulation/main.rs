//! A user who does anything at any time, and a broker that shuffles, repeats and delays, over all four
//! services in this process. What happens follows from a seed alone.
//!
//! `TASKLEDGER_SEED=17` plays one seed again; `TASKLEDGER_SEEDS=500` plays so many.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod checks;
mod services;
mod user;
mod world;

use std::collections::BTreeSet;

use user::{EVERYTHING, User};
use world::World;

/// So many seeds are played when nobody says otherwise.
const USUAL_SEEDS: u64 = 4;
/// What the user does in one seed, and how often everything may come to rest in between.
const STEPS: usize = 120;
const STEPS_BETWEEN_RESTS: usize = 20;

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings; what went wrong is played again by its seed"
)]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[tokio::test]
async fn whatever_a_user_does_and_however_it_travels_the_services_agree_in_the_end() {
    let seeds = match asked("TASKLEDGER_SEED") {
        Some(seed) => vec![seed],
        None => (1..=asked("TASKLEDGER_SEEDS").unwrap_or(USUAL_SEEDS)).collect(),
    };
    let many = seeds.len() > 1;
    let mut done = BTreeSet::new();
    for seed in seeds {
        for world in World::every(seed).await {
            done.extend(Box::pin(play(world)).await);
        }
    }
    let never: Vec<_> = EVERYTHING.iter().filter(|it| !done.contains(*it)).collect();
    assert!(!many || never.is_empty(), "nobody managed to {never:?}");
}

/// Plays one seed; returns what the user managed to do.
async fn play(mut world: World) -> BTreeSet<&'static str> {
    let mut user = User::default();
    for step in 1..=STEPS {
        user.act(&mut world).await;
        world.travel().await;
        if step % STEPS_BETWEEN_RESTS == 0 {
            world.settle().await;
            checks::all(&world, &user).await;
        }
    }
    world.settle().await;
    checks::all(&world, &user).await;
    let before = checks::seen(&world).await;
    world.repeat_everything().await;
    assert_eq!(checks::seen(&world).await, before, "{world}");
    checks::all(&world, &user).await;
    world.finish().await;
    user.done
}
