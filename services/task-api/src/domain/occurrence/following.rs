//! Which occurrence follows a finished one.

use chrono::TimeDelta;
use chrono_tz::Tz;
use event_schema::{
    GenerationMode, Series, SeriesStatus, Status, Task, TaskId, TimeValue, occurrence_task_id,
};
use recurrence::Slot;
use slots::{Finished, Plan};

use super::{due_of, next};
use crate::domain::time;

/// How many later slots are looked at for tasks that are there already.
const MOST_SLOTS: usize = 64;
/// How many of these lie before the slot whose turn it would be now, when more were missed.
const MOST_BEFORE: u32 = 32;

/// The occurrence that follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Following {
    /// The id that its task has or will have.
    pub id: TaskId,
    /// The civil start that names it.
    pub slot: Slot,
    /// When it should be done.
    pub due: TimeValue,
    /// Where its owner reads that.
    pub home: Tz,
    /// Whether its task is still to be created.
    pub pending: bool,
}

/// The occurrence that follows a finished one: the first that is open, or is still to be created.
pub fn following(
    series: &Series,
    mut finished: Finished,
    find: impl FnMut(TaskId) -> Option<Task>,
) -> Option<Following> {
    let mut find = not_withdrawn(find);
    if series.generation.mode == GenerationMode::OnSchedule {
        return on_schedule(series, finished.slot, find);
    }
    for _ in 0..MOST_SLOTS {
        let slot = next(series, finished)?.slot;
        let Some(task) = find(id_of(series, &slot.to_string())) else {
            return Some(to_come(series, slot));
        };
        match finished_of(slot, &task) {
            None => return Some(there(slot, task)),
            Some(later) => finished = later,
        }
    }
    None
}

/// The first later occurrence that is open, or whose time is still to come.
fn on_schedule(
    series: &Series,
    after: Slot,
    mut find: impl FnMut(TaskId) -> Option<Task>,
) -> Option<Following> {
    let plan = Plan::of_series(series).ok()?;
    let is_active = series.status == SeriesStatus::Active;
    let later = plan.occurrences_after(after).take(MOST_SLOTS);
    for slot in later.map(|next| next.slot).filter(|_| is_active) {
        match find(id_of(series, &slot.to_string())) {
            None => return Some(to_come(series, slot)),
            Some(task) if task.is_open() => return Some(there(slot, task)),
            Some(_) => {}
        }
    }
    None
}

/// The occurrence that follows once one was finished again.
///
/// The generator asks for a slot only after the newest one it asked for was finished. So when there
/// are later occurrences, the first open one follows, or what follows the newest.
pub fn following_again(
    series: &Series,
    finished: Finished,
    find: impl FnMut(TaskId) -> Option<Task>,
) -> Option<Following> {
    let mut find = not_withdrawn(find);
    let plan = Plan::of_series(series).ok()?;
    let mut newest = finished;
    let later = plan.occurrences_after(search_start(&plan, finished));
    for occurrence in later.take(MOST_SLOTS) {
        // Whatever is not known yet is looked up together: this loop goes on.
        let Some(task) = find(id_of(series, &occurrence.slot.to_string())) else {
            continue;
        };
        match finished_of(occurrence.slot, &task) {
            None => return Some(there(occurrence.slot, task)),
            Some(later) => newest = later,
        }
    }
    following(series, newest, find)
}

/// Tasks that came after the occurrence of `newest`, each because the one before it was finished.
///
/// Who has read rows and then decides misses what was created in between: here it is.
pub fn newer(
    series: &Series,
    mut newest: Slot,
    find: impl FnMut(TaskId) -> Option<Task>,
) -> Vec<(Slot, Task)> {
    let mut find = not_withdrawn(find);
    let mut newer = Vec::new();
    while newer.len() < MOST_SLOTS {
        let finished =
            find(id_of(series, &newest.to_string())).and_then(|task| finished_of(newest, &task));
        let Some(turn) = finished.and_then(|finished| next(series, finished)) else {
            break;
        };
        let Some(task) = find(id_of(series, &turn.slot.to_string())) else {
            break;
        };
        newest = turn.slot;
        newer.push((newest, task));
    }
    newer
}

/// One that was taken back comes as if it had never been.
fn not_withdrawn(
    mut find: impl FnMut(TaskId) -> Option<Task>,
) -> impl FnMut(TaskId) -> Option<Task> {
    move |id| find(id).filter(|task| !task.is_withdrawn())
}

/// The slot itself, or a place that is nearer to what would follow now when too many lie between.
fn search_start(plan: &Plan, finished: Finished) -> Slot {
    let slot = finished.slot;
    let Some(next) = plan.next(finished) else {
        return slot;
    };
    if next.missed_count < MOST_BEFORE {
        return slot;
    }
    let days = (next.slot.date() - slot.date()).num_days();
    let back = days * i64::from(MOST_BEFORE) / i64::from(next.missed_count);
    let near = TimeDelta::try_days(back).and_then(|back| next.slot.date().checked_sub_signed(back));
    near.map_or(slot, |near| slot.max(Slot::Date(near)))
}

/// How the generator takes an occurrence for finished, as it does one that was thrown away; an open one
/// is not.
pub fn finished_of(slot: Slot, task: &Task) -> Option<Finished> {
    let at = match task.status {
        Status::Open => task.trashed_at?,
        Status::Completed => task.completed_at.unwrap_or(task.updated_at),
        Status::Skipped | Status::Cancelled => task.updated_at,
    };
    Some(Finished {
        slot,
        index: index_of(task),
        at,
    })
}

/// Its place in the series that what follows belongs to. One that leads over to another has none there.
pub fn index_of(task: &Task) -> Option<u32> {
    let leads_over = task.next_series_id.is_some();
    task.occurrence_index.filter(|_| !leads_over)
}

/// The newest slot that has a task: without one of its own, that of the one that leads over.
pub fn known_through(series: &Series, newest: Option<Slot>) -> Option<Slot> {
    let begins = series.begins_after.as_ref();
    newest.or_else(|| begins?.slot.parse().ok())
}

/// The task of a slot; of the slot after which a series begins, the one that leads over to it.
pub fn id_of(series: &Series, slot: &str) -> TaskId {
    match &series.begins_after {
        Some(begins) if begins.slot == slot => begins.task_id,
        _ => occurrence_task_id(series.id, slot),
    }
}

fn to_come(series: &Series, slot: Slot) -> Following {
    Following {
        id: id_of(series, &slot.to_string()),
        slot,
        due: due_of(slot, &series.start),
        home: time::home(series.home_zone.as_deref()),
        pending: true,
    }
}

fn there(slot: Slot, task: Task) -> Following {
    Following {
        id: task.id,
        slot,
        home: time::home(task.home_zone.as_deref()),
        due: task.due.unwrap_or(TimeValue::Date { date: slot.date() }),
        pending: false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::fixtures::{date, now, series};
    use super::super::tests::task;
    use super::*;

    /// What follows the first of August, finished again in November, among other occurrences.
    fn after(rrule: &str, others: &[(&str, Status)]) -> Option<(String, bool)> {
        let series = series(rrule, date("2026-08-01"));
        let others = others.iter().map(|(slot, status)| {
            let task = Task {
                status: *status,
                ..task(&series, slot)
            };
            (task.id, task)
        });
        let others: BTreeMap<TaskId, Task> = others.collect();
        let finished = Finished {
            slot: "2026-08-01".parse().unwrap(),
            index: Some(1),
            at: now(),
        };
        let find = |id| others.get(&id).cloned();
        let following = following_again(&series, finished, find)?;
        Some(found(&following.slot.to_string(), following.pending))
    }

    fn found(slot: &str, pending: bool) -> (String, bool) {
        (slot.to_owned(), pending)
    }

    #[test]
    fn the_first_later_occurrence_that_is_open_follows() {
        let others = [
            ("2026-09-01", Status::Completed),
            ("2026-10-01", Status::Open),
            ("2026-11-01", Status::Open),
        ];
        assert_eq!(
            after("FREQ=MONTHLY", &others),
            Some(found("2026-10-01", false))
        );
    }

    #[test]
    fn after_the_newest_comes_what_the_generator_asks_for() {
        let others = [
            ("2026-09-01", Status::Completed),
            ("2026-12-01", Status::Skipped),
        ];
        assert_eq!(
            after("FREQ=MONTHLY", &others),
            Some(found("2027-01-01", true))
        );
        assert_eq!(after("FREQ=MONTHLY", &[]), Some(found("2026-12-01", true)));
        let last = [("2026-09-01", Status::Completed)];
        assert_eq!(after("FREQ=MONTHLY;COUNT=2", &last), None);
    }

    #[test]
    fn an_open_one_is_found_behind_many_that_were_missed() {
        let others = [("2026-11-20", Status::Open)];
        assert_eq!(
            after("FREQ=DAILY", &others),
            Some(found("2026-11-20", false))
        );
        let others = [
            ("2026-11-22", Status::Completed),
            ("2026-11-23", Status::Open),
        ];
        assert_eq!(
            after("FREQ=DAILY", &others),
            Some(found("2026-11-23", false))
        );
    }

    #[test]
    fn what_was_thrown_away_is_followed_as_if_it_were_finished() {
        let series = series("FREQ=MONTHLY", date("2026-08-01"));
        let trashed = Task {
            trashed_at: Some(now()),
            ..task(&series, "2026-09-01")
        };
        let find = |id| (id == trashed.id).then(|| trashed.clone());
        let finished = Finished {
            slot: "2026-08-01".parse().unwrap(),
            index: Some(1),
            at: now(),
        };
        let following = following_again(&series, finished, find).unwrap();
        assert_eq!(following.slot.to_string(), "2026-12-01");
        assert!(following.pending);
    }

    #[test]
    fn one_that_is_there_shows_the_due_it_was_moved_to() {
        let series = series("FREQ=MONTHLY", date("2026-08-01"));
        let moved = Task {
            due: Some(date("2026-09-05")),
            ..task(&series, "2026-09-01")
        };
        let find = |id| (id == moved.id).then(|| moved.clone());
        let finished = Finished {
            slot: "2026-08-01".parse().unwrap(),
            index: Some(1),
            at: now(),
        };
        let following = following_again(&series, finished, find).unwrap();
        assert_eq!(following.due, date("2026-09-05"));
        assert_eq!(following.slot.to_string(), "2026-09-01");
    }
}
