//! A change of a reminder.

use event_schema::{Misfire, Nag, Trigger};
use serde::Deserialize;
use utoipa::ToSchema;

use super::terms::{MisfireInput, NagInput};
use super::trigger::TriggerInput;
use crate::domain::task::{Edit, WantedReminder};
use crate::error::Error;
use crate::routes::fields::{Field, Reader, Unknown};

/// A merge patch (RFC 7396) of a reminder: what is absent stays, null is what is usual.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(as = ReminderPatch, example = json!({"nag": {"every": "PT15M", "max": 8}}))]
pub(in crate::routes) struct ReminderChange {
    /// When it fires; replaced as a whole, and cannot be cleared.
    #[serde(default)]
    #[schema(value_type = Option<TriggerInput>)]
    trigger: Field<TriggerInput>,
    /// Whether it is told in quiet hours too.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    urgent: Field<bool>,
    /// Whether it is told again; replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<NagInput>)]
    nag: Field<NagInput>,
    /// What becomes of it when nobody could tell it at its time; replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<MisfireInput>)]
    misfire: Field<MisfireInput>,
    /// Whether the next occurrence has it too.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    carry_over: Field<bool>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What changes.
#[derive(Clone, Debug)]
pub(in crate::routes) struct ReminderPatch {
    trigger: Edit<Trigger>,
    urgent: Edit<bool>,
    nag: Edit<Option<Nag>>,
    misfire: Edit<Misfire>,
    carry_over: Edit<Option<bool>>,
}

impl ReminderChange {
    /// Reads everything, or tells all that is wrong.
    pub(in crate::routes) fn read(self) -> Result<ReminderPatch, Error> {
        let mut reader = Reader::default();
        let r = &mut reader;
        r.unknown("", &self.unknown);
        let trigger = match self.trigger {
            Field::Absent => Edit::Keep,
            trigger => {
                let trigger = r.required("/trigger", trigger);
                let trigger = trigger.and_then(|trigger| trigger.read(r, "/trigger"));
                trigger.map_or(Edit::Keep, Edit::To)
            }
        };
        let patch = ReminderPatch {
            trigger,
            urgent: match r.edit("/urgent", self.urgent) {
                Edit::Keep => Edit::Keep,
                Edit::To(urgent) => Edit::To(urgent.unwrap_or_default()),
            },
            nag: match r.edit("/nag", self.nag) {
                Edit::Keep => Edit::Keep,
                Edit::To(nag) => Edit::To(nag.and_then(|nag| nag.read(r, "/nag"))),
            },
            misfire: match r.edit("/misfire", self.misfire) {
                Edit::Keep => Edit::Keep,
                Edit::To(misfire) => {
                    let misfire = misfire.map(|misfire| misfire.read(r, "/misfire"));
                    Edit::To(misfire.unwrap_or_default())
                }
            },
            carry_over: r.edit("/carry_over", self.carry_over),
        };
        reader.finish()?;
        Ok(patch)
    }
}

impl ReminderPatch {
    /// Changes a reminder.
    pub(in crate::routes) fn apply(self, reminder: &mut WantedReminder) {
        set(&mut reminder.trigger, self.trigger);
        set(&mut reminder.terms.urgent, self.urgent);
        set(&mut reminder.terms.nag, self.nag);
        set(&mut reminder.terms.misfire, self.misfire);
        set(&mut reminder.terms.carry_over, self.carry_over);
    }
}

fn set<T>(field: &mut T, edit: Edit<T>) {
    if let Edit::To(value) = edit {
        *field = value;
    }
}
