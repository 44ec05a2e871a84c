//! Making the plan what the task says.

use chrono::{DateTime, Utc};
use event_schema::{
    PlannedReminder, ReminderCancelled, ReminderEvent, ReminderId, ReminderMissed,
    ReminderScheduled, ReminderStatus, ReminderTaskSeen, Task, TaskReminders,
};
use reminder_plan::UnknownZone;

use super::super::plan::{Planned, plan};
use super::fire::{is_worth_telling, next_nag};
use super::{find, pending, withdraw};

pub(super) fn decide(
    state: Option<&TaskReminders>,
    task: &Task,
    version: u64,
    now: DateTime<Utc>,
    tzdb_version: &str,
) -> Result<Vec<ReminderEvent>, UnknownZone> {
    let planned = plan(task)?;
    let wanted = planned.iter().filter_map(|planned| wanted(state, planned));
    let wanted: Vec<Wanted> = wanted.collect();
    let mut events = withdraw::decide(state, task, version)?;
    let (standing, new): (Vec<_>, Vec<_>) = wanted.iter().partition(|one| stands(state, one));
    for one in &new {
        events.push(scheduled(one, task, version, tzdb_version));
        events.extend(missed(one, now));
    }
    if new.is_empty() && !standing.is_empty() {
        events.extend(task_seen(state, task, version));
    }
    let gone = pending(state).filter(|(reminder, _)| {
        let id = reminder.reminder_id;
        !wanted.iter().any(|one| one.planned.reminder_id == id)
    });
    events.extend(gone.map(|(reminder, _)| cancelled(reminder.reminder_id, version)));
    Ok(events)
}

/// What shall be told of a reminder next.
struct Wanted {
    planned: Planned,
    fire_at: DateTime<Utc>,
    /// Whether it was told already.
    nag: bool,
}

/// What is still to come of a reminder: its time, or its next nag when the time had its turn.
fn wanted(state: Option<&TaskReminders>, planned: &Planned) -> Option<Wanted> {
    let known = find(state, planned.reminder_id);
    let told = known.filter(|known| known.told_until >= Some(planned.fire_at));
    let Some(told) = told else {
        return Some(Wanted {
            planned: planned.clone(),
            fire_at: planned.fire_at,
            nag: false,
        });
    };
    Some(Wanted {
        planned: planned.clone(),
        fire_at: nag_at(told, planned)?,
        nag: true,
    })
}

/// When one that nags goes on to: as it was said last, by the terms of today.
fn nag_at(told: &PlannedReminder, planned: &Planned) -> Option<DateTime<Utc>> {
    let nag_at = told.nag_at.filter(|_| told.first_at() == planned.fire_at)?;
    if told.status == ReminderStatus::Cancelled {
        return None;
    }
    if told.terms.nag == planned.terms.nag {
        return Some(nag_at);
    }
    next_nag(planned.terms, told.nags, told.told_until?)
}

/// Whether the plan has it already.
fn stands(state: Option<&TaskReminders>, wanted: &Wanted) -> bool {
    find(state, wanted.planned.reminder_id).is_some_and(|known| {
        known.due_at() == Some(wanted.fire_at)
            && known.terms == wanted.planned.terms
            && known.wall == wanted.planned.wall
            && (known.status != ReminderStatus::Scheduled) == wanted.nag
    })
}

/// What the notifications will show, when it changed. Nobody else needs to know: a reminder that fires
/// says it, and a title changes more often than a plan.
fn task_seen(
    state: Option<&TaskReminders>,
    task: &Task,
    task_version: u64,
) -> Option<ReminderEvent> {
    let known = state?;
    let changed = known.title != task.title || known.due != task.due;
    changed.then(|| {
        ReminderEvent::TaskSeen(ReminderTaskSeen {
            task_version,
            title: task.title.clone(),
            due: task.due.clone(),
        })
    })
}

fn scheduled(wanted: &Wanted, task: &Task, task_version: u64, tzdb_version: &str) -> ReminderEvent {
    ReminderEvent::Scheduled(ReminderScheduled {
        task_id: task.id,
        owner_id: task.owner_id,
        reminder_id: wanted.planned.reminder_id,
        fire_at: wanted.fire_at,
        task_version,
        title: task.title.clone(),
        due: task.due.clone(),
        tzdb_version: tzdb_version.to_owned(),
        wall: wanted.planned.wall.clone(),
        terms: wanted.planned.terms,
        nag: wanted.nag,
    })
}

/// What was too late when it was heard of is missed at once.
fn missed(wanted: &Wanted, now: DateTime<Utc>) -> Option<ReminderEvent> {
    let terms = wanted.planned.terms;
    let is_missed = terms.nag.is_none() && !is_worth_telling(terms, now - wanted.fire_at);
    is_missed.then_some(ReminderEvent::Missed(ReminderMissed {
        reminder_id: wanted.planned.reminder_id,
        scheduled_for: wanted.fire_at,
        missed_at: now,
        nag_at: None,
    }))
}

fn cancelled(reminder_id: ReminderId, task_version: u64) -> ReminderEvent {
    ReminderEvent::Cancelled(ReminderCancelled {
        reminder_id,
        task_version,
    })
}
