//! The relay's share of the buckets: leased, renewed, and given back to a replica that has fewer.

use chrono::{DateTime, TimeDelta, Utc};
use tracing::{info, warn};
use uuid::Uuid;

use super::BUCKETS;
use super::lag::{Lag, News};
use super::progress::Progress;
use crate::store::relay::BucketLease;
use crate::store::relay_parked;
use crate::store::relay_share::{self, Term};
use crate::{Error, Relay, metrics};

/// How long a bucket is its owner's after the last sign of life.
const LEASE: TimeDelta = TimeDelta::seconds(15);
/// A lease is renewed when this much of it is gone.
const RENEW_AFTER: TimeDelta = TimeDelta::seconds(5);
/// How often, however busy the relay is, it looks at what other replicas did. Less than the slow poll,
/// so that each of those is a look.
const LOOK_AFTER: TimeDelta = TimeDelta::milliseconds(500);

/// How many buckets a replica has when `replicas` are alive. Together they have all.
pub(super) fn share_of(owner: Uuid, replicas: &[Uuid]) -> usize {
    let (buckets, count) = (usize::from(BUCKETS), replicas.len().max(1));
    let rank = replicas.iter().take_while(|other| **other != owner).count();
    buckets / count + usize::from(rank < buckets % count)
}

/// Whether `period` has passed since `last`. It has when the clock stepped back: nothing is known then.
pub(super) fn is_over(last: Option<DateTime<Utc>>, period: TimeDelta, now: DateTime<Utc>) -> bool {
    !last.is_some_and(|last| last <= now && now < last + period)
}

impl Relay {
    /// Whether the leases are due to be renewed. A pass ends then: a call takes less than what is left
    /// of them, and so no successor ever has an event of the same key in flight.
    pub(super) fn leases_are_old(&self) -> bool {
        is_over(self.leased_at, RENEW_AFTER, self.core.clock.now())
    }

    /// Whether it is time to look at what other replicas did, however much this one has to publish.
    pub(super) fn has_to_look(&self) -> bool {
        is_over(self.looked_at, LOOK_AFTER, self.core.clock.now())
    }

    pub(super) async fn keep_leases(&mut self) -> Result<(), Error> {
        if self.share_changed().await? || self.leases_are_old() {
            self.renew_leases().await?;
        }
        Ok(())
    }

    fn term(&self) -> Term {
        let now = self.core.clock.now();
        Term {
            now,
            until: now + LEASE,
            implausible: now + LEASE * 2,
        }
    }

    /// Whether replicas came or went, or a bucket is free that belongs to this one's share.
    async fn share_changed(&mut self) -> Result<bool, Error> {
        if !self.has_to_look() {
            return Ok(false);
        }
        let term = self.term();
        self.core.mark_dirty(u16::MAX); // Other replicas' events wake nobody here.
        let mut tx = self.core.database.read().await?;
        let replicas = relay_share::replicas(&mut tx, term).await?;
        let lacks = self.held.len() < share_of(self.owner, &replicas);
        let changed = replicas != self.replicas
            || lacks && relay_share::free(&mut tx, self.owner, term).await? > 0;
        let oldest = relay_share::oldest(&mut tx, self.owner).await?;
        self.looked_at = Some(term.now);
        self.tell_lag(
            oldest.map_or_else(Lag::default, |(position, recorded_at, last)| Lag {
                positions: u64::try_from(last - position + 1).unwrap_or_default(),
                age: (term.now - recorded_at).to_std().unwrap_or_default(),
            }),
        );
        Ok(changed)
    }

    fn tell_lag(&mut self, lag: Lag) {
        metrics::lag(self.core.app, lag.positions, lag.age);
        let (positions, age) = (lag.positions, lag.age.as_secs());
        match self.lag.observe(lag) {
            Some(News::Grows) => warn!(
                "the relay is behind: the oldest unpublished event is {age} s old, \
                 {positions} positions before the end of the log"
            ),
            Some(News::Recovered) => info!("the relay has caught up"),
            None => {}
        }
    }

    async fn renew_leases(&mut self) -> Result<(), Error> {
        self.store_cursors().await?; // Of those that are given back too.
        let (owner, term) = (self.owner, self.term());
        let mut tx = self.core.database.begin().await?;
        relay_share::sign(&mut tx, owner, term).await?;
        let replicas = relay_share::replicas(&mut tx, term).await?;
        let share = share_of(owner, &replicas);
        let mut leased = relay_share::renew(&mut tx, owner, term).await?;
        // Those with something published ahead last: a new owner would publish it again.
        leased.sort_by_key(|bucket| (self.is_waiting_in(bucket.bucket), bucket.bucket));
        while leased.len() > share {
            if let Some(surplus) = leased.first().copied() {
                relay_share::give_back(&mut tx, owner, surplus.bucket).await?;
            }
            leased.remove(0);
        }
        if leased.len() < share {
            let lacking = share - leased.len();
            leased.extend(relay_share::take(&mut tx, owner, term, lacking).await?);
        }
        let parked = relay_parked::all(&mut tx).await?;
        tx.commit().await?;
        self.parked = parked.iter().map(|parked| parked.key).collect();
        self.released = parked;
        self.released.retain(|parked| parked.released);
        self.count_parked();
        self.hold(leased, replicas);
        self.leased_at = Some(term.now);
        Ok(())
    }

    fn is_waiting_in(&self, bucket: i16) -> bool {
        let progress = self.progress.get(&bucket);
        progress.is_some_and(Progress::has_ahead)
    }

    fn hold(&mut self, leased: Vec<BucketLease>, replicas: Vec<Uuid>) {
        for bucket in &leased {
            let mut held = self.held.iter();
            if !held.any(|held| held.bucket == bucket.bucket && held.fence == bucket.fence) {
                let progress = Progress::behind(bucket.last_position);
                self.progress.insert(bucket.bucket, progress);
                self.core.mark_dirty(1 << bucket.bucket); // Look at what its owner left.
            }
        }
        self.progress
            .retain(|bucket, _| leased.iter().any(|held| held.bucket == *bucket));
        if leased.len() != self.held.len() || replicas.len() != self.replicas.len() {
            let (count, alive) = (leased.len(), replicas.len());
            info!("the relay publishes {count} of {BUCKETS} buckets; {alive} replicas are alive");
        }
        metrics::buckets(self.core.app, leased.len());
        (self.held, self.replicas) = (leased, replicas);
    }

    /// Gives everything back, so that the others need not wait for the leases to end.
    pub(super) async fn release(&mut self) -> Result<(), Error> {
        self.store_cursors().await?;
        let mut tx = self.core.database.begin().await?;
        relay_share::leave(&mut tx, self.owner).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_equal_but_for_one_and_together_everything() {
        for count in 1..=40 {
            let replicas: Vec<Uuid> = (0..count).map(Uuid::from_u128).collect();
            let shares: Vec<usize> = replicas
                .iter()
                .map(|owner| share_of(*owner, &replicas))
                .collect();

            assert_eq!(shares.iter().sum::<usize>(), usize::from(BUCKETS));
            let (least, most) = (shares.iter().min(), shares.iter().max());
            assert!(most.unwrap() - least.unwrap() <= 1);
        }
    }
}
