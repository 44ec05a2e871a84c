//! The state after an event.

use event_schema::{After, Changed, Task, TaskEvent, TaskUpdated};

use super::reminders;

/// The state after the event; cannot fail, because the event has already happened.
pub fn evolve(state: Option<Task>, event: &TaskEvent) -> Option<Task> {
    if let TaskEvent::Created(task) = event {
        return Some((**task).clone());
    }
    let mut task = state?;
    let before = reminders::Before::of(&task);
    match event {
        TaskEvent::Created(_) => {}
        TaskEvent::Updated(change) => update(&mut task, change),
        TaskEvent::Completed(change) => {
            task.status = change.status.to;
            task.completed_at = change.completed_at.to;
            task.completed_by = change.completed_by.to;
            task.updated_at = change.updated_at;
        }
        TaskEvent::Reopened(change) => {
            task.status = change.status.to;
            task.completed_at = change.completed_at.to;
            task.completed_by = change.completed_by.to;
            task.updated_at = change.updated_at;
            count_undo(&mut task);
        }
        TaskEvent::Cancelled(change) => {
            task.status = change.status.to;
            task.updated_at = change.updated_at;
        }
        TaskEvent::Skipped(change) => {
            task.status = change.status.to;
            task.updated_at = change.updated_at;
        }
        TaskEvent::Trashed(change) => {
            task.trashed_at = change.trashed_at.to;
            if let Some(after) = change.withdrawn.clone() {
                task.withdrawn.insert(after.previous_slot, after.undone);
            }
            task.updated_at = change.updated_at;
        }
        TaskEvent::Restored(change) => {
            task.trashed_at = change.trashed_at.to;
            task.updated_at = change.updated_at;
            task.withdrawn.clear();
            match &change.again {
                Some(after) => come_again(&mut task, after),
                None => count_undo(&mut task),
            }
        }
        TaskEvent::ReminderAnswered(change) => {
            reminders::answer(&mut task, change);
            task.updated_at = change.updated_at;
        }
        TaskEvent::RemindersTold(change) => reminders::tell(&mut task, change),
        TaskEvent::Purged(change) => task.updated_at = change.updated_at,
    }
    before.settle(&mut task);
    Some(task)
}

/// An occurrence that was finished, or thrown away while it was open, is open again.
fn count_undo(task: &mut Task) {
    if task.series_id.is_some() && task.is_open() {
        task.undone = task.undone.saturating_add(1);
    }
}

/// One that was taken back was never finished: it only has another one before it.
fn come_again(task: &mut Task, after: &After) {
    task.previous_slot = Some(after.previous_slot.clone());
    task.undone = task.undone.max(after.undone);
}

fn update(task: &mut Task, change: &TaskUpdated) {
    set(&mut task.title, change.title.as_ref());
    set(&mut task.notes, change.notes.as_ref());
    set(&mut task.priority, change.priority.as_ref());
    set(&mut task.labels, change.labels.as_ref());
    set(&mut task.start, change.start.as_ref());
    set(&mut task.due, change.due.as_ref());
    set(&mut task.deadline, change.deadline.as_ref());
    set(&mut task.parent_id, change.parent_id.as_ref());
    set(&mut task.reminders, change.reminders.as_ref());
    set(&mut task.home_zone, change.home_zone.as_ref());
    set(&mut task.next_series_id, change.next_series_id.as_ref());
    set(&mut task.recurrence, change.recurrence.as_ref());
    task.updated_at = change.updated_at;
}

fn set<T: Clone>(field: &mut T, change: Option<&Changed<T>>) {
    if let Some(change) = change {
        field.clone_from(&change.to);
    }
}
