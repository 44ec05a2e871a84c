//! Time values on the wire.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_schema::{TimeValue, civil};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{Expected, Field, Reader, Unknown};
use crate::domain::{Fault, fields, time};

/// When something is: `{"date"}`, `{"local","time_zone"}`, or for absolute reminders `{"instant"}`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = TimeValue, example = json!({"local": "2027-01-31T09:00", "time_zone": "Europe/Berlin"}))]
pub(super) struct TimeInput {
    /// A whole day, wherever the reader is.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2027-01-31")]
    date: Field<String>,
    /// A wall-clock time, in minutes or seconds.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2027-01-31T09:00")]
    local: Field<String>,
    /// The zone of `local`: an IANA name, or `floating`, which is read in the zone of your preferences.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    time_zone: Field<String>,
    /// A point in time, only for absolute reminders.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>, example = "2027-01-31T08:00:00Z")]
    instant: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// When something is, with the instant that follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = TimeValueView, example = json!({"local": "2027-01-31T09:00", "time_zone": "Europe/Berlin", "instant": "2027-01-31T08:00:00Z"}))]
pub(super) struct TimeView {
    /// A whole day; it has no instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// A wall-clock time.
    #[serde(skip_serializing_if = "Option::is_none")]
    local: Option<String>,
    /// The zone of `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// The point in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    instant: Option<DateTime<Utc>>,
}

/// Which forms a member allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// A date or a local time.
    Civil,
    /// A local time or an instant.
    Exact,
}

impl Expected for TimeInput {
    const EXPECTED: &'static str = "an object with {date}, {local, time_zone} or {instant}";
}

impl TimeInput {
    pub(super) fn read(
        self,
        reader: &mut Reader,
        pointer: &str,
        allowed: Allowed,
    ) -> Option<TimeValue> {
        let at = |name: &str| format!("{pointer}/{name}");
        reader.unknown(pointer, &self.unknown);
        let date = reader.optional(&at("date"), self.date);
        let local = reader.optional(&at("local"), self.local);
        let zone = reader.optional(&at("time_zone"), self.time_zone);
        let instant = reader.optional(&at("instant"), self.instant);
        if reader.is_wrong(pointer) {
            return None;
        }
        match (date, local, zone, instant, allowed) {
            (Some(date), None, None, None, Allowed::Civil) => {
                let date =
                    reader.parse(&at("date"), &date, time::date, "a date such as 2027-01-31")?;
                Some(TimeValue::Date { date })
            }
            (None, Some(local), Some(time_zone), None, _) => {
                let expected = "a local time such as 2027-01-31T09:00";
                let local = reader.parse(&at("local"), &local, time::local, expected);
                let is_zone = |name: &str| time::is_zone(name).then(|| name.to_owned());
                let expected = "an IANA time zone such as Europe/Berlin, or floating";
                let time_zone = reader.parse(&at("time_zone"), &time_zone, is_zone, expected);
                let value = TimeValue::Local {
                    local: local?,
                    time_zone: time_zone?,
                };
                let is_ours = time::is_representable(&value);
                reader.check(
                    is_ours
                        .then_some(value)
                        .ok_or_else(|| fields::out_of_range(at("local"))),
                )
            }
            (None, None, None, Some(instant), Allowed::Exact) => {
                let expected = "an instant such as 2027-01-31T08:00:00Z";
                let instant = reader.parse(&at("instant"), &instant, time::instant, expected)?;
                Some(TimeValue::Instant { instant })
            }
            (None, Some(_), None, None, _) => {
                let message = "is required beside local";
                reader.fault(Fault::new(at("time_zone"), "missing", message));
                None
            }
            _ => {
                reader.fault(Fault::new(pointer, "invalid_value", allowed.expected()));
                None
            }
        }
    }
}

impl Allowed {
    fn expected(self) -> &'static str {
        match self {
            Self::Civil => "must be either {date} or {local, time_zone}",
            Self::Exact => "must be either {local, time_zone} or {instant}",
        }
    }
}

impl TimeView {
    /// The time as its owner reads it there.
    pub(super) fn of(value: &TimeValue, home: Tz) -> Self {
        let mut view = Self {
            date: None,
            local: None,
            time_zone: None,
            instant: time::instant_of(value, home),
        };
        match value {
            TimeValue::Date { date } => view.date = Some(date.to_string()),
            TimeValue::Local { local, time_zone } => {
                view.local = Some(civil::format(*local));
                view.time_zone = Some(time_zone.clone());
            }
            TimeValue::Instant { .. } => {}
        }
        view
    }
}
