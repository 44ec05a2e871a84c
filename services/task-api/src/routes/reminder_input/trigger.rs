//! When a reminder fires, as callers write it.

use event_schema::{Anchor, Trigger, civil};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::fields::{MAX_DAYS_BEFORE, MAX_OFFSET_SECONDS, anchor_name};
use crate::domain::{Fault, duration, time};
use crate::routes::fields::{Expected, Field, Reader, Unknown};
use crate::routes::time_value::{Allowed, TimeInput};

/// When a reminder fires: `{"type":"relative","to","offset"}`, `{"type":"absolute","at"}` or
/// `{"type":"time_of_day","days_before","at"}`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({"type": "relative", "to": "due", "offset": "-PT30M"}))]
pub(in crate::routes) struct TriggerInput {
    /// `relative`, `absolute` or `time_of_day`.
    #[serde(default)]
    #[serde(rename = "type")]
    #[schema(value_type = String, required = true)]
    kind: Field<String>,
    /// Which of the task's times it counts from: `due`, `start` or `deadline`. For a relative trigger
    /// it must have a time of day; a time of day counts from `due` when this is absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    to: Field<String>,
    /// How long after that time, or before it with a minus: ISO 8601 in weeks, days, hours, minutes
    /// and seconds; a day has 24 hours.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "-PT30M")]
    offset: Field<String>,
    /// So many calendar days before the day of that time: 0 (when absent) to 366.
    #[serde(default)]
    #[schema(value_type = Option<u16>, maximum = 366)]
    days_before: Field<u16>,
    /// The time of an absolute trigger, local or an instant; of `time_of_day`, such as `09:00`.
    #[serde(default)]
    #[schema(value_type = Option<AtInput>)]
    at: Field<Value>,
    /// The zone of a time of day: an IANA name. When absent, that of the time it counts from; that of
    /// your preferences for a date and a floating time.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    time_zone: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What `at` can be.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only described")]
#[schema(as = TriggerAt)]
enum AtInput {
    #[schema(title = "absolute")]
    #[serde(untagged)]
    Time(TimeInput),
    #[schema(title = "time_of_day")]
    #[serde(untagged)]
    TimeOfDay(String),
}

/// Members that only some triggers have, by their types.
const MEMBERS: [(&str, &[&str]); 5] = [
    ("to", &["relative", "time_of_day"]),
    ("offset", &["relative"]),
    ("days_before", &["time_of_day"]),
    ("at", &["absolute", "time_of_day"]),
    ("time_zone", &["time_of_day"]),
];

impl Expected for TriggerInput {
    const EXPECTED: &'static str = "an object with a type";
}

impl Expected for Value {
    const EXPECTED: &'static str = "a time";
}

impl TriggerInput {
    pub(super) fn read(self, reader: &mut Reader, pointer: &str) -> Option<Trigger> {
        let at = |name: &str| format!("{pointer}/{name}");
        reader.unknown(pointer, &self.unknown);
        let kind = reader.required(&at("type"), self.kind.clone())?;
        let expected = "relative, absolute or time_of_day";
        let is_known = |kind: &str| MEMBERS.iter().any(|(_, kinds)| kinds.contains(&kind));
        let known = |kind: &str| is_known(kind).then(|| kind.to_owned());
        let kind = reader.parse(&at("type"), &kind, known, expected)?;
        self.refuse_foreign(reader, pointer, &kind);
        match kind.as_str() {
            "absolute" => self.absolute(reader, pointer),
            "relative" => self.relative(reader, pointer),
            _ => self.time_of_day(reader, pointer),
        }
    }

    fn refuse_foreign(&self, reader: &mut Reader, pointer: &str, kind: &str) {
        let sent = [
            self.to != Field::Absent,
            self.offset != Field::Absent,
            self.days_before != Field::Absent,
            self.at != Field::Absent,
            self.time_zone != Field::Absent,
        ];
        for ((name, kinds), sent) in MEMBERS.iter().zip(sent) {
            if sent && !kinds.contains(&kind) {
                let message = format!("does not belong to a trigger of type {kind}");
                let at = format!("{pointer}/{name}");
                reader.fault(Fault::new(at, "unknown_field", message));
            }
        }
    }

    fn absolute(self, reader: &mut Reader, pointer: &str) -> Option<Trigger> {
        let pointer = format!("{pointer}/at");
        let time = reader.required(&pointer, self.at)?;
        let time: Field<TimeInput> = serde_json::from_value(time).unwrap_or(Field::Wrong);
        let time = reader.required(&pointer, time)?;
        let at = time.read(reader, &pointer, Allowed::Exact)?;
        Some(Trigger::Absolute { at })
    }

    fn relative(self, reader: &mut Reader, pointer: &str) -> Option<Trigger> {
        let at = |name: &str| format!("{pointer}/{name}");
        let to = reader.required(&at("to"), self.to);
        let to = to.and_then(|to| reader.parse(&at("to"), &to, anchor, ANCHORS));
        let offset = reader.required(&at("offset"), self.offset);
        let expected = "an ISO 8601 duration of at most 366 days, such as -PT30M";
        let offset =
            offset.and_then(|text| reader.parse(&at("offset"), &text, offset_of, expected));
        Some(Trigger::Relative {
            to: to?,
            offset_seconds: offset?,
        })
    }

    fn time_of_day(self, reader: &mut Reader, pointer: &str) -> Option<Trigger> {
        let at = |name: &str| format!("{pointer}/{name}");
        let to = reader.optional(&at("to"), self.to);
        let to = to.map_or(Some(Anchor::Due), |to| {
            reader.parse(&at("to"), &to, anchor, ANCHORS)
        });
        let days_before = reader.optional(&at("days_before"), self.days_before);
        let days_before = days_before.unwrap_or_default();
        if days_before > MAX_DAYS_BEFORE {
            let message = format!("must be at most {MAX_DAYS_BEFORE}");
            reader.fault(Fault::new(at("days_before"), "out_of_range", message));
        }
        let zone = reader.optional(&at("time_zone"), self.time_zone);
        let expected = "an IANA time zone such as Europe/Berlin";
        let zone = zone.map(|name| reader.parse(&at("time_zone"), &name, zone_of, expected));
        let time = reader.required(&at("at"), self.at)?;
        let time = time.as_str().unwrap_or_default().to_owned();
        let expected = "a time of day such as 09:00";
        let time = reader.parse(&at("at"), &time, civil::time::parse, expected);
        Some(Trigger::TimeOfDay {
            to: to?,
            days_before,
            at: time?,
            time_zone: zone.map_or(Some(None), |zone| zone.map(Some))?,
        })
    }
}

const ANCHORS: &str = "due, start or deadline";

fn anchor(name: &str) -> Option<Anchor> {
    [Anchor::Due, Anchor::Start, Anchor::Deadline]
        .into_iter()
        .find(|anchor| anchor_name(*anchor) == name)
}

fn offset_of(text: &str) -> Option<i64> {
    duration::parse(text).filter(|seconds| seconds.abs() <= MAX_OFFSET_SECONDS)
}

fn zone_of(name: &str) -> Option<String> {
    (time::is_zone(name) && name != time::FLOATING).then(|| name.to_owned())
}
