use std::iter::FusedIterator;

use chrono::{Datelike, NaiveDate, NaiveDateTime};

use super::{DstGap, Occurrence, Schedule};
use crate::expand::{Days, LAST_YEAR};
use crate::resolve::{WallTime, resolve, wall_time};
use crate::rule::Until;
use crate::slot::Slot;

/// The occurrences of a schedule, in order.
#[derive(Clone, Debug)]
pub struct Occurrences<'a> {
    schedule: &'a Schedule,
    days: Days<'a>,
    /// How many slots of the rule lie behind.
    passed: u32,
}

impl<'a> Occurrences<'a> {
    /// Begins with the first occurrence on or after a date. All searches come through here, so
    /// they agree with each other.
    pub(super) fn from(schedule: &'a Schedule, date: NaiveDate) -> Self {
        Self::resume(schedule, date, schedule.pattern.count_before(date))
    }

    /// Begins there too, when it is known how many slots lie before that date.
    pub(super) fn resume(schedule: &'a Schedule, date: NaiveDate, passed: u32) -> Self {
        Self {
            schedule,
            days: Days::from(&schedule.pattern, date),
            passed,
        }
    }
}

impl Iterator for Occurrences<'_> {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        loop {
            if self
                .schedule
                .rule
                .count()
                .is_some_and(|count| self.passed >= count)
            {
                return None;
            }
            let date = self.days.next()?;
            self.passed += 1;
            let slot = Slot::on(date, self.schedule.start.time());
            let occurrence = Occurrence {
                slot,
                index: self.passed,
            };
            if self.schedule.is_past_until(slot) || self.schedule.is_past_time(slot) {
                return None;
            }
            if !self.schedule.is_left_out(occurrence) {
                return Some(occurrence);
            }
        }
    }
}

impl FusedIterator for Occurrences<'_> {}

impl Schedule {
    fn is_past_until(&self, slot: Slot) -> bool {
        match (self.rule.until(), slot, self.time_zone) {
            (Some(Until::Date(until)), _, _) => slot.date() > until,
            (Some(Until::Instant(until)), Slot::Timed(local), Some(zone)) => {
                resolve(local, zone) > until
            }
            _ => false,
        }
    }

    /// Returns whether a slot's instant lies beyond the last year, as an evening does at the end of
    /// it in the west.
    fn is_past_time(&self, slot: Slot) -> bool {
        match (slot, self.time_zone) {
            (Slot::Timed(local), Some(zone)) => resolve(local, zone).year() > LAST_YEAR,
            _ => false,
        }
    }

    /// Returns whether a slot of the rule is no occurrence, though it counts as one.
    fn is_left_out(&self, occurrence: Occurrence) -> bool {
        if self.exceptions.contains(&occurrence.slot) {
            return true;
        }
        let (Slot::Timed(civil), Some(zone)) = (occurrence.slot, self.time_zone) else {
            return false;
        };
        match wall_time(civil, zone) {
            WallTime::Once | WallTime::Twice => false,
            WallTime::Never { .. } if self.dst_gap == DstGap::Skip => true,
            WallTime::Never { shown } => self.is_merged(occurrence, shown),
        }
    }

    /// Returns whether a slot that does not exist in its zone moves onto a later slot of the
    /// rule, which then stands for both. Only a gap of whole days does that (Apia, 2011-12-30).
    ///
    /// Both count for `COUNT`; if the later one is beyond it, the earlier one stays.
    fn is_merged(&self, occurrence: Occurrence, shown: NaiveDateTime) -> bool {
        Some(shown.time()) == self.start.time()
            && self
                .rule
                .count()
                .is_none_or(|count| occurrence.index < count)
            && self.pattern.contains(shown.date())
    }
}
