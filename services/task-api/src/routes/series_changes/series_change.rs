//! What a caller wants changed about a series.

use clock::Clock;
use event_schema::Priority;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::Fault;
use crate::domain::fields;
use crate::domain::series::TemplatePatch;
use crate::domain::task::{Edit, WantedReminder};
use crate::error::Error;
use crate::routes::fields::{Expected, Field, Reader, Unknown};
use crate::routes::reminder_input::ReminderInput;
use crate::routes::task_view::PriorityName;
use crate::routes::tasks::new_task::{read_labels, read_title};
use crate::routes::tasks::task_change::{edit_time, read_reminders};
use crate::routes::time_value::TimeInput;

/// A merge patch (RFC 7396) of a series: what is absent stays, null clears.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(as = SeriesPatch, example = json!({"template": {"title": "Pay the rent", "priority": "high"}}))]
pub(in crate::routes) struct SeriesChange {
    /// What every occurrence starts with; cannot be cleared.
    #[serde(default)]
    #[schema(value_type = Option<TemplateChange>)]
    template: Field<TemplateChange>,
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

impl SeriesChange {
    /// Reads everything, minting ids for reminders, or tells all that is wrong.
    pub(super) fn read(self, clock: &dyn Clock) -> Result<TemplatePatch, Error> {
        let mut reader = Reader::default();
        reader.unknown("", &self.unknown);
        let patch = match self.template {
            Field::Absent => TemplatePatch::default(),
            template => {
                let template = reader.required("/template", template).unwrap_or_default();
                reader.inside("/template", |reader| template.read(reader, clock))
            }
        };
        reader.finish()?;
        Ok(patch)
    }
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
