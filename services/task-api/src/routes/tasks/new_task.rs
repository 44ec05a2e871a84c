//! What a caller says about a task to be created.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clock::Clock;
use event_schema::{
    Actor, Priority, Reminder, ReminderId, Series, SeriesId, Task, TaskId, TaskTemplate, TimeValue,
    UserId,
};
use recurrence::Schedule;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::occurrence::{self, Turn};
use crate::domain::{Fault, fields};
use crate::error::Error;
use crate::routes::fields::{Field, Reader, Unknown};
use crate::routes::recurrence_input::{RecurrenceInput, RecurrenceRead};
use crate::routes::reminder_input::{self, ReminderInput};
use crate::routes::task_view::PriorityName;
use crate::routes::time_value::{Allowed, TimeInput};

/// A task to be created.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({
    "title": "Pay rent",
    "due": {"local": "2027-01-31T09:00", "time_zone": "Europe/Berlin"},
    "recurrence": {"rrule": "FREQ=MONTHLY"},
    "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-PT30M"}}]
}))]
pub(in crate::routes) struct NewTask {
    /// A UUIDv7 of the caller's, for use while offline; not together with `recurrence`.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub(super) id: Field<String>,
    /// 1 to 500 characters.
    #[serde(default)]
    #[schema(value_type = String, required = true, min_length = 1, max_length = 500)]
    pub(super) title: Field<String>,
    /// Markdown, up to 64 KiB.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) notes: Field<String>,
    /// How much it matters.
    #[serde(default)]
    #[schema(value_type = Option<PriorityName>)]
    pub(super) priority: Field<Priority>,
    /// At most 50, each of 1 to 60 characters.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    pub(super) labels: Field<Vec<Field<String>>>,
    /// When work may begin.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    pub(super) start: Field<TimeInput>,
    /// When it should be done; required with `recurrence`, and moved to the first slot of the rule.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    pub(super) due: Field<TimeInput>,
    /// The last acceptable moment, apart from due.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    pub(super) deadline: Field<TimeInput>,
    /// The task it is a part of; at most 5 levels.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub(super) parent_id: Field<String>,
    /// At most 20, each with another trigger, without ids.
    #[serde(default)]
    #[schema(value_type = Option<Vec<ReminderInput>>, max_items = 20)]
    pub(super) reminders: Field<Vec<Field<ReminderInput>>>,
    /// Starts a series, of which the task is the first occurrence.
    #[serde(default)]
    #[schema(value_type = Option<RecurrenceInput>)]
    pub(super) recurrence: Field<RecurrenceInput>,
    #[serde(flatten)]
    #[schema(ignore)]
    pub(super) unknown: Unknown,
}

/// What shall be created together.
#[derive(Clone, Debug)]
pub(in crate::routes) struct Creation {
    pub(in crate::routes) task: Task,
    pub(in crate::routes) series: Option<Series>,
}

impl Creation {
    /// The same at the time of the command.
    pub(in crate::routes) fn at(&self, now: DateTime<Utc>) -> Self {
        let mut creation = self.clone();
        creation.task.created_at = now;
        creation.task.updated_at = now;
        if let Some(series) = &mut creation.series {
            series.created_at = now;
            series.updated_at = now;
        }
        creation
    }
}

impl Creation {
    /// Reads its dates and floating times in a zone.
    pub(super) fn read_in(&mut self, home_zone: Option<String>) {
        self.task.home_zone.clone_from(&home_zone);
        if let Some(series) = &mut self.series {
            series.home_zone = home_zone;
        }
    }
}

impl NewTask {
    /// Reads everything, minting the ids that are not given, or tells all that is wrong.
    pub(super) fn read(self, owner: UserId, clock: &dyn Clock) -> Result<Creation, Error> {
        let mut reader = Reader::default();
        reader.unknown("", &self.unknown);
        let now = clock.now();
        let id = reader.optional("/id", self.id);
        let id = id.and_then(|text| reader.parse("/id", &text, uuid_v7, "a UUIDv7"));
        let parent = reader.optional("/parent_id", self.parent_id);
        let task_id = TaskId(id.unwrap_or_else(|| clock.new_id()));
        let mut task = Task::new(task_id, owner, "", Actor::User(owner), now);
        task.title = read_title(&mut reader, self.title);
        task.notes = read_notes(&mut reader, self.notes);
        task.priority = reader
            .optional("/priority", self.priority)
            .unwrap_or_default();
        task.labels = read_labels(&mut reader, self.labels);
        task.start = read_time(&mut reader, "/start", self.start);
        task.due = read_time(&mut reader, "/due", self.due);
        task.deadline = read_time(&mut reader, "/deadline", self.deadline);
        task.parent_id = parent.and_then(|text| read_id(&mut reader, "/parent_id", &text));
        task.reminders = read_reminders(&mut reader, self.reminders, clock);
        let recurrence = reader.optional("/recurrence", self.recurrence);
        let recurrence = recurrence.and_then(|input| input.read(&mut reader, "/recurrence"));
        check(&mut reader, &task);
        let series = recurrence.and_then(|recurrence| {
            if id.is_some() {
                let message = "an occurrence has the id of its slot: leave it out";
                reader.fault(Fault::new("/id", "not_with_recurrence", message));
            }
            series(&mut reader, &task, recurrence, clock)
        });
        reader.finish()?;
        Ok(match series {
            None => Creation { task, series: None },
            Some((series, first)) => Creation {
                task: first_occurrence(&series, first, &task),
                series: Some(series),
            },
        })
    }
}

pub(in crate::routes) fn read_title(reader: &mut Reader, field: Field<String>) -> String {
    let title = reader.required("/title", field);
    let title = title.and_then(|title| reader.check(fields::title("/title", &title)));
    title.unwrap_or_default()
}

pub(in crate::routes) fn read_notes(reader: &mut Reader, field: Field<String>) -> String {
    let notes = reader.optional("/notes", field);
    let notes = notes.and_then(|notes| reader.check(fields::notes("/notes", notes)));
    notes.unwrap_or_default()
}

pub(in crate::routes) fn read_labels(
    reader: &mut Reader,
    field: Field<Vec<Field<String>>>,
) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    let list = reader.optional("/labels", field).unwrap_or_default();
    for (index, label) in list.into_iter().enumerate() {
        let pointer = format!("/labels/{index}");
        let label = reader.required(&pointer, label);
        labels.extend(label.and_then(|label| reader.check(fields::label(&pointer, &label))));
    }
    let labels = reader.check(fields::labels("/labels", labels));
    labels.unwrap_or_default()
}

pub(in crate::routes) fn read_time(
    reader: &mut Reader,
    pointer: &str,
    field: Field<TimeInput>,
) -> Option<TimeValue> {
    let input = reader.optional(pointer, field)?;
    input.read(reader, pointer, Allowed::Civil)
}

pub(in crate::routes) fn read_id(reader: &mut Reader, pointer: &str, text: &str) -> Option<TaskId> {
    reader.parse(pointer, text, |text| text.parse().ok(), "a UUID")
}

fn read_reminders(
    reader: &mut Reader,
    field: Field<Vec<Field<ReminderInput>>>,
    clock: &dyn Clock,
) -> Vec<Reminder> {
    let list = reader.optional("/reminders", field).unwrap_or_default();
    let sent = reminder_input::read_all(reader, "/reminders", list);
    let mut read = Vec::new();
    for (index, reminder) in sent.into_iter().enumerate() {
        if reminder.id.is_some() {
            let message = "a new task's reminders get their ids from us";
            reader.fault(Fault::new(
                format!("/reminders/{index}/id"),
                "unknown_reminder",
                message,
            ));
        }
        read.push(Reminder {
            terms: reminder.terms,
            ..Reminder::new(ReminderId(clock.new_id()), reminder.trigger)
        });
    }
    read
}

/// The rules between fields, unless one of them could not be read and has been told already.
fn check(reader: &mut Reader, task: &Task) {
    let is_readable = |reader: &Reader| {
        ["/due", "/start", "/deadline", "/reminders"]
            .iter()
            .all(|pointer| !reader.is_wrong(pointer))
    };
    if is_readable(reader) {
        for fault in fields::check(task) {
            reader.fault(fault);
        }
    }
}

/// The series that begins with a task, and its first slot.
fn series(
    reader: &mut Reader,
    task: &Task,
    read: RecurrenceRead,
    clock: &dyn Clock,
) -> Option<(Series, Turn)> {
    let Some(start) = task.due.clone() else {
        if !reader.is_wrong("/due") {
            reader.fault(fields::needs_date());
        }
        return None;
    };
    let schedule = read.schedule(reader, &start)?;
    let first = first_turn(reader, &schedule)?;
    let template = TaskTemplate {
        title: task.title.clone(),
        notes: task.notes.clone(),
        priority: task.priority,
        labels: task.labels.clone(),
        start: task.start.clone(),
        deadline: task.deadline.clone(),
        reminders: carried_over(task).cloned().collect(),
    };
    let series = Series {
        exceptions: read.skipped(),
        generation: read.generation.unwrap_or_default(),
        ..Series::new(
            SeriesId(clock.new_id()),
            task.created_by,
            task.owner_id,
            (read.recurrence, start),
            template,
            task.created_at,
        )
    };
    Some((series, first))
}

fn first_turn(reader: &mut Reader, schedule: &Schedule) -> Option<Turn> {
    let Some(first) = schedule.first() else {
        let message = "ends before its first occurrence";
        reader.fault(Fault::new("/recurrence/rrule", "never_occurs", message));
        return None;
    };
    Some(Turn {
        slot: first.slot,
        index: first.index,
        missed_count: 0,
    })
}

fn carried_over(task: &Task) -> impl Iterator<Item = &Reminder> {
    task.reminders
        .iter()
        .filter(|reminder| reminder.carries_over())
}

/// The first occurrence is that of the template, and has what is not carried over for itself.
fn first_occurrence(series: &Series, first: Turn, asked: &Task) -> Task {
    let by = asked.created_by;
    let mut task = occurrence::task_of(series, first, asked.parent_id, by, asked.created_at);
    let own = asked.reminders.iter().filter(|own| !own.carries_over());
    task.reminders.extend(own.cloned());
    task
}

fn uuid_v7(text: &str) -> Option<Uuid> {
    let id = Uuid::parse_str(text).ok()?;
    (id.get_version_num() == 7).then_some(id)
}
