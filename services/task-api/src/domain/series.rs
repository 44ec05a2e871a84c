//! A series: when it begins and when it ends.

use chrono::{DateTime, Utc};
use event_schema::{Changed, Series, SeriesEnded, SeriesEvent, SeriesId, SeriesStatus};
use event_store::Aggregate;
use uuid::Uuid;

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
    /// No further occurrence; it may have ended already.
    End,
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
        (None, Command::End) => Err(SeriesError::NotFound),
        (Some(series), Command::End) if series.status == SeriesStatus::Ended => Ok(Vec::new()),
        (Some(series), Command::End) => Ok(vec![SeriesEvent::Ended(SeriesEnded {
            status: Changed {
                from: series.status,
                to: SeriesStatus::Ended,
            },
            updated_at: now,
        })]),
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
            if let Some(template) = &change.template {
                series.template = template.to.clone();
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
            series.updated_at = change.updated_at;
        }
    }
    Some(series)
}

#[cfg(test)]
mod tests {
    use event_schema::{
        Actor, MonthOverflow, Priority, Recurrence, TaskTemplate, TimeValue, UserId,
    };

    use super::*;
    use crate::domain::time;

    fn now() -> DateTime<Utc> {
        time::instant("2026-11-22T10:00:00Z").unwrap()
    }

    fn series() -> Series {
        let owner_id = UserId(Uuid::from_u128(1));
        Series {
            id: SeriesId(Uuid::from_u128(3)),
            owner_id,
            recurrence: Recurrence {
                rrule: "FREQ=MONTHLY".to_owned(),
                month_overflow: MonthOverflow::Clamp,
            },
            start: TimeValue::Date {
                date: time::date("2027-01-31").unwrap(),
            },
            template: TaskTemplate {
                title: "Pay rent".to_owned(),
                notes: String::new(),
                priority: Priority::None,
                labels: std::collections::BTreeSet::new(),
                start: None,
                deadline: None,
                reminders: Vec::new(),
            },
            status: SeriesStatus::Active,
            created_at: now(),
            created_by: Actor::User(owner_id),
            updated_at: now(),
        }
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
        let events = decide(Some(&series()), Command::End, now()).unwrap();
        let ended = evolve(Some(series()), &events[0]).unwrap();
        assert_eq!(ended.status, SeriesStatus::Ended);
        assert_eq!(decide(Some(&ended), Command::End, now()), Ok(vec![]));
        assert_eq!(
            decide(None, Command::End, now()),
            Err(SeriesError::NotFound)
        );
    }
}
