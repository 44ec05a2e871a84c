//! Text to rule: each part is read once, then the parts are checked together.

mod value;

use chrono::Weekday;

use super::{ByDay, End, Frequency, Rule, Until};
use crate::RuleError;
use crate::expand::Pattern;

/// More than any rule of the profile needs, canonical or not.
const LONGEST_TEXT: usize = 4096;

/// How much of an unknown part's name an error repeats.
const LONGEST_NAME: usize = 32;

impl Rule {
    /// Reads the value of an RRULE property, such as `FREQ=WEEKLY;BYDAY=MO,TH`.
    ///
    /// Accepts the profile in the crate documentation and refuses everything else, naming the
    /// offending part.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        if text.len() > LONGEST_TEXT || !text.is_ascii() {
            return Err(RuleError::syntax(
                "RRULE",
                "the text is too long or not ASCII",
            ));
        }
        let mut parts = Parts::default();
        for part in text.to_ascii_uppercase().split(';') {
            let Some((name, value)) = part.split_once('=') else {
                return Err(RuleError::syntax(
                    "RRULE",
                    "each part is written NAME=VALUE",
                ));
            };
            parts.read(name, value)?;
        }
        let rule = parts.into_rule()?;
        rule.check()?;
        if Pattern::of_any_start(&rule).is_empty() {
            return Err(RuleError::NeverOccurs);
        }
        Ok(rule)
    }

    /// Checks the parts against the frequency.
    fn check(&self) -> Result<(), RuleError> {
        let per_month = matches!(self.frequency, Frequency::Monthly | Frequency::Yearly);
        let refuse = |part, message| Err(RuleError::unsupported(part, message));
        if !per_month && self.by_day.iter().any(|day| day.ordinal.is_some()) {
            return refuse("BYDAY", "an ordinal needs FREQ=MONTHLY or FREQ=YEARLY");
        }
        if self.frequency == Frequency::Weekly && !self.by_month_day.is_empty() {
            return refuse("BYMONTHDAY", "not together with FREQ=WEEKLY");
        }
        if self.by_set_position.is_empty() {
            return Ok(());
        }
        if !per_month {
            return refuse("BYSETPOS", "only with FREQ=MONTHLY or FREQ=YEARLY");
        }
        if self.by_month.is_empty() && self.by_month_day.is_empty() && self.by_day.is_empty() {
            return refuse("BYSETPOS", "needs another BY part to choose from");
        }
        Ok(())
    }
}

/// The parts as far as they have been read.
#[derive(Default)]
struct Parts {
    frequency: Option<Frequency>,
    interval: Option<u32>,
    count: Option<u32>,
    until: Option<Until>,
    by_month: Option<Vec<u32>>,
    by_month_day: Option<Vec<i32>>,
    by_day: Option<Vec<ByDay>>,
    by_set_position: Option<Vec<i32>>,
    week_start: Option<Weekday>,
}

impl Parts {
    fn read(&mut self, name: &str, text: &str) -> Result<(), RuleError> {
        match name {
            "FREQ" => once(&mut self.frequency, name, value::frequency(text)?),
            "INTERVAL" => once(&mut self.interval, name, value::in_range(name, text, 999)?),
            "COUNT" => once(&mut self.count, name, value::in_range(name, text, 9999)?),
            "UNTIL" => once(&mut self.until, name, value::until(text)?),
            "BYMONTH" => {
                let months = value::list(text, |item| value::in_range(name, item, 12))?;
                once(
                    &mut self.by_month,
                    name,
                    value::sorted_by_key(months, |month| *month),
                )
            }
            "BYMONTHDAY" => once(&mut self.by_month_day, name, value::places(name, text, 31)?),
            "BYDAY" => once(&mut self.by_day, name, value::by_day(text)?),
            "BYSETPOS" => once(
                &mut self.by_set_position,
                name,
                value::places(name, text, 366)?,
            ),
            "WKST" => once(&mut self.week_start, name, value::weekday(name, text)?),
            "BYHOUR" | "BYMINUTE" | "BYSECOND" => Err(RuleError::unsupported(
                name,
                "the time of day comes from the start",
            )),
            _ => {
                let name = name.get(..LONGEST_NAME).unwrap_or(name);
                Err(RuleError::unsupported(name, "not a part we support"))
            }
        }
    }

    fn into_rule(self) -> Result<Rule, RuleError> {
        let Some(frequency) = self.frequency else {
            return Err(RuleError::syntax("FREQ", "is missing"));
        };
        let end = match (self.count, self.until) {
            (Some(_), Some(_)) => {
                return Err(RuleError::unsupported("UNTIL", "not together with COUNT"));
            }
            (Some(count), None) => Some(End::Count(count)),
            (None, until) => until.map(End::Until),
        };
        Ok(Rule {
            frequency,
            interval: self.interval.unwrap_or(1),
            end,
            by_month: self.by_month.unwrap_or_default(),
            by_month_day: self.by_month_day.unwrap_or_default(),
            by_day: self.by_day.unwrap_or_default(),
            by_set_position: self.by_set_position.unwrap_or_default(),
            week_start: self.week_start.unwrap_or(Weekday::Mon),
        })
    }
}

fn once<T>(field: &mut Option<T>, part: &str, value: T) -> Result<(), RuleError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(RuleError::syntax(part, "is given twice")),
    }
}
