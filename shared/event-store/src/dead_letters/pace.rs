//! When how many events may be released. Pure.

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};

/// Steps a second, when there are ten events for each.
const STEPS: u32 = 10;
const SECOND: u32 = 1_000_000;

/// The pace of a replay: so many events a second, in small steps.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Option<NonZeroU32>,
    next: DateTime<Utc>,
}

impl Pace {
    /// No rate is no pace.
    pub(super) fn new(rate: Option<NonZeroU32>, now: DateTime<Utc>) -> Self {
        Self { rate, next: now }
    }

    /// When the next step may happen.
    pub(super) fn next(&self) -> DateTime<Utc> {
        self.next
    }

    /// How many events a step may release.
    pub(super) fn most(&self) -> Option<u32> {
        self.step().map(|(most, _)| most)
    }

    /// The events of a step and the microseconds to the next.
    fn step(&self) -> Option<(u32, u32)> {
        let rate = self.rate?.get();
        Some(if rate < STEPS * STEPS {
            (1, SECOND.div_ceil(rate))
        } else {
            (rate / STEPS, SECOND / STEPS)
        })
    }

    /// A step happened. What was missed is not made up for: that would be more than the rate.
    pub(super) fn stepped(&mut self, now: DateTime<Utc>) {
        if let Some((_, micros)) = self.step() {
            self.next = now + TimeDelta::microseconds(micros.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events within a second from the first step, when every step happens as soon as it may.
    fn in_a_second(rate: u32) -> u32 {
        let mut pace = Pace::new(NonZeroU32::new(rate), DateTime::UNIX_EPOCH);
        let mut events = 0;
        while pace.next() < DateTime::UNIX_EPOCH + TimeDelta::seconds(1) {
            events += pace.most().unwrap();
            pace.stepped(pace.next());
        }
        events
    }

    #[test]
    fn a_second_has_never_more_events_than_the_rate() {
        for rate in [1, 3, 9, 10, 11, 19, 99, 100, 109, 12_345, u32::MAX] {
            let events = in_a_second(rate);
            assert!(events <= rate, "{events} at {rate}/s");
            assert!(
                u64::from(events) * 10 >= u64::from(rate) * 9,
                "{events} at {rate}/s"
            );
        }
    }

    #[test]
    fn what_was_missed_is_not_made_up_for() {
        let mut pace = Pace::new(NonZeroU32::new(1), DateTime::UNIX_EPOCH);
        let late = DateTime::UNIX_EPOCH + TimeDelta::hours(1);

        pace.stepped(late);

        assert_eq!(pace.next(), late + TimeDelta::seconds(1));
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let mut pace = Pace::new(None, DateTime::UNIX_EPOCH);

        pace.stepped(DateTime::UNIX_EPOCH + TimeDelta::hours(1));

        assert_eq!((pace.next(), pace.most()), (DateTime::UNIX_EPOCH, None));
    }
}
