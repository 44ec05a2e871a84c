//! The reminders of one task: planned from its state, fired once, when their time has come.

mod evolve;

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::{
    EventId, PlannedReminder, ReminderCancelled, ReminderEvent, ReminderFired, ReminderId,
    ReminderMissed, ReminderScheduled, ReminderStatus, Task, TaskReminders, fired_event_id,
};
use event_store::{Aggregate, Timer};
use reminder_plan::UnknownZone;
use uuid::Uuid;

use super::plan::{Planned, plan};
pub use evolve::evolve;

/// A reminder that is later than this is missed: telling it would only confuse.
pub const GRACE: TimeDelta = TimeDelta::hours(24);

/// The streams of this service: one per task that has, or had, reminders.
#[derive(Clone, Copy, Debug)]
pub struct RemindersStream;

impl Aggregate for RemindersStream {
    const KIND: &'static str = "reminders";
    const HAS_TIMERS: bool = true;
    type Events = ReminderEvent;

    fn evolve(state: Option<TaskReminders>, event: &ReminderEvent) -> Option<TaskReminders> {
        evolve(state, event)
    }

    fn partition_key(state: &TaskReminders) -> Uuid {
        state.task_id.as_uuid()
    }

    fn event_id(event: &ReminderEvent, _state: &TaskReminders) -> Option<EventId> {
        match event {
            ReminderEvent::Fired(fired) => {
                Some(fired_event_id(fired.reminder_id, fired.scheduled_for))
            }
            ReminderEvent::Missed(missed) => {
                Some(fired_event_id(missed.reminder_id, missed.scheduled_for))
            }
            ReminderEvent::Scheduled(_) | ReminderEvent::Cancelled(_) => None,
        }
    }

    fn timers(state: &TaskReminders) -> Vec<Timer> {
        let timer = |reminder: &PlannedReminder| Timer {
            timer_id: reminder.reminder_id.as_uuid(),
            fire_at: reminder.fire_at,
        };
        pending(Some(state)).map(timer).collect()
    }
}

/// What is wanted of a task's reminders.
#[derive(Clone, Debug)]
pub enum Command {
    /// Make the plan what the task says. The lane's version gate drops a task older than one seen.
    Reconcile {
        /// The task at its version.
        task: Box<Task>,
        /// The version.
        version: u64,
    },
    /// Tell, because the timer of a reminder is due.
    Fire {
        /// The reminder.
        reminder_id: ReminderId,
        /// The time its timer was set to.
        fire_at: DateTime<Utc>,
    },
}

/// What follows from a command. No events: everything is as it should be.
pub fn decide(
    state: Option<&TaskReminders>,
    command: Command,
    now: DateTime<Utc>,
) -> Result<Vec<ReminderEvent>, UnknownZone> {
    match command {
        Command::Reconcile { task, version } => reconcile(state, &task, version, now),
        Command::Fire {
            reminder_id,
            fire_at,
        } => Ok(fire(state, reminder_id, fire_at, now)),
    }
}

fn reconcile(
    state: Option<&TaskReminders>,
    task: &Task,
    version: u64,
    now: DateTime<Utc>,
) -> Result<Vec<ReminderEvent>, UnknownZone> {
    let mut wanted = if task.is_open() { plan(task)? } else { vec![] };
    wanted.retain(|planned| !was_told(state, planned));
    let mut events = Vec::new();
    for planned in &wanted {
        if !stands(state, planned, task) {
            events.push(scheduled(planned, task, version));
            if now - planned.fire_at > GRACE {
                events.push(missed(*planned, now));
            }
        }
    }
    let gone = pending(state).filter(|reminder| {
        let id = reminder.reminder_id;
        !wanted.iter().any(|planned| planned.reminder_id == id)
    });
    events.extend(gone.map(|reminder| cancelled(reminder.reminder_id, version)));
    Ok(events)
}

/// A stale claim, one of another time and one that is early have no effect.
fn fire(
    state: Option<&TaskReminders>,
    reminder_id: ReminderId,
    fire_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<ReminderEvent> {
    let due = Planned {
        reminder_id,
        fire_at,
    };
    if now < fire_at || !is_pending(state, &due) {
        vec![]
    } else if now - fire_at > GRACE {
        vec![missed(due, now)]
    } else {
        vec![fired(due, now)]
    }
}

/// Whether this time of the reminder, or a later one, had its turn.
fn was_told(state: Option<&TaskReminders>, planned: &Planned) -> bool {
    let known = find(state, planned.reminder_id);
    known.is_some_and(|known| known.told_until >= Some(planned.fire_at))
}

/// Whether the plan has the reminder already, with everything that its notification shows.
fn stands(state: Option<&TaskReminders>, planned: &Planned, task: &Task) -> bool {
    let shown = |state: &TaskReminders| state.title == task.title && state.due == task.due;
    is_pending(state, planned) && state.is_some_and(shown)
}

fn is_pending(state: Option<&TaskReminders>, planned: &Planned) -> bool {
    pending(state)
        .any(|known| known.reminder_id == planned.reminder_id && known.fire_at == planned.fire_at)
}

fn pending(state: Option<&TaskReminders>) -> impl Iterator<Item = &PlannedReminder> {
    let reminders = state.into_iter().flat_map(|state| &state.reminders);
    reminders.filter(|reminder| reminder.status == ReminderStatus::Scheduled)
}

fn find(state: Option<&TaskReminders>, id: ReminderId) -> Option<&PlannedReminder> {
    state?
        .reminders
        .iter()
        .find(|reminder| reminder.reminder_id == id)
}

fn scheduled(planned: &Planned, task: &Task, task_version: u64) -> ReminderEvent {
    ReminderEvent::Scheduled(ReminderScheduled {
        task_id: task.id,
        owner_id: task.owner_id,
        reminder_id: planned.reminder_id,
        fire_at: planned.fire_at,
        task_version,
        title: task.title.clone(),
        due: task.due.clone(),
        tzdb_version: recurrence::tzdb_version().to_owned(),
    })
}

fn fired(due: Planned, now: DateTime<Utc>) -> ReminderEvent {
    ReminderEvent::Fired(ReminderFired {
        reminder_id: due.reminder_id,
        scheduled_for: due.fire_at,
        fired_at: now,
    })
}

fn missed(due: Planned, now: DateTime<Utc>) -> ReminderEvent {
    ReminderEvent::Missed(ReminderMissed {
        reminder_id: due.reminder_id,
        scheduled_for: due.fire_at,
        missed_at: now,
    })
}

fn cancelled(reminder_id: ReminderId, task_version: u64) -> ReminderEvent {
    ReminderEvent::Cancelled(ReminderCancelled {
        reminder_id,
        task_version,
    })
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
