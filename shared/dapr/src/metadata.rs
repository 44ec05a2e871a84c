//! What a sidecar says about itself.

use event_schema::Topic;
use serde::Deserialize;

/// The part of `GET /v1.0/metadata` that we read.
#[derive(Clone, Debug, Deserialize)]
pub struct Metadata {
    /// The app id the sidecar serves.
    pub id: String,
    /// The version of the sidecar.
    #[serde(rename = "runtimeVersion", default)]
    pub runtime_version: String,
    /// What it has set up. One that waits for its secret store is not among them.
    #[serde(default)]
    pub components: Vec<LoadedComponent>,
    /// What it has subscribed to. Empty until it has asked the app.
    #[serde(default)]
    pub subscriptions: Vec<ActiveSubscription>,
}

/// One component of a sidecar.
#[derive(Clone, Debug, Deserialize)]
pub struct LoadedComponent {
    /// Its name.
    pub name: String,
    /// Its type, such as `pubsub.kafka`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// One subscription of a sidecar.
#[derive(Clone, Debug, Deserialize)]
pub struct ActiveSubscription {
    /// The component.
    #[serde(rename = "pubsubname")]
    pub pubsub_name: String,
    /// The topic on the broker.
    pub topic: String,
    /// Dapr's last net.
    #[serde(rename = "deadLetterTopic", default)]
    pub dead_letter_topic: Option<String>,
}

impl Metadata {
    /// Whether every one of the topics is subscribed. A sidecar asks an app once; one that asked at
    /// the wrong moment lists nothing until it is restarted, so readiness has to look here.
    pub fn subscribes_to(&self, topics: &[Topic]) -> bool {
        topics.iter().all(|topic| {
            self.subscriptions
                .iter()
                .any(|active| active.topic == topic.name())
        })
    }

    /// The first thing that it lacks to publish by this component and to deliver these topics.
    pub fn lack(&self, pubsub: &str, topics: &[Topic]) -> Option<Lack> {
        if !self.components.iter().any(|one| one.name == pubsub) {
            let pubsub = pubsub.to_owned();
            let is_store = |one: &LoadedComponent| one.kind.starts_with("secretstores.");
            return Some(if self.components.iter().any(is_store) {
                Lack::Component { pubsub }
            } else {
                Lack::SecretStore { pubsub }
            });
        }
        let missing = topics
            .iter()
            .filter(|topic| !self.subscribes_to(&[**topic]));
        let topics: Vec<_> = missing.map(|topic| topic.name()).collect();
        let topics = topics.join(", ");
        (!topics.is_empty()).then_some(Lack::Subscriptions { topics })
    }
}

/// What a sidecar needs to serve its app, and does not have; with what an operator can do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lack {
    /// The pub/sub component, although there is a store that it could have its secrets from.
    #[error(
        "the sidecar has no pub/sub component {pubsub}: does its --resources-path hold kafka-pubsub.yaml, is this app \
         in its scopes, and is its name PUBSUB_NAME?"
    )]
    Component {
        /// The name that it should have.
        pubsub: String,
    },
    /// The pub/sub component, and any store of secrets.
    #[error(
        "the sidecar has no pub/sub component {pubsub} and no secret store: does its --resources-path hold \
         kafka-pubsub.yaml and secretstore.yaml? Without the store that a component names, Dapr leaves the component \
         out and says nothing"
    )]
    SecretStore {
        /// The name that the component should have.
        pubsub: String,
    },
    /// Subscriptions.
    #[error(
        "the sidecar has not subscribed to {topics}: it asks a service only once, so restart it"
    )]
    Subscriptions {
        /// The topics, with commas.
        topics: String,
    },
}

/// The sidecar did not tell about itself.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// No answer, or one that cannot be read.
    #[error("asking the sidecar for its metadata failed")]
    Unreachable(#[source] reqwest::Error),
    /// Another answer than 200.
    #[error("the sidecar answered {0} instead of its metadata")]
    Refused(u16),
}
