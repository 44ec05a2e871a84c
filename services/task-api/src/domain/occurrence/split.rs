//! From this occurrence on: the series that goes on where another one ends.

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::{
    Actor, Generation, Recurrence, Reminder, Series, SeriesException, SeriesId, TaskTemplate,
    TimeValue,
};
use recurrence::{Rule, Slot};
use slots::{Plan, PlanError, Turn, slot_of};

use super::{due_of, shifted};
use crate::domain::series::{TemplatePatch, check, patched};
use crate::domain::task::WantedReminder;
use crate::domain::{Fault, time};

/// What is wanted from an occurrence on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesEdit {
    /// What occurrences start with; its times stand beside the due of this occurrence.
    pub template: TemplatePatch,
    /// The due of this occurrence, and so the time of the later ones.
    pub due: Option<TimeValue>,
    /// Another rule, and the slots that it leaves out.
    pub recurrence: Option<(Recurrence, Vec<SeriesException>)>,
    /// When occurrences are made from now on.
    pub generation: Option<Generation>,
}

/// A series that goes on from another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The new series.
    pub series: Series,
    /// Its first occurrence.
    pub first: Turn,
}

/// Makes the series that goes on from the occurrence `at`.
///
/// With the same rule on the same day it counts on from the old start, so that the rhythm, the day of
/// the month and `COUNT` are as they were. Otherwise it begins anew with this occurrence, and `COUNT`
/// has what the old one left of it.
pub fn split(
    old: &Series,
    at: Turn,
    edit: SeriesEdit,
    id: SeriesId,
    by: Actor,
    now: DateTime<Utc>,
) -> Result<Split, Vec<Fault>> {
    let due = edit.due.unwrap_or_else(|| due_of(at.slot, &old.start));
    let slot = slot_of(&due)
        .ok_or_else(|| vec![Fault::new("/due", "invalid_value", "has no local time")])?;
    // What leads over to a series is none of its slots.
    let begins = old.begins_after.as_ref();
    let leads_over = begins.is_some_and(|begins| begins.slot == at.slot.to_string());
    let goes_on = edit.recurrence.is_none() && slot.date() == at.slot.date() && !leads_over;
    let (start, recurrence, exceptions) = if goes_on {
        let start = at_time_of(&old.start, &due).unwrap_or_else(|| due.clone());
        (
            start,
            old.recurrence.clone(),
            later_exceptions(old, at.slot, slot),
        )
    } else {
        let index = if leads_over { 1 } else { at.index };
        let kept = || (shortened(&old.recurrence, index), Vec::new());
        let (recurrence, exceptions) = edit.recurrence.clone().unwrap_or_else(kept);
        (due.clone(), recurrence, exceptions)
    };
    let template = template(old, &start, slot, edit.template)?;
    let mut series = Series {
        home_zone: old.home_zone.clone(),
        generation: edit.generation.unwrap_or(old.generation),
        exceptions,
        previous_series_id: Some(old.id),
        ..Series::new(
            id,
            by,
            old.owner_id,
            (recurrence, start),
            old.template.clone(),
            now,
        )
    };
    let faults = check(&series, &template);
    if !faults.is_empty() {
        return Err(faults);
    }
    series.template = template;
    let first = if goes_on {
        Plan::of_series(&series).map_err(|error| vec![fault(&error)])?;
        Turn { slot, ..at }
    } else {
        first_of(&series, slot, edit.recurrence.is_none())?
    };
    Ok(Split { series, first })
}

/// The first slot. One that is not the wanted due needs a rule that says so.
fn first_of(series: &Series, due: Slot, is_old_rule: bool) -> Result<Turn, Vec<Fault>> {
    let plan = Plan::of_series(series).map_err(|error| vec![fault(&error)])?;
    let Some(first) = plan.schedule().first() else {
        let message = "ends before its first occurrence";
        return Err(vec![Fault::new("/recurrence", "never_occurs", message)]);
    };
    if is_old_rule && first.slot != due {
        let message =
            "is not on the rule: send a recurrence that has it, or move this occurrence alone";
        return Err(vec![Fault::new("/due", "not_on_the_rule", message)]);
    }
    Ok(Turn {
        slot: first.slot,
        index: first.index,
        missed_count: 0,
    })
}

/// The old start at the time of day and in the zone of a due.
fn at_time_of(start: &TimeValue, due: &TimeValue) -> Option<TimeValue> {
    let days = (slot_of(start)?.date() - slot_of(due)?.date()).num_days();
    time::shifted(due, days)
}

/// The template beside the new start; the patch stands beside the due.
pub(super) fn template(
    old: &Series,
    start: &TimeValue,
    due: Slot,
    patch: TemplatePatch,
) -> Result<TaskTemplate, Vec<Fault>> {
    let date_of = |value: &TimeValue| slot_of(value).map(Slot::date);
    let days = |to: Option<chrono::NaiveDate>, from: Option<chrono::NaiveDate>| {
        let delta = to.zip(from).map(|(to, from)| to - from);
        delta.map_or(0, |delta: TimeDelta| delta.num_days())
    };
    let beside = |value: &Option<TimeValue>, days| {
        value.as_ref().and_then(|value| time::shifted(value, days))
    };
    let moved = days(date_of(start), date_of(&old.start));
    let base = TaskTemplate {
        start: beside(&old.template.start, moved),
        deadline: beside(&old.template.deadline, moved),
        reminders: beside_all(&old.template.reminders, start, moved),
        ..old.template.clone()
    };
    let back = days(date_of(start), Some(due.date()));
    let patch = TemplatePatch {
        start: patch.start.map(|start| beside(&start, back)),
        deadline: patch.deadline.map(|deadline| beside(&deadline, back)),
        reminders: patch.reminders.map(|wanted| {
            let zone = time::zone_of(start);
            let moved = wanted.into_iter().filter_map(|one| {
                let trigger = shifted(&one.trigger, back, zone)?;
                Some(WantedReminder { trigger, ..one })
            });
            moved.collect()
        }),
        ..patch
    };
    patched(&base, patch)
}

/// Reminders at times of their own that are carried over stand beside the start too.
fn beside_all(reminders: &[Reminder], start: &TimeValue, days: i64) -> Vec<Reminder> {
    let zone = time::zone_of(start);
    let moved = reminders.iter().filter_map(|reminder| {
        let trigger = shifted(&reminder.trigger, days, zone)?;
        Some(Reminder {
            trigger,
            ..reminder.clone()
        })
    });
    moved.collect()
}

/// The rule without the slots that the old series has had.
pub(super) fn shortened(recurrence: &Recurrence, index: u32) -> Recurrence {
    let shorter = Rule::parse(&recurrence.rrule).ok().and_then(|rule| {
        let mut parts = rule.parts();
        parts.count = Some(parts.count?.saturating_sub(index.saturating_sub(1)).max(1));
        Rule::new(parts).ok()
    });
    Recurrence {
        rrule: shorter.map_or_else(|| recurrence.rrule.clone(), |rule| rule.to_string()),
        ..recurrence.clone()
    }
}

/// What is different about later slots, at the time of day of the new ones.
pub(super) fn later_exceptions(old: &Series, at: Slot, new: Slot) -> Vec<SeriesException> {
    let later = old.exceptions.iter().filter_map(|exception| {
        let slot: Slot = exception.slot().parse().ok()?;
        (slot > at).then(|| exception.clone().at(slot.with_time_of(new).to_string()))
    });
    later.collect()
}

pub(super) fn fault(error: &PlanError) -> Fault {
    let code = match error {
        PlanError::Rule(recurrence::RuleError::NeverOccurs) => "never_occurs",
        _ => "unsupported",
    };
    Fault::new("/recurrence", code, error.to_string())
}

#[cfg(test)]
mod tests;
