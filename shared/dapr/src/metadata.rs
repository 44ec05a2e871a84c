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
    /// What it has subscribed to. Empty until it has asked the app.
    #[serde(default)]
    pub subscriptions: Vec<ActiveSubscription>,
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
