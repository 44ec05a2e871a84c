//! From the reminders that a task wants to the instants at which they fire.

use chrono::{DateTime, Utc};
use event_schema::{Reminder, ReminderId, Task, Terms, WallClock};
use reminder_plan::{UnknownZone, first_of, instant_of, wall_of};

/// A reminder and its instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The reminder.
    pub reminder_id: ReminderId,
    /// When it fires, in whole microseconds as the timer table keeps it.
    pub fire_at: DateTime<Utc>,
    /// What that follows from, when other rules of a zone would make another instant of it.
    pub wall: Option<WallClock>,
    /// How it is told.
    pub terms: Terms,
}

/// Resolves every reminder of the task to its instant, each once: that of its trigger, or the one it was
/// snoozed to. One without an instant has no place in the plan, nor has one that is answered; a task that
/// is not open has none.
pub fn plan(task: &Task) -> Result<Vec<Planned>, UnknownZone> {
    let mut plan: Vec<Planned> = Vec::with_capacity(task.reminders.len());
    for reminder in &task.reminders {
        let known = plan.iter().any(|one| one.reminder_id == reminder.id);
        if let Some(fire_at) = first_of(task, reminder)?
            && !known
        {
            plan.push(Planned {
                reminder_id: reminder.id,
                fire_at,
                wall: cause(task, reminder, fire_at)?,
                terms: reminder.terms,
            });
        }
    }
    Ok(plan)
}

/// One that was snoozed has the instant that its owner chose, whatever the rules.
fn cause(
    task: &Task,
    reminder: &Reminder,
    fire_at: DateTime<Utc>,
) -> Result<Option<WallClock>, UnknownZone> {
    let Some(wall) = wall_of(task, &reminder.trigger)? else {
        return Ok(None);
    };
    let is_cause = instant_of(&wall)? == Some(fire_at);
    Ok(is_cause.then_some(wall))
}

#[cfg(test)]
mod tests;
