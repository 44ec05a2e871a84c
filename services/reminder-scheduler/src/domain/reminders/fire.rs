//! Telling, when the time has come: at its time, late, or not any more.

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::{
    MisfirePolicy, Nag, PlannedReminder, ReminderEvent, ReminderFired, ReminderId, ReminderMissed,
    ReminderStatus, TaskReminders, Terms,
};

use super::find;

/// A reminder that is not to be told late is told so long after its time, which nobody notices.
const PUNCTUAL: TimeDelta = TimeDelta::minutes(1);

/// A stale claim, one of another time and one that is early have no effect. That the task is open and
/// the reminder unanswered is known from the state: nothing else is due.
pub(super) fn decide(
    state: Option<&TaskReminders>,
    reminder_id: ReminderId,
    fire_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<ReminderEvent> {
    let due = find(state, reminder_id).filter(|known| known.due_at() == Some(fire_at));
    match due {
        Some(due) if fire_at <= now => vec![tell(due, fire_at, now)],
        _ => vec![],
    }
}

/// Tells what was due at a time that is not in the future.
fn tell(due: &PlannedReminder, due_at: DateTime<Utc>, now: DateTime<Utc>) -> ReminderEvent {
    let scheduled_for = newest(due_at, due.terms.nag, now);
    let nag_at = nag_after(due, scheduled_for);
    let reminder_id = due.reminder_id;
    if is_worth_telling(due.terms, now - scheduled_for) {
        let late_by = (now - scheduled_for).num_milliseconds();
        ReminderEvent::Fired(ReminderFired {
            reminder_id,
            scheduled_for,
            fired_at: now,
            late_by_ms: u64::try_from(late_by).unwrap_or_default(),
            nag_at,
        })
    } else {
        ReminderEvent::Missed(ReminderMissed {
            reminder_id,
            scheduled_for,
            missed_at: now,
            nag_at,
        })
    }
}

/// Of the times of a nagging reminder that have passed, only the newest is told: it goes on, and does
/// not catch up.
fn newest(due_at: DateTime<Utc>, nag: Option<Nag>, now: DateTime<Utc>) -> DateTime<Utc> {
    let Some(every) = nag.map(every) else {
        return due_at;
    };
    let steps = (now - due_at).num_seconds() / every.num_seconds().max(1);
    let passed = i32::try_from(steps).ok().and_then(|n| every.checked_mul(n));
    passed
        .and_then(|passed| due_at.checked_add_signed(passed))
        .unwrap_or(due_at)
}

/// When it nags after it was told at a time, if it still does.
fn nag_after(due: &PlannedReminder, told_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let nags = match due.status {
        ReminderStatus::Scheduled => 0,
        _ => due.nags.saturating_add(1),
    };
    next_nag(due.terms, nags, told_at)
}

/// When a reminder that has nagged so often nags after it was told at a time.
pub(super) fn next_nag(terms: Terms, nags: u16, told_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let nag = terms.nag.filter(|nag| nags < nag.max)?;
    told_at.checked_add_signed(every(nag))
}

fn every(nag: Nag) -> TimeDelta {
    TimeDelta::seconds(nag.every_seconds.max(1).into())
}

/// Whether a reminder that is so late is told, or missed.
pub(super) fn is_worth_telling(terms: Terms, late: TimeDelta) -> bool {
    match terms.misfire.policy {
        MisfirePolicy::FireLate => {
            late <= TimeDelta::seconds(terms.misfire.grace_seconds.into()).max(PUNCTUAL)
        }
        MisfirePolicy::Skip => late <= PUNCTUAL,
    }
}
