//! When something is: a date, a civil time in a zone, or an instant.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::civil;

/// When something is. Never a midnight in disguise: a date stays a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TimeValue {
    /// A whole day, wherever the reader is.
    Date {
        /// `2027-01-31`
        date: NaiveDate,
    },
    /// A wall-clock time in a zone; the instant follows from the zone's rules of the day.
    Local {
        /// `2027-01-31T09:00`
        #[serde(with = "civil")]
        #[schemars(with = "String", extend("pattern" = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$"))]
        local: NaiveDateTime,
        /// An IANA name, or `floating`.
        time_zone: String,
    },
    /// A point in time; only for absolute reminders.
    Instant {
        /// `2027-01-31T08:00:00Z`
        instant: DateTime<Utc>,
    },
}

/// The zone name of a local time that is the same on every wall.
pub const FLOATING: &str = "floating";

impl TimeValue {
    /// Whether its instant depends on where its reader is: of a date and of a floating time.
    pub fn floats(&self) -> bool {
        match self {
            Self::Date { .. } => true,
            Self::Local { time_zone, .. } => time_zone == FLOATING,
            Self::Instant { .. } => false,
        }
    }

    /// The civil text of a date or local time: what a slot is named by.
    pub fn civil_text(&self) -> Option<String> {
        match self {
            Self::Date { date } => Some(date.to_string()),
            Self::Local { local, .. } => Some(civil::format(*local)),
            Self::Instant { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_shapes_round_trip() {
        for json in [
            r#"{"date":"2027-01-31"}"#,
            r#"{"local":"2027-01-31T09:00","time_zone":"Europe/Berlin"}"#,
            r#"{"local":"2027-01-31T09:00:05","time_zone":"floating"}"#,
            r#"{"instant":"2027-01-31T08:00:00Z"}"#,
        ] {
            let value: TimeValue = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }
    }

    #[test]
    fn a_leap_second_and_an_offset_are_no_civil_times() {
        assert_eq!(civil::parse("2027-01-31T09:00:60"), None);
        assert_eq!(civil::parse("2027-01-31T09:00Z"), None);
    }
}
