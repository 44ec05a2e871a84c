//! What an occurrence has to do with the one before it, when that is opened again.

use chrono::{DateTime, Utc};
use event_schema::{OccurrenceDue, Reminder, Series, Task, TaskId};
use recurrence::Slot;

use super::{Turn, id_of, task_of};

/// The task of a slot that is due, as the one before it lets it be: it is created as taken back when
/// that one has been opened again since its finish made this one due.
pub fn caused(
    task: Task,
    due: &OccurrenceDue,
    previous: Option<&Task>,
    now: DateTime<Utc>,
) -> Task {
    let Some(undone) = due.undone else {
        return task;
    };
    let since = previous.filter(|previous| previous.undone > undone);
    let withdrawn = since.map(|previous| (due.previous_slot.clone(), previous.undone));
    Task {
        previous_slot: Some(due.previous_slot.clone()),
        undone,
        withdrawn: withdrawn.into_iter().collect(),
        trashed_at: since.map(|_| now),
        ..task
    }
}

/// An occurrence stands where the one before it stood, if that is still a place to stand.
pub fn parent_of(previous: &Task, mut find: impl FnMut(TaskId) -> Option<Task>) -> Option<TaskId> {
    let parent = find(previous.parent_id?)?;
    (parent.trashed_at.is_none() && parent.owner_id == previous.owner_id).then_some(parent.id)
}

/// Where an occurrence was put when it was created: where the one before it stands, if it came because of
/// that, and else where it is.
pub fn place_of(
    series: &Series,
    task: &Task,
    mut find: impl FnMut(TaskId) -> Option<Task>,
) -> Option<TaskId> {
    let previous = task.previous_slot.as_deref();
    match previous.and_then(|slot| find(id_of(series, slot))) {
        Some(previous) => parent_of(&previous, find),
        None => task.parent_id,
    }
}

/// Whether an occurrence is open and as its series makes it: nobody has put any work into it.
///
/// `parent` is where it was put when it was created. What became of its reminders by themselves is no
/// work; an answer to one is.
pub fn is_untouched(series: &Series, task: &Task, parent: Option<TaskId>) -> bool {
    let slot: Option<Slot> = task.slot.as_deref().and_then(|slot| slot.parse().ok());
    let Some((slot, index)) = slot.zip(task.occurrence_index) else {
        return false;
    };
    let turn = Turn {
        slot,
        index,
        missed_count: task.missed_count,
    };
    let made = task_of(series, turn, parent, task.created_by, task.created_at);
    let wish = |one: &Reminder| (one.trigger.clone(), one.terms);
    let same_reminders = task
        .reminders
        .iter()
        .map(wish)
        .eq(made.reminders.iter().map(wish));
    let unanswered = task.reminders.iter().all(|one| one.answer.is_none());
    let as_made = Task {
        reminders: task.reminders.clone(),
        recurrence: task.recurrence.clone(),
        home_zone: task.home_zone.clone(),
        next_series_id: task.next_series_id,
        plan_version: task.plan_version,
        tellings: task.tellings,
        previous_slot: task.previous_slot.clone(),
        undone: task.undone,
        updated_at: task.updated_at,
        ..made
    };
    same_reminders && unanswered && as_made == *task
}
