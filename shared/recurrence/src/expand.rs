//! Civil expansion: which dates a rule selects.
//!
//! The unit of work is a year as twelve sets of days, one bit each. A year is computed from the
//! rule and the start alone, never from the year before, so a search begins where it likes and
//! costs nothing for the time since the start.

mod calendar;
mod count;
mod days;
mod set_position;

#[cfg(test)]
mod work;

use chrono::{Datelike, NaiveDate, Weekday};

use crate::rule::{ByDay, Frequency, Rule};
use crate::schedule::MonthOverflow;
use calendar::{DayNumber, Month, Year};

pub(crate) use days::Days;

/// The days of a month, bit 0 for the first.
type DaySet = u32;

/// The last year that is searched: the last one with four digits.
pub(crate) const LAST_YEAR: i32 = 9999;

/// A rule tied to the date it starts from, ready to tell the days of any year.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    frequency: Frequency,
    interval: i32,
    start: NaiveDate,
    start_day: DayNumber,
    /// First day of the week that contains the start.
    start_week: DayNumber,
    overflow: MonthOverflow,
    /// Bit 0 for January.
    months: u16,
    has_by_month: bool,
    by_month_day: Vec<i32>,
    has_by_day: bool,
    /// Weekdays without ordinal, bit 0 for Monday.
    weekdays: u8,
    nth_weekdays: Vec<ByDay>,
    set_positions: Vec<i32>,
}

impl Pattern {
    pub(crate) fn new(rule: &Rule, start: NaiveDate, overflow: MonthOverflow) -> Self {
        let start_day = start.num_days_from_ce();
        let into_week = start.weekday().days_since(rule.week_start()).cast_signed();
        let (plain, nth): (Vec<ByDay>, Vec<ByDay>) =
            rule.by_day().iter().partition(|day| day.ordinal.is_none());
        Self {
            frequency: rule.frequency(),
            interval: rule.interval().cast_signed(),
            start,
            start_day,
            start_week: start_day - into_week,
            overflow,
            months: months(rule, start),
            has_by_month: !rule.by_month().is_empty(),
            by_month_day: rule.by_month_day().to_vec(),
            has_by_day: !rule.by_day().is_empty(),
            weekdays: weekdays(rule, &plain, start),
            nth_weekdays: nth,
            set_positions: rule.by_set_position().to_vec(),
        }
    }

    /// Ties a rule to a start that suits it, to learn whether it can occur at all.
    pub(crate) fn of_any_start(rule: &Rule) -> Self {
        let new_year = NaiveDate::from_yo_opt(2000, 1).unwrap_or_default();
        Self {
            interval: 1,
            ..Self::new(rule, new_year, MonthOverflow::Clamp)
        }
    }

    /// Returns whether the rule selects no day at all, in any kind of year.
    pub(crate) fn is_empty(&self) -> bool {
        // These 28 years contain every pair of leap day and weekday.
        (2000..2028).all(|year| self.days_of(year).iter().all(|days| *days == 0))
    }

    /// Returns whether the rule selects the date, which must not lie before the start.
    pub(crate) fn contains(&self, date: NaiveDate) -> bool {
        Days::from(self, date).up_to(date.year()).next() == Some(date)
    }

    pub(crate) fn month_overflow(&self) -> MonthOverflow {
        self.overflow
    }

    /// Returns the next year that can have days of the rule.
    fn year_after(&self, year: i32) -> i32 {
        match self.frequency {
            Frequency::Yearly => {
                year + self.interval - (year - self.start.year()).rem_euclid(self.interval)
            }
            _ => year + 1,
        }
    }

    /// Returns the days of a year, those before the start included.
    fn days_of(&self, year: i32) -> [DaySet; 12] {
        #[cfg(test)]
        work::note_year();
        let year = Year::new(year);
        match self.frequency {
            Frequency::Daily => self.month_by_month(&year, |month| {
                month.every(self.interval, 1, self.start_day) & self.limits(month)
            }),
            Frequency::Weekly => self.month_by_month(&year, |month| {
                month.every(7 * self.interval, 7, self.start_week) & month.weekdays(self.weekdays)
            }),
            Frequency::Monthly => self.month_by_month(&year, |month| self.days_of_month(month)),
            Frequency::Yearly => self.days_of_whole_year(&year),
        }
    }

    fn month_by_month(&self, year: &Year, days: impl Fn(&Month) -> DaySet) -> [DaySet; 12] {
        std::array::from_fn(|index| {
            if self.months & (1 << index) == 0 {
                0
            } else {
                days(&year.months[index])
            }
        })
    }

    fn days_of_month(&self, month: &Month) -> DaySet {
        let elapsed = 12 * (month.year - self.start.year()) + month.number()
            - self.start.month().cast_signed();
        if elapsed.rem_euclid(self.interval) != 0 {
            return 0;
        }
        let mut days = [self.candidates(month, self.nth_weekdays_of(month))];
        set_position::keep(&mut days, &self.set_positions);
        days[0]
    }

    fn days_of_whole_year(&self, year: &Year) -> [DaySet; 12] {
        if (year.number - self.start.year()).rem_euclid(self.interval) != 0 {
            return [0; 12];
        }
        // An ordinal counts within the month if months are named, else within the year.
        let nth = if self.has_by_month {
            year.months.map(|month| self.nth_weekdays_of(&month))
        } else {
            year.nth_weekdays(&self.nth_weekdays)
        };
        let mut days = self.month_by_month(year, |month| self.candidates(month, nth[month.index]));
        set_position::keep(&mut days, &self.set_positions);
        days
    }

    /// Returns the set of a month or of a month's share of a year, before `BYSETPOS`.
    fn candidates(&self, month: &Month, nth: DaySet) -> DaySet {
        if self.by_month_day.is_empty() && !self.has_by_day {
            return month.day(self.start.day(), self.overflow);
        }
        self.limits_with(month, month.weekdays(self.weekdays) | nth)
    }

    fn limits(&self, month: &Month) -> DaySet {
        self.limits_with(month, month.weekdays(self.weekdays))
    }

    fn limits_with(&self, month: &Month, by_day: DaySet) -> DaySet {
        let mut days = month.all();
        if !self.by_month_day.is_empty() {
            days &= month.days(&self.by_month_day);
        }
        if self.has_by_day {
            days &= by_day;
        }
        days
    }

    fn nth_weekdays_of(&self, month: &Month) -> DaySet {
        self.nth_weekdays
            .iter()
            .fold(0, |days, day| days | month.nth_weekday(*day))
    }
}

/// Returns the months in which the rule can have days.
fn months(rule: &Rule, start: NaiveDate) -> u16 {
    let named = rule
        .by_month()
        .iter()
        .fold(0, |months, month| months | 1 << (month - 1));
    let from_start = rule.frequency() == Frequency::Yearly
        && rule.by_month_day().is_empty()
        && rule.by_day().is_empty();
    match named {
        0 if from_start => 1 << start.month0(),
        0 => 0xFFF,
        _ => named,
    }
}

/// Returns the weekdays without ordinal; a weekly rule that names none has that of its start.
fn weekdays(rule: &Rule, plain: &[ByDay], start: NaiveDate) -> u8 {
    let bit = |weekday: Weekday| 1 << weekday.num_days_from_monday();
    if rule.frequency() == Frequency::Weekly && plain.is_empty() {
        return bit(start.weekday());
    }
    plain.iter().fold(0, |days, day| days | bit(day.weekday))
}
