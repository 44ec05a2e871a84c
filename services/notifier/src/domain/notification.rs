//! A notification: what may be asked of it, and what happens then.

use chrono::{DateTime, Utc};
use event_schema::{
    Changed, MissedSummary, Notification, NotificationEvent, NotificationId, NotificationKind,
    NotificationRead, NotificationUpdated, NotificationWithdrawn, SeriesId, TaskId, UserId,
};
use event_store::Aggregate;
use uuid::Uuid;

/// The streams of notifications.
#[derive(Clone, Copy, Debug)]
pub struct NotificationStream;

/// What a user is about to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct NewNotification {
    /// Derived from its cause, so that one cause makes one notification.
    pub id: NotificationId,
    /// Who is told.
    pub user_id: UserId,
    /// What it is about.
    pub kind: NotificationKind,
    /// One line.
    pub title: String,
    /// More, where there is more.
    pub body: String,
    /// The task it is about.
    pub task_id: Option<TaskId>,
    /// The series it is about.
    pub series_id: Option<SeriesId>,
    /// The time it is about.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// What it sums up.
    pub missed: Option<MissedSummary>,
}

/// What somebody wants of a notification.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Put it into the inbox, unless it is there.
    Create(NewNotification),
    /// Say this instead, unless it was taken back.
    Update(NotificationUpdated),
    /// Take it back, or see to it that it does not come.
    Withdraw {
        /// The notification.
        id: NotificationId,
        /// Whose it is.
        user_id: UserId,
        /// What it is about.
        kind: NotificationKind,
    },
    /// Note that the user has read it; again changes nothing.
    Read {
        /// Who says so.
        by: UserId,
    },
}

/// Why it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// There is none, or it is somebody else's: nobody can tell.
    #[error("there is no such notification")]
    Unknown,
}

/// What happens when the command is given.
pub fn decide(
    state: Option<&Notification>,
    command: Command,
    now: DateTime<Utc>,
) -> Result<Vec<NotificationEvent>, NotificationError> {
    match command {
        Command::Create(_) if state.is_some() => Ok(Vec::new()),
        Command::Create(new) => Ok(vec![NotificationEvent::Created(Box::new(created(
            new, now,
        )))]),
        Command::Update(update) => {
            let shown = state.filter(|state| state.withdrawn_at.is_none());
            let updated = shown.map(|_| NotificationEvent::Updated(update));
            Ok(updated.into_iter().collect())
        }
        Command::Withdraw { .. } if state.is_some_and(|state| state.withdrawn_at.is_some()) => {
            Ok(Vec::new())
        }
        Command::Withdraw { id, user_id, kind } => {
            Ok(vec![NotificationEvent::Withdrawn(NotificationWithdrawn {
                notification_id: id,
                user_id,
                kind,
                withdrawn_at: now,
            })])
        }
        Command::Read { by } => {
            let shown = |state: &&Notification| state.user_id == by && state.withdrawn_at.is_none();
            read(state.filter(shown), now)
        }
    }
}

fn created(new: NewNotification, now: DateTime<Utc>) -> Notification {
    Notification {
        id: new.id,
        user_id: new.user_id,
        kind: new.kind,
        title: new.title,
        body: new.body,
        task_id: new.task_id,
        series_id: new.series_id,
        scheduled_for: new.scheduled_for,
        missed: new.missed,
        created_at: now,
        read_at: None,
        withdrawn_at: None,
    }
}

fn read(
    state: Option<&Notification>,
    now: DateTime<Utc>,
) -> Result<Vec<NotificationEvent>, NotificationError> {
    let notification = state.ok_or(NotificationError::Unknown)?;
    if notification.read_at.is_some() {
        return Ok(Vec::new());
    }
    let read_at = Changed {
        from: None,
        to: Some(now),
    };
    Ok(vec![NotificationEvent::Read(NotificationRead { read_at })])
}

/// The state after the event.
pub fn evolve(state: Option<Notification>, event: &NotificationEvent) -> Option<Notification> {
    match event {
        NotificationEvent::Created(notification) => Some(Notification::clone(notification)),
        NotificationEvent::Read(read) => state.map(|notification| Notification {
            read_at: read.read_at.to,
            ..notification
        }),
        NotificationEvent::Updated(update) => state.map(|notification| Notification {
            title: update.title.clone(),
            body: update.body.clone(),
            missed: Some(update.missed.clone()),
            ..notification
        }),
        NotificationEvent::Withdrawn(change) => Some(Notification {
            withdrawn_at: Some(change.withdrawn_at),
            ..state.unwrap_or_else(|| never_shown(change))
        }),
        // What channels do with it does not change it.
        NotificationEvent::Delivered(_)
        | NotificationEvent::Failed(_)
        | NotificationEvent::Expired(_) => state,
    }
}

/// What stands where a notification would, so that it does not come.
fn never_shown(change: &NotificationWithdrawn) -> Notification {
    Notification {
        id: change.notification_id,
        user_id: change.user_id,
        kind: change.kind,
        title: String::new(),
        body: String::new(),
        task_id: None,
        series_id: None,
        scheduled_for: None,
        missed: None,
        created_at: change.withdrawn_at,
        read_at: None,
        withdrawn_at: None,
    }
}

impl Aggregate for NotificationStream {
    const KIND: &'static str = "notification";

    type Events = NotificationEvent;

    fn evolve(state: Option<Notification>, event: &NotificationEvent) -> Option<Notification> {
        evolve(state, event)
    }

    fn partition_key(notification: &Notification) -> Uuid {
        notification.user_id.as_uuid()
    }
}

#[cfg(test)]
mod tests {
    use event_schema::{EventId, notification_id};

    use super::*;

    const USER: UserId = UserId(Uuid::from_u128(1));

    fn new() -> NewNotification {
        let kind = NotificationKind::ReminderFired;
        NewNotification {
            id: notification_id(EventId(Uuid::from_u128(7)), USER, kind.name()),
            user_id: USER,
            kind,
            title: "Pay the rent".to_owned(),
            body: "Due 31 January, 09:00.".to_owned(),
            task_id: Some(TaskId(Uuid::from_u128(2))),
            series_id: None,
            scheduled_for: Some(now()),
            missed: None,
        }
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_341_600, 0).unwrap()
    }

    fn given(events: &[NotificationEvent]) -> Option<Notification> {
        events.iter().fold(None, evolve)
    }

    fn create() -> Vec<NotificationEvent> {
        decide(None, Command::Create(new()), now()).unwrap()
    }

    #[test]
    fn what_is_created_is_unread() {
        let notification = given(&create()).unwrap();

        assert_eq!(notification.title, "Pay the rent");
        assert_eq!(notification.created_at, now());
        assert_eq!(notification.read_at, None);
    }

    #[test]
    fn one_cause_makes_one_notification() {
        let state = given(&create());

        let events = decide(state.as_ref(), Command::Create(new()), now());

        assert_eq!(events, Ok(vec![]));
    }

    #[test]
    fn reading_twice_keeps_the_first_time() {
        let mut events = create();
        let read = Command::Read { by: USER };

        let first = decide(given(&events).as_ref(), read.clone(), now()).unwrap();
        events.extend(first);
        let later = now() + chrono::TimeDelta::hours(1);
        let second = decide(given(&events).as_ref(), read, later).unwrap();

        assert!(second.is_empty());
        assert_eq!(given(&events).unwrap().read_at, Some(now()));
    }

    #[test]
    fn a_foreign_notification_is_an_unknown_one() {
        let read = Command::Read {
            by: UserId(Uuid::from_u128(9)),
        };
        let state = given(&create());

        assert_eq!(
            decide(state.as_ref(), read.clone(), now()),
            Err(NotificationError::Unknown)
        );
        assert_eq!(decide(None, read, now()), Err(NotificationError::Unknown));
    }
}
