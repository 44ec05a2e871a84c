//! Publishes the log: at most one event per key in flight, in order, at least once.

mod pass;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use dapr_client::Client;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::ledger::Core;
use crate::store::relay::{self, BucketLease};
use crate::{Error, Ledger};

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
    parked: HashSet<Uuid>,
    /// Published beyond a bucket's cursor, because an earlier event of another key was refused.
    ahead: HashSet<i64>,
    /// How often the next event of a key was refused.
    refusals: HashMap<Uuid, u32>,
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
            ahead: HashSet::new(),
            refusals: HashMap::new(),
        }
    }

    /// Publishes until `stop`: woken by commits, backing off while the sidecar is away.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut wait = None;
        while !stop.is_cancelled() {
            let pass = self.run_once().await.unwrap_or_else(|error| {
                warn!("the relay cannot read the log: {error}");
                RelayPass {
                    outage: true,
                    ..RelayPass::default()
                }
            });
            // Nothing but refusals: the same events again at once would only be refused again.
            if pass.outage || (pass.published == 0 && pass.left > 0) {
                let next = wait.map_or(BACK_OFF.0, |last: Duration| (last * 2).min(BACK_OFF.1));
                wait = Some(next);
                let pause = self.jittered(next);
                stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            } else {
                if wait.take().is_some() {
                    info!("the relay publishes again");
                }
                if pass.published == 0 {
                    self.wait_for_work(&stop).await;
                }
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
        let pass = self.publish(dirty).await;
        let again = match &pass {
            Ok(pass) if pass.outage || pass.left > 0 => dirty,
            Ok(_) => 0,
            Err(_) => dirty,
        };
        if again != 0 {
            self.core.wake_relay(again);
        }
        pass
    }

    async fn wait_for_work(&self, stop: &CancellationToken) {
        tokio::select! {
            () = self.core.relay_wake.notified() => {}
            () = stop.cancelled() => {}
            // Other replicas' events wake nobody here.
            () = tokio::time::sleep(SLOW_POLL) => self.core.wake_relay(u16::MAX),
        }
    }

    async fn keep_leases(&mut self) -> Result<(), Error> {
        let now = self.core.clock.now();
        // A clock that stepped back has not renewed anything either.
        let fresh = |at: DateTime<Utc>| at <= now && now < at + RENEW_AFTER;
        if self.leased_at.is_some_and(fresh) {
            return Ok(());
        }
        let mut tx = self.core.database.begin().await?;
        let leased = relay::lease(&mut tx, self.owner, now, now + LEASE).await?;
        self.parked = relay::parked(&mut tx).await?;
        tx.commit().await?;
        if leased.iter().any(|bucket| {
            !self
                .held
                .iter()
                .any(|held| held.fence == bucket.fence && held.bucket == bucket.bucket)
        }) {
            self.core.wake_relay(u16::MAX); // A bucket changed hands: look at what its owner left.
        }
        self.held = leased;
        self.leased_at = Some(now);
        Ok(())
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
