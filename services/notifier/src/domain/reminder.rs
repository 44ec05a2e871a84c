//! What is told when a reminder reaches its time.

use chrono::{DateTime, Utc};
use event_schema::{
    EventId, MissedReminder, NotificationId, NotificationKind, ReminderFired, ReminderMissed,
    ReminderWithdrawn, TaskReminders, TaskWatch, TimeValue, UserId, fired_event_id,
    notification_id,
};

use super::notification::NewNotification;

/// What the user is told of a reminder that fired, if anything.
///
/// Nothing when nobody waited for the task any more at that time: the scheduler may not have known
/// yet. Title and due are the newest of what scheduler and watch know.
pub fn fired(
    event_id: EventId,
    fired: &ReminderFired,
    reminders: &TaskReminders,
    watch: Option<&TaskWatch>,
) -> Option<NewNotification> {
    if was_closed(watch, fired.fired_at) {
        return None;
    }
    let kind = NotificationKind::ReminderFired;
    let (title, due) = newest(reminders, watch);
    Some(NewNotification {
        id: notification_id(event_id, reminders.owner_id, kind.name()),
        user_id: reminders.owner_id,
        kind,
        title: title.to_owned(),
        body: due.map(due_text).unwrap_or_default(),
        task_id: Some(reminders.task_id),
        series_id: None,
        scheduled_for: Some(fired.scheduled_for),
        missed: None,
    })
}

/// What a summary says of a reminder that was missed, if anything: see [`fired`].
pub fn missed(
    missed: &ReminderMissed,
    reminders: &TaskReminders,
    watch: Option<&TaskWatch>,
) -> Option<MissedReminder> {
    let (title, _) = newest(reminders, watch);
    let is_open = !was_closed(watch, missed.missed_at);
    is_open.then(|| MissedReminder {
        reminder_id: missed.reminder_id,
        task_id: reminders.task_id,
        title: title.to_owned(),
        scheduled_for: missed.scheduled_for,
    })
}

/// The notification that is taken back, when the firing that it told is.
pub fn withdrawn(change: &ReminderWithdrawn, user: UserId) -> NotificationId {
    let fired = fired_event_id(change.reminder_id, change.scheduled_for);
    notification_id(fired, user, NotificationKind::ReminderFired.name())
}

/// Title and due, as the newer of the two knows them.
fn newest<'a>(
    reminders: &'a TaskReminders,
    watch: Option<&'a TaskWatch>,
) -> (&'a str, Option<&'a TimeValue>) {
    match watch.filter(|watch| watch.task_version > reminders.task_version) {
        Some(watch) => (&watch.title, watch.due.as_ref()),
        None => (&reminders.title, reminders.due.as_ref()),
    }
}

fn was_closed(watch: Option<&TaskWatch>, at: DateTime<Utc>) -> bool {
    let closed_at = watch.and_then(|watch| watch.closed_at);
    closed_at.is_some_and(|closed_at| closed_at <= at)
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
    use event_schema::{ReminderId, TaskId};
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

    fn firing() -> ReminderFired {
        ReminderFired {
            reminder_id: ReminderId(Uuid::from_u128(4)),
            scheduled_for: noon(),
            fired_at: noon(),
            late_by_ms: 0,
            nag_at: None,
        }
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

    fn told(watch: Option<&TaskWatch>) -> Option<NewNotification> {
        fired(EVENT, &firing(), &reminders(), watch)
    }

    #[test]
    fn a_fired_reminder_tells_title_and_due() {
        let told = told(None).unwrap();

        assert_eq!(told.kind, NotificationKind::ReminderFired);
        assert_eq!(told.title, "Pay rent");
        assert_eq!(told.body, "Due 31 January, 14:00.");
        assert_eq!(told.scheduled_for, Some(noon()));
    }

    #[test]
    fn what_is_taken_back_is_what_was_told() {
        let reminder_id = ReminderId(Uuid::from_u128(4));
        let back = ReminderWithdrawn {
            reminder_id,
            scheduled_for: noon(),
            task_version: 4,
            missed: false,
        };
        let id = fired_event_id(reminder_id, noon());
        let told = fired(id, &firing(), &reminders(), None).unwrap();
        assert_eq!(withdrawn(&back, reminders().owner_id), told.id);
    }

    #[test]
    fn a_missed_reminder_is_named_as_newest_known_unless_its_task_was_closed_before() {
        let at = noon() + TimeDelta::days(3);
        let change = ReminderMissed {
            reminder_id: ReminderId(Uuid::from_u128(4)),
            scheduled_for: noon(),
            missed_at: at,
            nag_at: None,
        };
        let named = |watch| missed(&change, &reminders(), watch).map(|one| one.title);
        assert_eq!(named(None).as_deref(), Some("Pay rent"));
        let later = at + TimeDelta::microseconds(1);
        let closed_later = watch(4, Some(later));
        assert_eq!(named(Some(&closed_later)).as_deref(), Some("Pay the rent"));
        assert_eq!(named(Some(&watch(4, Some(at)))), None);
    }

    #[test]
    fn nothing_is_told_of_a_task_that_was_closed_before() {
        for closed_at in [noon(), noon() - TimeDelta::microseconds(1)] {
            assert_eq!(told(Some(&watch(4, Some(closed_at)))), None);
        }
    }

    #[test]
    fn what_fired_before_the_task_was_closed_is_told() {
        let closed_later = watch(4, Some(noon() + TimeDelta::microseconds(1)));
        assert!(told(Some(&closed_later)).is_some());
    }

    #[test]
    fn the_newer_of_two_titles_is_shown() {
        let newer = told(Some(&watch(4, None))).unwrap();
        assert_eq!(
            (newer.title.as_str(), newer.body.as_str()),
            ("Pay the rent", "")
        );

        let older = told(Some(&watch(2, None))).unwrap();
        assert_eq!(older.title, "Pay rent");
    }
}
