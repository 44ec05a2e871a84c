//! From the reminders that a task wants to the instants at which they fire.

use chrono::{DateTime, Datelike, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use event_schema::{ReminderId, Task, TimeValue, Trigger};

/// A local time without a zone of its own is read in this one.
const FLOATING: (&str, Tz) = ("floating", Tz::UTC);

/// A reminder and its instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The reminder.
    pub reminder_id: ReminderId,
    /// When it fires, in whole microseconds as the timer table keeps it.
    pub fire_at: DateTime<Utc>,
}

/// Why no plan can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The zone is not in the database of zones that this process was built with.
    #[error("the time zone {0:?} is not known here")]
    UnknownZone(String),
}

/// Resolves every reminder of the task to its instant, each once.
///
/// A reminder without an instant has no place in the plan: its anchor is not set or a whole day, or
/// it falls out of the years 1 to 9999.
pub fn plan(task: &Task) -> Result<Vec<Planned>, PlanError> {
    let mut plan: Vec<Planned> = Vec::with_capacity(task.reminders.len());
    for reminder in &task.reminders {
        let known = plan.iter().any(|one| one.reminder_id == reminder.id);
        if let Some(fire_at) = fire_at(task, &reminder.trigger)?
            && !known
        {
            plan.push(Planned {
                reminder_id: reminder.id,
                fire_at,
            });
        }
    }
    Ok(plan)
}

fn fire_at(task: &Task, trigger: &Trigger) -> Result<Option<DateTime<Utc>>, PlanError> {
    let instant = match trigger {
        Trigger::Absolute { at } => instant(at)?,
        Trigger::Relative { to, offset_seconds } => {
            let anchor = task.anchor(*to).map(instant).transpose()?.flatten();
            let offset = TimeDelta::try_seconds(*offset_seconds);
            anchor
                .zip(offset)
                .and_then(|(anchor, offset)| anchor.checked_add_signed(offset))
        }
    };
    let in_range = |at: &DateTime<Utc>| (1..=9999).contains(&at.year());
    Ok(instant.map(|at| at.trunc_subsecs(6)).filter(in_range))
}

fn instant(time: &TimeValue) -> Result<Option<DateTime<Utc>>, PlanError> {
    match time {
        TimeValue::Date { .. } => Ok(None),
        TimeValue::Instant { instant } => Ok(Some(*instant)),
        TimeValue::Local { local, time_zone } => {
            Ok(Some(recurrence::resolve(*local, zone(time_zone)?)))
        }
    }
}

fn zone(name: &str) -> Result<Tz, PlanError> {
    if name == FLOATING.0 {
        return Ok(FLOATING.1);
    }
    name.parse()
        .map_err(|_| PlanError::UnknownZone(name.to_owned()))
}

#[cfg(test)]
mod tests;
