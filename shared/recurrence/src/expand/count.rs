//! How many dates lie behind: the place of a slot among all of them.

use chrono::{Datelike, NaiveDate};

use super::calendar::DayNumber;
use super::days::{drop_before, drop_from};
use super::{LAST_YEAR, Pattern};
use crate::rule::Frequency;

impl Pattern {
    /// Counts the dates from the start up to, not including, `end`.
    ///
    /// Plain days and weeks are reckoned, whatever the distance. All else costs some ten
    /// nanoseconds for each month since the start.
    pub(crate) fn count_before(&self, end: NaiveDate) -> u32 {
        let after_last = NaiveDate::from_ymd_opt(LAST_YEAR + 1, 1, 1).unwrap_or(NaiveDate::MAX);
        let end = end.min(after_last);
        self.reckon_before(end.num_days_from_ce())
            .unwrap_or_else(|| self.count_years_before(end))
    }

    /// Reckons days and weeks that no month restricts.
    pub(super) fn reckon_before(&self, end: DayNumber) -> Option<u32> {
        if self.has_by_month || !self.by_month_day.is_empty() {
            return None;
        }
        let end = end.max(self.start_day);
        let count = match self.frequency {
            Frequency::Daily if !self.has_by_day => {
                let days = end - self.start_day;
                days / self.interval + i32::from(days % self.interval != 0)
            }
            Frequency::Weekly => self.in_weeks(end) - self.in_weeks(self.start_day),
            _ => return None,
        };
        u32::try_from(count).ok()
    }

    /// Counts the weekdays of the rule from the first day of the first week up to `end`.
    fn in_weeks(&self, end: DayNumber) -> i32 {
        let days = end - self.start_week;
        let period = 7 * self.interval;
        let mondays = (self.start_week - 1).rem_euclid(7);
        let is_in = |day: &i32| self.weekdays & (1 << ((mondays + day) % 7)) != 0;
        let each = self.weekdays.count_ones().cast_signed();
        let of_last = (0..(days % period).min(7)).filter(is_in);
        // At most seven.
        days / period * each + i32::try_from(of_last.count()).unwrap_or(0)
    }

    pub(super) fn count_years_before(&self, end: NaiveDate) -> u32 {
        let mut count = 0;
        let mut year = self.start.year();
        while year <= end.year().min(LAST_YEAR) {
            let mut days = self.days_of(year);
            if year == self.start.year() {
                drop_before(&mut days, self.start);
            }
            if year == end.year() {
                drop_from(&mut days, end);
            }
            count += days.iter().map(|days| days.count_ones()).sum::<u32>();
            year = self.year_after(year);
        }
        count
    }
}
