use chrono::{Datelike, NaiveDate, Weekday};

use super::Language;
use crate::resolve::local;
use crate::rule::{ByDay, Frequency, Rule, Until};
use crate::schedule::{MonthOverflow, Schedule};

/// English, as it is written in the United States.
#[derive(Clone, Copy, Debug)]
pub struct English;

const WORKDAYS: [Weekday; 5] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
];

impl Language for English {
    fn describe(&self, schedule: &Schedule) -> String {
        let rule = schedule.rule();
        let body = match rule.frequency() {
            Frequency::Daily => daily(rule),
            Frequency::Weekly => weekly(schedule),
            Frequency::Monthly => monthly(schedule),
            Frequency::Yearly => yearly(schedule),
        };
        body + &chosen(rule) + &ending(schedule)
    }
}

fn daily(rule: &Rule) -> String {
    let days = match (rule.interval(), rule.by_day()) {
        (1, days) if !days.is_empty() => format!("every {}", weekdays(days, "and")),
        (_, []) => every(rule, "day"),
        (_, days) => format!(
            "{}, if it is a {}",
            every(rule, "day"),
            weekdays(days, "or")
        ),
    };
    let condition = match rule.by_month_day() {
        [] => String::new(),
        days => format!(", if it is {}", month_days(days, "or")),
    };
    days + &condition + &months(rule, "in")
}

fn weekly(schedule: &Schedule) -> String {
    let rule = schedule.rule();
    let of_start = [every_one(schedule.start().date().weekday())];
    let days = match rule.by_day() {
        [] => &of_start,
        days => days,
    };
    let days = match rule.interval() {
        1 => format!("every {}", weekdays(days, "and")),
        _ if is_workdays(days) => format!("{} on workdays", every(rule, "week")),
        _ => format!("{} on {}", every(rule, "week"), weekdays(days, "and")),
    };
    let weeks = match rule.week_start() {
        // Where the week begins changes nothing when every week counts.
        first if rule.interval() > 1 && first != Weekday::Mon => {
            format!(", with weeks from {}", weekday(first))
        }
        _ => String::new(),
    };
    days + &weeks + &months(rule, "in")
}

fn monthly(schedule: &Schedule) -> String {
    let rule = schedule.rule();
    let of_start = || format!("the {}", ordinal(schedule.start().date().day()));
    let days = days_of_month(rule).unwrap_or_else(of_start);
    let short = in_short_months(schedule, "the last day");
    format!(
        "{} on {days}{}{short}",
        every(rule, "month"),
        months(rule, "in")
    )
}

fn yearly(schedule: &Schedule) -> String {
    let rule = schedule.rule();
    let start = schedule.start().date();
    let name = month(start.month());
    let in_february = format!("the last day of {name}");
    let (days, last) = match (days_of_month(rule), rule.by_month()) {
        (Some(days), []) if rule.by_month_day().is_empty() => (format!("{days} of the year"), ""),
        (Some(days), []) => (format!("{days} of every month"), ""),
        (Some(days), _) => (days + &months(rule, "of"), ""),
        (None, []) => (format!("{name} {}", start.day()), in_february.as_str()),
        (None, _) => {
            let days = format!("the {}{}", ordinal(start.day()), months(rule, "of"));
            (days, "the last day")
        }
    };
    let short = in_short_months(schedule, last);
    format!("{} on {days}{short}", every(rule, "year"))
}

/// Says what happens in months that lack a day.
fn in_short_months(schedule: &Schedule, last: &str) -> String {
    match schedule.missing_day() {
        None => String::new(),
        Some(day) if !day.is_named && schedule.month_overflow() == MonthOverflow::Clamp => {
            format!(", or {last}")
        }
        Some(_) => ", where there is one".to_owned(),
    }
}

/// Says which days the rule itself names; nothing if it leaves them to its start.
fn days_of_month(rule: &Rule) -> Option<String> {
    let places = rule.by_set_position();
    if places.is_empty() {
        return candidates(rule, "and");
    }
    let places = join(places.iter().map(|place| place_name(*place)), "and");
    let is_plain =
        rule.by_month_day().is_empty() && rule.by_day().iter().all(|day| day.ordinal.is_none());
    Some(match candidates(rule, "or")? {
        _ if is_plain => format!("the {places} {}", weekdays(rule.by_day(), "or")),
        days => format!("the {places} of these days: {days}"),
    })
}

/// Says which days `BYMONTHDAY` and `BYDAY` name together.
fn candidates(rule: &Rule, conjunction: &str) -> Option<String> {
    match (rule.by_day(), rule.by_month_day()) {
        ([], []) => None,
        ([], days) => Some(month_days(days, conjunction)),
        (days, []) if days.iter().all(|day| day.ordinal.is_some()) => {
            Some(weekdays(days, conjunction))
        }
        (days, []) => Some(format!("every {}", weekdays(days, conjunction))),
        (weekday, days) => {
            let days = month_days(days, conjunction);
            Some(format!("{days}, if it is a {}", weekdays(weekday, "or")))
        }
    }
}

/// Says which days are kept when `BYSETPOS` has only months to choose from.
fn chosen(rule: &Rule) -> String {
    if rule.by_set_position().is_empty() || candidates(rule, "or").is_some() {
        return String::new();
    }
    let places = rule
        .by_set_position()
        .iter()
        .map(|place| place_name(*place));
    format!(", only the {} of these", join(places, "and"))
}

fn ending(schedule: &Schedule) -> String {
    match (schedule.rule().count(), schedule.rule().until()) {
        (Some(1), _) => ", once".to_owned(),
        (Some(count), _) => format!(", {count} times"),
        (None, Some(Until::Date(until))) => format!(", until {}", date(until)),
        (None, Some(Until::Instant(until))) => {
            let until = local(until, schedule.time_zone());
            format!(", until {}", date(until.date()))
        }
        (None, Some(Until::Local(until))) => format!(", until {}", date(until.date())),
        (None, None) => String::new(),
    }
}

fn every(rule: &Rule, unit: &str) -> String {
    match rule.interval() {
        1 => format!("every {unit}"),
        interval => format!("every {interval} {unit}s"),
    }
}

fn months(rule: &Rule, word: &str) -> String {
    match rule.by_month() {
        [] => String::new(),
        months => format!(
            " {word} {}",
            join(months.iter().map(|number| month(*number)), "and")
        ),
    }
}

fn month_days(days: &[i32], conjunction: &str) -> String {
    join(
        days.iter().map(|day| match day {
            ..0 => format!("the {} day", place_name(*day)),
            _ => format!("the {}", ordinal(day.unsigned_abs())),
        }),
        conjunction,
    )
}

fn weekdays(days: &[ByDay], conjunction: &str) -> String {
    if is_workdays(days) {
        return "workday".to_owned();
    }
    join(
        days.iter().map(|day| match day.ordinal {
            None => weekday(day.weekday).to_owned(),
            Some(place) => format!("the {} {}", place_name(place), weekday(day.weekday)),
        }),
        conjunction,
    )
}

fn is_workdays(days: &[ByDay]) -> bool {
    days.iter().copied().eq(WORKDAYS.map(every_one))
}

fn every_one(weekday: Weekday) -> ByDay {
    ByDay {
        ordinal: None,
        weekday,
    }
}

/// Returns `first` to `fifth`, `12th`, `last`, `second to last`.
fn place_name(place: i32) -> String {
    let number = place.unsigned_abs();
    let name = match number {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        4 => "fourth".to_owned(),
        5 => "fifth".to_owned(),
        _ => ordinal(number),
    };
    match place {
        -1 => "last".to_owned(),
        ..-1 => format!("{name} to last"),
        _ => name,
    }
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Joins with commas and a word before the last.
fn join(items: impl Iterator<Item = impl AsRef<str>>, conjunction: &str) -> String {
    let items: Vec<String> = items.map(|item| item.as_ref().to_owned()).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} {conjunction} {last}", first.join(", ")),
    }
}

fn date(date: NaiveDate) -> String {
    format!("{} {}, {}", month(date.month()), date.day(), date.year())
}

fn month(number: u32) -> &'static str {
    let month = u8::try_from(number)
        .ok()
        .and_then(|number| chrono::Month::try_from(number).ok());
    month.map_or("", |month| month.name())
}

fn weekday(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}
