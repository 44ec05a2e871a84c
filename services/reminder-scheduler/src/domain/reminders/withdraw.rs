//! Taking back what was told before it was known here that it should not.

use event_schema::{
    PlannedReminder, Reminder, ReminderEvent, ReminderStatus, ReminderWithdrawn, Reply, Task,
    TaskReminders,
};
use reminder_plan::{UnknownZone, first_of};

/// A command on a task races the firing of its reminders: it may be decided before the firing, and heard
/// of after it, the more so after downtime: then timers are due before the first delivery comes. The task
/// says since when its reminders stand as they do; what fired or was missed from then on for another time
/// is taken back.
pub(super) fn decide(
    state: Option<&TaskReminders>,
    task: &Task,
    version: u64,
) -> Result<Vec<ReminderEvent>, UnknownZone> {
    let mut events = Vec::new();
    for told in state.into_iter().flat_map(|state| &state.reminders) {
        if is_mistaken(told, task)?
            && let Some(scheduled_for) = told.told_until
        {
            events.push(ReminderEvent::Withdrawn(ReminderWithdrawn {
                reminder_id: told.reminder_id,
                scheduled_for,
                task_version: version,
                missed: told.missed,
            }));
        }
    }
    Ok(events)
}

fn is_mistaken(told: &PlannedReminder, task: &Task) -> Result<bool, UnknownZone> {
    let fired_at = told.last_fired_at.filter(|_| !told.missed);
    let Some(told_at) = told.told_at.or(fired_at) else {
        return Ok(false);
    };
    let reminder = task
        .reminders
        .iter()
        .find(|reminder| reminder.id == told.reminder_id);
    let Some(reminder) = reminder else {
        return Ok(task.updated_at <= told_at); // It was removed then, or before.
    };
    let stood_so = reminder.since.is_none_or(|since| since <= told_at);
    let knows = !told.missed && is_acknowledged(reminder);
    Ok(stood_so && !knows && !fits(told, task, reminder)?)
}

/// Who acknowledges was told.
fn is_acknowledged(reminder: &Reminder) -> bool {
    let answer = reminder.answer.as_ref();
    answer.is_some_and(|answer| answer.reply == Reply::Acknowledged)
}

/// Whether it is told at that time, as it stands: for the first time, also one that moved with the rules
/// of its zone, or as a nag.
fn fits(told: &PlannedReminder, task: &Task, reminder: &Reminder) -> Result<bool, UnknownZone> {
    let first = first_of(task, reminder)?;
    let stands_for = match told.status {
        ReminderStatus::Scheduled => None,
        _ => Some(told.first_at()),
    };
    Ok(first.is_some()
        && (first == told.told_until
            || first == stands_for
            || first <= told.told_until && told.terms.nag.is_some()))
}
