//! Occurrences that are taken back because the one before them was opened again, and come again.

use chrono::{DateTime, Utc};
use event_schema::{After, Reminder, Task, TaskEvent, TaskRestored, TaskTrashed};

use super::{Edit, TaskError, TaskPatch, WantedReminder, changed, evolve, update};

/// Puts it in the trash for as long as the one before it is open. Of one that is there already only a
/// newer undo is news; one that is finished, or was thrown away by its owner, stays as it is.
pub(super) fn withdraw(task: &Task, after: After, now: DateTime<Utc>) -> Vec<TaskEvent> {
    let known = task.withdrawn.get(&after.previous_slot);
    let is_newer = task.is_withdrawn() && known < Some(&after.undone);
    if !task.is_open() && !is_newer {
        return Vec::new();
    }
    vec![TaskEvent::Trashed(TaskTrashed {
        trashed_at: changed(task.trashed_at, Some(task.trashed_at.unwrap_or(now))),
        withdrawn: Some(after),
        updated_at: now,
    })]
}

/// What creating an occurrence means for one that is there already: nothing, unless it was taken back.
pub(super) fn create_again(
    task: &Task,
    made: Task,
    now: DateTime<Utc>,
) -> Result<Vec<TaskEvent>, TaskError> {
    let Some(previous_slot) = made.previous_slot.clone().filter(|_| task.is_withdrawn()) else {
        return Ok(Vec::new());
    };
    let gone = made.withdrawn.get(&previous_slot).copied();
    let known = task.withdrawn.get(&previous_slot).copied();
    let after = After {
        previous_slot,
        undone: gone.unwrap_or(made.undone),
    };
    if gone.is_some() {
        Ok(withdraw(task, after, now))
    } else if known <= Some(made.undone) {
        come_again(task, made, after, now)
    } else {
        Ok(Vec::new())
    }
}

/// It comes as the series makes it today.
fn come_again(
    task: &Task,
    made: Task,
    after: After,
    now: DateTime<Utc>,
) -> Result<Vec<TaskEvent>, TaskError> {
    let restored = TaskEvent::Restored(TaskRestored {
        trashed_at: changed(task.trashed_at, None),
        again: Some(after),
        updated_at: now,
    });
    let open = evolve(Some(task.clone()), &restored).ok_or(TaskError::NotFound)?;
    let updated = update::decide(&open, all_of(made), now)?;
    Ok(std::iter::once(restored).chain(updated).collect())
}

fn all_of(made: Task) -> TaskPatch {
    let wanted = |reminder: Reminder| WantedReminder {
        id: None,
        minted: reminder.id,
        trigger: reminder.trigger,
        terms: reminder.terms,
    };
    TaskPatch {
        title: Edit::To(made.title),
        notes: Edit::To(made.notes),
        priority: Edit::To(made.priority),
        labels: Edit::To(made.labels),
        start: Edit::To(made.start),
        due: Edit::To(made.due),
        deadline: Edit::To(made.deadline),
        parent_id: Edit::To(made.parent_id),
        reminders: Edit::To(made.reminders.into_iter().map(wanted).collect()),
    }
}
