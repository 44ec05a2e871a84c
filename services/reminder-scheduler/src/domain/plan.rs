//! From the reminders that a task wants to the instants at which they fire.

use chrono::{DateTime, Utc};
use event_schema::{ReminderId, Task, Terms};
use reminder_plan::{UnknownZone, first_of};

/// A reminder and its instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The reminder.
    pub reminder_id: ReminderId,
    /// When it fires, in whole microseconds as the timer table keeps it.
    pub fire_at: DateTime<Utc>,
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
                terms: reminder.terms,
            });
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests;
