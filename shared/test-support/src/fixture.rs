//! Events as the owners of the streams would publish them, with growing versions.
//!
//! A [`Story`] is one stream: what is said before its first event shapes it, and every further method
//! adds an event. Ids follow from names, so that a test gets the same in every run.

mod reminders;
mod series;
mod task;

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::{
    Actor, Attributes, Envelope, EventId, EventSet, ReminderId, SeriesId, State, TaskId, TimeValue,
};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

pub use reminders::{RemindersStory, reminders};
pub use series::{ProgressStory, SeriesStory, progress, series};
pub use task::{TaskStory, task};

use crate::USER;

/// One stream as its owner tells it.
#[derive(Clone, Debug)]
pub struct Story<E: EventSet> {
    state: E::State,
    stream_id: Uuid,
    at: DateTime<Utc>,
    events: Vec<Value>,
}

impl<E: EventSet> Story<E> {
    fn new(stream_id: Uuid, state: E::State) -> Self {
        Self {
            state,
            stream_id,
            at: start(),
            events: Vec::new(),
        }
    }

    /// When the following events happen; a second later for each of them.
    #[must_use]
    pub fn at(mut self, at: DateTime<Utc>) -> Self {
        self.at = at;
        self
    }

    /// The envelopes so far, oldest first.
    pub fn events(&self) -> Vec<Value> {
        self.events.clone()
    }

    /// The newest envelope.
    pub fn last(&self) -> Value {
        self.events.last().cloned().expect("an event")
    }

    /// The state after the newest event.
    pub fn state(&self) -> &E::State {
        &self.state
    }

    /// The stream's version.
    pub fn version(&self) -> u64 {
        self.events.len() as u64
    }

    fn push(self, event: &E) -> Self {
        let name = event.event_type().name;
        let version = self.version() + 1;
        let id = named(&format!("{name} {version} {}", self.stream_id));
        self.push_as(EventId(id), event)
    }

    fn push_as(mut self, id: EventId, event: &E) -> Self {
        let event_type = event.event_type();
        let actor = match event_type.producer {
            event_schema::App::TaskApi => Actor::User(USER),
            service => Actor::Service(service),
        };
        let change = event.change_json().expect("a change is JSON");
        let state = serde_json::to_string(&self.state).expect("a state is JSON");
        let field = E::State::FIELD;
        let data = format!(r#"{{"actor":"{actor}","change":{change},"{field}":{state}}}"#);
        let attributes = Attributes {
            id,
            source: event_type.producer.source(),
            event_type: event_type.name,
            schema_version: event_type.schema_version,
            subject: self.stream_id,
            time: self.at,
            partition_key: self.stream_id,
            version: self.version() + 1,
            correlation_id: None,
            causation_id: None,
            traceparent: None,
        };
        let data = RawValue::from_string(data).expect("data is JSON");
        let envelope = serde_json::to_value(Envelope::new(&attributes, data));
        self.events.push(envelope.expect("an envelope is JSON"));
        self.at += TimeDelta::seconds(1);
        self
    }
}

/// When stories begin: an hour before the tests do.
pub fn start() -> DateTime<Utc> {
    crate::environment::start() - TimeDelta::hours(1)
}

/// The task of this name.
pub fn task_id(name: &str) -> TaskId {
    TaskId(named(&format!("task {name}")))
}

/// The series of this name.
pub fn series_id(name: &str) -> SeriesId {
    SeriesId(named(&format!("series {name}")))
}

/// The n-th reminder of a task.
pub fn reminder_id(task: TaskId, number: usize) -> ReminderId {
    ReminderId(named(&format!("reminder {number} of {task}")))
}

/// A civil time in a zone, `2026-12-01T09:00`.
pub fn local(text: &str, time_zone: &str) -> TimeValue {
    TimeValue::Local {
        local: event_schema::civil::parse(text).expect("a civil time such as 2026-12-01T09:00"),
        time_zone: time_zone.to_owned(),
    }
}

/// A whole day, `2026-12-01`.
pub fn date(text: &str) -> TimeValue {
    TimeValue::Date {
        date: text.parse().expect("a date such as 2026-12-01"),
    }
}

/// A point in time, `2026-12-01T08:00:00Z`.
pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse()
        .expect("an instant such as 2026-12-01T08:00:00Z")
}

fn named(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

#[cfg(test)]
mod tests {
    use event_schema::{Decoded, ReminderEvent, SeriesEvent, TaskEvent, decode};

    use super::*;

    fn decodes<E: EventSet>(events: &[Value]) -> bool {
        (1..).zip(events).all(|(version, event)| {
            let envelope = Envelope::parse(event.to_string().as_bytes()).unwrap();
            assert_eq!(envelope.version(), version);
            matches!(decode::<E>(&envelope).unwrap(), Decoded::Known(_))
        })
    }

    #[test]
    fn every_event_of_a_story_can_be_read() {
        let task = task("Pay rent")
            .due(local("2026-12-01T09:00", "Europe/Berlin"))
            .reminder(-600)
            .created()
            .renamed("Pay the rent")
            .due(date("2026-12-02"))
            .reminder(-60)
            .without_reminders()
            .completed()
            .reopened()
            .cancelled()
            .trashed()
            .restored()
            .purged();
        assert_eq!(task.version(), 11);
        assert!(decodes::<TaskEvent>(&task.events()));

        let series = series("Water the plants", "FREQ=WEEKLY")
            .started()
            .changed_rule("FREQ=DAILY")
            .paused()
            .resumed()
            .ended();
        assert!(decodes::<SeriesEvent>(&series.events()));

        let progress = progress(series.state())
            .occurrence_due("2026-11-30", 2)
            .exhausted("2026-11-30");
        assert!(decodes::<event_schema::ProgressEvent>(&progress.events()));

        let at = instant("2026-12-01T07:50:00Z");
        let reminders = reminders(task.state())
            .scheduled(0, at)
            .fired(0, at)
            .missed(1, at)
            .withdrawn(0, at)
            .cancelled(2);
        assert!(decodes::<ReminderEvent>(&reminders.events()));
    }

    #[test]
    fn stories_are_the_same_in_every_run() {
        let events = || task("Pay rent").created().completed().events();
        assert_eq!(events(), events());
    }
}
