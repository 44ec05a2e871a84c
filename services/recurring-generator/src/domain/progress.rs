//! How far a series has come: followed, finished, and which slot is announced next.

mod evolve;
mod late;
mod on_schedule;
mod undo;

use chrono::{DateTime, Utc};
use event_schema::{
    EventId, OccurrenceDue, OccurrenceFinished, ProgressEvent, Series, SeriesExhausted,
    SeriesFollowed, SeriesId, SeriesProgress, SeriesStatus, Status, Task, exhausted_event_id,
    late_event_id, occurrence_again_event_id, occurrence_event_id,
};
use event_store::{Aggregate, Timer};
use recurrence::{InvalidSlot, Slot};
use uuid::Uuid;

pub use evolve::evolve;
use slots::{Finished, Plan, PlanError};

/// The streams of this service: one per series.
#[derive(Clone, Copy, Debug)]
pub struct ProgressStream;

impl Aggregate for ProgressStream {
    const KIND: &'static str = "progress";

    type Events = ProgressEvent;

    fn evolve(state: Option<SeriesProgress>, event: &ProgressEvent) -> Option<SeriesProgress> {
        evolve(state, event)
    }

    fn partition_key(state: &SeriesProgress) -> Uuid {
        state.series_id.as_uuid()
    }

    fn event_id(event: &ProgressEvent, state: &SeriesProgress) -> Option<EventId> {
        match event {
            ProgressEvent::OccurrenceDue(due) => Some(due_event_id(state.series_id, due)),
            ProgressEvent::SeriesExhausted(end) => {
                Some(exhausted_event_id(state.series_id, &end.last_slot))
            }
            ProgressEvent::OccurrenceLate(late) => Some(late_event_id(state.series_id, &late.slot)),
            ProgressEvent::SeriesFollowed(_)
            | ProgressEvent::OccurrenceOpened(_)
            | ProgressEvent::OccurrenceFinished(_)
            | ProgressEvent::OccurrenceReopened(_)
            | ProgressEvent::OccurrenceWithdrawn(_)
            | ProgressEvent::SlotsPassed(_) => None,
        }
    }

    const HAS_TIMERS: bool = true;

    fn timers(state: &SeriesProgress) -> Vec<Timer> {
        on_schedule::timer(state).into_iter().collect()
    }
}

/// What there is to learn about a series. The lane's version gate drops what is older than seen.
#[derive(Clone, Debug)]
pub enum Command {
    /// Its definition.
    Follow {
        /// The series at its version.
        series: Box<Series>,
    },
    /// Make what is due, because the timer of a series on schedule says so.
    Make {
        /// The time.
        now: DateTime<Utc>,
    },
    /// One of its occurrences, which may be open, may have been completed, skipped, cancelled or thrown
    /// away, and may have been taken back.
    Finish {
        /// The task at its version.
        task: Box<Task>,
    },
}

impl Command {
    /// What an occurrence says, and to which series: one that leads over says it to the series that begins
    /// after it, where it stands before the first slot. Its own has ended with it.
    pub fn of_task(task: Task) -> Option<(SeriesId, Self)> {
        let series_id = task.leads_to()?;
        let leads_over = task.next_series_id.is_some();
        let task = Task {
            series_id: Some(series_id),
            occurrence_index: task.occurrence_index.filter(|_| !leads_over),
            ..task
        };
        let task = Box::new(task);
        Some((series_id, Self::Finish { task }))
    }
}

/// Why something cannot be learned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgressError {
    /// The series has no slots.
    #[error("series {series_id} has no slots")]
    Plan {
        /// The series.
        series_id: SeriesId,
        /// What is wrong with its definition.
        source: PlanError,
    },
    /// An occurrence has a slot that is none.
    #[error("an occurrence has the slot {text:?}")]
    Slot {
        /// What stands there.
        text: String,
        /// What a slot looks like.
        source: InvalidSlot,
    },
}

/// What follows from a command: what was learned, and the slot that is therefore due.
pub fn decide(
    state: Option<&SeriesProgress>,
    command: Command,
) -> Result<Vec<ProgressEvent>, ProgressError> {
    let mut events: Vec<ProgressEvent> = match command {
        Command::Follow { series } => follow(state, *series)?.into_iter().collect(),
        Command::Finish { task } if task.is_open() => opened(state, &task),
        Command::Finish { task } if task.is_withdrawn() => {
            undo::withdrawn(state, &task).into_iter().collect()
        }
        Command::Finish { task } => finish(state, &task)?.into_iter().collect(),
        Command::Make { now } => return on_schedule::make(state, now),
    };
    if events.is_empty() {
        return Ok(events);
    }
    let learned = events.iter().fold(state.cloned(), evolve);
    events.extend(learned.as_ref().map(next).transpose()?.flatten());
    Ok(events)
}

fn opened(state: Option<&SeriesProgress>, task: &Task) -> Vec<ProgressEvent> {
    let counted = on_schedule::opened(state, task);
    counted
        .into_iter()
        .chain(undo::opened_again(state, task))
        .collect()
}

/// One that comes in its turn has the id of its slot; one that comes for another time has its own.
fn due_event_id(series_id: SeriesId, due: &OccurrenceDue) -> EventId {
    match due.undone {
        None | Some(0) => occurrence_event_id(series_id, &due.slot),
        Some(undone) => occurrence_again_event_id(series_id, &due.slot, &due.previous_slot, undone),
    }
}

fn follow(
    state: Option<&SeriesProgress>,
    series: Series,
) -> Result<Option<ProgressEvent>, ProgressError> {
    // A definition without slots is refused here, so that no later occurrence stumbles over it.
    plan(&series)?;
    let known = state.and_then(|state| state.series.as_ref());
    let is_news = known != Some(&series);
    Ok(is_news.then(|| {
        let series = Box::new(series);
        ProgressEvent::SeriesFollowed(SeriesFollowed { series })
    }))
}

/// Only the newest finished slot matters, and only until the one after it is announced.
fn finish(
    state: Option<&SeriesProgress>,
    task: &Task,
) -> Result<Option<ProgressEvent>, ProgressError> {
    let Some(finished) = finished(task) else {
        return Ok(None);
    };
    let slot = slot(&finished.slot)?;
    let known = state.and_then(|state| state.finished.as_ref());
    let newest = known.map(|known| self::slot(&known.slot)).transpose()?;
    // What was announced after an earlier finish of it is, or will be, taken back.
    let is_repeated =
        known.is_some_and(|known| known.slot == finished.slot && known.undone >= finished.undone);
    let is_past = (newest > Some(slot) && !undo::is_finished_again(state, &finished))
        || (is_repeated && announced(state)? > Some(slot))
        || known == Some(&finished)
        || undo::is_undone(state, &finished);
    // On schedule an older one matters too: it makes room for one more.
    let was_open = state.is_some_and(|state| state.open.contains(&finished.slot));
    Ok((!is_past || was_open).then_some(ProgressEvent::OccurrenceFinished(finished)))
}

/// What a task says about its series: nothing, unless it is a finished occurrence.
fn finished(task: &Task) -> Option<OccurrenceFinished> {
    let finished_at = match task.status {
        // Who throws an open occurrence away does not want it, and wants the next one.
        Status::Open => task.trashed_at?,
        Status::Completed => task.completed_at.unwrap_or(task.updated_at),
        Status::Skipped | Status::Cancelled => task.updated_at,
    };
    Some(OccurrenceFinished {
        series_id: task.series_id?,
        owner_id: task.owner_id,
        task_id: task.id,
        slot: task.slot.clone()?,
        index: task.occurrence_index,
        undone: task.undone,
        finished_at,
    })
}

/// The slot whose turn has come; nothing while the series is unknown or paused, while an announced
/// occurrence is still to be finished, or when the end was announced already.
fn next(state: &SeriesProgress) -> Result<Option<ProgressEvent>, ProgressError> {
    let (Some(series), Some(finished)) = (&state.series, &state.finished) else {
        return Ok(None);
    };
    let slot = slot(&finished.slot)?;
    if on_schedule::is_on_schedule(state) {
        return on_schedule::exhausted(state);
    }
    if series.status != SeriesStatus::Active || announced(Some(state))? > Some(slot) {
        return Ok(None);
    }
    if state.followed.get(&finished.slot) >= Some(&finished.undone) {
        return Ok(None);
    }
    let next = plan(series)?.next(Finished {
        slot,
        index: finished.index,
        at: finished.finished_at,
    });
    Ok(match next {
        Some(next) => Some(ProgressEvent::OccurrenceDue(OccurrenceDue {
            slot: next.slot.to_string(),
            index: next.index,
            missed_count: next.missed_count,
            previous_slot: finished.slot.clone(),
            undone: Some(finished.undone),
        })),
        None if state.exhausted => None,
        None => Some(ProgressEvent::SeriesExhausted(SeriesExhausted {
            last_slot: finished.slot.clone(),
        })),
    })
}

fn plan(series: &Series) -> Result<Plan, ProgressError> {
    Plan::of_series(series).map_err(|source| ProgressError::Plan {
        series_id: series.id,
        source,
    })
}

fn announced(state: Option<&SeriesProgress>) -> Result<Option<Slot>, ProgressError> {
    let text = state.and_then(|state| state.announced_slot.as_deref());
    text.map(slot).transpose()
}

fn slot(text: &str) -> Result<Slot, ProgressError> {
    text.parse().map_err(|source| ProgressError::Slot {
        text: text.to_owned(),
        source,
    })
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
