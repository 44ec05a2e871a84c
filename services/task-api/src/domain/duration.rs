//! Durations of ISO 8601 in whole seconds, such as `-PT30M` or `P1DT2H`.

/// Unit letters in the order in which they may come, with their seconds; of dates, then of times.
const DATE_UNITS: [(char, i64); 2] = [('W', 604_800), ('D', 86_400)];
const TIME_UNITS: [(char, i64); 3] = [('H', 3_600), ('M', 60), ('S', 1)];

/// Reads a duration in seconds. A day has 24 hours; months and years have no length, so they are not
/// durations here.
pub fn parse(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix(['-', '+']) {
        Some(rest) if text.starts_with('-') => (-1, rest),
        Some(rest) => (1, rest),
        None => (1, text),
    };
    let text = text.strip_prefix('P')?;
    let (date, time) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let seconds = sum(date, &DATE_UNITS)?.checked_add(sum(time, &TIME_UNITS)?)?;
    Some(sign * seconds)
}

/// Writes a duration in the form that [`parse`] reads, in days, hours, minutes and seconds.
pub fn format(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let mut left = seconds.unsigned_abs();
    let days = left / 86_400;
    left %= 86_400;
    let mut text = format!("{sign}P");
    if days > 0 {
        text.push_str(&format_unit(days, 'D'));
    }
    if left > 0 || days == 0 {
        text.push('T');
    }
    for (unit, length) in [('H', 3_600), ('M', 60), ('S', 1)] {
        if left / length > 0 {
            text.push_str(&format_unit(left / length, unit));
            left %= length;
        }
    }
    if text.ends_with('T') {
        text.push_str("0S");
    }
    text
}

fn format_unit(count: u64, unit: char) -> String {
    format!("{count}{unit}")
}

fn sum(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    for (unit, length) in units {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = text.split_at(digits);
        if let Some(rest) = rest.strip_prefix(*unit) {
            let number: i64 = number.parse().ok()?;
            total = total.checked_add(number.checked_mul(*length)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_seconds() {
        for (text, seconds) in [
            ("PT0S", 0),
            ("-PT30M", -1_800),
            ("+PT1H", 3_600),
            ("-P1D", -86_400),
            ("P2W", 1_209_600),
            ("P1W2DT3H4M5S", 788_645),
            ("P0DT90M", 5_400),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
            assert_eq!(parse(&format(seconds)), Some(seconds), "{text}");
        }
        assert_eq!(format(-1_800), "-PT30M");
        assert_eq!(format(-86_400), "-P1D");
        assert_eq!(format(788_645), "P9DT3H4M5S");
        assert_eq!(format(0), "PT0S");
    }

    #[test]
    fn what_has_no_length_in_seconds_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "-",
            "30M",
            "P1M",
            "P1Y",
            "PT1D",
            "P1H",
            "P1DT",
            "PT1.5H",
            "PT-1H",
            "P1D2W",
            "PT1M1H",
            "P99999999999999999999D",
            "P9223372036854775807W",
            "pt1h",
            "--PT1H",
            "PT1H ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
