//! The real clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::{Clock, Sleep};

/// How long a sleep trusts the wall clock before it looks again.
const LONGEST_NAP: Duration = Duration::from_secs(1);

/// The wall clock of this machine, corrected by an offset.
///
/// Services on PostgreSQL set the offset to the database's clock, so that replicas on machines with
/// different clocks agree when a timer is due.
#[derive(Debug)]
pub struct SystemClock {
    offset_micros: AtomicI64,
    // Microseconds fill 10 of the 12 bits that a UUIDv7 can spend on finer time.
    ids: Mutex<ContextV7>,
}

impl SystemClock {
    /// A clock that shows the wall clock as it is.
    pub fn new() -> Self {
        Self {
            offset_micros: AtomicI64::new(0),
            ids: Mutex::new(ContextV7::new().with_additional_precision_bits(10)),
        }
    }

    /// Sets what is added to the wall clock from now on.
    pub fn set_offset(&self, offset: TimeDelta) {
        let micros = offset
            .num_microseconds()
            .unwrap_or(if offset < TimeDelta::zero() {
                i64::MIN
            } else {
                i64::MAX
            });
        self.offset_micros.store(micros, Ordering::Relaxed);
    }

    /// What is added to the wall clock.
    pub fn offset(&self) -> TimeDelta {
        TimeDelta::microseconds(self.offset_micros.load(Ordering::Relaxed))
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        let offset = self.offset_micros.load(Ordering::Relaxed);
        from_micros(wall_micros().saturating_add(offset))
    }

    fn correct(&self, by: TimeDelta) {
        self.set_offset(self.offset().checked_add(&by).unwrap_or(by));
    }

    fn new_id(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        // The lock protects a counter, which a panic cannot leave half-written.
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(
            &*ids,
            seconds,
            now.timestamp_subsec_nanos(),
        ))
    }

    fn sleep_until(&self, at: DateTime<Utc>) -> Sleep<'_> {
        Box::pin(async move {
            // A time before `now` does not convert, which ends the loop.
            while let Ok(left) = (at - self.now()).to_std()
                && !left.is_zero()
            {
                tokio::time::sleep(left.min(LONGEST_NAP)).await;
            }
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the time"
)]
fn wall_micros() -> i64 {
    let micros = |elapsed: Duration| i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    }
}

fn from_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(if micros < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn times_are_whole_microseconds() {
        assert_eq!(SystemClock::new().now().timestamp_subsec_nanos() % 1000, 0);
    }

    #[test]
    fn the_offset_moves_the_clock() {
        let (corrected, plain) = (SystemClock::new(), SystemClock::new());

        corrected.set_offset(TimeDelta::days(400));

        let ahead = corrected.now() - plain.now();
        assert!(ahead > TimeDelta::days(399) && ahead < TimeDelta::days(401));
        assert_eq!(corrected.offset(), TimeDelta::days(400));
    }

    #[test]
    fn no_offset_makes_the_clock_panic() {
        let clock = SystemClock::new();
        for offset in [TimeDelta::MIN, TimeDelta::MAX, TimeDelta::days(-365 * 100)] {
            clock.set_offset(offset);
            clock.now();
            assert_eq!(clock.new_id().get_version_num(), 7);
        }
    }

    #[test]
    fn ids_increase_also_when_the_clock_is_stepped_back() {
        let clock = SystemClock::new();
        let mut last = clock.new_id();
        for step in 0..10_000 {
            clock.set_offset(TimeDelta::milliseconds(-step));
            let id = clock.new_id();
            assert!(id > last, "{id} came after {last}");
            last = id;
        }
    }

    #[tokio::test]
    async fn a_sleep_is_never_early() {
        let clock = SystemClock::new();
        let at = clock.now() + TimeDelta::microseconds(1500);

        clock.sleep_until(at).await;

        assert!(clock.now() >= at);
    }

    #[tokio::test]
    async fn a_sleep_notices_that_the_clock_was_stepped() {
        let clock = Arc::new(SystemClock::new());
        let at = clock.now() + TimeDelta::hours(1);
        let sleeper = Arc::clone(&clock);
        let sleeping = tokio::spawn(async move { sleeper.sleep_until(at).await });

        clock.set_offset(TimeDelta::hours(2));

        sleeping.await.unwrap();
    }

    #[tokio::test]
    async fn a_past_time_is_reached_at_once() {
        SystemClock::new()
            .sleep_until(DateTime::<Utc>::MIN_UTC)
            .await;
    }

    #[test]
    fn corrections_add_up() {
        let clock = SystemClock::new();
        clock.correct(TimeDelta::seconds(3));
        clock.correct(TimeDelta::seconds(-5));
        assert_eq!(clock.offset(), TimeDelta::seconds(-2));
    }
}
