//! What events do to the reminders of a task.

use event_schema::{
    PlannedReminder, ReminderCancelled, ReminderEvent, ReminderId, ReminderScheduled,
    ReminderStatus, TaskReminders,
};

/// So many reminders of a task are remembered at most, those it does not have any more included.
const MOST_REMEMBERED: usize = 64;

/// The state after the event. Only a reminder that is scheduled can be the first.
pub fn evolve(state: Option<TaskReminders>, event: &ReminderEvent) -> Option<TaskReminders> {
    match event {
        ReminderEvent::Scheduled(change) => Some(schedule(state, change)),
        ReminderEvent::Fired(change) => {
            state.map(|state| tell(state, change.reminder_id, ReminderStatus::Fired))
        }
        ReminderEvent::Missed(change) => {
            state.map(|state| tell(state, change.reminder_id, ReminderStatus::Missed))
        }
        ReminderEvent::Cancelled(change) => state.map(|state| cancel(state, change)),
    }
}

fn schedule(state: Option<TaskReminders>, change: &ReminderScheduled) -> TaskReminders {
    let mut reminders = state.map(|state| state.reminders).unwrap_or_default();
    let known = reminders
        .iter_mut()
        .find(|reminder| reminder.reminder_id == change.reminder_id);
    if let Some(reminder) = known {
        reminder.fire_at = change.fire_at;
        reminder.status = ReminderStatus::Scheduled;
    } else {
        forget_one_of_too_many(&mut reminders);
        reminders.push(PlannedReminder {
            reminder_id: change.reminder_id,
            fire_at: change.fire_at,
            status: ReminderStatus::Scheduled,
            told_until: None,
        });
    }
    TaskReminders {
        task_id: change.task_id,
        owner_id: change.owner_id,
        task_version: change.task_version,
        title: change.title.clone(),
        due: change.due.clone(),
        reminders,
        tzdb_version: change.tzdb_version.clone(),
    }
}

/// One that never had its turn goes first, then the one whose turn is longest ago.
fn forget_one_of_too_many(reminders: &mut Vec<PlannedReminder>) {
    let over = |reminder: &PlannedReminder| reminder.status != ReminderStatus::Scheduled;
    if reminders.len() < MOST_REMEMBERED {
        return;
    }
    let oldest = (0..reminders.len())
        .filter(|&index| over(&reminders[index]))
        .min_by_key(|&index| reminders[index].told_until);
    if let Some(index) = oldest {
        reminders.remove(index);
    }
}

fn tell(mut state: TaskReminders, id: ReminderId, status: ReminderStatus) -> TaskReminders {
    for reminder in &mut state.reminders {
        if reminder.reminder_id == id {
            reminder.status = status;
            reminder.told_until = reminder.told_until.max(Some(reminder.fire_at));
        }
    }
    state
}

fn cancel(mut state: TaskReminders, change: &ReminderCancelled) -> TaskReminders {
    state.task_version = change.task_version;
    for reminder in &mut state.reminders {
        if reminder.reminder_id == change.reminder_id {
            reminder.status = ReminderStatus::Cancelled;
        }
    }
    state
}
