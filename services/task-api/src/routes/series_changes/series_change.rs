//! What a caller wants changed about a series.

use chrono::NaiveDate;
use clock::Clock;
use event_schema::{Priority, Series, TimeValue};
use recurrence::Slot;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::Fault;
use crate::domain::fields;
use crate::domain::occurrence::SeriesEdit;
use crate::domain::series::{SeriesPatch, TemplatePatch};
use crate::domain::task::{Edit, WantedReminder};
use crate::error::Error;
use crate::routes::fields::{Expected, Field, Reader, Unknown};
use crate::routes::recurrence_input::RecurrenceInput;
use crate::routes::reminder_input::ReminderInput;
use crate::routes::task_view::PriorityName;
use crate::routes::tasks::new_task::{read_labels, read_title};
use crate::routes::tasks::task_change::{edit_time, read_reminders};
use crate::routes::time_value::{Allowed, TimeInput};

/// A merge patch (RFC 7396) of a series: what is absent stays, null clears.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(as = SeriesPatch, example = json!({"template": {"title": "Pay the rent", "priority": "high"}}))]
pub(in crate::routes) struct SeriesChange {
    /// What every occurrence starts with; cannot be cleared.
    #[serde(default)]
    #[schema(value_type = Option<TemplateChange>)]
    template: Field<TemplateChange>,
    /// When occurrences are made changes in place; any other member is another rule, with which another
    /// series goes on. Cannot be cleared.
    #[serde(default)]
    #[schema(value_type = Option<RecurrenceInput>)]
    recurrence: Field<RecurrenceInput>,
    /// What the rule counts from: another one begins another series. Cannot be cleared.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    start: Field<TimeInput>,
    /// The day, or the slot, from which on another series goes on with all of this: after what is
    /// finished, and no later than the first slot without a task. When absent, all that is open is meant,
    /// or else that slot.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2027-02-28")]
    effective_from: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// A merge patch of what every occurrence starts with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = TaskTemplatePatch)]
struct TemplateChange {
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
    /// The start beside the series' own; occurrences keep its distance in days.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    start: Field<TimeInput>,
    /// The deadline beside the series' own start; occurrences keep its distance in days.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    deadline: Field<TimeInput>,
    /// All reminders: at most 20, those that are carried over only.
    #[serde(default)]
    #[schema(value_type = Option<Vec<ReminderInput>>, max_items = 20)]
    reminders: Field<Vec<Field<ReminderInput>>>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Expected for TemplateChange {
    const EXPECTED: &'static str = "an object";
}

/// What a change asks for.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// The series stays, with the same slots.
    Stays(Box<SeriesPatch>),
    /// Another one goes on.
    GoesOn(Box<GoesOn>),
}

/// With what another series goes on.
#[derive(Clone, Debug)]
pub(super) struct GoesOn {
    /// What is different about it; `due` is its start.
    pub(super) edit: SeriesEdit,
    /// From which day on.
    pub(super) from: Option<NaiveDate>,
}

impl SeriesChange {
    /// Reads everything, minting ids for reminders, or tells all that is wrong.
    pub(super) fn read(self, clock: &dyn Clock, series: &Series) -> Result<Wanted, Error> {
        let mut reader = Reader::default();
        let r = &mut reader;
        r.unknown("", &self.unknown);
        let template = read_template(r, self.template, clock);
        let start = read_start(r, self.start).filter(|start| *start != series.start);
        let recurrence = match self.recurrence {
            Field::Absent => None,
            recurrence => r.required("/recurrence", recurrence),
        };
        let patch = recurrence.map(|input| input.over(r, "/recurrence", series));
        let (rule, generation) = patch.map_or((None, None), |patch| {
            (
                patch.rule,
                Some(patch.generation).filter(|new| *new != series.generation),
            )
        });
        if let Some(rule) = &rule {
            rule.schedule(r, start.as_ref().unwrap_or(&series.start));
        }
        let from = r.optional("/effective_from", self.effective_from);
        let expected = "a day or a slot such as 2027-01-31 or 2027-01-31T09:00";
        let from = from.and_then(|text| r.parse("/effective_from", &text, day, expected));
        let goes_on = from.is_some() || start.is_some() || rule.is_some();
        let wanted = if goes_on {
            Wanted::GoesOn(Box::new(GoesOn {
                from,
                edit: SeriesEdit {
                    template,
                    due: start,
                    recurrence: rule.map(|rule| (rule.recurrence.clone(), rule.skipped())),
                    generation,
                },
            }))
        } else {
            let generation = generation.map_or(Edit::Keep, Edit::To);
            Wanted::Stays(Box::new(SeriesPatch {
                template,
                generation,
            }))
        };
        check_says_something(r, &wanted);
        reader.finish()?;
        Ok(wanted)
    }
}

/// From when alone, without what, is a mistake.
fn check_says_something(reader: &mut Reader, wanted: &Wanted) {
    let Wanted::GoesOn(wanted) = wanted else {
        return;
    };
    if wanted.edit == SeriesEdit::default() && !reader.is_wrong("") {
        let message = "is from when something changes: send recurrence, start or template with it";
        reader.fault(Fault::new("/effective_from", "nothing_to_change", message));
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok().map(Slot::date)
}

fn read_start(reader: &mut Reader, field: Field<TimeInput>) -> Option<TimeValue> {
    if matches!(field, Field::Absent) {
        return None;
    }
    let start = reader.required("/start", field)?;
    start.read(reader, "/start", Allowed::Civil)
}

fn read_template(
    reader: &mut Reader,
    field: Field<TemplateChange>,
    clock: &dyn Clock,
) -> TemplatePatch {
    if matches!(field, Field::Absent) {
        return TemplatePatch::default();
    }
    let template = reader.required("/template", field).unwrap_or_default();
    reader.inside("/template", |reader| template.read(reader, clock))
}

impl TemplateChange {
    fn read(self, r: &mut Reader, clock: &dyn Clock) -> TemplatePatch {
        r.unknown("", &self.unknown);
        TemplatePatch {
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
            deadline: edit_time(r, "/deadline", self.deadline),
            reminders: match r.edit("/reminders", self.reminders) {
                Edit::Keep => Edit::Keep,
                Edit::To(list) => {
                    let wanted = read_reminders(r, list.unwrap_or_default(), clock);
                    check_carried_over(r, &wanted);
                    Edit::To(wanted)
                }
            },
        }
    }
}

/// What is not carried over belongs to one occurrence only.
fn check_carried_over(reader: &mut Reader, wanted: &[WantedReminder]) {
    for (index, reminder) in wanted.iter().enumerate() {
        if !reminder.terms.carry_over(&reminder.trigger) {
            let pointer = format!("/reminders/{index}/trigger/type");
            let message = "must be relative or carried over: this one belongs to one occurrence";
            reader.fault(Fault::new(pointer, "not_in_a_series", message));
        }
    }
}
