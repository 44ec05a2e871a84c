//! Who may publish and subscribe to what.

use event_schema::{App, Topic};

use crate::config::Scopes;

impl Scopes {
    /// Topics that do not exist are somebody else's error.
    pub(crate) fn may_publish(self, app_id: &str, topic: &str) -> bool {
        self.allows(topic, |topic| {
            App::from_id(app_id).is_some_and(|app| topic.contract().producers.contains(&app))
        }) || App::from_id(app_id).is_some_and(|app| app.dead_letter_topic() == topic)
    }

    pub(crate) fn may_subscribe(self, app_id: &str, topic: &str) -> bool {
        self.allows(topic, |topic| {
            App::from_id(app_id).is_some_and(|app| topic.contract().consumers.contains(&app))
        })
    }

    fn allows(self, topic: &str, granted: impl Fn(Topic) -> bool) -> bool {
        match (self, Topic::from_name(topic)) {
            (Self::Open, _) => true,
            (Self::Contract, Some(topic)) => granted(topic),
            (Self::Contract, None) => !App::ALL
                .into_iter()
                .any(|app| app.dead_letter_topic() == topic),
        }
    }
}
