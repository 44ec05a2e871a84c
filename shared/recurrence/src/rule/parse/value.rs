//! The values of single parts. What has the wrong shape is a syntax error, what has the right
//! shape but leaves the profile is unsupported.

use chrono::{NaiveDate, Weekday};

use crate::RuleError;
use crate::rule::{ByDay, Frequency, Until};

pub(super) fn frequency(text: &str) -> Result<Frequency, RuleError> {
    match text {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        "SECONDLY" | "MINUTELY" | "HOURLY" => Err(RuleError::unsupported(
            "FREQ",
            "DAILY, WEEKLY, MONTHLY or YEARLY only",
        )),
        _ => Err(RuleError::syntax(
            "FREQ",
            "is none of DAILY, WEEKLY, MONTHLY, YEARLY",
        )),
    }
}

/// Reads a number without sign, from 1 to `most`.
pub(super) fn in_range(part: &str, text: &str, most: u32) -> Result<u32, RuleError> {
    let number = digits(part, text)?;
    if (1..=most).contains(&number) {
        Ok(number)
    } else {
        Err(RuleError::unsupported(
            part,
            format!("must be from 1 to {most}"),
        ))
    }
}

/// Reads a list of places from ±1 to ±`most`, negative ones counted from the end.
pub(super) fn places(part: &str, text: &str, most: u32) -> Result<Vec<i32>, RuleError> {
    let places = list(text, |item| place(part, item, most))?;
    Ok(sorted_by_key(places, |place| chronological(*place)))
}

pub(super) fn by_day(text: &str) -> Result<Vec<ByDay>, RuleError> {
    let days = list(text, |item| {
        let (ordinal, name) = item.split_at(item.len().saturating_sub(2));
        let weekday = weekday("BYDAY", name)?;
        let ordinal = match ordinal {
            "" => None,
            _ => Some(place("BYDAY", ordinal, 5)?),
        };
        Ok(ByDay { ordinal, weekday })
    })?;
    Ok(sorted_by_key(days, |day| {
        (
            day.ordinal.map(chronological),
            day.weekday.num_days_from_monday(),
        )
    }))
}

pub(super) fn weekday(part: &str, text: &str) -> Result<Weekday, RuleError> {
    match text {
        "MO" => Ok(Weekday::Mon),
        "TU" => Ok(Weekday::Tue),
        "WE" => Ok(Weekday::Wed),
        "TH" => Ok(Weekday::Thu),
        "FR" => Ok(Weekday::Fri),
        "SA" => Ok(Weekday::Sat),
        "SU" => Ok(Weekday::Sun),
        _ => Err(RuleError::syntax(
            part,
            "a weekday is one of MO, TU, WE, TH, FR, SA, SU",
        )),
    }
}

/// Reads `20270131` or `20270131T080000Z`.
pub(super) fn until(text: &str) -> Result<Until, RuleError> {
    let (date, time) = match text.split_once('T') {
        None => (text, None),
        Some((date, time)) => (date, Some(time)),
    };
    let wrong = || RuleError::syntax("UNTIL", "is written 20270131 or 20270131T080000Z");
    let [year, month, day] = fields(date, [4, 2, 2]).ok_or_else(wrong)?;
    let date = i32::try_from(year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    let date = date.ok_or_else(wrong)?;
    let Some(time) = time else {
        return Ok(Until::Date(date));
    };
    let (clock, utc) = time
        .strip_suffix('Z')
        .map_or((time, false), |clock| (clock, true));
    let [hour, minute, second] = fields(clock, [2, 2, 2]).ok_or_else(wrong)?;
    let local = date.and_hms_opt(hour, minute, second).ok_or_else(wrong)?;
    if utc {
        Ok(Until::Instant(local.and_utc()))
    } else {
        Err(RuleError::unsupported(
            "UNTIL",
            "a time must be in UTC, with a Z at its end",
        ))
    }
}

pub(super) fn list<T>(
    text: &str,
    item: impl Fn(&str) -> Result<T, RuleError>,
) -> Result<Vec<T>, RuleError> {
    text.split(',').map(item).collect()
}

/// Sorts and drops duplicates, so that lists with the same members are equal.
pub(super) fn sorted_by_key<T, K: Ord>(mut items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    items.sort_by_key(&key);
    items.dedup_by_key(|item| key(item));
    items
}

/// Orders 1, 2, … before …, -2, -1.
fn chronological(place: i32) -> (bool, i32) {
    (place < 0, place)
}

fn place(part: &str, text: &str, most: u32) -> Result<i32, RuleError> {
    let (sign, number) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
        (Some(number), _) => (-1, number),
        (None, Some(number)) => (1, number),
        (None, None) => (1, text),
    };
    let number = digits(part, number)?;
    match i32::try_from(number) {
        Ok(place) if (1..=most).contains(&number) => Ok(sign * place),
        _ => Err(RuleError::unsupported(
            part,
            format!("must be from 1 to {most}, or negative"),
        )),
    }
}

/// Reads digits; a number too large for the type is only out of range, not malformed.
fn digits(part: &str, text: &str) -> Result<u32, RuleError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RuleError::syntax(part, "a number is missing or malformed"));
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

/// Splits digits into numbers of fixed widths; the text must be exactly as long as they are.
fn fields<const N: usize>(text: &str, widths: [usize; N]) -> Option<[u32; N]> {
    let mut rest = text;
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let (field, tail) = rest.split_at_checked(width)?;
        *number = digits("UNTIL", field).ok()?;
        rest = tail;
    }
    rest.is_empty().then_some(numbers)
}
