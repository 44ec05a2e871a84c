//! A task to begin with, and the time it is.

use chrono::{DateTime, Utc};
use event_schema::{Actor, Priority, ReminderId, Status, Task, TaskId, UserId};
use uuid::Uuid;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn reminder_id(number: u128) -> ReminderId {
    ReminderId(Uuid::from_u128(number))
}

/// An open task without times and reminders.
pub(crate) fn task() -> Task {
    let owner_id = UserId(Uuid::from_u128(0xa));
    let created_at = at("2026-11-22T10:00:00Z");
    Task {
        id: TaskId(Uuid::from_u128(0xb)),
        owner_id,
        title: "Pay the rent".to_owned(),
        notes: String::new(),
        status: Status::Open,
        priority: Priority::None,
        labels: std::collections::BTreeSet::new(),
        start: None,
        due: None,
        deadline: None,
        parent_id: None,
        reminders: vec![],
        plan_version: 0,
        tellings: 0,
        next_series_id: None,
        home_zone: None,
        series_id: None,
        slot: None,
        occurrence_index: None,
        missed_count: 0,
        previous_slot: None,
        undone: 0,
        withdrawn: std::collections::BTreeMap::new(),
        recurrence: None,
        completed_at: None,
        completed_by: None,
        created_at,
        created_by: Actor::User(owner_id),
        updated_at: created_at,
        trashed_at: None,
    }
}
