//! The reminders of one task: planned from its state, fired once, when their time has come.

mod evolve;
mod fire;
mod reconcile;
mod replan;
mod withdraw;

use chrono::{DateTime, Utc};
use event_schema::{
    EventId, PlannedReminder, ReminderEvent, ReminderId, Task, TaskReminders, fired_event_id,
    withdrawn_event_id,
};
use event_store::{Aggregate, Timer};
use reminder_plan::UnknownZone;
use uuid::Uuid;

pub use evolve::evolve;

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
            ReminderEvent::Withdrawn(withdrawn) => Some(withdrawn_event_id(
                withdrawn.reminder_id,
                withdrawn.scheduled_for,
            )),
            ReminderEvent::Scheduled(_)
            | ReminderEvent::Moved(_)
            | ReminderEvent::Replanned(_)
            | ReminderEvent::Cancelled(_)
            | ReminderEvent::TaskSeen(_) => None,
        }
    }

    fn timers(state: &TaskReminders) -> Vec<Timer> {
        let timer = |(reminder, fire_at): (&PlannedReminder, _)| Timer {
            timer_id: reminder.reminder_id.as_uuid(),
            fire_at,
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
    /// Reckon by the zone rules of today what was reckoned by older ones.
    Replan,
}

/// What follows from a command, by the zone rules of this version. No events: everything is as it should be.
///
/// Whatever is wanted of reminders that older rules planned, they are planned anew first: so none fires by
/// a time that is not its own any more, and other rules are not taken for a change of the task.
pub fn decide(
    state: Option<&TaskReminders>,
    command: Command,
    now: DateTime<Utc>,
    tzdb_version: &str,
) -> Result<Vec<ReminderEvent>, UnknownZone> {
    let mut events = replan::decide(state, tzdb_version);
    let replanned = state.filter(|_| !events.is_empty()).cloned();
    let replanned = events.iter().fold(replanned, evolve);
    let state = replanned.as_ref().or(state);
    events.extend(match command {
        Command::Reconcile { task, version } => {
            reconcile::decide(state, &task, version, now, tzdb_version)?
        }
        Command::Fire {
            reminder_id,
            fire_at,
        } => fire::decide(state, reminder_id, fire_at, now),
        Command::Replan => Vec::new(),
    });
    Ok(events)
}

/// What is still to come, and when.
fn pending(
    state: Option<&TaskReminders>,
) -> impl Iterator<Item = (&PlannedReminder, DateTime<Utc>)> {
    let reminders = state.into_iter().flat_map(|state| &state.reminders);
    reminders.filter_map(|reminder| Some((reminder, reminder.due_at()?)))
}

fn find(state: Option<&TaskReminders>, id: ReminderId) -> Option<&PlannedReminder> {
    state?
        .reminders
        .iter()
        .find(|reminder| reminder.reminder_id == id)
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
