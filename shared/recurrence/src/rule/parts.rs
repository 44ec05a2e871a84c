//! The structured form of a rule, and the checks that make it one of the profile.

use chrono::Weekday;

use super::{ByDay, End, Frequency, Rule, Until};
use crate::RuleError;
use crate::expand::Pattern;

/// A rule part by part, not yet checked: the structured form of a rule text.
///
/// [`Rule::new`] makes a [`Rule`] of it, and [`Rule::parts`] gives it back in canonical form: lists
/// sorted and free of duplicates. An empty list is a part that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleParts {
    /// `FREQ`
    pub frequency: Frequency,
    /// `INTERVAL`, 1 to 999.
    pub interval: u32,
    /// `COUNT`, 1 to 9999, not together with `until`.
    pub count: Option<u32>,
    /// `UNTIL`, inclusive.
    pub until: Option<Until>,
    /// `BYMONTH`, each 1 to 12.
    pub by_month: Vec<u32>,
    /// `BYMONTHDAY`, each ±1 to ±31.
    pub by_month_day: Vec<i32>,
    /// `BYDAY`, with ordinals ±1 to ±5 for months and years only.
    pub by_day: Vec<ByDay>,
    /// `BYSETPOS`, each ±1 to ±366, for months and years only.
    pub by_set_position: Vec<i32>,
    /// `WKST`
    pub week_start: Weekday,
}

impl RuleParts {
    /// Begins with a frequency and the defaults of all other parts.
    pub fn new(frequency: Frequency) -> Self {
        Self {
            frequency,
            interval: 1,
            count: None,
            until: None,
            by_month: Vec::new(),
            by_month_day: Vec::new(),
            by_day: Vec::new(),
            by_set_position: Vec::new(),
            week_start: Weekday::Mon,
        }
    }

    fn end(&self) -> Result<Option<End>, RuleError> {
        match (self.count, self.until) {
            (Some(_), Some(_)) => Err(RuleError::unsupported(
                "UNTIL",
                "not together with COUNT: keep one of the two",
            )),
            (Some(count), None) => {
                in_range("COUNT", count, 9999)?;
                Ok(Some(End::Count(count)))
            }
            (None, until) => Ok(until.map(End::Until)),
        }
    }

    fn check_values(&self) -> Result<(), RuleError> {
        in_range("INTERVAL", self.interval, 999)?;
        for month in &self.by_month {
            in_range("BYMONTH", *month, 12)?;
        }
        for day in &self.by_month_day {
            place("BYMONTHDAY", *day, 31)?;
        }
        for ordinal in self.by_day.iter().filter_map(|day| day.ordinal) {
            place("BYDAY", ordinal, 5)?;
        }
        for position in &self.by_set_position {
            place("BYSETPOS", *position, 366)?;
        }
        Ok(())
    }

    /// Checks the parts against the frequency.
    fn check_together(&self) -> Result<(), RuleError> {
        let per_month = matches!(self.frequency, Frequency::Monthly | Frequency::Yearly);
        let refuse = |part, message: &str| Err(RuleError::unsupported(part, message));
        if !per_month && self.by_day.iter().any(|day| day.ordinal.is_some()) {
            let message = "an ordinal needs FREQ=MONTHLY or FREQ=YEARLY: \
                write that, or the weekday alone, MO instead of 2MO";
            return refuse("BYDAY", message);
        }
        if self.frequency == Frequency::Weekly && !self.by_month_day.is_empty() {
            let message = "not together with FREQ=WEEKLY: write FREQ=DAILY or FREQ=MONTHLY";
            return refuse("BYMONTHDAY", message);
        }
        if self.by_set_position.is_empty() {
            return Ok(());
        }
        if !per_month {
            let message = "only with FREQ=MONTHLY or FREQ=YEARLY: leave it out";
            return refuse("BYSETPOS", message);
        }
        if self.by_month.is_empty() && self.by_month_day.is_empty() && self.by_day.is_empty() {
            let message = "needs another BY part to choose from: add BYDAY, such as \
                BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1 for the last workday";
            return refuse("BYSETPOS", message);
        }
        Ok(())
    }
}

impl Rule {
    /// Makes a rule of its parts.
    ///
    /// Refuses what is outside the profile, naming the offending part, and what can never occur.
    pub fn new(parts: RuleParts) -> Result<Self, RuleError> {
        let end = parts.end()?;
        parts.check_values()?;
        parts.check_together()?;
        let rule = Self {
            frequency: parts.frequency,
            interval: parts.interval,
            end,
            by_month: sorted_by_key(parts.by_month, |month| *month),
            by_month_day: sorted_by_key(parts.by_month_day, |day| chronological(*day)),
            by_day: sorted_by_key(parts.by_day, |day| {
                let weekday = day.weekday.num_days_from_monday();
                (day.ordinal.map(chronological), weekday)
            }),
            by_set_position: sorted_by_key(parts.by_set_position, |place| chronological(*place)),
            week_start: parts.week_start,
        };
        if Pattern::of_any_start(&rule).is_empty() {
            return Err(RuleError::NeverOccurs);
        }
        Ok(rule)
    }

    /// Returns the rule part by part.
    pub fn parts(&self) -> RuleParts {
        RuleParts {
            frequency: self.frequency,
            interval: self.interval,
            count: self.count(),
            until: self.until(),
            by_month: self.by_month.clone(),
            by_month_day: self.by_month_day.clone(),
            by_day: self.by_day.clone(),
            by_set_position: self.by_set_position.clone(),
            week_start: self.week_start,
        }
    }
}

fn in_range(part: &str, number: u32, most: u32) -> Result<(), RuleError> {
    if (1..=most).contains(&number) {
        return Ok(());
    }
    Err(RuleError::unsupported(
        part,
        format!("must be from 1 to {most}"),
    ))
}

/// Checks a place from ±1 to ±`most`, negative ones counted from the end.
fn place(part: &str, number: i32, most: u32) -> Result<(), RuleError> {
    if (1..=most).contains(&number.unsigned_abs()) {
        return Ok(());
    }
    let message = format!("must be from 1 to {most}, or from -1 to -{most} counted from the end");
    Err(RuleError::unsupported(part, message))
}

/// Sorts and drops duplicates, so that lists with the same members are equal.
fn sorted_by_key<T, K: Ord>(mut items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    items.sort_by_key(&key);
    items.dedup_by_key(|item| key(item));
    items
}

/// Orders 1, 2, … before …, -2, -1.
fn chronological(place: i32) -> (bool, i32) {
    (place < 0, place)
}
