use std::iter::FusedIterator;

use chrono::{Datelike, NaiveDate, NaiveDateTime};

use super::{DstGap, Occurrence, Schedule};
use crate::expand::{Days, LAST_YEAR};
use crate::resolve::{WallTime, resolve, wall_time};
use crate::rule::Until;
use crate::slot::Slot;

/// What becomes of a slot of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is an occurrence.
    Happens,
    /// It is an occurrence; the clocks show its time twice, and the first is meant.
    HappensFirst,
    /// It is an occurrence, at another time of the clocks, because they leave out its own.
    Shifts {
        /// What the clocks show then.
        to: NaiveDateTime,
    },
    /// It is none, because the clocks leave it out and gaps are skipped.
    FallsIntoGap,
    /// It is none, because its whole day is left out and a later slot has the same instant.
    Merges {
        /// That slot.
        into: Slot,
    },
    /// It is none, because an exception names it.
    IsExcepted,
}

impl Fate {
    /// Returns whether the slot is an occurrence.
    pub fn happens(self) -> bool {
        matches!(
            self,
            Self::Happens | Self::HappensFirst | Self::Shifts { .. }
        )
    }
}

/// The slots of a schedule in order, whatever becomes of them.
#[derive(Clone, Debug)]
pub struct Slots<'a> {
    schedule: &'a Schedule,
    days: Days<'a>,
    /// How many slots of the rule lie behind.
    passed: u32,
}

impl<'a> Slots<'a> {
    /// Begins with the first slot on or after a date. All searches come through here, so they agree
    /// with each other.
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

impl Iterator for Slots<'_> {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        let count = self.schedule.rule.count();
        if count.is_some_and(|count| self.passed >= count) {
            return None;
        }
        let slot = Slot::on(self.days.next()?, self.schedule.start.time());
        if self.schedule.is_past_until(slot) || self.schedule.is_past_time(slot) {
            return None;
        }
        self.passed += 1;
        Some(Occurrence {
            slot,
            index: self.passed,
        })
    }
}

/// The occurrences of a schedule, in order.
#[derive(Clone, Debug)]
pub struct Occurrences<'a>(pub(super) Slots<'a>);

impl Iterator for Occurrences<'_> {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        let schedule = self.0.schedule;
        self.0.find(|slot| schedule.fate(*slot).happens())
    }
}

impl FusedIterator for Slots<'_> {}

impl FusedIterator for Occurrences<'_> {}

impl Schedule {
    /// Returns what becomes of a slot of the rule.
    pub fn fate(&self, slot: Occurrence) -> Fate {
        if self.exceptions.contains(&slot.slot) {
            return Fate::IsExcepted;
        }
        let (Slot::Timed(civil), Some(zone)) = (slot.slot, self.time_zone) else {
            return Fate::Happens;
        };
        match wall_time(civil, zone) {
            WallTime::Once => Fate::Happens,
            WallTime::Twice => Fate::HappensFirst,
            WallTime::Never { .. } if self.dst_gap == DstGap::Skip => Fate::FallsIntoGap,
            WallTime::Never { shown } if self.is_merged(slot, shown) => Fate::Merges {
                into: Slot::Timed(shown),
            },
            WallTime::Never { shown } => Fate::Shifts { to: shown },
        }
    }

    /// Returns whether a slot that does not exist in its zone moves onto a later slot of the
    /// rule, which then stands for both. Only a gap of whole days does that (Apia, 2011-12-30).
    ///
    /// Both count for `COUNT`; if the later one is beyond it or a local `UNTIL`, the earlier one
    /// stays.
    fn is_merged(&self, slot: Occurrence, shown: NaiveDateTime) -> bool {
        Some(shown.time()) == self.start.time()
            && self.rule.count().is_none_or(|count| slot.index < count)
            && !self.is_past_until(Slot::Timed(shown))
            && self.pattern.contains(shown.date())
    }

    pub(super) fn is_past_until(&self, slot: Slot) -> bool {
        match (self.rule.until(), slot, self.time_zone) {
            (Some(Until::Date(until)), _, _) => slot.date() > until,
            (Some(Until::Instant(until)), Slot::Timed(local), Some(zone)) => {
                resolve(local, zone) > until
            }
            // Civil, so the end is the same wherever the series is read.
            (Some(Until::Local(until)), Slot::Timed(local), _) => local > until,
            _ => false,
        }
    }

    /// Returns whether a slot's instant lies beyond the last year, as an evening does at the end of
    /// it in the west.
    pub(super) fn is_past_time(&self, slot: Slot) -> bool {
        match (slot, self.time_zone) {
            (Slot::Timed(local), Some(zone)) => resolve(local, zone).year() > LAST_YEAR,
            _ => false,
        }
    }
}
