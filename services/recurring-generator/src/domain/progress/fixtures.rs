//! A series to begin with, and its occurrences.

use chrono::{DateTime, Utc};
use event_schema::{
    Actor, Recurrence, Series, SeriesId, Status, Task, TaskTemplate, TimeValue, UserId,
    occurrence_task_id,
};
use uuid::Uuid;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The last day of each month at nine in Berlin, from January 2027.
pub(crate) fn series() -> Series {
    let owner_id = UserId(Uuid::from_u128(0xa));
    let start = TimeValue::Local {
        local: "2027-01-31T09:00:00".parse().unwrap(),
        time_zone: "Europe/Berlin".to_owned(),
    };
    Series::new(
        SeriesId(Uuid::from_u128(0xc)),
        Actor::User(owner_id),
        owner_id,
        (Recurrence::of("FREQ=MONTHLY"), start),
        TaskTemplate::titled("Pay the rent"),
        at("2026-11-22T10:00:00Z"),
    )
}

/// The occurrence of a slot, completed.
pub(crate) fn done(slot: &str, completed_at: DateTime<Utc>) -> Task {
    let Series { id, owner_id, .. } = series();
    let by = Actor::User(owner_id);
    let id_of_task = occurrence_task_id(id, slot);
    let created_at = at("2026-11-22T10:00:00Z");
    Task {
        status: Status::Completed,
        series_id: Some(id),
        slot: Some(slot.to_owned()),
        completed_at: Some(completed_at),
        completed_by: Some(by),
        updated_at: at("2028-01-01T00:00:00Z"),
        ..Task::new(id_of_task, owner_id, "Pay the rent", by, created_at)
    }
}
