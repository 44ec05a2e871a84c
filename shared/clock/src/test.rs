//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::sync::watch;
use uuid::{Builder, Uuid};

use crate::{Clock, SharedClock, Sleep};

/// A clock that stands still until a test moves it, and mints the same ids in every run.
///
/// Clones show the same time and share one sequence of ids.
#[derive(Clone, Debug)]
pub struct TestClock(Arc<State>);

#[derive(Debug)]
struct State {
    now: watch::Sender<DateTime<Utc>>,
    minted: AtomicU64,
    // The millisecond of the newest id, so that ids increase also when the clock is set back.
    newest: AtomicU64,
}

impl TestClock {
    /// A clock that shows `start`, truncated to microseconds.
    pub fn new(start: DateTime<Utc>) -> Self {
        Self(Arc::new(State {
            now: watch::Sender::new(start.trunc_subsecs(6)),
            minted: AtomicU64::new(0),
            newest: AtomicU64::new(0),
        }))
    }

    /// This clock as services take it.
    pub fn shared(&self) -> SharedClock {
        Arc::new(self.clone())
    }

    /// Moves the clock, forward or (a negative `by`) back, and wakes whoever waited for the time.
    pub fn advance(&self, by: TimeDelta) {
        self.0.now.send_modify(|now| {
            *now = now
                .checked_add_signed(by)
                .unwrap_or(DateTime::<Utc>::MAX_UTC)
                .trunc_subsecs(6);
        });
    }

    /// Sets the clock, and wakes whoever waited for the time.
    pub fn set(&self, at: DateTime<Utc>) {
        self.0.now.send_replace(at.trunc_subsecs(6));
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.now.borrow()
    }

    fn new_id(&self) -> Uuid {
        let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        let newest = self
            .0
            .newest
            .fetch_max(millis, Ordering::SeqCst)
            .max(millis);
        let count = self.0.minted.fetch_add(1, Ordering::SeqCst) + 1;
        let mut rest = [0; 10];
        rest[2..].copy_from_slice(&count.to_be_bytes());
        Builder::from_unix_timestamp_millis(newest, &rest).into_uuid()
    }

    fn sleep_until(&self, at: DateTime<Utc>) -> Sleep<'_> {
        let mut now = self.0.now.subscribe();
        Box::pin(async move {
            // The sender lives in `self`, which this future borrows: it cannot be gone.
            let _reached = now.wait_for(|now| *now >= at).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use futures_util::FutureExt;

    use super::*;

    fn clock() -> TestClock {
        TestClock::new(Utc.with_ymd_and_hms(2026, 1, 31, 9, 0, 0).unwrap())
    }

    #[test]
    fn the_clock_moves_only_when_told() {
        let clock = clock();
        let start = clock.now();

        clock.advance(TimeDelta::nanoseconds(2_000_999));

        assert_eq!(clock.now(), start + TimeDelta::milliseconds(2));
    }

    #[test]
    fn ids_are_the_same_in_every_run() {
        let (one, other) = (clock(), clock());
        assert_eq!(
            one.new_id().to_string(),
            "019c1347-d280-7000-8000-000000000001"
        );
        assert_eq!(
            one.new_id().to_string(),
            "019c1347-d280-7000-8000-000000000002"
        );
        assert_eq!(
            other.new_id().to_string(),
            "019c1347-d280-7000-8000-000000000001"
        );
    }

    #[test]
    fn ids_increase_also_when_the_clock_is_set_back() {
        let clock = clock();
        let first = clock.new_id();
        clock.advance(TimeDelta::days(1));
        let second = clock.new_id();
        clock.advance(TimeDelta::days(-2));
        let third = clock.new_id();
        assert!(first < second && second < third);
    }

    #[test]
    fn a_sleeper_wakes_when_the_time_is_reached() {
        let clock = clock();
        let mut sleep = clock.sleep_until(clock.now() + TimeDelta::minutes(10));

        clock.advance(TimeDelta::minutes(9));
        assert!((&mut sleep).now_or_never().is_none());

        clock.advance(TimeDelta::minutes(1));
        assert!(sleep.now_or_never().is_some());
    }

    #[test]
    fn clones_share_the_time_and_the_ids() {
        let clock = clock();
        let shared = clock.shared();
        clock.advance(TimeDelta::hours(1));
        assert_eq!(shared.now(), clock.now());
        assert_ne!(shared.new_id(), clock.new_id());
    }
}
