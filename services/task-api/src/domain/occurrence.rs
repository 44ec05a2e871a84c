//! Occurrences: from a series and a slot to a task.

use chrono::{DateTime, Utc};
use event_schema::{
    Actor, MonthOverflow, Priority, Recurrence, Reminder, Series, SeriesStatus, Status, Task,
    TaskId, TimeValue, Trigger, occurrence_reminder_id, occurrence_task_id,
};
use recurrence::{Rule, RuleError, Schedule, Slot};

use super::{fields, time};

/// A slot whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The civil start that names the occurrence.
    pub slot: Slot,
    /// Its place among all slots, from 1.
    pub index: u32,
    /// Slots that passed since the occurrence before.
    pub missed_count: u32,
}

/// The slot of a due: a date or a local time. An instant has none.
pub fn slot_of(value: &TimeValue) -> Option<Slot> {
    match value {
        TimeValue::Date { date } => Some(Slot::Date(*date)),
        TimeValue::Local { local, .. } => Some(Slot::Timed(*local)),
        TimeValue::Instant { .. } => None,
    }
}

/// The due of a slot, in the zone of the series' start.
pub fn due_of(slot: Slot, start: &TimeValue) -> TimeValue {
    match (slot, start) {
        (Slot::Timed(local), TimeValue::Local { time_zone, .. }) => TimeValue::Local {
            local,
            time_zone: time_zone.clone(),
        },
        (slot, _) => TimeValue::Date { date: slot.date() },
    }
}

/// The schedule of a rule from a start. A floating start has no zone, so its rule has no `UNTIL`.
pub fn schedule_of(recurrence: &Recurrence, start: &TimeValue) -> Result<Schedule, RuleError> {
    let rule = Rule::parse(&recurrence.rrule)?;
    let overflow = match recurrence.month_overflow {
        MonthOverflow::Clamp => recurrence::MonthOverflow::Clamp,
        MonthOverflow::Skip => recurrence::MonthOverflow::Skip,
    };
    let Some(slot) = slot_of(start) else {
        return Err(RuleError::Unsupported {
            part: "DTSTART".to_owned(),
            message: "must be a date or a local time".to_owned(),
        });
    };
    let zone = time::zone_of(start);
    Schedule::new(rule, slot, zone, overflow)
}

/// The slot that follows a finished occurrence; `None` when the series makes no more.
pub fn next(series: &Series, slot: Slot, finished_at: DateTime<Utc>) -> Option<Turn> {
    if series.status != SeriesStatus::Active {
        return None;
    }
    // A rule was checked when the series started.
    let schedule = schedule_of(&series.recurrence, &series.start).ok()?;
    let next = schedule.next_after_finish(slot, finished_at)?;
    Some(Turn {
        slot: next.slot,
        index: next.index,
        missed_count: next.missed_count,
    })
}

/// The task of a slot. Start and deadline keep their civil distance from it; its reminders are those
/// of the template, each with an id of its own.
pub fn task_of(
    series: &Series,
    turn: Turn,
    parent_id: Option<TaskId>,
    by: Actor,
    now: DateTime<Utc>,
) -> Task {
    let slot = turn.slot.to_string();
    let id = occurrence_task_id(series.id, &slot);
    let days =
        slot_of(&series.start).map_or(0, |start| (turn.slot.date() - start.date()).num_days());
    let moved = |value: &Option<TimeValue>| {
        let value = value.as_ref()?;
        time::shifted(value, days)
    };
    let template = &series.template;
    let mut task = Task {
        title: template.title.clone(),
        notes: template.notes.clone(),
        priority: template.priority,
        labels: template.labels.clone(),
        start: moved(&template.start),
        due: Some(due_of(turn.slot, &series.start)),
        deadline: moved(&template.deadline),
        parent_id,
        series_id: Some(series.id),
        slot: Some(slot),
        occurrence_index: Some(turn.index),
        missed_count: turn.missed_count,
        recurrence: Some(series.recurrence.clone()),
        ..blank(id, series, by, now)
    };
    task.reminders = reminders(&task, &template.reminders);
    task
}

/// Reminders whose anchor left the calendar with the slot are left out.
fn reminders(task: &Task, template: &[Reminder]) -> Vec<Reminder> {
    let has_anchor = |reminder: &&Reminder| match &reminder.trigger {
        Trigger::Relative { to, .. } => task.anchor(*to).is_some(),
        Trigger::Absolute { .. } => false,
    };
    let copies = template.iter().filter(has_anchor);
    copies
        .map(|reminder| Reminder {
            id: occurrence_reminder_id(task.id, reminder.id),
            trigger: reminder.trigger.clone(),
        })
        .take(fields::MAX_REMINDERS)
        .collect()
}

fn blank(id: TaskId, series: &Series, by: Actor, now: DateTime<Utc>) -> Task {
    Task {
        id,
        owner_id: series.owner_id,
        title: String::new(),
        notes: String::new(),
        status: Status::Open,
        priority: Priority::None,
        labels: std::collections::BTreeSet::new(),
        start: None,
        due: None,
        deadline: None,
        parent_id: None,
        reminders: Vec::new(),
        series_id: None,
        slot: None,
        occurrence_index: None,
        missed_count: 0,
        recurrence: None,
        completed_at: None,
        completed_by: None,
        created_at: now,
        created_by: by,
        updated_at: now,
        trashed_at: None,
    }
}
