//! Publishes the log: at most one event per key in flight, in order, at least once.

mod pass;
mod released;
mod trouble;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use dapr_client::Client;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::ledger::Core;
use crate::store::relay::{self, BucketLease};
use crate::store::relay_parked::{self, ParkedKey};
use crate::{Error, Ledger, metrics};

use trouble::Trouble;

/// Shares of the log. Never changed: buckets are stored with the events.
const BUCKETS: u16 = 16;
/// How long a bucket is its owner's after the last sign of life.
const LEASE: TimeDelta = TimeDelta::seconds(15);
/// A lease is renewed when this much of it is gone.
const RENEW_AFTER: TimeDelta = TimeDelta::seconds(5);
/// How often the table is looked at although nobody said that there is something.
const SLOW_POLL: Duration = Duration::from_secs(1);
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
    /// The sidecar or the broker is away: wait before the next pass.
    pub outage: bool,
}

/// The one publisher of this process.
pub struct Relay {
    core: Arc<Core>,
    client: Client,
    owner: Uuid,
    held: Vec<BucketLease>,
    leased_at: Option<DateTime<Utc>>,
    /// Keys that passes leave out, released or not.
    parked: HashSet<Uuid>,
    /// Those of them that an operator released.
    released: Vec<ParkedKey>,
    /// Published beyond a bucket's cursor, because an earlier event of another key was refused.
    ahead: HashMap<i16, BTreeSet<i64>>,
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
            core: Arc::clone(&ledger.core),
            client,
            owner,
            held: Vec::new(),
            leased_at: None,
            parked: HashSet::new(),
            released: Vec::new(),
            ahead: HashMap::new(),
            troubles: HashMap::new(),
        }
    }

    /// Publishes until `stop`: woken by commits, backing off while the sidecar is away.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut wait = None;
        let mut polled = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            // Other replicas' events wake nobody here, however busy this one is with its own.
            if polled.elapsed() >= SLOW_POLL {
                polled = tokio::time::Instant::now();
                self.core.mark_dirty(u16::MAX);
            }
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
        let again = match &pass {
            Ok(pass) if pass.outage || pass.left > 0 => dirty,
            Ok(_) => 0,
            Err(_) => dirty,
        };
        self.core.mark_dirty(again);
        pass
    }

    /// Until a commit, the slow poll, or the turn of a key in trouble.
    async fn wait_for_work(&self, stop: &CancellationToken) {
        let now = self.core.clock.now();
        let turns = self.troubles.values().map(|trouble| trouble.wait(now));
        let pause = turns.fold(SLOW_POLL, Duration::min).max(BACK_OFF.0);
        tokio::select! {
            () = self.core.relay_wake.notified() => {}
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Whether the leases are due to be renewed. A pass ends then: a call takes less than what is left
    /// of them, and so no successor ever has an event of the same key in flight.
    fn leases_are_old(&self) -> bool {
        let now = self.core.clock.now();
        // A clock that stepped back has not renewed anything either.
        !self
            .leased_at
            .is_some_and(|at| at <= now && now < at + RENEW_AFTER)
    }

    async fn keep_leases(&mut self) -> Result<(), Error> {
        if !self.leases_are_old() {
            return Ok(());
        }
        let now = self.core.clock.now();
        let mut tx = self.core.database.begin().await?;
        let leased = relay::lease(&mut tx, self.owner, now, now + LEASE, now + LEASE * 2).await?;
        let parked = relay_parked::all(&mut tx).await?;
        tx.commit().await?;
        self.parked = parked.iter().map(|parked| parked.key).collect();
        self.released = parked;
        self.released.retain(|parked| parked.released);
        self.count_parked();
        for bucket in &leased {
            let held = self.held.iter().find(|held| held.bucket == bucket.bucket);
            // One more is our own lease that had run out: nobody else had the bucket in between.
            if held.is_none_or(|held| bucket.fence > held.fence + 1) {
                self.ahead.remove(&bucket.bucket);
                self.core.mark_dirty(1 << bucket.bucket); // Look at what its owner left.
            }
        }
        self.held = leased;
        self.leased_at = Some(now);
        Ok(())
    }

    fn count_parked(&self) {
        metrics::parked_keys(self.core.app, self.parked.len() - self.released.len());
    }

    async fn release(&self) -> Result<(), Error> {
        let mut tx = self.core.database.begin().await?;
        relay::release(&mut tx, self.owner).await?;
        Ok(tx.commit().await?)
    }

    /// Half to all of the time, so that replicas do not come back in step.
    fn jittered(&self, time: Duration) -> Duration {
        let random = self.core.clock.new_id().as_u128() % 1000;
        let share = u32::try_from(random).unwrap_or_default();
        time / 2 + time / 2 * share / 1000
    }
}
