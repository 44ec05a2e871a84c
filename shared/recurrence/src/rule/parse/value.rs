//! The values of single parts. What has the wrong shape is a syntax error, what has the right
//! shape but leaves the profile is unsupported.

use chrono::{NaiveDate, Weekday};

use crate::RuleError;
use crate::rule::{ByDay, Frequency, Until};

const UNTIL_FORMS: &str = "must be written 20270131, 20270131T080000Z or, for a start without a time \
    zone, 20270131T090000";

pub(super) fn frequency(text: &str) -> Result<Frequency, RuleError> {
    match text {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        "SECONDLY" | "MINUTELY" | "HOURLY" => Err(RuleError::unsupported(
            "FREQ",
            "nothing repeats within a day here: write FREQ=DAILY, WEEKLY, MONTHLY or YEARLY",
        )),
        _ => Err(RuleError::syntax(
            "FREQ",
            "must be DAILY, WEEKLY, MONTHLY or YEARLY",
        )),
    }
}

pub(super) fn by_day(text: &str) -> Result<ByDay, RuleError> {
    let (ordinal, name) = text.split_at(text.len().saturating_sub(2));
    let weekday = weekday("BYDAY", name)?;
    let ordinal = match ordinal {
        "" => None,
        _ => Some(place("BYDAY", ordinal)?),
    };
    Ok(ByDay { ordinal, weekday })
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

/// Reads `20270131`, `20270131T080000Z` or `20270131T090000`. Which of them fits, the start knows.
pub(super) fn until(text: &str) -> Result<Until, RuleError> {
    let (date, time) = match text.split_once('T') {
        None => (text, None),
        Some((date, time)) => (date, Some(time)),
    };
    let wrong = || RuleError::syntax("UNTIL", UNTIL_FORMS);
    let [year, month, day] = fields(date, [4, 2, 2]).ok_or_else(wrong)?;
    let date = i32::try_from(year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    let date = date.ok_or_else(wrong)?;
    let Some(time) = time else {
        return Ok(Until::Date(date));
    };
    let in_utc = time.strip_suffix('Z');
    let [hour, minute, second] = fields(in_utc.unwrap_or(time), [2, 2, 2]).ok_or_else(wrong)?;
    let local = date.and_hms_opt(hour, minute, second).ok_or_else(wrong)?;
    Ok(match in_utc {
        Some(_) => Until::Instant(local.and_utc()),
        None => Until::Local(local),
    })
}

pub(super) fn list<T>(
    text: &str,
    item: impl Fn(&str) -> Result<T, RuleError>,
) -> Result<Vec<T>, RuleError> {
    text.split(',').map(item).collect()
}

/// Reads a place, negative when counted from the end.
pub(super) fn place(part: &str, text: &str) -> Result<i32, RuleError> {
    let (sign, digits) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
        (Some(digits), _) => (-1, digits),
        (None, Some(digits)) => (1, digits),
        (None, None) => (1, text),
    };
    let number = number(part, digits)?;
    Ok(sign * i32::try_from(number).unwrap_or(i32::MAX))
}

/// Reads digits; a number too large for the type is only out of range, not malformed.
pub(super) fn number(part: &str, text: &str) -> Result<u32, RuleError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = "a number is missing or malformed: write digits, with commas between numbers";
        return Err(RuleError::syntax(part, message));
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

/// Splits digits into numbers of fixed widths; the text must be exactly as long as they are.
fn fields<const N: usize>(text: &str, widths: [usize; N]) -> Option<[u32; N]> {
    let mut rest = text;
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let (field, tail) = rest.split_at_checked(width)?;
        *number = self::number("UNTIL", field).ok()?;
        rest = tail;
    }
    rest.is_empty().then_some(numbers)
}
