//! What tests of occurrences begin with.

use chrono::{DateTime, Utc};
use event_schema::{
    Actor, Anchor, Priority, Recurrence, Reminder, ReminderId, Series, SeriesId, TaskTemplate,
    TimeValue, Trigger, UserId,
};
use uuid::Uuid;

use crate::domain::time;

pub(crate) fn now() -> DateTime<Utc> {
    time::instant("2026-11-22T10:00:00Z").unwrap()
}

pub(crate) fn date(text: &str) -> TimeValue {
    TimeValue::Date {
        date: time::date(text).unwrap(),
    }
}

pub(crate) fn series(rrule: &str, start: TimeValue) -> Series {
    let owner_id = UserId(Uuid::from_u128(1));
    let template = TaskTemplate {
        priority: Priority::High,
        labels: ["home".to_owned()].into(),
        start: Some(date("2027-01-25")),
        deadline: Some(date("2027-02-03")),
        reminders: vec![Reminder::new(
            ReminderId(Uuid::from_u128(5)),
            Trigger::Relative {
                to: Anchor::Due,
                offset_seconds: -60,
            },
        )],
        ..TaskTemplate::titled("Pay rent")
    };
    Series::new(
        SeriesId(Uuid::from_u128(3)),
        Actor::User(owner_id),
        owner_id,
        (Recurrence::of(rrule), start),
        template,
        now(),
    )
}
