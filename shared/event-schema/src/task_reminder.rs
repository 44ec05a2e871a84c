//! The wish to be told about a task: when, and how insistently.

use chrono::{DateTime, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ReminderId, TimeValue, WallClock, civil, is_default};

/// The time of the task that a trigger counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// `due`
    #[default]
    Due,
    /// `start`
    Start,
    /// `deadline`
    Deadline,
}

/// When a reminder fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Trigger {
    /// So long before (negative) or after one of the task's times.
    Relative {
        /// Which time.
        to: Anchor,
        /// Seconds from it; negative is before.
        offset_seconds: i64,
    },
    /// At a time of its own.
    Absolute {
        /// Local or instant; never a bare date.
        at: TimeValue,
    },
    /// At a time of day, so many days before the day of one of the task's times.
    TimeOfDay {
        /// Which time; what it says of the hour does not matter.
        to: Anchor,
        /// 0 to 366.
        days_before: u16,
        /// `09:00`
        #[serde(with = "civil::time")]
        #[schemars(with = "String", extend("pattern" = r"^\d{2}:\d{2}$"))]
        at: NaiveTime,
        /// An IANA name: the zone of the time of day. Without it, the zone of the task's time; that of
        /// a date or a floating time is the `home_zone` of the task.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_zone: Option<String>,
    },
}

/// Tells again until it is acknowledged or its task is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nag {
    /// Seconds between two times.
    pub every_seconds: u32,
    /// How often it is told again after the first time.
    pub max: u16,
}

/// What becomes of a reminder that nobody could tell at its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MisfirePolicy {
    /// It is told late, within its grace.
    #[default]
    FireLate,
    /// It is not told.
    Skip,
}

/// What becomes of a reminder that nobody could tell at its time, because the scheduler was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Misfire {
    /// Whether it is told late.
    pub policy: MisfirePolicy,
    /// So many seconds late it is still told, when it is told late at all.
    pub grace_seconds: u32,
}

impl Default for Misfire {
    fn default() -> Self {
        Self {
            policy: MisfirePolicy::FireLate,
            grace_seconds: 86_400,
        }
    }
}

/// How a reminder is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// Also in quiet hours.
    #[serde(default, skip_serializing_if = "is_default")]
    pub urgent: bool,
    /// Whether it insists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nag: Option<Nag>,
    /// What becomes of it when nobody could tell it at its time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub misfire: Misfire,
    /// Whether the next occurrence of its task has it too; without it, unless it has a time of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_over: Option<bool>,
}

impl Terms {
    /// Whether the next occurrence has a reminder with this trigger too.
    pub fn carry_over(&self, trigger: &Trigger) -> bool {
        let is_relative = !matches!(trigger, Trigger::Absolute { .. });
        self.carry_over.unwrap_or(is_relative)
    }
}

/// What its owner says to a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// Tell me then instead.
    Snoozed {
        /// When.
        until: DateTime<Utc>,
    },
    /// Do not tell me.
    Dismissed,
    /// I know.
    Acknowledged,
}

/// What its owner said to a time of a reminder. Once the reminder has another time, it holds no more; that
/// other rules of its zone make another instant of the same time does not end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The time that is answered: that of the trigger.
    pub to: DateTime<Utc>,
    /// What that follows from, when other rules of a zone would make another instant of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall: Option<WallClock>,
    /// What was said.
    pub reply: Reply,
    /// When it was said.
    pub at: DateTime<Utc>,
}

/// What became of the times of a reminder, as reminder-scheduler tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// The newest time that had its turn.
    pub until: DateTime<Utc>,
    /// Whether that one was missed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missed: bool,
    /// How often it fired.
    pub fire_count: u32,
    /// When it fired last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fired_at: Option<DateTime<Utc>>,
    /// How late that was, in milliseconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub late_by_ms: u64,
    /// When it nags next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nag_at: Option<DateTime<Utc>>,
}

/// The wish to be told about a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reminder {
    /// Its identity, kept over edits of the task.
    pub id: ReminderId,
    /// When it fires.
    pub trigger: Trigger,
    /// How it is told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub terms: Terms,
    /// Since when it stands as it does: its time, its answer, and whether its task is open. Without it,
    /// from the beginning of the task. What fires from then on for another time, fires by mistake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// What its owner said to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What became of it so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

impl Reminder {
    /// A reminder on usual terms.
    pub fn new(id: ReminderId, trigger: Trigger) -> Self {
        Self {
            id,
            trigger,
            terms: Terms::default(),
            since: None,
            answer: None,
            told: None,
        }
    }

    /// The wish alone, without what became of it.
    #[must_use]
    pub fn wish(&self) -> Self {
        Self {
            terms: self.terms,
            ..Self::new(self.id, self.trigger.clone())
        }
    }

    /// Whether the next occurrence of its task has it too.
    pub fn carries_over(&self) -> bool {
        self.terms.carry_over(&self.trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_terms_are_not_written_and_others_come_back() {
        for (json, carries_over) in [
            (
                r#"{"id":"00000000-0000-0000-0000-000000000001","trigger":{"type":"absolute","at":{"instant":"2027-01-31T08:00:00Z"}}}"#,
                false,
            ),
            (
                r#"{"id":"00000000-0000-0000-0000-000000000001","trigger":{"type":"time_of_day","to":"due","days_before":1,"at":"09:00"}}"#,
                true,
            ),
            (
                r#"{"id":"00000000-0000-0000-0000-000000000001","trigger":{"type":"time_of_day","to":"start","days_before":0,"at":"23:59","time_zone":"Europe/Berlin"},"terms":{"urgent":true,"nag":{"every_seconds":900,"max":8},"misfire":{"policy":"skip","grace_seconds":60},"carry_over":false}}"#,
                false,
            ),
        ] {
            let reminder: Reminder = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&reminder).unwrap(), json);
            assert_eq!(reminder.carries_over(), carries_over, "{json}");
        }
    }

    #[test]
    fn a_time_of_day_is_written_in_two_numbers_of_two_digits() {
        for text in ["9:00", "24:00", "09:00:00", "09:60", "0900", "09:00Z", ""] {
            assert_eq!(civil::time::parse(text), None, "{text}");
        }
    }
}
