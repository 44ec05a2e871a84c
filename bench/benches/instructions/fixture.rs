//! A task as users have them: every field that most tasks have, none that few have.

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::{
    Actor, Anchor, Priority, Reminder, ReminderId, Task, TaskId, TimeValue, Trigger, UserId,
};
use event_store::Context;
use uuid::Uuid;

pub(crate) const OWNER: UserId = UserId(Uuid::from_u128(0x0195_c0de_0000_7000_8000_0000_0000_0001));
pub(crate) const BY: Actor = Actor::User(OWNER);

/// An id like those that are minted.
pub(crate) fn id(number: u32) -> Uuid {
    Uuid::from_u128(0x0195_c0de_1234_7000_8000_0000_0000_0000 + u128::from(number))
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::microseconds(1_795_341_600_123_456)
}

pub(crate) fn task(number: u32) -> Task {
    Task {
        notes: "The big ones twice a week, the cactus once a month.".to_owned(),
        priority: Priority::Medium,
        labels: ["home", "balcony"].map(str::to_owned).into(),
        due: Some(due(3)),
        reminders: vec![Reminder::new(
            ReminderId(id(900)),
            Trigger::Relative {
                to: Anchor::Due,
                offset_seconds: -1_800,
            },
        )],
        ..Task::new(
            TaskId(id(number)),
            OWNER,
            "Water the plants on the balcony",
            BY,
            now() - TimeDelta::days(1),
        )
    }
}

/// So many days from now, at the user's place.
pub(crate) fn due(days: i64) -> TimeValue {
    TimeValue::Local {
        local: now().naive_utc() + TimeDelta::days(days),
        time_zone: "Europe/Berlin".to_owned(),
    }
}

/// A caller's command with a trace.
pub(crate) fn context() -> Context {
    Context {
        actor: BY,
        now: now(),
        correlation_id: Some(id(800).to_string()),
        causation_id: Some(id(800).to_string()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
    }
}
