//! Occurrences: from a series and a slot to a task.

mod following;
mod go_on;
mod split;
mod surprises;
mod template;
mod turnover;
mod undo;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_schema::{
    Actor, Reminder, Series, SeriesException, SeriesStatus, Task, TaskId, TimeValue, Trigger,
    occurrence_reminder_id, occurrence_task_id,
};
use recurrence::Slot;
use reminder_plan::time_of;
use slots::Plan;
pub use slots::{Finished, Turn, slot_of};

use super::{fields, time};

pub use following::{
    Following, finished_of, following, following_again, id_of, index_of, known_through, newer,
};
pub use go_on::{Break, go_on};
pub use split::{SeriesEdit, Split, split};
pub use surprises::{Surprise, surprises};
pub use template::follow_template;
pub use turnover::{Scene, Standing, Turnover, turn_over};
pub use undo::{caused, is_untouched, parent_of, place_of};

/// The due of a slot, in the zone of the series' start.
pub fn due_of(slot: Slot, start: &TimeValue) -> TimeValue {
    match (slot, start) {
        (Slot::Timed(local), TimeValue::Local { time_zone, .. }) => TimeValue::Local {
            local,
            time_zone: time_zone.clone(),
        },
        (slot, _) => TimeValue::Date { date: slot.date() },
    }
}

/// The slot that follows a finished occurrence; `None` when the series makes no more.
pub fn next(series: &Series, finished: Finished) -> Option<Turn> {
    if series.status != SeriesStatus::Active {
        return None;
    }
    // A definition was checked when the series started.
    Plan::of_series(series).ok()?.next(finished)
}

/// The task of a slot. Start and deadline keep their civil distance from it; its reminders are those
/// of the template, each with an id of its own.
pub fn task_of(
    series: &Series,
    turn: Turn,
    parent_id: Option<TaskId>,
    by: Actor,
    now: DateTime<Utc>,
) -> Task {
    let slot = turn.slot.to_string();
    let id = occurrence_task_id(series.id, &slot);
    let days =
        slot_of(&series.start).map_or(0, |start| (turn.slot.date() - start.date()).num_days());
    let moved = |value: &Option<TimeValue>| {
        let value = value.as_ref()?;
        time::shifted(value, days)
    };
    let template = &series.template;
    let mut task = Task {
        title: template.title.clone(),
        notes: template.notes.clone(),
        priority: template.priority,
        labels: template.labels.clone(),
        start: moved(&template.start),
        due: Some(due_of(turn.slot, &series.start)),
        deadline: moved(&template.deadline),
        home_zone: series.home_zone.clone(),
        parent_id,
        series_id: Some(series.id),
        slot: Some(slot),
        occurrence_index: Some(turn.index),
        missed_count: turn.missed_count,
        recurrence: Some(series.recurrence.clone()),
        ..Task::new(id, series.owner_id, "", by, now)
    };
    make_exception(&mut task, &series.exceptions);
    task.reminders = reminders(&task, &template.reminders, days);
    task
}

/// What is different about this slot.
fn make_exception(task: &mut Task, exceptions: &[SeriesException]) {
    let of_slot = |exception: &&SeriesException| task.slot.as_deref() == Some(exception.slot());
    if let Some(SeriesException::Override {
        slot: _,
        title,
        notes,
        priority,
        labels,
        due,
    }) = exceptions.iter().find(of_slot).cloned()
    {
        set(&mut task.title, title);
        set(&mut task.notes, notes);
        set(&mut task.priority, priority);
        set(&mut task.labels, labels);
        set(&mut task.due, due.map(Some));
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Reminders that left the calendar with the slot, or whose anchor did, are left out. An absolute one
/// that is carried over keeps its distance in days, on the wall of the due.
fn reminders(task: &Task, template: &[Reminder], days: i64) -> Vec<Reminder> {
    let zone = task.due.as_ref().and_then(time::zone_of);
    let carried = template.iter().filter(|reminder| reminder.carries_over());
    let copies = carried.filter_map(|reminder| {
        let trigger = shifted(&reminder.trigger, days, zone)?;
        matches!(time_of(task, &trigger), Ok(Some(_))).then_some((reminder, trigger))
    });
    copies
        .map(|(reminder, trigger)| Reminder {
            terms: reminder.terms,
            ..Reminder::new(occurrence_reminder_id(task.id, reminder.id), trigger)
        })
        .take(fields::MAX_REMINDERS)
        .collect()
}

/// The trigger so many days later. One that counts from a time of the task moves with it.
fn shifted(trigger: &Trigger, days: i64, zone: Option<Tz>) -> Option<Trigger> {
    Some(match trigger {
        Trigger::Absolute { at } => Trigger::Absolute {
            at: time::shifted_in(at, days, zone)?,
        },
        Trigger::Relative { .. } | Trigger::TimeOfDay { .. } => trigger.clone(),
    })
}

#[cfg(test)]
pub(crate) mod fixtures;

#[cfg(test)]
mod tests {
    use super::fixtures::{date, now, series};
    use super::*;

    fn after(series: &Series, slot: &str) -> Option<String> {
        let slot = slot.parse().unwrap();
        let finished = Finished {
            slot,
            index: None,
            at: now(),
        };
        next(series, finished).map(|turn| turn.slot.to_string())
    }

    pub(super) fn task(series: &Series, slot: &str) -> Task {
        let turn = Turn {
            slot: slot.parse().unwrap(),
            index: 2,
            missed_count: 1,
        };
        task_of(series, turn, None, series.created_by, now())
    }

    #[test]
    fn a_slot_has_one_task_with_one_set_of_reminders() {
        let start = TimeValue::Local {
            local: time::local("2027-01-31T09:00").unwrap(),
            time_zone: "Europe/Berlin".to_owned(),
        };
        let series = series("FREQ=MONTHLY", start);
        let slot = "2027-02-28T09:00";
        let (one, again) = (task(&series, slot), task(&series, slot));
        let other = task(&series, "2027-03-31T09:00");
        assert_eq!(one, again);
        assert_ne!(one.id, other.id);
        assert_ne!(one.reminders[0].id, other.reminders[0].id);
        assert_eq!(one.id, occurrence_task_id(series.id, slot));
    }

    #[test]
    fn what_surrounds_the_due_keeps_its_distance_in_days() {
        let task = task(&series("FREQ=MONTHLY", date("2027-01-31")), "2027-02-28");
        assert_eq!(task.due, Some(date("2027-02-28")));
        assert_eq!(task.start, Some(date("2027-02-22")));
        assert_eq!(task.deadline, Some(date("2027-03-03")));
        assert_eq!((task.occurrence_index, task.missed_count), (Some(2), 1));
    }

    #[test]
    fn what_leaves_the_calendar_is_left_out() {
        let task = task(&series("FREQ=DAILY", date("2027-01-31")), "9999-12-31");
        assert_eq!(task.deadline, None);
        assert!(task.start.is_some());
    }

    #[test]
    fn the_start_is_remembered_though_it_is_no_slot() {
        let series = series("FREQ=YEARLY;BYMONTH=2", date("2027-01-31"));
        assert_eq!(after(&series, "2027-02-28").as_deref(), Some("2028-02-29"));
    }

    #[test]
    fn a_series_that_does_not_generate_has_no_next() {
        let mut series = series("FREQ=MONTHLY", date("2027-01-31"));
        assert_eq!(after(&series, "2027-01-31").as_deref(), Some("2027-02-28"));
        for status in [SeriesStatus::Paused, SeriesStatus::Ended] {
            series.status = status;
            assert_eq!(after(&series, "2027-01-31"), None);
        }
    }

    #[test]
    fn a_floating_start_is_read_in_utc_and_ends_by_a_local_time() {
        let start = TimeValue::Local {
            local: time::local("2027-01-31T09:00").unwrap(),
            time_zone: time::FLOATING.to_owned(),
        };
        let floating = series("FREQ=DAILY", start.clone());
        assert_eq!(
            after(&floating, "2027-01-31T09:00").as_deref(),
            Some("2027-02-01T09:00")
        );
        let until = series("FREQ=DAILY;UNTIL=20270201T090000", start.clone());
        let last = "2027-02-01T09:00";
        assert_eq!(after(&until, "2027-01-31T09:00").as_deref(), Some(last));
        assert_eq!(after(&until, last), None);
        let in_utc = series("FREQ=DAILY;UNTIL=20280101T000000Z", start);
        assert!(Plan::of_series(&in_utc).is_err());
    }
}
