//! What is told when a reminder reaches its time.

use chrono::{DateTime, Utc};
use event_schema::{
    EventId, NotificationId, NotificationKind, ReminderEvent, TaskReminders, TaskWatch, TimeValue,
    UserId, fired_event_id, notification_id,
};

use super::notification::NewNotification;

/// What the user is told of a reminder event, if anything.
///
/// Nothing when nobody waited for the task any more at that time: the scheduler may not have known
/// yet. Title and due are the newest of what scheduler and watch know.
pub fn notification(
    event_id: EventId,
    change: &ReminderEvent,
    reminders: &TaskReminders,
    watch: Option<&TaskWatch>,
) -> Option<NewNotification> {
    let (kind, scheduled_for, at) = match change {
        ReminderEvent::Fired(fired) => (
            NotificationKind::ReminderFired,
            fired.scheduled_for,
            fired.fired_at,
        ),
        ReminderEvent::Missed(missed) => (
            NotificationKind::ReminderMissed,
            missed.scheduled_for,
            missed.missed_at,
        ),
        ReminderEvent::Scheduled(_) | ReminderEvent::Cancelled(_) | ReminderEvent::Withdrawn(_) => {
            return None;
        }
    };
    if watch.is_some_and(|watch| was_closed(watch, at)) {
        return None;
    }
    let newer = watch.filter(|watch| watch.task_version > reminders.task_version);
    let (title, due) = newer.map_or((&reminders.title, &reminders.due), |watch| {
        (&watch.title, &watch.due)
    });
    Some(NewNotification {
        id: notification_id(event_id, reminders.owner_id, kind.name()),
        user_id: reminders.owner_id,
        kind,
        title: title.clone(),
        body: body(kind, due.as_ref()),
        task_id: Some(reminders.task_id),
        series_id: None,
        scheduled_for: Some(scheduled_for),
    })
}

/// The notification that is taken back, and its kind, when what it told is.
pub fn withdrawn(
    change: &ReminderEvent,
    user: UserId,
) -> Option<(NotificationId, NotificationKind)> {
    let ReminderEvent::Withdrawn(change) = change else {
        return None;
    };
    let told = fired_event_id(change.reminder_id, change.scheduled_for);
    let kind = if change.missed {
        NotificationKind::ReminderMissed
    } else {
        NotificationKind::ReminderFired
    };
    Some((notification_id(told, user, kind.name()), kind))
}

fn was_closed(watch: &TaskWatch, at: DateTime<Utc>) -> bool {
    watch.closed_at.is_some_and(|closed_at| closed_at <= at)
}

fn body(kind: NotificationKind, due: Option<&TimeValue>) -> String {
    let due = due.map(due_text).unwrap_or_default();
    match kind {
        NotificationKind::ReminderMissed if due.is_empty() => "You were not reminded.".to_owned(),
        NotificationKind::ReminderMissed => format!("You were not reminded. {due}"),
        NotificationKind::ReminderFired | NotificationKind::SeriesEnded => due,
    }
}

fn due_text(due: &TimeValue) -> String {
    match due {
        TimeValue::Date { date } => date.format("Due %-d %B.").to_string(),
        TimeValue::Local { local, .. } => local.format("Due %-d %B, %H:%M.").to_string(),
        TimeValue::Instant { instant } => instant.format("Due %-d %B, %H:%M UTC.").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use event_schema::{ReminderFired, ReminderId, ReminderMissed, ReminderWithdrawn, TaskId};
    use uuid::Uuid;

    use super::*;

    const EVENT: EventId = EventId(Uuid::from_u128(7));

    fn noon() -> DateTime<Utc> {
        "2027-01-31T12:00:00Z".parse().unwrap()
    }

    fn reminders() -> TaskReminders {
        TaskReminders {
            task_id: TaskId(Uuid::from_u128(2)),
            owner_id: UserId(Uuid::from_u128(1)),
            task_version: 3,
            title: "Pay rent".to_owned(),
            due: Some(TimeValue::Local {
                local: event_schema::civil::parse("2027-01-31T14:00").unwrap(),
                time_zone: "Europe/Berlin".to_owned(),
            }),
            reminders: Vec::new(),
            tzdb_version: "2026a".to_owned(),
        }
    }

    fn fired() -> ReminderEvent {
        ReminderEvent::Fired(ReminderFired {
            reminder_id: ReminderId(Uuid::from_u128(4)),
            scheduled_for: noon(),
            fired_at: noon(),
            late_by_ms: 0,
            nag_at: None,
        })
    }

    fn missed() -> ReminderEvent {
        ReminderEvent::Missed(ReminderMissed {
            reminder_id: ReminderId(Uuid::from_u128(4)),
            scheduled_for: noon(),
            missed_at: noon() + TimeDelta::days(3),
            nag_at: None,
        })
    }

    fn watch(version: u64, closed_at: Option<DateTime<Utc>>) -> TaskWatch {
        TaskWatch {
            task_id: reminders().task_id,
            owner_id: reminders().owner_id,
            task_version: version,
            title: "Pay the rent".to_owned(),
            due: None,
            closed_at,
        }
    }

    fn told(change: &ReminderEvent, watch: Option<&TaskWatch>) -> Option<NewNotification> {
        notification(EVENT, change, &reminders(), watch)
    }

    #[test]
    fn a_fired_reminder_tells_title_and_due() {
        let told = told(&fired(), None).unwrap();

        assert_eq!(told.kind, NotificationKind::ReminderFired);
        assert_eq!(told.title, "Pay rent");
        assert_eq!(told.body, "Due 31 January, 14:00.");
        assert_eq!(told.scheduled_for, Some(noon()));
    }

    #[test]
    fn a_missed_reminder_says_so() {
        let told = told(&missed(), None).unwrap();

        assert_eq!(told.kind, NotificationKind::ReminderMissed);
        assert_eq!(told.body, "You were not reminded. Due 31 January, 14:00.");
        assert_eq!(told.scheduled_for, Some(noon()));
    }

    #[test]
    fn fired_and_missed_are_told_apart_by_their_ids() {
        assert_ne!(
            told(&missed(), None).unwrap().id,
            told(&fired(), None).unwrap().id
        );
    }

    #[test]
    fn what_is_taken_back_is_what_was_told() {
        let user = reminders().owner_id;
        for (missed, change) in [(false, fired()), (true, missed())] {
            let back = ReminderEvent::Withdrawn(ReminderWithdrawn {
                reminder_id: ReminderId(Uuid::from_u128(4)),
                scheduled_for: noon(),
                task_version: 4,
                missed,
            });
            let id = fired_event_id(ReminderId(Uuid::from_u128(4)), noon());
            let told = notification(id, &change, &reminders(), None).unwrap();
            assert_eq!(withdrawn(&back, user), Some((told.id, told.kind)));
        }
    }

    #[test]
    fn nothing_is_told_of_a_task_that_was_closed_before() {
        for closed_at in [noon(), noon() - TimeDelta::microseconds(1)] {
            assert_eq!(told(&fired(), Some(&watch(4, Some(closed_at)))), None);
        }
    }

    #[test]
    fn what_fired_before_the_task_was_closed_is_told() {
        let closed_later = watch(4, Some(noon() + TimeDelta::microseconds(1)));
        assert!(told(&fired(), Some(&closed_later)).is_some());
    }

    #[test]
    fn the_newer_of_two_titles_is_shown() {
        let newer = told(&fired(), Some(&watch(4, None))).unwrap();
        assert_eq!(
            (newer.title.as_str(), newer.body.as_str()),
            ("Pay the rent", "")
        );

        let older = told(&fired(), Some(&watch(2, None))).unwrap();
        assert_eq!(older.title, "Pay rent");
    }
}
