//! Durations and sizes as people write them.

use std::time::Duration;

/// Why a setting cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not a duration.
    #[error("expected a duration such as 250ms, 5s, 3m, 1h or 1d")]
    Duration,
    /// Not a size.
    #[error("expected a size such as 512B, 64KiB or 10MiB")]
    Size,
}

/// Reads `250ms`, `5s`, `3m`, `1h` or `1d`.
pub fn duration(text: &str) -> Result<Duration, ParseError> {
    let (number, unit) = split(text).ok_or(ParseError::Duration)?;
    let millis_per_unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return Err(ParseError::Duration),
    };
    number
        .checked_mul(millis_per_unit)
        .map(Duration::from_millis)
        .ok_or(ParseError::Duration)
}

/// Reads `512B`, `64KiB`, `10MiB` or `1GiB`.
pub fn size(text: &str) -> Result<usize, ParseError> {
    let (number, unit) = split(text).ok_or(ParseError::Size)?;
    let bytes_per_unit = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(ParseError::Size),
    };
    let bytes = number.checked_mul(bytes_per_unit).ok_or(ParseError::Size)?;
    usize::try_from(bytes).map_err(|_| ParseError::Size)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("3m"), Ok(Duration::from_mins(3)));
        assert_eq!(duration("1h"), Ok(Duration::from_hours(1)));
        assert_eq!(duration("1d"), Ok(Duration::from_hours(24)));
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("0B"), Ok(0));
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("10MiB"), Ok(10_485_760));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "5",
            "s",
            "-5s",
            "5 s",
            "1.5s",
            "5S",
            "5w",
            "99999999999999999999s",
        ] {
            assert_eq!(duration(text), Err(ParseError::Duration), "{text}");
        }
        assert_eq!(duration("18446744073709551615d"), Err(ParseError::Duration));
        for text in ["", "5", "KiB", "5kb", "5 MiB", "18446744073709551615GiB"] {
            assert_eq!(size(text), Err(ParseError::Size), "{text}");
        }
    }
}
