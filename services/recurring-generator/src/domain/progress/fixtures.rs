//! A series to begin with, and its occurrences.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use event_schema::{
    Actor, MonthOverflow, Priority, Recurrence, Series, SeriesId, SeriesStatus, Status, Task,
    TaskTemplate, TimeValue, UserId, occurrence_task_id,
};
use uuid::Uuid;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The last day of each month at nine in Berlin, from January 2027.
pub(crate) fn series() -> Series {
    let owner_id = UserId(Uuid::from_u128(0xa));
    let created_at = at("2026-11-22T10:00:00Z");
    Series {
        id: SeriesId(Uuid::from_u128(0xc)),
        owner_id,
        recurrence: Recurrence {
            rrule: "FREQ=MONTHLY".to_owned(),
            month_overflow: MonthOverflow::Clamp,
        },
        start: TimeValue::Local {
            local: "2027-01-31T09:00:00".parse().unwrap(),
            time_zone: "Europe/Berlin".to_owned(),
        },
        template: TaskTemplate {
            title: "Pay the rent".to_owned(),
            notes: String::new(),
            priority: Priority::None,
            labels: BTreeSet::new(),
            start: None,
            deadline: None,
            reminders: vec![],
        },
        status: SeriesStatus::Active,
        created_at,
        created_by: Actor::User(owner_id),
        updated_at: created_at,
    }
}

/// The occurrence of a slot, completed.
pub(crate) fn done(slot: &str, completed_at: DateTime<Utc>) -> Task {
    let Series { id, owner_id, .. } = series();
    Task {
        id: occurrence_task_id(id, slot),
        owner_id,
        title: "Pay the rent".to_owned(),
        notes: String::new(),
        status: Status::Completed,
        priority: Priority::None,
        labels: BTreeSet::new(),
        start: None,
        due: None,
        deadline: None,
        parent_id: None,
        reminders: vec![],
        series_id: Some(id),
        slot: Some(slot.to_owned()),
        occurrence_index: None,
        missed_count: 0,
        recurrence: None,
        completed_at: Some(completed_at),
        completed_by: Some(Actor::User(owner_id)),
        created_at: at("2026-11-22T10:00:00Z"),
        created_by: Actor::User(owner_id),
        updated_at: at("2028-01-01T00:00:00Z"),
        trashed_at: None,
    }
}
