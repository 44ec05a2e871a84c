//! The ends of a range of time, as lists are asked for them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::domain::time;

/// A date, from its beginning to its end in UTC, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Bound {
    /// Where it begins.
    pub(super) first: DateTime<Utc>,
    /// What is just behind its end.
    pub(super) after: DateTime<Utc>,
}

impl TryFrom<String> for Bound {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if let Some(date) = time::date(&text) {
            let first = time::midnight(date);
            return Ok(Self {
                first,
                after: first + TimeDelta::days(1),
            });
        }
        // In a query a plus sign is a space.
        let first = time::instant(&text).ok_or("must be a date or an instant")?;
        Ok(Self {
            first,
            after: first + TimeDelta::microseconds(1),
        })
    }
}
