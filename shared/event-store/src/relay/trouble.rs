//! Keys whose next event was refused: tried again later and later, and parked only as the last resort.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// An event that is refused so often, while others pass, ...
const MOST_REFUSALS: u32 = 10;
/// ... for so long, ...
const PATIENCE: TimeDelta = TimeDelta::minutes(5);
/// ... and with so few others, will be refused for ever. Many at once are an outage of a part of the
/// broker, and that heals.
const FEW: usize = 16;
/// The first and the longest wait between two tries.
const WAIT: (TimeDelta, TimeDelta) = (TimeDelta::milliseconds(100), TimeDelta::seconds(5));

/// What a key went through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    /// How often others passed at the same time.
    refusals: u32,
    tries: u32,
    since: DateTime<Utc>,
    retry_at: DateTime<Utc>,
}

impl Trouble {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self {
            refusals: 0,
            tries: 0,
            since: now,
            retry_at: now,
        }
    }

    /// Refused once more. It counts only when the sidecar took other events at the same time.
    pub(super) fn refused(&mut self, counts: bool, now: DateTime<Utc>) {
        self.refusals += u32::from(counts);
        self.tries += 1;
        let wait = WAIT.0 * (1 << self.tries.min(6));
        self.retry_at = now + wait.min(WAIT.1);
    }

    /// Whether its turn has not come. A clock that was set back makes nobody wait longer.
    pub(super) fn waits(&self, now: DateTime<Utc>) -> bool {
        now < self.retry_at && self.retry_at <= now + WAIT.1
    }

    pub(super) fn is_hopeless(&self, in_trouble: usize, now: DateTime<Utc>) -> bool {
        self.refusals >= MOST_REFUSALS && now >= self.since + PATIENCE && in_trouble <= FEW
    }

    pub(super) fn wait(&self, now: DateTime<Utc>) -> Duration {
        (self.retry_at - now).to_std().unwrap_or_default()
    }
}
