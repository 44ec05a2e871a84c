//! Reminders as callers wish for them.

mod change;
mod terms;
mod trigger;

use clock::Clock;
use event_schema::{ReminderId, Terms, Trigger};
use serde::Deserialize;
use utoipa::ToSchema;

use super::fields::{Expected, Field, Reader, Unknown};
use crate::domain::Fault;
use crate::domain::fields::MAX_REMINDERS;
use crate::domain::task::WantedReminder;
use crate::error::Error;
pub(super) use change::ReminderChange;
pub(super) use terms::policy_name;
use terms::{MisfireInput, NagInput};
use trigger::TriggerInput;

/// The wish to be told about a task.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
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
    /// Whether it is told in quiet hours too; false when absent.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    urgent: Field<bool>,
    /// Whether it is told again until it is acknowledged, dismissed or snoozed, or its task is done.
    #[serde(default)]
    #[schema(value_type = Option<NagInput>)]
    nag: Field<NagInput>,
    /// What becomes of it when nobody could tell it at its time.
    #[serde(default)]
    #[schema(value_type = Option<MisfireInput>)]
    misfire: Field<MisfireInput>,
    /// Whether the next occurrence of a recurring task has it too. When absent, all but absolute ones
    /// are carried over; an absolute one keeps its civil distance from the slot.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    carry_over: Field<bool>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// Members of a reminder that only we say: a caller who sends back what they read is not refused.
pub(super) const SAID_BY_US: [&str; 8] = [
    "state",
    "next_fire_at",
    "snoozed_until",
    "last_fired_at",
    "late_by",
    "fire_count",
    "task_id",
    "version",
];

/// A reminder as it was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) id: Option<ReminderId>,
    pub(super) trigger: Trigger,
    pub(super) terms: Terms,
}

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
        let Some(reminder) = read.and_then(|input| input.read(reader, &pointer)) else {
            continue;
        };
        if sent.iter().any(|known| known.trigger == reminder.trigger) {
            let message = "says the same as a reminder before it";
            reader.fault(Fault::new(pointer, "duplicate", message));
        }
        sent.push(reminder);
    }
    sent
}

impl Expected for ReminderInput {
    const EXPECTED: &'static str = "an object with a trigger";
}

impl ReminderInput {
    /// Reads one that is added, minting its id, or tells all that is wrong.
    pub(super) fn read_new(self, clock: &dyn Clock) -> Result<WantedReminder, Error> {
        let mut reader = Reader::default();
        let sent = self.read(&mut reader, "");
        if sent.as_ref().is_some_and(|sent| sent.id.is_some()) {
            let message = "a new reminder gets its id from us";
            reader.fault(Fault::new("/id", "unknown_reminder", message));
        }
        reader.finish()?;
        let sent =
            sent.ok_or_else(|| Error::Unshowable("a reminder without a trigger".to_owned()))?;
        Ok(WantedReminder {
            id: None,
            minted: ReminderId(clock.new_id()),
            trigger: sent.trigger,
            terms: sent.terms,
        })
    }

    fn read(self, reader: &mut Reader, pointer: &str) -> Option<Sent> {
        let at = |name: &str| format!("{pointer}/{name}");
        reader.unknown_but(pointer, &self.unknown, &SAID_BY_US);
        let id = reader.optional(&at("id"), self.id);
        let id = id.and_then(|text| {
            let parse = |text: &str| text.parse().ok();
            reader.parse(&at("id"), &text, parse, "a UUID")
        });
        let nag = reader.optional(&at("nag"), self.nag);
        let misfire = reader.optional(&at("misfire"), self.misfire);
        let terms = Terms {
            urgent: reader.optional(&at("urgent"), self.urgent).unwrap_or(false),
            nag: nag.and_then(|nag| nag.read(reader, &at("nag"))),
            misfire: misfire
                .map(|misfire| misfire.read(reader, &at("misfire")))
                .unwrap_or_default(),
            carry_over: reader.optional(&at("carry_over"), self.carry_over),
        };
        let trigger = reader.required(&at("trigger"), self.trigger)?;
        let trigger = trigger.read(reader, &at("trigger"))?;
        Some(Sent { id, trigger, terms })
    }
}
