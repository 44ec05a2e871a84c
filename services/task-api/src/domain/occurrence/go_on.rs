//! From a day on: the series that goes on with another rule, start or template.

use chrono::{DateTime, NaiveDate, Utc};
use event_schema::{Actor, BeginsAfter, Series, SeriesId, SlotAnchor, TaskId, TimeValue};
use recurrence::Slot;
use slots::{Plan, Turn, slot_of};

use super::due_of;
use super::split::{SeriesEdit, Split, fault, later_exceptions, shortened, template};
use crate::domain::Fault;
use crate::domain::series::check;

/// Where a series goes on.
#[derive(Clone, Copy, Debug)]
pub struct Break {
    /// The first day that is the new series'.
    pub from: NaiveDate,
    /// The day that a rule alone counts from.
    pub counts_from: NaiveDate,
    /// The place of the first slot that the old series does not have any more.
    pub index: u32,
    /// The occurrence with whose finish it begins, and its slot.
    pub after: Option<(TaskId, Slot)>,
}

/// Makes the series that goes on from a day. It is paused if the old one is.
///
/// With another rule it counts from that day, with another start from that. Otherwise it counts on from
/// the old start, so that the rhythm, the day of the month and `COUNT` are as they were. The template's
/// times stand beside the start that the caller knows: the new one if it is given, else the old one.
pub fn go_on(
    old: &Series,
    at: Break,
    edit: SeriesEdit,
    id: SeriesId,
    by: Actor,
    now: DateTime<Utc>,
) -> Result<Split, Vec<Fault>> {
    let beside = known_start(old, &edit)?;
    let start = start(old, at.counts_from, &edit)?;
    let template = template(old, &start, beside, edit.template)?;
    let (recurrence, exceptions) = edit.recurrence.unwrap_or_else(|| {
        let begins_anew = slot_of(&start).is_some_and(|start| start.date() >= at.from);
        let recurrence = if begins_anew {
            shortened(&old.recurrence, at.index)
        } else {
            old.recurrence.clone()
        };
        let before = at.from.pred_opt().unwrap_or(at.from);
        let exceptions = later_exceptions(old, Slot::Date(before), beside);
        (recurrence, exceptions)
    });
    let series = Series {
        status: old.status,
        home_zone: old.home_zone.clone(),
        generation: edit.generation.unwrap_or(old.generation),
        exceptions,
        previous_series_id: Some(old.id),
        begins_after: at.after.map(|(task_id, slot)| BeginsAfter {
            task_id,
            slot: slot.to_string(),
            from: at.from,
        }),
        ..Series::new(id, by, old.owner_id, (recurrence, start), template, now)
    };
    let faults = check(&series, &series.template);
    if !faults.is_empty() {
        return Err(faults);
    }
    let first = first(&series, at.from)?;
    Ok(Split { series, first })
}

/// Whether the slot of an open occurrence is one of the new rule, at the same time in the same zone, when
/// that counts from `counts_from`.
pub(super) fn is_kept(
    old: &Series,
    counts_from: NaiveDate,
    edit: &SeriesEdit,
    slot: Slot,
) -> Result<bool, Vec<Fault>> {
    let start = start(old, counts_from, edit)?;
    let kept = || (old.recurrence.clone(), old.exceptions.clone());
    let (recurrence, exceptions) = edit.recurrence.clone().unwrap_or_else(kept);
    let plan = Plan::at_home(&recurrence, &start, &exceptions, old.home_zone.as_deref());
    let plan = plan.map_err(|error| vec![fault(&error)])?;
    let schedule = plan.schedule();
    let same_time = due_of(slot, &start) == due_of(slot, &old.start);
    Ok(same_time && schedule.is_slot(slot) && !schedule.is_excepted(slot))
}

/// The start beside which the times of a change stand.
fn known_start(old: &Series, edit: &SeriesEdit) -> Result<Slot, Vec<Fault>> {
    slot_of(edit.due.as_ref().unwrap_or(&old.start))
        .ok_or_else(|| vec![Fault::new("/due", "invalid_value", "has no local time")])
}

fn start(old: &Series, counts_from: NaiveDate, edit: &SeriesEdit) -> Result<TimeValue, Vec<Fault>> {
    let beside = known_start(old, edit)?;
    // What is counted from completions has no rhythm to keep.
    let anew = edit.recurrence.is_some() || old.recurrence.anchor == SlotAnchor::Completion;
    Ok(match &edit.due {
        Some(start) => start.clone(),
        None if anew => due_of(Slot::Date(counts_from).with_time_of(beside), &old.start),
        None => old.start.clone(),
    })
}

/// The first slot from the day on.
fn first(series: &Series, from: NaiveDate) -> Result<Turn, Vec<Fault>> {
    let plan = Plan::of_series(series).map_err(|error| vec![fault(&error)])?;
    let before = Slot::Date(from.pred_opt().unwrap_or(from));
    let first = plan.from(from).occurrences_after(before).next();
    let first = first.ok_or_else(|| {
        let message = "has no occurrence from there on: give it a later end, or end the series";
        vec![Fault::new("/recurrence", "never_occurs", message)]
    })?;
    Ok(Turn {
        slot: first.slot,
        index: first.index,
        missed_count: 0,
    })
}

#[cfg(test)]
mod tests {
    use event_schema::Recurrence;
    use uuid::Uuid;

    use super::*;
    use crate::domain::occurrence::fixtures::{self, date, now};
    use crate::domain::time;

    fn berlin(text: &str) -> TimeValue {
        TimeValue::Local {
            local: time::local(text).unwrap(),
            time_zone: "Europe/Berlin".to_owned(),
        }
    }

    fn from(day: &str, index: u32) -> Break {
        Break {
            from: day.parse().unwrap(),
            counts_from: day.parse().unwrap(),
            index,
            after: None,
        }
    }

    fn slots(old: &Series, at: Break, edit: SeriesEdit) -> Result<Vec<String>, Vec<Fault>> {
        let id = SeriesId(Uuid::from_u128(0xd));
        let split = go_on(old, at, edit, id, old.created_by, now())?;
        let plan = Plan::of_series(&split.series).unwrap();
        let later = plan.schedule().occurrences_after(split.first.slot);
        let slots = std::iter::once(split.first.slot).chain(later.map(|next| next.slot));
        Ok(slots.take(3).map(|slot| slot.to_string()).collect())
    }

    fn rule(rrule: &str) -> SeriesEdit {
        SeriesEdit {
            recurrence: Some((Recurrence::of(rrule), Vec::new())),
            ..SeriesEdit::default()
        }
    }

    fn monthly(rrule: &str) -> Series {
        let mut series = fixtures::series(rrule, berlin("2027-01-31T09:00"));
        series.template.reminders.clear();
        series
    }

    #[test]
    fn another_rule_counts_from_the_day_at_the_time_of_the_series() {
        let slots = slots(
            &monthly("FREQ=MONTHLY"),
            from("2027-03-10", 3),
            rule("FREQ=WEEKLY"),
        );
        let expected = ["2027-03-10T09:00", "2027-03-17T09:00", "2027-03-24T09:00"];
        assert_eq!(slots.unwrap(), expected);
    }

    #[test]
    fn a_start_in_the_past_moves_the_time_and_keeps_rhythm_day_and_count() {
        let edit = SeriesEdit {
            due: Some(berlin("2027-01-31T18:30")),
            ..SeriesEdit::default()
        };
        let old = monthly("FREQ=MONTHLY;COUNT=4");
        let slots = slots(&old, from("2027-03-01", 3), edit).unwrap();
        assert_eq!(slots, ["2027-03-31T18:30", "2027-04-30T18:30"]);
    }

    #[test]
    fn a_later_start_begins_anew_with_what_is_left_of_the_count() {
        let edit = SeriesEdit {
            due: Some(berlin("2027-03-05T18:30")),
            ..SeriesEdit::default()
        };
        let old = monthly("FREQ=MONTHLY;COUNT=4");
        let slots = slots(&old, from("2027-03-01", 3), edit).unwrap();
        assert_eq!(slots, ["2027-03-05T18:30", "2027-04-05T18:30"]);
    }

    #[test]
    fn an_occurrence_that_stays_has_its_day_for_itself() {
        let at = Break {
            from: "2027-03-18".parse().unwrap(),
            ..from("2027-03-10", 3)
        };
        let slots = slots(&monthly("FREQ=MONTHLY"), at, rule("FREQ=WEEKLY")).unwrap();
        assert_eq!(slots[0], "2027-03-24T09:00");
    }

    #[test]
    fn a_rule_that_is_over_by_then_is_refused() {
        let over = rule("FREQ=DAILY;UNTIL=20270301T000000Z");
        let refused = slots(&monthly("FREQ=MONTHLY"), from("2027-03-10", 3), over).unwrap_err();
        assert_eq!(refused[0].code, "never_occurs");
        let dates = fixtures::series("FREQ=DAILY;COUNT=3", date("2027-01-31"));
        let dates = Series {
            template: monthly("FREQ=DAILY").template,
            ..dates
        };
        let kept = slots(&dates, from("2027-03-10", 3), SeriesEdit::default());
        assert_eq!(kept.unwrap_err()[0].code, "never_occurs");
    }
}
