//! The ends of a range of time, as lists are asked for them.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::domain::time;

/// A date, from its beginning to its end where the caller is, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Bound {
    Date(NaiveDate),
    Instant(DateTime<Utc>),
}

impl Bound {
    /// Where it begins.
    pub(super) fn first(self, home: Tz) -> DateTime<Utc> {
        match self {
            Self::Date(date) => time::midnight(date, home),
            Self::Instant(at) => at,
        }
    }

    /// What is just behind its end.
    pub(super) fn after(self, home: Tz) -> DateTime<Utc> {
        match self {
            Self::Date(date) => date
                .succ_opt()
                .map_or(DateTime::<Utc>::MAX_UTC, |next| time::midnight(next, home)),
            Self::Instant(at) => at + TimeDelta::microseconds(1),
        }
    }
}

impl TryFrom<String> for Bound {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // In a query a plus sign is a space.
        let date = time::date(&text).map(Self::Date);
        date.or_else(|| time::instant(&text).map(Self::Instant))
            .ok_or("must be a date or an instant")
    }
}
