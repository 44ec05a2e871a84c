//! Civil times on the wire: `2027-01-31T09:00`, seconds only when they are not zero.

use chrono::{NaiveDateTime, Timelike};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes a civil time the way slots and time values show it.
pub fn format(local: NaiveDateTime) -> String {
    let pattern = if local.second() == 0 && local.nanosecond() == 0 {
        "%Y-%m-%dT%H:%M"
    } else {
        "%Y-%m-%dT%H:%M:%S"
    };
    local.format(pattern).to_string()
}

/// Reads `YYYY-MM-DDTHH:MM` or `YYYY-MM-DDTHH:MM:SS`; nothing else.
pub fn parse(text: &str) -> Option<NaiveDateTime> {
    let pattern = match text.len() {
        16 => "%Y-%m-%dT%H:%M",
        19 => "%Y-%m-%dT%H:%M:%S",
        _ => return None,
    };
    let local = NaiveDateTime::parse_from_str(text, pattern).ok()?;
    // chrono reads a leap second as second 59 plus a long fraction; civil plans have none.
    (local.nanosecond() == 0).then_some(local)
}

pub(crate) fn serialize<S: Serializer>(
    local: &NaiveDateTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*local))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<NaiveDateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::custom("expected a local time such as 2027-01-31T09:00"))
}

/// Times of day on the wire: `09:00`.
pub mod time {
    use chrono::{NaiveTime, Timelike};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes a time of day in whole minutes.
    pub fn format(time: NaiveTime) -> String {
        format!("{:02}:{:02}", time.hour(), time.minute())
    }

    /// Reads `HH:MM`; nothing else.
    pub fn parse(text: &str) -> Option<NaiveTime> {
        let time = NaiveTime::parse_from_str(text, "%H:%M").ok()?;
        (format(time) == text).then_some(time)
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands over a reference"
    )]
    pub(crate) fn serialize<S: Serializer>(
        time: &NaiveTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(*time))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| D::Error::custom("expected a time of day such as 09:00"))
    }
}
