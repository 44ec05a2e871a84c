//! What was missed while nobody could tell: one notification sums it up.

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::{
    Changed, EventId, Miss, MissEvent, MissedReminder, MissedSummary, Notification, NotificationId,
    NotificationKind, NotificationUpdated, OpenSummary, SummaryEvent, UserId, notification_id,
};
use event_store::Aggregate;
use uuid::Uuid;

use super::notification::NewNotification;

/// How many of the missed reminders a summary names.
const MOST_NAMED: usize = 5;
/// So long a summary that nobody reads is added to.
const OPEN_FOR: TimeDelta = TimeDelta::hours(24);

/// Which summary is open, per user.
#[derive(Clone, Copy, Debug)]
pub struct SummaryStream;

/// What became of each missed time of a reminder, named by the event that told of it.
#[derive(Clone, Copy, Debug)]
pub struct MissStream;

/// A summary that begins with one missed reminder.
pub fn begun(event_id: EventId, user_id: UserId, one: MissedReminder) -> NewNotification {
    let kind = NotificationKind::ReminderMissed;
    let missed = with(MissedSummary::default(), one);
    NewNotification {
        id: notification_id(event_id, user_id, kind.name()),
        user_id,
        kind,
        title: title(&missed),
        body: body(&missed),
        task_id: None,
        series_id: None,
        scheduled_for: None,
        missed: Some(missed),
    }
}

/// What a summary says with one missed reminder more; `None` when that begins another, because this one
/// was read, is too old, or is none.
pub fn extended(
    summary: &Notification,
    one: MissedReminder,
    now: DateTime<Utc>,
) -> Option<NotificationUpdated> {
    let is_open = summary.read_at.is_none()
        && summary.withdrawn_at.is_none()
        && now - summary.created_at < OPEN_FOR;
    let missed = summary.missed.as_ref().filter(|_| is_open)?;
    Some(updated(missed, with(missed.clone(), one)))
}

/// What a summary says without a missed reminder that was taken back; `None` when nothing is left.
pub fn reduced(missed: &MissedSummary, gone: EventId) -> Option<NotificationUpdated> {
    let mut less = missed.clone();
    less.count = less.count.saturating_sub(1);
    less.first.retain(|one| event_of(one) != gone);
    (less.count > 0).then(|| updated(missed, less))
}

fn updated(before: &MissedSummary, missed: MissedSummary) -> NotificationUpdated {
    NotificationUpdated {
        count: Changed {
            from: before.count,
            to: missed.count,
        },
        title: title(&missed),
        body: body(&missed),
        missed,
    }
}

/// The earliest are named, in whatever order they come.
fn with(mut missed: MissedSummary, one: MissedReminder) -> MissedSummary {
    missed.count = missed.count.saturating_add(1);
    missed.first.push(one);
    missed
        .first
        .sort_by_key(|one| (one.scheduled_for, one.reminder_id));
    missed.first.truncate(MOST_NAMED);
    missed
}

fn event_of(one: &MissedReminder) -> EventId {
    event_schema::fired_event_id(one.reminder_id, one.scheduled_for)
}

fn title(missed: &MissedSummary) -> String {
    match missed.count {
        1 => "1 reminder was missed while you were away".to_owned(),
        count => format!("{count} reminders were missed while you were away"),
    }
}

fn body(missed: &MissedSummary) -> String {
    let named = missed.first.iter().map(|one| {
        let at = one.scheduled_for.format("%-d %B, %H:%M UTC");
        format!("{} ({at})", one.title)
    });
    let mut lines: Vec<String> = named.collect();
    let named = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    match missed.count.saturating_sub(named) {
        0 => {}
        more => lines.push(format!("and {more} more")),
    }
    lines.join("\n")
}

impl Aggregate for SummaryStream {
    const KIND: &'static str = "open-summary";

    type Events = SummaryEvent;

    fn evolve(_state: Option<OpenSummary>, event: &SummaryEvent) -> Option<OpenSummary> {
        let SummaryEvent::Begun(begun) = event;
        Some(OpenSummary {
            user_id: begun.user_id,
            notification_id: begun.notification_id,
        })
    }

    fn partition_key(summary: &OpenSummary) -> Uuid {
        summary.user_id.as_uuid()
    }
}

impl Aggregate for MissStream {
    const KIND: &'static str = "missed-reminder";

    type Events = MissEvent;

    fn evolve(state: Option<Miss>, event: &MissEvent) -> Option<Miss> {
        let miss = |event_id, user_id, notification_id: Option<NotificationId>, withdrawn| Miss {
            event_id,
            user_id,
            notification_id,
            withdrawn,
        };
        Some(match event {
            MissEvent::Summed(one) => {
                miss(one.event_id, one.user_id, Some(one.notification_id), false)
            }
            MissEvent::Withdrawn(one) => {
                let summary = state.and_then(|state| state.notification_id);
                miss(one.event_id, one.user_id, summary, true)
            }
        })
    }

    fn partition_key(miss: &Miss) -> Uuid {
        miss.event_id.as_uuid()
    }
}

#[cfg(test)]
mod tests;
