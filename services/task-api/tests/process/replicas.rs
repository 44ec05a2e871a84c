//! Two replicas on one PostgreSQL under load, one of them killed every few seconds.

use std::time::Duration;

use database::testing::TestDatabase;
use test_support::ServiceProcess;
use tokio::time::{Instant, interval_at};
use uuid::Uuid;

use crate::audit::audit;
use crate::caller::Caller;
use crate::load::Load;
use crate::process;
use crate::scale::scaled;
use crate::sidecar::{Arrival, Sidecar};

const BETWEEN_KILLS: Duration = Duration::from_secs(5);
const BUCKETS: usize = 16;

/// A replica and its door at the sidecar.
struct Replica {
    process: ServiceProcess,
    door: usize,
}

/// A replica that was killed.
struct Death {
    at: Instant,
    door: usize,
}

impl Replica {
    async fn start(test: &TestDatabase, sidecar: &Sidecar) -> Self {
        let (door, address) = sidecar.door().await;
        let process = process::start(&test.config, &format!("http://{address}")).await;
        Self { process, door }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_one_is_killed_again_and_again_and_the_log_is_published_exactly() {
    let kills = scaled("TASKLEDGER_TEST_REPLICA_KILLS", 2);
    let databases = TestDatabase::every(&[]).await;
    // A SQLite file has one process.
    for test in databases.into_iter().filter(TestDatabase::is_postgres) {
        let sidecar = Sidecar::default();
        let first = Replica::start(&test, &sidecar).await;
        let second = Replica::start(&test, &sidecar).await;
        let mut replicas = vec![first, second];
        let bases = replicas.iter().map(|one| one.process.base.clone());
        let caller = Caller::new(bases.collect());
        let load = Load::start(&caller);
        let mut deaths = Vec::new();
        let mut due = interval_at(Instant::now() + BETWEEN_KILLS, BETWEEN_KILLS);
        for kill in 0..kills {
            due.tick().await;
            let index = kill % replicas.len();
            let dead = replicas.remove(index);
            let (at, door) = (Instant::now(), dead.door);
            dead.process.kill().await;
            deaths.push(Death { at, door });
            let replica = Replica::start(&test, &sidecar).await;
            caller.replace(index, &replica.process.base);
            replicas.insert(index, replica);
        }
        due.tick().await;
        let commands = load.finish().await;

        let found = audit(&test, &commands, &sidecar).await;

        eprintln!("{kills} kills: {found}");
        let arrivals = sidecar.arrivals();
        for death in &deaths {
            let (buckets, longest) = taken_over(&arrivals, death);
            if buckets == 0 {
                continue; // It was not publishing.
            }
            eprintln!("{buckets} buckets of the dead replica published again after {longest:.1?}");
        }
        for replica in replicas {
            replica.process.kill().await;
        }
    }
}

/// How many buckets the dead replica published, and after what time another one had published an
/// event of each.
fn taken_over(arrivals: &[Arrival], death: &Death) -> (usize, Duration) {
    let (mut buckets, mut longest) = (0, Duration::ZERO);
    for bucket in 0..BUCKETS {
        let of_bucket = || arrivals.iter().filter(|one| bucket_of(one.key) == bucket);
        let last = of_bucket().take_while(|one| one.at <= death.at).last();
        if last.is_none_or(|last| last.door != death.door) {
            continue;
        }
        buckets += 1;
        let mut after = of_bucket().skip_while(|one| one.at <= death.at);
        if let Some(first) = after.find(|one| one.door != death.door) {
            longest = longest.max(first.at - death.at);
        }
    }
    (buckets, longest)
}

/// The relay's share of the log that a key belongs to: FNV-1a, which never changes.
fn bucket_of(key: Uuid) -> usize {
    let hash = key.as_bytes().iter().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    hash as usize % BUCKETS
}
