//! What events do to the reminders of a task.

use chrono::{DateTime, Utc};
use event_schema::{
    PlannedReminder, ReminderCancelled, ReminderEvent, ReminderId, ReminderMoved,
    ReminderScheduled, ReminderStatus, TaskReminders,
};

/// So many reminders of a task are remembered at most, those it does not have any more included.
const MOST_REMEMBERED: usize = 64;

/// The state after the event. Only a reminder that is scheduled can be the first.
pub fn evolve(state: Option<TaskReminders>, event: &ReminderEvent) -> Option<TaskReminders> {
    match event {
        ReminderEvent::Scheduled(change) => Some(schedule(state, change)),
        ReminderEvent::Fired(change) => state.map(|mut state| {
            if let Some(reminder) = find(&mut state, change.reminder_id) {
                tell(reminder, change.scheduled_for, change.nag_at);
                reminder.told_at = Some(change.fired_at);
                reminder.status = ReminderStatus::Fired;
                reminder.missed = false;
                reminder.fire_count = reminder.fire_count.saturating_add(1);
                reminder.last_fired_at = Some(change.fired_at);
                reminder.late_by_ms = change.late_by_ms;
            }
            state
        }),
        ReminderEvent::Missed(change) => state.map(|mut state| {
            if let Some(reminder) = find(&mut state, change.reminder_id) {
                tell(reminder, change.scheduled_for, change.nag_at);
                reminder.told_at = Some(change.missed_at);
                reminder.status = ReminderStatus::Missed;
                reminder.missed = true;
            }
            state
        }),
        ReminderEvent::Withdrawn(change) => state.map(|mut state| {
            state.task_version = change.task_version;
            if let Some(reminder) = find(&mut state, change.reminder_id) {
                withdraw(reminder);
            }
            state
        }),
        ReminderEvent::Moved(change) => state.map(|mut state| {
            if let Some(reminder) = find(&mut state, change.reminder_id) {
                move_to(reminder, change);
            }
            state
        }),
        ReminderEvent::Replanned(change) => state.map(|state| TaskReminders {
            tzdb_version: change.tzdb_version.clone(),
            ..state
        }),
        ReminderEvent::Cancelled(change) => state.map(|state| cancel(state, change)),
        ReminderEvent::TaskSeen(change) => state.map(|state| TaskReminders {
            task_version: change.task_version,
            title: change.title.clone(),
            due: change.due.clone(),
            ..state
        }),
    }
}

fn find(state: &mut TaskReminders, id: ReminderId) -> Option<&mut PlannedReminder> {
    state
        .reminders
        .iter_mut()
        .find(|reminder| reminder.reminder_id == id)
}

fn schedule(state: Option<TaskReminders>, change: &ReminderScheduled) -> TaskReminders {
    let mut reminders = state.map(|state| state.reminders).unwrap_or_default();
    let known = reminders
        .iter()
        .position(|reminder| reminder.reminder_id == change.reminder_id);
    match known {
        Some(index) if change.nag => {
            reminders[index].nag_at = Some(change.fire_at);
            reminders[index].terms = change.terms;
            reminders[index].wall.clone_from(&change.wall);
        }
        Some(index) => {
            let told = reminders[index].clone();
            reminders[index] = PlannedReminder {
                told_until: told.told_until,
                fire_count: told.fire_count,
                last_fired_at: told.last_fired_at,
                late_by_ms: told.late_by_ms,
                missed: told.missed,
                told_at: told.told_at,
                ..planned(change)
            };
        }
        None => {
            forget_one_of_too_many(&mut reminders);
            reminders.push(planned(change));
        }
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

fn planned(change: &ReminderScheduled) -> PlannedReminder {
    PlannedReminder {
        reminder_id: change.reminder_id,
        fire_at: change.fire_at,
        wall: change.wall.clone(),
        status: ReminderStatus::Scheduled,
        told_until: None,
        terms: change.terms,
        first_at: None,
        nags: 0,
        nag_at: None,
        fire_count: 0,
        last_fired_at: None,
        late_by_ms: 0,
        missed: false,
        told_at: None,
    }
}

/// One that never had its turn goes first, then the one whose turn is longest ago.
fn forget_one_of_too_many(reminders: &mut Vec<PlannedReminder>) {
    let over = |reminder: &PlannedReminder| reminder.due_at().is_none();
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

/// Notes that it had its turn, as the first time or as a nag.
fn tell(reminder: &mut PlannedReminder, at: DateTime<Utc>, nag_at: Option<DateTime<Utc>>) {
    if reminder.status == ReminderStatus::Scheduled {
        reminder.first_at = reminder.terms.nag.map(|_| reminder.fire_at);
    } else {
        reminder.nags = reminder.nags.saturating_add(1);
    }
    reminder.fire_at = at;
    reminder.nag_at = nag_at;
    reminder.told_until = reminder.told_until.max(Some(at));
}

/// What had its turn stands for the new instant, so that none up to it comes again.
fn move_to(reminder: &mut PlannedReminder, change: &ReminderMoved) {
    if reminder.told_until >= Some(change.from) {
        reminder.told_until = reminder.told_until.max(Some(change.to));
    }
    if reminder.status == ReminderStatus::Scheduled {
        reminder.fire_at = change.to;
    } else {
        reminder.first_at = Some(change.to);
    }
}

/// It had its turn, but nobody was to be told. When it fired before that is not known any more.
fn withdraw(reminder: &mut PlannedReminder) {
    reminder.status = ReminderStatus::Cancelled;
    if !reminder.missed {
        reminder.fire_count = reminder.fire_count.saturating_sub(1);
    }
    reminder.missed = false;
    reminder.told_at = None;
    reminder.last_fired_at = None;
    reminder.late_by_ms = 0;
    reminder.nag_at = None;
}

fn cancel(mut state: TaskReminders, change: &ReminderCancelled) -> TaskReminders {
    state.task_version = change.task_version;
    if let Some(reminder) = find(&mut state, change.reminder_id) {
        reminder.status = ReminderStatus::Cancelled;
        reminder.nag_at = None;
    }
    state
}
