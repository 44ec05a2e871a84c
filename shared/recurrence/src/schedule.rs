//! A rule tied to its start.

mod completion;
mod finish;
mod occurrences;
mod short_months;

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use chrono_tz::Tz;

pub use finish::NextSlot;
pub use occurrences::{Fate, Occurrences, Slots};
pub use short_months::MissingDay;

use crate::expand::{Days, LAST_YEAR, Pattern};
use crate::resolve::resolve;
use crate::rule::{Rule, Until};
use crate::{RuleError, Slot};

/// What a month does that lacks the day taken from the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MonthOverflow {
    /// It has its last day instead; the next month that has the day has it again.
    #[default]
    Clamp,
    /// It has no slot.
    Skip,
}

/// What becomes of a slot that the clocks of its zone never show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DstGap {
    /// It moves forward by the length of the gap.
    #[default]
    Shift,
    /// It is no occurrence, as RFC 5545 §3.3.10 has it. Meant for rules that came from calendars.
    Skip,
}

/// One member of a series. It is also a cursor: [`Schedule::resume`] goes on behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Its civil start.
    pub slot: Slot,
    /// Its place among all slots of the rule, from 1.
    pub index: u32,
}

/// A rule and the start it counts from: the slots of a series.
///
/// The phase of `INTERVAL`, the time of day and any day the rule leaves open come from the start.
/// The first slot is the first one on the rule at or after the start.
#[derive(Clone, Debug)]
pub struct Schedule {
    rule: Rule,
    start: Slot,
    time_zone: Option<Tz>,
    dst_gap: DstGap,
    exceptions: BTreeSet<Slot>,
    pattern: Pattern,
}

impl Schedule {
    /// Ties a rule to its start.
    ///
    /// Refuses an `UNTIL` that is not a date for a date-only start, not UTC for a timed one in a
    /// zone, or not a local time for a timed one without; a start outside the years 1 to 9999; and
    /// a rule without a slot in the twelve years from the start. An `UNTIL` before the first slot
    /// is accepted: such a series has ended.
    pub fn new(
        rule: Rule,
        start: Slot,
        time_zone: Option<Tz>,
        overflow: MonthOverflow,
    ) -> Result<Self, RuleError> {
        let date = start.date();
        if !(1..=LAST_YEAR).contains(&date.year()) {
            return Err(RuleError::unsupported(
                "DTSTART",
                "must be in the years 1 to 9999",
            ));
        }
        check_until(rule.until(), start, time_zone)?;
        let pattern = Pattern::new(&rule, date, overflow);
        let latest = date
            .checked_add_months(Months::new(12 * 12))
            .unwrap_or(NaiveDate::MAX);
        match Days::from(&pattern, date).up_to(latest.year()).next() {
            Some(first) if first <= latest => Ok(Self {
                rule,
                start,
                time_zone,
                dst_gap: DstGap::default(),
                exceptions: BTreeSet::new(),
                pattern,
            }),
            _ => Err(RuleError::NeverOccurs),
        }
    }

    /// Reads a series that has no zone of its own in that of a reader, who may move: its slots and
    /// its end stay civil, their instants are those of the reader's clocks.
    #[must_use]
    pub fn read_in(self, home: Option<Tz>) -> Self {
        let time_zone = self.time_zone.or(home);
        Self { time_zone, ..self }
    }

    /// Chooses what becomes of slots inside gaps; by default they move forward.
    #[must_use]
    pub fn with_dst_gap(self, dst_gap: DstGap) -> Self {
        Self { dst_gap, ..self }
    }

    /// Leaves out slots, as `EXDATE` does. They still count for `COUNT`, `index` and
    /// `missed_count`; what is no slot of the rule changes nothing.
    #[must_use]
    pub fn except(mut self, slots: impl IntoIterator<Item = Slot>) -> Self {
        self.exceptions.extend(slots);
        self
    }

    /// Returns the rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Returns the start as given, which may lie before the first slot.
    pub fn start(&self) -> Slot {
        self.start
    }

    /// Returns the zone of the series, or the one that it is read in.
    pub fn time_zone(&self) -> Option<Tz> {
        self.time_zone
    }

    /// Returns what months do that lack the day of the start.
    pub fn month_overflow(&self) -> MonthOverflow {
        self.pattern.month_overflow()
    }

    /// Returns what becomes of slots inside gaps.
    pub fn dst_gap(&self) -> DstGap {
        self.dst_gap
    }

    /// Returns the first occurrence: the first slot of the rule at or after the start.
    pub fn first(&self) -> Option<Occurrence> {
        self.occurrences().next()
    }

    /// Returns the first occurrence strictly after a civil time, or nothing if the series has
    /// ended by then.
    pub fn next_after(&self, after: Slot) -> Option<Occurrence> {
        self.occurrences_after(after).next()
    }

    /// Returns all occurrences in order. Unless the rule ends, they go on to the year 9999, read in
    /// UTC if there is a zone.
    pub fn occurrences(&self) -> Occurrences<'_> {
        Occurrences(self.slots())
    }

    /// Returns all slots of the rule in order, also those that are no occurrences: see [`Fate`].
    pub fn slots(&self) -> Slots<'_> {
        Slots::from(self, self.start.date())
    }

    /// Returns the occurrences strictly after a civil time, in order, without walking there.
    pub fn occurrences_after(&self, after: Slot) -> Occurrences<'_> {
        Occurrences(Slots::from(self, self.first_date_after(after)))
    }

    /// Returns the occurrences strictly after a known one, in order.
    ///
    /// Costs the same however long ago the series began, because the slots up to the cursor are not
    /// counted again: its index is taken on trust.
    pub fn resume(&self, cursor: Occurrence) -> Occurrences<'_> {
        let next = self.first_date_after(cursor.slot);
        Occurrences(Slots::resume(self, next, cursor.index))
    }

    /// Returns whether an exception names a slot.
    pub fn is_excepted(&self, slot: Slot) -> bool {
        self.exceptions.contains(&slot)
    }

    /// Returns the instant of a slot in the zone of the schedule, or in UTC without one; of a date, the
    /// beginning of its day.
    pub fn instant_of(&self, slot: Slot) -> DateTime<Utc> {
        let civil = slot.date().and_time(slot.time().unwrap_or_default());
        match self.time_zone {
            Some(zone) => resolve(civil, zone),
            None => civil.and_utc(),
        }
    }

    /// Returns whether a civil time is a slot of the rule, `COUNT`, `UNTIL` and exceptions aside.
    pub fn is_slot(&self, slot: Slot) -> bool {
        slot.time() == self.start.time()
            && slot.date() >= self.start.date()
            && self.pattern.contains(slot.date())
    }

    /// Counts the slots of the rule up to and including a civil time, `COUNT` and `UNTIL` aside.
    fn slots_through(&self, slot: Slot) -> u32 {
        self.pattern.count_before(self.first_date_after(slot))
    }

    /// Returns the first date whose slot would lie strictly after a civil time.
    fn first_date_after(&self, after: Slot) -> NaiveDate {
        let date = after.date();
        if Slot::on(date, self.start.time()) > after {
            date
        } else {
            date.succ_opt().unwrap_or(date)
        }
    }
}

/// Checks that the end is of the kind that RFC 5545 §3.3.10 asks for beside such a start.
fn check_until(until: Option<Until>, start: Slot, zone: Option<Tz>) -> Result<(), RuleError> {
    let instead = match (until, start, zone) {
        (None, _, _)
        | (Some(Until::Date(_)), Slot::Date(_), _)
        | (Some(Until::Instant(_)), Slot::Timed(_), Some(_))
        | (Some(Until::Local(_)), Slot::Timed(_), None) => return Ok(()),
        (Some(Until::Instant(_) | Until::Local(_)), Slot::Date(_), _) => {
            "must be a date such as 20270131, because the start is a date"
        }
        (Some(Until::Date(_)), Slot::Timed(_), Some(_)) => {
            "must be in UTC such as 20270131T080000Z, because the start has a time"
        }
        (Some(Until::Local(_)), Slot::Timed(_), Some(_)) => {
            "must be in UTC: write 20270131T080000Z, with a Z at its end, \
                because the start has a time zone"
        }
        (Some(Until::Date(_) | Until::Instant(_)), Slot::Timed(_), None) => {
            "must be a local time such as 20270131T090000, without a Z, \
                because the start has no time zone"
        }
    };
    Err(RuleError::unsupported("UNTIL", instead))
}
