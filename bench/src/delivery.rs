//! A delivered event of a new task that has a reminder, for any number of tasks.

use clock::SharedClock;
use event_schema::{Actor, Reminder, ReminderId, Task, TaskId, TimeValue, Trigger};
use task_api::domain::task::Command;
use uuid::Uuid;

use crate::naive::USER;
use crate::rows::Rows;

/// No reminder fires while anything is measured.
const REMIND_AT: &str = r#"{"instant":"2099-01-31T08:00:00Z"}"#;

/// An envelope whose ids are replaced: making one from nothing would cost the driver more than sending it.
#[derive(Debug)]
pub(crate) struct Delivery {
    envelope: String,
    task_id: String,
    event_id: String,
}

impl Delivery {
    pub(crate) fn new(clock: &SharedClock) -> anyhow::Result<Self> {
        let (id, actor) = (TaskId(clock.new_id()), Actor::User(USER));
        let at: TimeValue = serde_json::from_str(REMIND_AT)?;
        let reminder = Reminder::new(ReminderId(clock.new_id()), Trigger::Absolute { at });
        let title = "Water the plants on the balcony";
        let task = Task {
            reminders: vec![reminder],
            ..Task::new(id, USER, title, actor, clock.now())
        };
        let rows = Rows::decide(None, Command::Create(Box::new(task)), actor, clock.as_ref())?;
        Ok(Self {
            envelope: rows.envelope,
            task_id: id.to_string(),
            event_id: rows.event_id.to_string(),
        })
    }

    /// The envelope of another task.
    pub(crate) fn of(&self, task_id: Uuid, event_id: Uuid) -> String {
        let envelope = self.envelope.replace(&self.task_id, &task_id.to_string());
        envelope.replacen(&self.event_id, &event_id.to_string(), 1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clock::SystemClock;
    use event_schema::{Decoded, Envelope, TaskEvent, decode};

    use super::*;

    #[test]
    fn each_delivery_is_of_a_task_of_its_own() {
        let clock: SharedClock = Arc::new(SystemClock::new());
        let (task_id, event_id) = (clock.new_id(), clock.new_id());

        let text = Delivery::new(&clock).unwrap().of(task_id, event_id);

        let envelope = Envelope::parse(text.as_bytes()).unwrap();
        assert_eq!(envelope.id.as_uuid(), event_id);
        assert_eq!(envelope.subject, task_id.to_string());
        let Decoded::Known(data) = decode::<TaskEvent>(&envelope).unwrap() else {
            panic!("an event of today's schema is known");
        };
        assert_eq!(data.state.id.as_uuid(), task_id);
        assert_eq!(data.state.reminders.len(), 1);
    }
}
