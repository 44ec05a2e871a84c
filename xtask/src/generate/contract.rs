//! What follows from the topic contract alone: topics, access and scopes for whoever runs the broker.

mod script;
mod strimzi;

use event_schema::topic::Profile;

/// Every file and its wanted text.
pub(super) fn files() -> Vec<(String, String)> {
    let mut files = vec![
        (script::PATH.to_owned(), script::text()),
        (strimzi::USERS.to_owned(), strimzi::users()),
    ];
    files.extend(Profile::ALL.map(|profile| {
        let path = format!("k8s/kafka/topics-{}.yaml", profile.name());
        (path, strimzi::topics(profile))
    }));
    files
}
