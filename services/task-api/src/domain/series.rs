//! A series: what may be asked of it, and what happens then.

mod change;
mod except;

use chrono::{DateTime, Utc};
use event_schema::{
    Changed, Series, SeriesChanged, SeriesEnded, SeriesEvent, SeriesException, SeriesId,
    SeriesPaused, SeriesResumed, SeriesStatus,
};
use event_store::Aggregate;
use recurrence::Slot;
use uuid::Uuid;

use super::Fault;
use super::task::Edit;

pub use change::{SeriesPatch, TemplatePatch};
pub(in crate::domain) use change::{check, patched};
pub(crate) use except::MAX_EXCEPTIONS;

/// The streams of series.
#[derive(Clone, Copy, Debug)]
pub struct SeriesStream;

impl Aggregate for SeriesStream {
    const KIND: &'static str = "series";

    type Events = SeriesEvent;

    fn evolve(state: Option<Series>, event: &SeriesEvent) -> Option<Series> {
        evolve(state, event)
    }

    fn partition_key(series: &Series) -> Uuid {
        series.id.as_uuid()
    }
}

/// What may be asked of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start it, with its first occurrence.
    Start(Box<Series>),
    /// Change what its occurrences start with, or when they are made.
    Change(Box<SeriesPatch>),
    /// Read its dates and floating times in a zone, while it has not ended.
    ReadIn {
        /// An IANA name; UTC without one.
        home_zone: Option<String>,
    },
    /// Make one slot different, as soon as its turn comes.
    Except {
        /// Its newest slot that has a task.
        newest: Option<Slot>,
        /// Which slot.
        slot: Slot,
        /// What is different; nothing any more without.
        exception: Option<Box<SeriesException>>,
    },
    /// No occurrence until it is resumed.
    Pause,
    /// It makes occurrences again.
    Resume,
    /// No further occurrence; it may have ended already.
    End {
        /// The series that goes on from there.
        next: Option<SeriesId>,
    },
}

/// Why a series refuses a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// There is none.
    #[error("there is no such series")]
    NotFound,
    /// The id is taken.
    #[error("there is a series {0} already")]
    AlreadyExists(SeriesId),
    /// Its state does not allow it.
    #[error("series {id} is {state} and cannot be {wanted}")]
    IllegalTransition {
        /// The series.
        id: SeriesId,
        /// Where it stands.
        state: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The slot has its turn behind it.
    #[error("the turn of slot {0} is over: skip or change its task, if it has one")]
    SlotIsOver(String),
    /// Fields break rules.
    #[error("the series would break a rule")]
    Invalid(Vec<Fault>),
}

/// What happens when `command` is given to a series in `state`.
pub fn decide(
    state: Option<&Series>,
    command: Command,
    now: DateTime<Utc>,
) -> Result<Vec<SeriesEvent>, SeriesError> {
    match (state, command) {
        (None, Command::Start(series)) => Ok(vec![SeriesEvent::Started(series)]),
        (Some(series), Command::Start(_)) => Err(SeriesError::AlreadyExists(series.id)),
        (None, _) => Err(SeriesError::NotFound),
        (Some(series), Command::Change(patch)) => change::decide(series, *patch, now),
        (Some(series), Command::ReadIn { home_zone }) => {
            Ok(read_in(series, home_zone, now).into_iter().collect())
        }
        (
            Some(series),
            Command::Except {
                newest,
                slot,
                exception,
            },
        ) => except::decide(series, newest, slot, exception.map(|it| *it), now),
        (Some(series), Command::Pause) => pause(series, now),
        (Some(series), Command::Resume) => resume(series, now),
        (Some(series), Command::End { next }) => Ok(end(series, next, now)),
    }
}

fn end(series: &Series, next: Option<SeriesId>, now: DateTime<Utc>) -> Vec<SeriesEvent> {
    if series.status == SeriesStatus::Ended {
        return Vec::new();
    }
    vec![SeriesEvent::Ended(SeriesEnded {
        status: to(series, SeriesStatus::Ended),
        next_series_id: next,
        updated_at: now,
    })]
}

fn read_in(series: &Series, home_zone: Option<String>, now: DateTime<Utc>) -> Option<SeriesEvent> {
    let home_zone = Edit::To(home_zone).of(&series.home_zone)?;
    let lives = series.status != SeriesStatus::Ended;
    lives.then(|| {
        SeriesEvent::Changed(Box::new(SeriesChanged {
            home_zone: Some(home_zone),
            updated_at: now,
            ..SeriesChanged::default()
        }))
    })
}

fn pause(series: &Series, now: DateTime<Utc>) -> Result<Vec<SeriesEvent>, SeriesError> {
    if series.status != SeriesStatus::Active {
        return Err(illegal(series, "paused"));
    }
    Ok(vec![SeriesEvent::Paused(SeriesPaused {
        status: to(series, SeriesStatus::Paused),
        updated_at: now,
    })])
}

fn resume(series: &Series, now: DateTime<Utc>) -> Result<Vec<SeriesEvent>, SeriesError> {
    if series.status != SeriesStatus::Paused {
        return Err(illegal(series, "resumed"));
    }
    Ok(vec![SeriesEvent::Resumed(SeriesResumed {
        status: to(series, SeriesStatus::Active),
        updated_at: now,
    })])
}

/// Refuses what needs a series that can still make occurrences.
pub fn must_not_have_ended(series: &Series) -> Result<(), SeriesError> {
    match series.status {
        SeriesStatus::Ended => Err(illegal(series, "changed")),
        SeriesStatus::Active | SeriesStatus::Paused => Ok(()),
    }
}

fn to(series: &Series, status: SeriesStatus) -> Changed<SeriesStatus> {
    Changed {
        from: series.status,
        to: status,
    }
}

fn illegal(series: &Series, wanted: &'static str) -> SeriesError {
    let state = match series.status {
        SeriesStatus::Active => "active",
        SeriesStatus::Paused => "paused",
        SeriesStatus::Ended => "ended",
    };
    SeriesError::IllegalTransition {
        id: series.id,
        state,
        wanted,
    }
}

/// The state after the event; cannot fail, because the event has already happened.
pub fn evolve(state: Option<Series>, event: &SeriesEvent) -> Option<Series> {
    if let SeriesEvent::Started(series) = event {
        return Some((**series).clone());
    }
    let mut series = state?;
    match event {
        SeriesEvent::Started(_) => {}
        SeriesEvent::Changed(change) => {
            if let Some(recurrence) = &change.recurrence {
                series.recurrence = recurrence.to.clone();
            }
            if let Some(start) = &change.start {
                series.start = start.to.clone();
            }
            if let Some(home_zone) = &change.home_zone {
                series.home_zone.clone_from(&home_zone.to);
            }
            if let Some(template) = &change.template {
                series.template = template.to.clone();
            }
            if let Some(generation) = &change.generation {
                series.generation = generation.to;
            }
            if let Some(exceptions) = &change.exceptions {
                series.exceptions.clone_from(&exceptions.to);
            }
            series.updated_at = change.updated_at;
        }
        SeriesEvent::Paused(change) => {
            series.status = change.status.to;
            series.updated_at = change.updated_at;
        }
        SeriesEvent::Resumed(change) => {
            series.status = change.status.to;
            series.updated_at = change.updated_at;
        }
        SeriesEvent::Ended(change) => {
            series.status = change.status.to;
            series.next_series_id = change.next_series_id;
            series.updated_at = change.updated_at;
        }
    }
    Some(series)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::occurrence::fixtures::{self, date, now};

    fn series() -> Series {
        fixtures::series("FREQ=MONTHLY", date("2027-01-31"))
    }

    #[test]
    fn a_series_starts_once() {
        let start = Command::Start(Box::new(series()));
        let events = decide(None, start.clone(), now()).unwrap();
        assert_eq!(evolve(None, &events[0]), Some(series()));
        let error = decide(Some(&series()), start, now()).unwrap_err();
        assert_eq!(error, SeriesError::AlreadyExists(series().id));
    }

    #[test]
    fn a_series_ends_once() {
        let events = decide(Some(&series()), Command::End { next: None }, now()).unwrap();
        let ended = evolve(Some(series()), &events[0]).unwrap();
        assert_eq!(ended.status, SeriesStatus::Ended);
        assert_eq!(
            decide(Some(&ended), Command::End { next: None }, now()),
            Ok(vec![])
        );
        assert_eq!(
            decide(None, Command::End { next: None }, now()),
            Err(SeriesError::NotFound)
        );
    }

    #[test]
    fn a_series_is_paused_and_resumed_but_not_twice() {
        let given = |series: &Series, command| decide(Some(series), command, now());
        let after = |series: &Series, command| {
            let events = given(series, command).unwrap();
            evolve(Some(series.clone()), &events[0]).unwrap()
        };
        let refused = |series: &Series, command| {
            let error = given(series, command).unwrap_err();
            matches!(error, SeriesError::IllegalTransition { .. })
        };

        let paused = after(&series(), Command::Pause);
        assert_eq!(paused.status, SeriesStatus::Paused);
        assert!(refused(&paused, Command::Pause));
        let resumed = after(&paused, Command::Resume);
        assert_eq!(resumed.status, SeriesStatus::Active);
        assert!(refused(&resumed, Command::Resume));
        let ended = after(&paused, Command::End { next: None });
        assert!(refused(&ended, Command::Resume) && refused(&ended, Command::Pause));
    }
}
