//! The meaning of a rule written down a second time: day by day, slowly and plainly.

use chrono::{Datelike, Days, NaiveDate};
use recurrence::{Frequency, MonthOverflow, Rule};

/// Returns the dates of a rule from the start up to and including `end`, `COUNT` and `UNTIL` aside.
pub(crate) fn dates(
    rule: &Rule,
    start: NaiveDate,
    overflow: MonthOverflow,
    end: NaiveDate,
) -> Vec<NaiveDate> {
    let checker = Checker {
        rule,
        start,
        overflow,
    };
    start
        .iter_days()
        .take_while(|date| *date <= end)
        .filter(|date| checker.selects(*date))
        .collect()
}

struct Checker<'a> {
    rule: &'a Rule,
    start: NaiveDate,
    overflow: MonthOverflow,
}

impl Checker<'_> {
    fn selects(&self, date: NaiveDate) -> bool {
        if !self.is_in_phase(date) || !self.matches(date) {
            return false;
        }
        let places = self.rule.by_set_position();
        if places.is_empty() {
            return true;
        }
        let set: Vec<NaiveDate> = self
            .period(date)
            .filter(|other| self.matches(*other))
            .collect();
        let size = i32::try_from(set.len()).unwrap();
        let place = i32::try_from(set.iter().position(|other| *other == date).unwrap()).unwrap();
        places.contains(&(place + 1)) || places.contains(&(place - size))
    }

    fn is_in_phase(&self, date: NaiveDate) -> bool {
        let elapsed = match self.rule.frequency() {
            Frequency::Daily => (date - self.start).num_days(),
            Frequency::Weekly => (self.week(date) - self.week(self.start)).num_days() / 7,
            Frequency::Monthly => i64::from(
                12 * (date.year() - self.start.year()) + date.month().cast_signed()
                    - self.start.month().cast_signed(),
            ),
            Frequency::Yearly => i64::from(date.year() - self.start.year()),
        };
        elapsed % i64::from(self.rule.interval()) == 0
    }

    fn week(&self, date: NaiveDate) -> NaiveDate {
        date - Days::new(u64::from(date.weekday().days_since(self.rule.week_start())))
    }

    fn period(&self, date: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let monthly = self.rule.frequency() == Frequency::Monthly;
        let first = date.with_day(1).unwrap();
        let first = if monthly {
            first
        } else {
            first.with_month(1).unwrap()
        };
        first
            .iter_days()
            .take_while(move |other| other.year() == date.year())
            .take_while(move |other| !monthly || other.month() == date.month())
    }

    fn matches(&self, date: NaiveDate) -> bool {
        let months = self.rule.by_month();
        (months.is_empty() || months.contains(&date.month()))
            && self.matches_month_day(date)
            && self.matches_weekday(date)
            && self.matches_start(date)
    }

    fn matches_month_day(&self, date: NaiveDate) -> bool {
        let days = self.rule.by_month_day();
        let day = date.day().cast_signed();
        days.is_empty() || days.contains(&day) || days.contains(&(day - 1 - length_of_month(date)))
    }

    fn matches_weekday(&self, date: NaiveDate) -> bool {
        let days = self.rule.by_day();
        let by_year = self.rule.frequency() == Frequency::Yearly && self.rule.by_month().is_empty();
        let (day, length) = if by_year {
            let length = if date.leap_year() { 366 } else { 365 };
            (date.ordinal().cast_signed(), length)
        } else {
            (date.day().cast_signed(), length_of_month(date))
        };
        let from_start = (day - 1) / 7 + 1;
        let from_end = -((length - day) / 7 + 1);
        days.is_empty()
            || days.iter().any(|by_day| {
                by_day.weekday == date.weekday()
                    && by_day
                        .ordinal
                        .is_none_or(|nth| nth == from_start || nth == from_end)
            })
    }

    /// Checks what the rule leaves open and the start decides.
    fn matches_start(&self, date: NaiveDate) -> bool {
        if !self.rule.by_day().is_empty() || !self.rule.by_month_day().is_empty() {
            return true;
        }
        match self.rule.frequency() {
            Frequency::Daily => true,
            Frequency::Weekly => date.weekday() == self.start.weekday(),
            Frequency::Monthly => self.is_day_of_start(date),
            Frequency::Yearly => {
                let same_month = date.month() == self.start.month();
                (same_month || !self.rule.by_month().is_empty()) && self.is_day_of_start(date)
            }
        }
    }

    fn is_day_of_start(&self, date: NaiveDate) -> bool {
        let is_last = date.day().cast_signed() == length_of_month(date);
        date.day() == self.start.day()
            || (self.overflow == MonthOverflow::Clamp && is_last && date.day() < self.start.day())
    }
}

fn length_of_month(date: NaiveDate) -> i32 {
    i32::from(date.num_days_in_month())
}
