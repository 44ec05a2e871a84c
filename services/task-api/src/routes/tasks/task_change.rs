//! What a caller wants changed about a task.

use clock::Clock;
use event_schema::{Priority, ReminderId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::new_task::{read_id, read_labels, read_title};
use crate::domain::occurrence::SeriesEdit;
use crate::domain::task::{Edit, TaskPatch, WantedReminder};
use crate::domain::{Fault, fields};
use crate::error::Error;
use crate::routes::fields::{Field, Reader, Unknown};
use crate::routes::recurrence_input::{RecurrenceInput, RecurrenceRead};
use crate::routes::reminder_input::{self, ReminderInput};
use crate::routes::scope::Scope;
use crate::routes::task_view::PriorityName;
use crate::routes::time_value::{Allowed, TimeInput};

/// A merge patch (RFC 7396) of a task: what is absent stays, null clears.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(as = TaskPatch, example = json!({"title": "Pay the rent and the garage", "priority": "high", "due": null}))]
pub(in crate::routes) struct TaskChange {
    /// 1 to 500 characters; cannot be cleared.
    #[serde(default)]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 500)]
    title: Field<String>,
    /// Markdown, up to 64 KiB.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    notes: Field<String>,
    /// How much it matters.
    #[serde(default)]
    #[schema(value_type = Option<PriorityName>)]
    priority: Field<Priority>,
    /// All labels: at most 50, each of 1 to 60 characters.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    labels: Field<Vec<Field<String>>>,
    /// When work may begin; replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    start: Field<TimeInput>,
    /// When it should be done; replaced as a whole. Of a recurring task it cannot be cleared, and
    /// moves this occurrence only.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    due: Field<TimeInput>,
    /// The last acceptable moment; replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    deadline: Field<TimeInput>,
    /// The task it is a part of; at most 5 levels.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    parent_id: Field<String>,
    /// All reminders: at most 20. One with the id, or the trigger, of a present one keeps its identity.
    #[serde(default)]
    #[schema(value_type = Option<Vec<ReminderInput>>, max_items = 20)]
    reminders: Field<Vec<Field<ReminderInput>>>,
    /// Another rule for this and the later occurrences, with `scope=future` or `series`.
    #[serde(default)]
    #[schema(value_type = Option<RecurrenceInput>)]
    recurrence: Field<RecurrenceInput>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

impl TaskChange {
    /// Reads everything, minting ids for reminders, or tells all that is wrong.
    pub(super) fn read(
        self,
        clock: &dyn Clock,
        scope: Option<Scope>,
    ) -> Result<(TaskPatch, SeriesEdit), Error> {
        let mut reader = Reader::default();
        let r = &mut reader;
        r.unknown("", &self.unknown);
        let recurrence = read_recurrence(r, self.recurrence, scope);
        let patch = TaskPatch {
            title: match self.title {
                Field::Absent => Edit::Keep,
                title => Edit::To(read_title(r, title)),
            },
            notes: match r.edit("/notes", self.notes) {
                Edit::Keep => Edit::Keep,
                Edit::To(notes) => {
                    let notes = notes.unwrap_or_default();
                    Edit::To(r.check(fields::notes("/notes", notes)).unwrap_or_default())
                }
            },
            priority: match r.edit("/priority", self.priority) {
                Edit::Keep => Edit::Keep,
                Edit::To(priority) => Edit::To(priority.unwrap_or_default()),
            },
            labels: match self.labels {
                Field::Absent => Edit::Keep,
                labels => Edit::To(read_labels(r, labels)),
            },
            start: edit_time(r, "/start", self.start),
            due: edit_time(r, "/due", self.due),
            deadline: edit_time(r, "/deadline", self.deadline),
            parent_id: match r.edit("/parent_id", self.parent_id) {
                Edit::Keep => Edit::Keep,
                Edit::To(id) => Edit::To(id.and_then(|text| read_id(r, "/parent_id", &text))),
            },
            reminders: match r.edit("/reminders", self.reminders) {
                Edit::Keep => Edit::Keep,
                Edit::To(list) => Edit::To(read_reminders(r, list.unwrap_or_default(), clock)),
            },
        };
        reader.finish()?;
        let series = SeriesEdit {
            generation: recurrence.as_ref().and_then(|read| read.generation),
            recurrence: recurrence.map(|read| (read.recurrence.clone(), read.skipped())),
            ..SeriesEdit::default()
        };
        Ok((patch, series))
    }
}

fn read_recurrence(
    reader: &mut Reader,
    field: Field<RecurrenceInput>,
    scope: Option<Scope>,
) -> Option<RecurrenceRead> {
    let input = match reader.edit("/recurrence", field) {
        Edit::Keep => return None,
        Edit::To(input) => input,
    };
    let refusal = match (scope, &input) {
        (None | Some(Scope::This), _) => {
            "belongs to a series: send it with scope=future or series, or create a recurring task"
        }
        (Some(_), None) => "cannot be cleared: end the series, and it makes no further occurrence",
        (Some(_), Some(_)) => "",
    };
    if !refusal.is_empty() {
        reader.fault(Fault::new("/recurrence", "wrong_scope", refusal));
        return None;
    }
    input?.read(reader, "/recurrence")
}

pub(in crate::routes) fn edit_time(
    reader: &mut Reader,
    pointer: &str,
    field: Field<TimeInput>,
) -> Edit<Option<event_schema::TimeValue>> {
    match reader.edit(pointer, field) {
        Edit::Keep => Edit::Keep,
        Edit::To(input) => {
            Edit::To(input.and_then(|input| input.read(reader, pointer, Allowed::Civil)))
        }
    }
}

pub(in crate::routes) fn read_reminders(
    reader: &mut Reader,
    list: Vec<Field<ReminderInput>>,
    clock: &dyn Clock,
) -> Vec<WantedReminder> {
    let sent = reminder_input::read_all(reader, "/reminders", list);
    let wanted = sent.into_iter().map(|sent| WantedReminder {
        id: sent.id,
        minted: ReminderId(clock.new_id()),
        trigger: sent.trigger,
        terms: sent.terms,
    });
    wanted.collect()
}
