//! Text to rule: each part is read once, then the parts are checked together.

mod value;

use chrono::Weekday;

use super::{ByDay, Frequency, Rule, RuleParts, Until};
use crate::RuleError;

/// More than any rule of the profile needs, canonical or not.
const LONGEST_TEXT: usize = 4096;

/// How much of an unknown part's name an error repeats.
const LONGEST_NAME: usize = 32;

/// What to write instead of parts of RFC 5545 and its extensions that are outside the profile.
const INSTEAD: [(&str, &str); 8] = [
    ("BYHOUR", TIME_OF_DAY),
    ("BYMINUTE", TIME_OF_DAY),
    ("BYSECOND", TIME_OF_DAY),
    (
        "BYWEEKNO",
        "is not supported: write BYMONTH and BYDAY instead",
    ),
    (
        "BYYEARDAY",
        "is not supported: write BYMONTH and BYMONTHDAY instead",
    ),
    (
        "BYEASTER",
        "is not supported: no rule follows Easter, so make a task for each year",
    ),
    (
        "RSCALE",
        "is not supported: leave it out, the calendar is the Gregorian one",
    ),
    (
        "SKIP",
        "is not supported: leave it out and say month_overflow clamp or skip",
    ),
];
const TIME_OF_DAY: &str = "the time of day comes from the start: leave it out";
const KNOWN_PARTS: &str = "is not a part of a rule here: use FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, \
    BYMONTHDAY, BYDAY, BYSETPOS and WKST";

impl Rule {
    /// Reads the value of an RRULE property, such as `FREQ=WEEKLY;BYDAY=MO,TH`.
    ///
    /// Accepts the profile in the crate documentation and refuses everything else, naming the
    /// offending part.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let refuse = |message: &str| Err(RuleError::syntax("RRULE", message));
        if text.len() > LONGEST_TEXT {
            return refuse("is too long for one rule: name each day, month and place once");
        }
        if !text.is_ascii() {
            return refuse("has a character that rules do not: write plain ASCII");
        }
        let text = text.to_ascii_uppercase();
        if text.contains(':') || text.contains(char::is_whitespace) {
            return refuse("write the value alone, such as FREQ=DAILY, without RRULE: or DTSTART");
        }
        let mut parts = Parts::default();
        for part in text.split(';') {
            let Some((name, value)) = part.split_once('=') else {
                return refuse("each part is written NAME=VALUE, such as FREQ=DAILY;INTERVAL=2");
            };
            parts.read(name, value)?;
        }
        Self::new(parts.checked()?)
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
        let numbers = |text| value::list(text, |item| value::number(name, item));
        let places = |text| value::list(text, |item| value::place(name, item));
        match name {
            "FREQ" => once(&mut self.frequency, name, value::frequency(text)?),
            "INTERVAL" => once(&mut self.interval, name, value::number(name, text)?),
            "COUNT" => once(&mut self.count, name, value::number(name, text)?),
            "UNTIL" => once(&mut self.until, name, value::until(text)?),
            "BYMONTH" => once(&mut self.by_month, name, numbers(text)?),
            "BYMONTHDAY" => once(&mut self.by_month_day, name, places(text)?),
            "BYDAY" => once(&mut self.by_day, name, value::list(text, value::by_day)?),
            "BYSETPOS" => once(&mut self.by_set_position, name, places(text)?),
            "WKST" => once(&mut self.week_start, name, value::weekday(name, text)?),
            _ => Err(unknown(name)),
        }
    }

    fn checked(self) -> Result<RuleParts, RuleError> {
        let Some(frequency) = self.frequency else {
            let message = "is missing: write FREQ=DAILY, WEEKLY, MONTHLY or YEARLY";
            return Err(RuleError::syntax("FREQ", message));
        };
        Ok(RuleParts {
            frequency,
            interval: self.interval.unwrap_or(1),
            count: self.count,
            until: self.until,
            by_month: self.by_month.unwrap_or_default(),
            by_month_day: self.by_month_day.unwrap_or_default(),
            by_day: self.by_day.unwrap_or_default(),
            by_set_position: self.by_set_position.unwrap_or_default(),
            week_start: self.week_start.unwrap_or(Weekday::Mon),
        })
    }
}

fn unknown(name: &str) -> RuleError {
    let instead = INSTEAD.iter().find(|(part, _)| *part == name);
    let name = name.get(..LONGEST_NAME).unwrap_or(name);
    RuleError::unsupported(name, instead.map_or(KNOWN_PARTS, |(_, message)| message))
}

fn once<T>(field: &mut Option<T>, part: &str, value: T) -> Result<(), RuleError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(RuleError::syntax(
            part,
            "is given twice: write it once, with commas",
        )),
    }
}
