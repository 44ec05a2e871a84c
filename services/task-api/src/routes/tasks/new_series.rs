//! What a caller says about a series to be created.

use clock::Clock;
use event_schema::{Priority, Reminder, UserId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::new_task::{Creation, NewTask};
use crate::domain::Fault;
use crate::error::Error;
use crate::routes::fields::{Expected, Field, Reader, Unknown};
use crate::routes::recurrence_input::RecurrenceInput;
use crate::routes::reminder_input::ReminderInput;
use crate::routes::task_view::PriorityName;
use crate::routes::time_value::TimeInput;

/// A series to be created, with its first occurrence.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({
    "start": {"local": "2027-01-31T09:00", "time_zone": "Europe/Berlin"},
    "recurrence": {"rrule": "FREQ=MONTHLY"},
    "template": {"title": "Pay rent"}
}))]
pub(in crate::routes) struct NewSeries {
    /// What the rule counts from: a date or a local time.
    #[serde(default)]
    #[schema(value_type = TimeInput, required = true)]
    start: Field<TimeInput>,
    /// How it repeats.
    #[serde(default)]
    #[schema(value_type = RecurrenceInput, required = true)]
    recurrence: Field<RecurrenceInput>,
    /// What every occurrence starts with.
    #[serde(default)]
    #[schema(value_type = NewTemplate, required = true)]
    template: Field<NewTemplate>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What every occurrence of a new series starts with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
struct NewTemplate {
    /// 1 to 500 characters.
    #[serde(default)]
    #[schema(value_type = String, required = true, min_length = 1, max_length = 500)]
    title: Field<String>,
    /// Markdown, up to 64 KiB.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    notes: Field<String>,
    /// How much it matters.
    #[serde(default)]
    #[schema(value_type = Option<PriorityName>)]
    priority: Field<Priority>,
    /// At most 50, each of 1 to 60 characters.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    labels: Field<Vec<Field<String>>>,
    /// The start beside the series' own; occurrences keep its distance in days.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    start: Field<TimeInput>,
    /// The deadline beside the series' own start; occurrences keep its distance in days.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    deadline: Field<TimeInput>,
    /// At most 20, relative, each with another trigger, without ids.
    #[serde(default)]
    #[schema(value_type = Option<Vec<ReminderInput>>, max_items = 20)]
    reminders: Field<Vec<Field<ReminderInput>>>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Expected for NewTemplate {
    const EXPECTED: &'static str = "an object with a title";
}

impl NewSeries {
    /// Reads it as the recurring task that it begins with, and tells what is wrong where it was written.
    pub(in crate::routes) fn read(
        self,
        owner: UserId,
        clock: &dyn Clock,
    ) -> Result<Creation, Error> {
        let mut reader = Reader::default();
        reader.unknown("", &self.unknown);
        let template = reader.required("/template", self.template);
        for (pointer, is_there) in [
            ("/start", !matches!(self.start, Field::Absent | Field::Null)),
            (
                "/recurrence",
                !matches!(self.recurrence, Field::Absent | Field::Null),
            ),
        ] {
            if !is_there {
                reader.fault(Fault::new(pointer, "missing", "is required"));
            }
        }
        let template = template.unwrap_or_default();
        reader.unknown("/template", &template.unknown);
        let task = NewTask {
            title: template.title,
            notes: template.notes,
            priority: template.priority,
            labels: template.labels,
            start: template.start,
            deadline: template.deadline,
            reminders: template.reminders,
            due: self.start,
            recurrence: self.recurrence,
            ..NewTask::default()
        };
        reader.finish()?;
        let creation = task.read(owner, clock).map_err(of_series)?;
        check_carried_over(&creation.task.reminders)?;
        Ok(creation)
    }
}

/// The faults of the recurring task, where they stand in a series.
pub(in crate::routes) fn of_series(error: Error) -> Error {
    let Error::Invalid(faults) = error else {
        return error;
    };
    let place = |pointer: String| match pointer.strip_prefix("/due") {
        Some(rest) => format!("/start{rest}"),
        None if pointer.starts_with("/recurrence") || pointer == "/effective_from" => pointer,
        None => format!("/template{pointer}"),
    };
    let faults = faults.into_iter().map(|fault| Fault {
        pointer: place(fault.pointer),
        ..fault
    });
    Error::Invalid(faults.collect())
}

/// What is not carried over belongs to one occurrence only.
fn check_carried_over(reminders: &[Reminder]) -> Result<(), Error> {
    let is_own = |reminder: &Reminder| !reminder.carries_over();
    let Some(index) = reminders.iter().position(is_own) else {
        return Ok(());
    };
    let message = "must be relative or carried over: this one belongs to one occurrence";
    let pointer = format!("/template/reminders/{index}/trigger/type");
    Err(Error::Invalid(vec![Fault::new(
        pointer,
        "not_in_a_series",
        message,
    )]))
}
