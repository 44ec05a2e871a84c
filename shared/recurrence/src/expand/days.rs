use chrono::{Datelike, NaiveDate};

use super::{DaySet, LAST_YEAR, Pattern};

/// Walks the dates of a pattern, from any date on.
///
/// Finding the next date computes at most every year up to [`LAST_YEAR`], and usually one or two.
#[derive(Clone, Debug)]
pub(crate) struct Days<'a> {
    pattern: &'a Pattern,
    year: i32,
    /// The last year that is computed.
    last_year: i32,
    /// What is left of the year.
    left: [DaySet; 12],
}

impl<'a> Days<'a> {
    /// Begins at the first date that is neither before `from` nor before the start.
    pub(crate) fn from(pattern: &'a Pattern, from: NaiveDate) -> Self {
        let from = from.max(pattern.start);
        let mut left = [0; 12];
        if from.year() <= LAST_YEAR {
            left = pattern.days_of(from.year());
            drop_before(&mut left, from);
        }
        Self {
            pattern,
            year: from.year(),
            last_year: LAST_YEAR,
            left,
        }
    }

    /// Looks no further than a year.
    pub(crate) fn up_to(self, last_year: i32) -> Self {
        Self {
            last_year: last_year.min(LAST_YEAR),
            ..self
        }
    }
}

impl Iterator for Days<'_> {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        loop {
            for (month, days) in (1..).zip(&mut self.left) {
                if *days != 0 {
                    let day = days.trailing_zeros() + 1;
                    *days &= *days - 1; // Takes the lowest member.
                    return NaiveDate::from_ymd_opt(self.year, month, day);
                }
            }
            let year = self.pattern.year_after(self.year);
            if year > self.last_year {
                return None;
            }
            self.year = year;
            self.left = self.pattern.days_of(year);
        }
    }
}

pub(super) fn drop_before(year: &mut [DaySet; 12], date: NaiveDate) {
    for (month, days) in (0..).zip(year) {
        if month < date.month0() {
            *days = 0;
        } else if month == date.month0() {
            *days &= DaySet::MAX << date.day0();
        }
    }
}

pub(super) fn drop_from(year: &mut [DaySet; 12], date: NaiveDate) {
    for (month, days) in (0..).zip(year) {
        if month > date.month0() {
            *days = 0;
        } else if month == date.month0() {
            *days &= !(DaySet::MAX << date.day0());
        }
    }
}
