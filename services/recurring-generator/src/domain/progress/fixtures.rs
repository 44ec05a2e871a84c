//! A series to begin with, and its occurrences.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use event_schema::{
    Actor, MonthOverflow, OccurrenceFinished, Priority, Recurrence, Series, SeriesId, SeriesStatus,
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

pub(crate) fn finished(slot: &str, finished_at: &str) -> OccurrenceFinished {
    let Series { id, owner_id, .. } = series();
    OccurrenceFinished {
        series_id: id,
        owner_id,
        task_id: occurrence_task_id(id, slot),
        slot: slot.to_owned(),
        finished_at: at(finished_at),
    }
}
