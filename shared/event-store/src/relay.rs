//! Publishes the log: at most one event per key in flight, in order, at least once.

mod cursors;
mod lag;
mod pass;
mod progress;
mod released;
mod send;
mod share;
mod trouble;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use dapr_client::Client;
use database::Writer;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::ledger::Core;
use crate::store::relay::BucketLease;
use crate::store::relay_parked::ParkedKey;
use crate::{Error, Ledger, metrics};

use cursors::STORE_AFTER;
use lag::LagWatch;
use progress::Progress;
use trouble::Trouble;

/// Shares of the log. Never changed: buckets are stored with the events.
const BUCKETS: u16 = 16;
/// How often the table is looked at although nobody said that there is something.
const SLOW_POLL: Duration = Duration::from_secs(1);
/// A pass begins so long after the one before it began, and at once after a pause. Sooner it would find a
/// few events only, and a call for each few costs the machine more than the events do.
const PACE: Duration = Duration::from_millis(20);
/// The first and the longest wait while the sidecar or the broker is away.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The share of the log that a key belongs to: FNV-1a, because the hash must never change.
pub(crate) fn bucket_of(key: Uuid) -> i16 {
    let hash = key.as_bytes().iter().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    // Below 16.
    i16::try_from(hash % u32::from(BUCKETS)).unwrap_or_default()
}

/// What one pass over the log did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayPass {
    /// Events the sidecar took.
    pub published: usize,
    /// Events that are still to be published, as far as this pass looked.
    pub left: usize,
    /// Events that it held in memory: at most 256 of a bucket and 1 024 of all, and nearly no more than
    /// 256 KiB and a MiB; those that waited beside them, as many again at most.
    pub read: usize,
    /// The sidecar or the broker is away: wait before the next pass.
    pub outage: bool,
}

/// The one publisher of this process.
pub struct Relay {
    core: Arc<Core>,
    client: Client,
    /// A pass goes to the database four times on it, and ten times by the pool.
    writer: Writer,
    owner: Uuid,
    held: Vec<BucketLease>,
    leased_at: Option<DateTime<Utc>>,
    /// The buckets whose cursor is not stored yet, a bit each.
    moved: u16,
    /// When cursors were last stored.
    stored_at: Option<DateTime<Utc>>,
    /// When it was last looked whether the share is still right.
    looked_at: Option<DateTime<Utc>>,
    /// The replicas that share the buckets, this one included.
    replicas: Vec<Uuid>,
    /// Keys that passes leave out, released or not.
    parked: HashSet<Uuid>,
    /// Those of them that an operator released.
    released: Vec<ParkedKey>,
    lag: LagWatch,
    /// What is known of the log behind the cursor of each bucket held.
    progress: HashMap<i16, Progress>,
    /// Keys whose next event was refused.
    troubles: HashMap<Uuid, Trouble>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}

impl Relay {
    /// A relay of the ledger's log to the sidecar.
    pub fn new(ledger: &Ledger, client: Client) -> Self {
        let owner = ledger.core.clock.new_id();
        Self {
            writer: ledger.core.database.writer("begin"),
            core: Arc::clone(&ledger.core),
            client,
            owner,
            held: Vec::new(),
            leased_at: None,
            moved: 0,
            stored_at: None,
            looked_at: None,
            replicas: Vec::new(),
            parked: HashSet::new(),
            released: Vec::new(),
            lag: LagWatch::default(),
            progress: HashMap::new(),
            troubles: HashMap::new(),
        }
    }

    /// Publishes until `stop`: woken by commits, backing off while the sidecar is away.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut wait = None;
        while !stop.is_cancelled() {
            let next = tokio::time::Instant::now() + PACE;
            let pass = self.run_once().await.unwrap_or_else(|error| {
                warn!("the relay cannot read the log: {error}");
                RelayPass {
                    outage: true,
                    ..RelayPass::default()
                }
            });
            if pass.outage {
                let next = wait.map_or(BACK_OFF.0, |last: Duration| (last * 2).min(BACK_OFF.1));
                wait = Some(next);
                let pause = self.jittered(next);
                stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                continue;
            }
            if wait.take().is_some() {
                info!("the relay publishes again");
            }
            if pass.published == 0 {
                self.wait_for_work(&stop).await;
            } else {
                stop.run_until_cancelled(tokio::time::sleep_until(next))
                    .await;
            }
        }
        if let Err(error) = self.release().await {
            warn!("the relay's leases were not given back: {error}");
        }
    }

    /// One pass: leases, reads what is due in the dirty buckets, publishes it, moves the cursors.
    pub async fn run_once(&mut self) -> Result<RelayPass, Error> {
        self.keep_leases().await?;
        let dirty = self.core.take_dirty();
        let pass = match self.publish(dirty).await {
            Ok(pass) => self.catch_up(pass).await,
            error => error,
        };
        if pass.is_err() {
            self.core.mark_dirty(dirty);
        }
        pass
    }

    /// Until a commit, the slow poll, or the turn of a key in trouble.
    async fn wait_for_work(&self, stop: &CancellationToken) {
        let now = self.core.clock.now();
        let turns = self.troubles.values().map(|trouble| trouble.wait(now));
        let pause = turns.fold(SLOW_POLL, Duration::min).max(BACK_OFF.0);
        let pause = match self.moved {
            0 => pause,
            _ => pause.min(STORE_AFTER.to_std().unwrap_or_default()),
        };
        tokio::select! {
            () = self.core.relay_wake.notified() => {}
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    fn count_parked(&self) {
        metrics::parked_keys(self.core.app, self.parked.len() - self.released.len());
    }

    /// Half to all of the time, so that replicas do not come back in step.
    fn jittered(&self, time: Duration) -> Duration {
        let random = self.core.clock.new_id().as_u128() % 1000;
        let share = u32::try_from(random).unwrap_or_default();
        time / 2 + time / 2 * share / 1000
    }
}
