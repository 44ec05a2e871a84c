use std::iter::FusedIterator;

use chrono::{Datelike, NaiveDate};

use super::{Occurrence, Schedule};
use crate::expand::{Days, LAST_YEAR};
use crate::resolve::{local, resolve};
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
        let pattern = &schedule.pattern;
        Self {
            schedule,
            days: Days::from(pattern, date),
            passed: pattern.count_before(date),
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
            if !self.schedule.is_merged(occurrence) {
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

    /// Returns whether a slot that does not exist in its zone moves onto a later slot of the
    /// rule, which then stands for both. Only a gap of whole days does that (Apia, 2011-12-30).
    ///
    /// Both count for `COUNT`; if the later one is beyond it, the earlier one stays.
    fn is_merged(&self, Occurrence { slot, index }: Occurrence) -> bool {
        let (Slot::Timed(civil), Some(zone)) = (slot, self.time_zone) else {
            return false;
        };
        let actual = local(resolve(civil, zone), Some(zone));
        actual != civil
            && actual.time() == civil.time()
            && self.rule.count().is_none_or(|count| index < count)
            && self.pattern.contains(actual.date())
    }
}
