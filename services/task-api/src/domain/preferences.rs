//! What a user prefers: where they are, and so what dates and floating times mean.

use chrono::{DateTime, Utc};
use event_schema::{
    Preferences, PreferencesChanged, PreferencesEvent, PreferencesFollowed, UserId,
};
use event_store::Aggregate;
use uuid::Uuid;

use super::task::Edit;

/// The streams of preferences: one per user who prefers something.
#[derive(Clone, Copy, Debug)]
pub struct PreferencesStream;

impl Aggregate for PreferencesStream {
    const KIND: &'static str = "preferences";

    type Events = PreferencesEvent;

    fn evolve(state: Option<Preferences>, event: &PreferencesEvent) -> Option<Preferences> {
        evolve(state, event)
    }

    fn partition_key(state: &Preferences) -> Uuid {
        state.user_id.as_uuid()
    }
}

/// What may be asked of preferences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Prefer something else.
    Change {
        /// Where the user is: an IANA name; nowhere, which is UTC, without one.
        time_zone: Edit<Option<String>>,
    },
    /// All that was open when the zone became this one is read in it.
    Follow {
        /// The zone.
        time_zone: Option<String>,
    },
}

/// What happens when `command` is given to the preferences of a user. None is refused.
pub fn decide(
    user_id: UserId,
    state: Option<&Preferences>,
    command: Command,
    now: DateTime<Utc>,
) -> Vec<PreferencesEvent> {
    let known = state.and_then(|state| state.time_zone.clone());
    match command {
        Command::Change { time_zone } => {
            let changed = time_zone.of(&known);
            let event = |time_zone| {
                PreferencesEvent::Changed(PreferencesChanged {
                    user_id,
                    time_zone,
                    updated_at: now,
                })
            };
            changed.map(event).into_iter().collect()
        }
        Command::Follow { time_zone } => {
            let is_news = state.is_some_and(|state| !state.is_followed) && known == time_zone;
            let event = PreferencesEvent::Followed(PreferencesFollowed { time_zone });
            is_news.then_some(event).into_iter().collect()
        }
    }
}

/// The state after the event.
pub fn evolve(state: Option<Preferences>, event: &PreferencesEvent) -> Option<Preferences> {
    match event {
        PreferencesEvent::Changed(change) => Some(Preferences {
            user_id: change.user_id,
            time_zone: change.time_zone.to.clone(),
            changes: state.map_or(0, |state| state.changes) + 1,
            is_followed: false,
            updated_at: change.updated_at,
        }),
        PreferencesEvent::Followed(_) => state.map(|state| Preferences {
            is_followed: true,
            ..state
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn after(state: Option<Preferences>, command: Command) -> (Option<Preferences>, usize) {
        let user = UserId(Uuid::from_u128(1));
        let events = decide(user, state.as_ref(), command, now());
        let count = events.len();
        (events.iter().fold(state, evolve), count)
    }

    fn change(zone: &str) -> Command {
        Command::Change {
            time_zone: Edit::To(Some(zone.to_owned())),
        }
    }

    fn follow(zone: &str) -> Command {
        Command::Follow {
            time_zone: Some(zone.to_owned()),
        }
    }

    #[test]
    fn a_change_is_followed_once_and_only_in_the_zone_of_today() {
        let (tokyo, count) = after(None, change("Asia/Tokyo"));
        assert_eq!(count, 1);
        assert_eq!(after(tokyo.clone(), change("Asia/Tokyo")).1, 0);
        assert_eq!(after(tokyo.clone(), follow("Europe/Berlin")).1, 0);
        let (followed, count) = after(tokyo, follow("Asia/Tokyo"));
        assert!(count == 1 && followed.as_ref().unwrap().is_followed);
        assert_eq!(after(followed.clone(), follow("Asia/Tokyo")).1, 0);
        let (berlin, _) = after(followed, change("Europe/Berlin"));
        assert!(!berlin.unwrap().is_followed);
        let nothing = Command::Change {
            time_zone: Edit::Keep,
        };
        assert_eq!(after(None, nothing), (None, 0));
    }
}
