//! The accepted profile of RFC 5545 rules, as a value.

mod parse;
mod parts;
mod print;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc, Weekday};

pub use parts::RuleParts;

/// How often the period of a rule repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// Every so many days.
    Daily,
    /// Every so many weeks.
    Weekly,
    /// Every so many months.
    Monthly,
    /// Every so many years.
    Yearly,
}

/// The inclusive end of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The last date of a date-only series.
    Date(NaiveDate),
    /// The last instant of a timed series with a zone.
    Instant(DateTime<Utc>),
    /// The last civil time of a timed series without a zone.
    Local(NaiveDateTime),
}

/// One entry of `BYDAY`: every such weekday of the period, or only the nth (negative: from the
/// end).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByDay {
    /// ±1 to ±5; `None` means every one.
    pub ordinal: Option<i32>,
    /// The weekday.
    pub weekday: Weekday,
}

/// When a rule stops by itself. A rule has at most one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Count(u32),
    Until(Until),
}

/// A parsed, validated recurrence rule.
///
/// Lists are sorted and free of duplicates, so two texts that differ only in order, case or
/// spelled-out defaults are equal and print equally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    frequency: Frequency,
    interval: u32,
    end: Option<End>,
    by_month: Vec<u32>,
    by_month_day: Vec<i32>,
    by_day: Vec<ByDay>,
    by_set_position: Vec<i32>,
    week_start: Weekday,
}

impl Rule {
    /// Returns the kind of period that repeats.
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// Returns every how many periods the rule applies, 1 to 999.
    pub fn interval(&self) -> u32 {
        self.interval
    }

    /// Returns the number of slots the rule is limited to, skipped ones included.
    pub fn count(&self) -> Option<u32> {
        match self.end {
            Some(End::Count(count)) => Some(count),
            _ => None,
        }
    }

    /// Returns the inclusive end of the rule.
    pub fn until(&self) -> Option<Until> {
        match self.end {
            Some(End::Until(until)) => Some(until),
            _ => None,
        }
    }

    /// Returns the months the rule is limited to, ascending; empty means all.
    pub fn by_month(&self) -> &[u32] {
        &self.by_month
    }

    /// Returns the days of the month, those counted from the end (negative) last.
    pub fn by_month_day(&self) -> &[i32] {
        &self.by_month_day
    }

    /// Returns the weekdays, those without an ordinal first.
    pub fn by_day(&self) -> &[ByDay] {
        &self.by_day
    }

    /// Returns which members of each period's set are kept; empty means all.
    pub fn by_set_position(&self) -> &[i32] {
        &self.by_set_position
    }

    /// Returns the first day of the week.
    pub fn week_start(&self) -> Weekday {
        self.week_start
    }
}
