//! Where a reminder of a task stands.

use chrono::{DateTime, Utc};
use event_schema::{Answer, Reminder, Reply, Task};

use crate::{UnknownZone, time_of, wall_of};

/// Where a reminder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its time is still to come.
    Scheduled,
    /// It was told.
    Fired,
    /// It will be told at a time that its owner chose instead.
    Snoozed,
    /// Its owner does not want to be told.
    Dismissed,
    /// Its owner knows.
    Acknowledged,
    /// Its time passed too long ago to tell.
    Missed,
    /// It will not be told: its task is closed, or it has no time.
    Cancelled,
}

/// Where a reminder stands, and when it is told next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub state: State,
    /// The time that it stands so for: the one to come, or else the one that had its turn or was answered.
    pub at: Option<DateTime<Utc>>,
    /// When it is told next.
    pub next_at: Option<DateTime<Utc>>,
}

/// The time at which a reminder of a task is told first, as it stands: that of its trigger, or the one
/// that its owner chose instead; `None` when it has no time, is answered, or its task is not open.
pub fn first_of(task: &Task, reminder: &Reminder) -> Result<Option<DateTime<Utc>>, UnknownZone> {
    if !task.is_open() {
        return Ok(None);
    }
    let time = time_of(task, &reminder.trigger)?;
    Ok(
        match answer(task, reminder, time)?.map(|answer| answer.reply) {
            None => time,
            Some(Reply::Snoozed { until }) => Some(until),
            Some(Reply::Dismissed | Reply::Acknowledged) => None,
        },
    )
}

/// Where a reminder of a task stands. One in a zone that is not known here has no time.
pub fn standing(task: &Task, reminder: &Reminder) -> Standing {
    let time = time_of(task, &reminder.trigger).unwrap_or_default();
    let answer = answer(task, reminder, time).unwrap_or_default();
    let (waiting, at) = match answer.map(|answer| answer.reply) {
        None => (State::Scheduled, time),
        Some(Reply::Snoozed { until }) => (State::Snoozed, Some(until)),
        Some(Reply::Dismissed) => return over(State::Dismissed, time),
        Some(Reply::Acknowledged) => return over(State::Acknowledged, time),
    };
    let told = reminder
        .told
        .filter(|told| at.is_some_and(|at| at <= told.until));
    match told {
        // It was taken back.
        Some(told) if told.last_fired_at.is_none() && !told.missed => over(State::Cancelled, None),
        Some(told) => {
            let state = if told.missed {
                State::Missed
            } else {
                State::Fired
            };
            match told.nag_at.filter(|_| task.is_open()) {
                Some(nag_at) => next(state, nag_at),
                None => over(state, Some(told.until)),
            }
        }
        None => match at.filter(|_| task.is_open()) {
            Some(at) => next(waiting, at),
            None => over(State::Cancelled, None),
        },
    }
}

fn next(state: State, at: DateTime<Utc>) -> Standing {
    Standing {
        state,
        at: Some(at),
        next_at: Some(at),
    }
}

fn over(state: State, at: Option<DateTime<Utc>>) -> Standing {
    Standing {
        state,
        at,
        next_at: None,
    }
}

/// The answer that holds for the time that a reminder has now.
fn answer<'a>(
    task: &Task,
    reminder: &'a Reminder,
    time: Option<DateTime<Utc>>,
) -> Result<Option<&'a Answer>, UnknownZone> {
    let Some(answer) = &reminder.answer else {
        return Ok(None);
    };
    let holds = Some(answer.to) == time
        || answer.wall.is_some() && answer.wall == wall_of(task, &reminder.trigger)?;
    Ok(holds.then_some(answer))
}

#[cfg(test)]
mod tests;
