//! Reminders on the wire.

use event_schema::{Anchor, Reminder, ReminderId, Trigger};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{Expected, Field, Reader, Unknown};
use super::time_value::{Allowed, TimeInput, TimeView};
use crate::domain::fields::{MAX_OFFSET_SECONDS, MAX_REMINDERS, anchor_name};
use crate::domain::{Fault, duration};

/// The wish to be told about a task.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = ReminderInput)]
pub(super) struct ReminderInput {
    /// Which of the task's reminders it is; only in a PATCH, and only to keep its identity.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    id: Field<String>,
    /// When it fires.
    #[serde(default)]
    #[schema(value_type = TriggerInput, required = true)]
    trigger: Field<TriggerInput>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// When a reminder fires: `{"type":"relative","to","offset"}` or `{"type":"absolute","at"}`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(example = json!({"type": "relative", "to": "due", "offset": "-PT30M"}))]
pub(super) struct TriggerInput {
    /// `relative` or `absolute`.
    #[serde(default)]
    #[serde(rename = "type")]
    #[schema(value_type = String, required = true)]
    kind: Field<String>,
    /// Which of the task's times a relative trigger counts from: `due`, `start` or `deadline`. It
    /// must have a time of day.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    to: Field<String>,
    /// How long after that time, or before it with a minus: ISO 8601 in weeks, days, hours, minutes
    /// and seconds; a day has 24 hours.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "-PT30M")]
    offset: Field<String>,
    /// The time of an absolute trigger: local or an instant.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    at: Field<TimeInput>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// A reminder of a task.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Reminder)]
pub(super) struct ReminderView {
    /// Its identity; a PATCH that names it keeps it.
    #[schema(value_type = Uuid)]
    id: ReminderId,
    /// When it fires.
    trigger: TriggerView,
}

/// When a reminder fires.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = Trigger)]
pub(super) enum TriggerView {
    /// So long before or after one of the task's times.
    Relative {
        /// Which time.
        to: &'static str,
        /// ISO 8601; negative is before.
        offset: String,
    },
    /// At a time of its own.
    Absolute {
        /// The time.
        at: TimeView,
    },
}

/// A reminder as it was sent: its id, and when it fires.
pub(super) type Sent = (Option<ReminderId>, Trigger);

/// Reads a list of reminders. One that is wrong is left out, and noted.
pub(super) fn read_all(
    reader: &mut Reader,
    pointer: &str,
    list: Vec<Field<ReminderInput>>,
) -> Vec<Sent> {
    if list.len() > MAX_REMINDERS {
        let message = format!("must be at most {MAX_REMINDERS}");
        reader.fault(Fault::new(pointer, "too_many", message));
        return Vec::new();
    }
    let mut sent: Vec<Sent> = Vec::new();
    for (index, field) in list.into_iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let read = reader.required(&pointer, field);
        let Some((id, trigger)) = read.and_then(|input| input.read(reader, &pointer)) else {
            continue;
        };
        if sent.iter().any(|(_, known)| *known == trigger) {
            let message = "says the same as a reminder before it";
            reader.fault(Fault::new(pointer, "duplicate", message));
        }
        sent.push((id, trigger));
    }
    sent
}

impl Expected for ReminderInput {
    const EXPECTED: &'static str = "an object with a trigger";
}

impl ReminderInput {
    fn read(self, reader: &mut Reader, pointer: &str) -> Option<Sent> {
        reader.unknown(pointer, &self.unknown);
        let at = format!("{pointer}/id");
        let id = reader.optional(&at, self.id);
        let id = id.and_then(|text| reader.parse(&at, &text, |text| text.parse().ok(), "a UUID"));
        let at = format!("{pointer}/trigger");
        let trigger = reader.required(&at, self.trigger)?;
        Some((id, trigger.read(reader, &at)?))
    }
}

impl Expected for TriggerInput {
    const EXPECTED: &'static str = "an object with a type";
}

impl TriggerInput {
    fn read(self, reader: &mut Reader, pointer: &str) -> Option<Trigger> {
        let at = |name: &str| format!("{pointer}/{name}");
        reader.unknown(pointer, &self.unknown);
        let kind = reader.required(&at("type"), self.kind)?;
        let foreign = match kind.as_str() {
            "relative" => vec![("at", self.at != Field::Absent)],
            "absolute" => vec![
                ("to", self.to != Field::Absent),
                ("offset", self.offset != Field::Absent),
            ],
            _ => {
                let message = "must be relative or absolute";
                reader.fault(Fault::new(at("type"), "invalid_value", message));
                return None;
            }
        };
        for (name, _) in foreign.iter().filter(|(_, sent)| *sent) {
            let message = format!("does not belong to a trigger of type {kind}");
            reader.fault(Fault::new(at(name), "unknown_field", message));
        }
        if kind == "absolute" {
            let time = reader.required(&at("at"), self.at)?;
            let time = time.read(reader, &at("at"), Allowed::Exact)?;
            return Some(Trigger::Absolute { at: time });
        }
        let to = reader.required(&at("to"), self.to);
        let to = to.and_then(|to| reader.parse(&at("to"), &to, anchor, "due, start or deadline"));
        let offset = reader.required(&at("offset"), self.offset);
        let expected = "an ISO 8601 duration of at most 366 days, such as -PT30M";
        let offset =
            offset.and_then(|text| reader.parse(&at("offset"), &text, offset_of, expected));
        Some(Trigger::Relative {
            to: to?,
            offset_seconds: offset?,
        })
    }
}

fn anchor(name: &str) -> Option<Anchor> {
    [Anchor::Due, Anchor::Start, Anchor::Deadline]
        .into_iter()
        .find(|anchor| anchor_name(*anchor) == name)
}

fn offset_of(text: &str) -> Option<i64> {
    duration::parse(text).filter(|seconds| seconds.abs() <= MAX_OFFSET_SECONDS)
}

impl From<&Reminder> for ReminderView {
    fn from(reminder: &Reminder) -> Self {
        let trigger = match &reminder.trigger {
            Trigger::Relative { to, offset_seconds } => TriggerView::Relative {
                to: anchor_name(*to),
                offset: duration::format(*offset_seconds),
            },
            Trigger::Absolute { at } => TriggerView::Absolute { at: at.into() },
        };
        Self {
            id: reminder.id,
            trigger,
        }
    }
}
