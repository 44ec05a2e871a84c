//! Changing what the occurrences of a series start with.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use event_schema::{
    Generation, Priority, Series, SeriesChanged, SeriesEvent, Task, TaskTemplate, TimeValue,
};

use super::{SeriesError, must_not_have_ended};
use crate::domain::Fault;
use crate::domain::fields;
use crate::domain::task::{Edit, WantedReminder, identified};

/// Where the template stands in a request.
const POINTER: &str = "/template";

/// What a command wants of the fields of a template.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplatePatch {
    /// The `title` of every occurrence.
    pub title: Edit<String>,
    /// The `notes` of every occurrence.
    pub notes: Edit<String>,
    /// The `priority` of every occurrence.
    pub priority: Edit<Priority>,
    /// The `labels` of every occurrence.
    pub labels: Edit<BTreeSet<String>>,
    /// The start beside the series' own.
    pub start: Edit<Option<TimeValue>>,
    /// The deadline beside the series' own start.
    pub deadline: Edit<Option<TimeValue>>,
    /// All relative reminders.
    pub reminders: Edit<Vec<WantedReminder>>,
}

/// What a command wants of a series as it stands: its slots stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesPatch {
    /// What its occurrences start with.
    pub template: TemplatePatch,
    /// When they are made.
    pub generation: Edit<Generation>,
}

impl From<TemplatePatch> for SeriesPatch {
    fn from(template: TemplatePatch) -> Self {
        Self {
            template,
            generation: Edit::Keep,
        }
    }
}

pub(super) fn decide(
    series: &Series,
    patch: SeriesPatch,
    now: DateTime<Utc>,
) -> Result<Vec<SeriesEvent>, SeriesError> {
    must_not_have_ended(series)?;
    let template = patched(&series.template, patch.template).map_err(invalid)?;
    let template = Edit::To(template).of(&series.template);
    let generation = patch.generation.of(&series.generation);
    if template.is_none() && generation.is_none() {
        return Ok(Vec::new());
    }
    let faults = template.iter().flat_map(|new| check(series, &new.to));
    let faults: Vec<Fault> = faults.collect();
    if !faults.is_empty() {
        return Err(invalid(faults));
    }
    Ok(vec![SeriesEvent::Changed(Box::new(SeriesChanged {
        template,
        generation,
        updated_at: now,
        ..SeriesChanged::default()
    }))])
}

/// The template with a patch applied.
pub(in crate::domain) fn patched(
    template: &TaskTemplate,
    patch: TemplatePatch,
) -> Result<TaskTemplate, Vec<Fault>> {
    let reminders = match patch.reminders {
        Edit::Keep => template.reminders.clone(),
        Edit::To(wanted) => identified(&template.reminders, wanted)?,
    };
    Ok(TaskTemplate {
        title: patch.title.or(&template.title),
        notes: patch.notes.or(&template.notes),
        priority: patch.priority.or(&template.priority),
        labels: patch.labels.or(&template.labels),
        start: patch.start.or(&template.start),
        deadline: patch.deadline.or(&template.deadline),
        reminders,
    })
}

/// The rules between fields, held by the task that would be due at the series' own start.
pub(in crate::domain) fn check(series: &Series, template: &TaskTemplate) -> Vec<Fault> {
    fields::check(&Task {
        start: template.start.clone(),
        due: Some(series.start.clone()),
        deadline: template.deadline.clone(),
        reminders: template.reminders.clone(),
        ..Task::new(
            uuid::Uuid::nil().into(),
            series.owner_id,
            "",
            series.created_by,
            series.created_at,
        )
    })
}

fn invalid(faults: Vec<Fault>) -> SeriesError {
    let inside = |fault: Fault| Fault {
        pointer: format!("{POINTER}{}", fault.pointer),
        ..fault
    };
    SeriesError::Invalid(faults.into_iter().map(inside).collect())
}

#[cfg(test)]
mod tests {
    use event_schema::{Anchor, ReminderId, Terms, Trigger};
    use uuid::Uuid;

    use super::*;
    use crate::domain::occurrence::fixtures::{self, date, now};
    use crate::domain::series::evolve;

    fn series() -> Series {
        fixtures::series("FREQ=MONTHLY", date("2027-01-31"))
    }

    fn relative(to: Anchor) -> Edit<Vec<WantedReminder>> {
        Edit::To(vec![WantedReminder {
            id: None,
            minted: ReminderId(Uuid::from_u128(77)),
            trigger: Trigger::Relative {
                to,
                offset_seconds: -120,
            },
            terms: Terms::default(),
        }])
    }

    #[test]
    fn what_is_not_named_stays_and_nothing_changed_is_no_event() {
        let patch = TemplatePatch {
            title: Edit::To("Pay the rent".to_owned()),
            ..TemplatePatch::default()
        };
        let mut wanted = series();
        wanted.template.reminders.clear();
        let given = wanted.clone();
        wanted.template.title = "Pay the rent".to_owned();

        let events = decide(&given, patch.clone().into(), now()).unwrap();

        assert_eq!(evolve(Some(given), &events[0]), Some(wanted.clone()));
        assert_eq!(decide(&wanted, patch.into(), now()), Ok(vec![]));
    }

    #[test]
    fn a_reminder_needs_what_it_counts_from() {
        let given = series();
        for (anchor, code) in [
            (Anchor::Due, "anchor_without_time"),
            (Anchor::Start, "anchor_without_time"),
        ] {
            let patch = TemplatePatch {
                reminders: relative(anchor),
                ..TemplatePatch::default()
            };
            let Err(SeriesError::Invalid(faults)) = decide(&given, patch.into(), now()) else {
                panic!("it was accepted");
            };
            assert_eq!(faults[0].code, code);
            assert!(
                faults[0].pointer.starts_with("/template/reminders/0"),
                "{faults:?}"
            );
        }
    }
}
