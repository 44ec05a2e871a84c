//! What can go wrong when publishing, and what the relay should make of it.

use serde::Deserialize;

/// The client cannot be built from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The endpoint is no URL.
    #[error("{endpoint:?} is not the URL of a sidecar")]
    Endpoint {
        /// What was configured.
        endpoint: String,
    },
    /// The token has characters that no header may have.
    #[error("the sidecar's token cannot be sent in a header")]
    Token,
    /// The HTTP client itself.
    #[error("building the HTTP client failed")]
    Http(#[source] reqwest::Error),
}

/// A whole publish call failed. Exactly one of three: [permanent](Self::is_permanent), a matter of
/// [configuration](Self::is_configuration), or neither, and then it heals by itself.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// No answer in time; the event may have been published all the same.
    #[error("no answer from the sidecar")]
    Unreachable(#[source] reqwest::Error),
    /// The sidecar, or the broker through it, said no.
    #[error("the sidecar refused: {0}")]
    Refused(Refusal),
}

/// A sidecar's answer other than success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Dapr's `errorCode`, empty when the answer had none.
    pub code: String,
    /// Dapr's message, or the start of a body that was no JSON.
    pub message: String,
}

impl PublishError {
    /// This event can never be published, however often it is tried: park it, and its key behind it.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.class() == Class::Permanent)
    }

    /// Nothing can be published until an operator changes something (component, scope, token): raise
    /// an alarm, keep the events, try again slowly.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.class() == Class::Configuration)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Transient,
    Configuration,
    Permanent,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(rename = "errorCode")]
    code: String,
    message: String,
}

const LONGEST_MESSAGE: usize = 500;

impl Refusal {
    /// Reads the body of an answer, which may be anything.
    pub(crate) fn new(status: u16, body: &[u8]) -> Self {
        let body = serde_json::from_slice(body).unwrap_or_else(|_| Body {
            code: String::new(),
            message: String::from_utf8_lossy(body).trim().to_owned(),
        });
        Self {
            status,
            code: body.code,
            message: start(&body.message),
        }
    }

    /// The status alone does not tell: 500 is "broker away" as well as "can never work".
    fn class(&self) -> Class {
        match (self.status, self.code.as_str()) {
            (_, "ERR_PUBSUB_CLOUD_EVENTS_SER" | "ERR_PUBSUB_REQUEST_METADATA")
            | (400, "ERR_PUBSUB_EVENTS_SER")
            | (413, _) => Class::Permanent,
            // Sidecars before 1.17 answer a body that is too large in plain text.
            (400, "") if self.message.starts_with("error reading request body") => Class::Permanent,
            // With 400 the component vanished between two looks at it: it is being reloaded.
            (400, "ERR_PUBSUB_NOT_FOUND") | (408 | 429, _) => Class::Transient,
            (400..=499, _) => Class::Configuration,
            _ => Class::Transient,
        }
    }
}

fn start(text: &str) -> String {
    text.chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: u16, body: &str) -> Class {
        Refusal::new(status, body.as_bytes()).class()
    }

    fn coded(status: u16, code: &str) -> Class {
        class(
            status,
            &format!(r#"{{"errorCode":"{code}","message":"m","details":[]}}"#),
        )
    }

    #[test]
    fn every_row_of_the_error_table_has_its_class() {
        use Class::{Configuration, Permanent, Transient};
        for (status, code, expected) in [
            (404, "ERR_PUBSUB_NOT_FOUND", Configuration),
            (400, "ERR_PUBSUB_NOT_FOUND", Transient),
            (400, "ERR_PUBSUB_NOT_CONFIGURED", Configuration),
            (404, "ERR_PUBSUB_EMPTY", Configuration),
            (404, "ERR_TOPIC_NAME_EMPTY", Configuration),
            (403, "ERR_PUBSUB_FORBIDDEN", Configuration),
            (400, "ERR_PUBSUB_REQUEST_METADATA", Permanent),
            (400, "ERR_PUBSUB_EVENTS_SER", Permanent),
            (500, "ERR_PUBSUB_CLOUD_EVENTS_SER", Permanent),
            (500, "ERR_PUBSUB_PUBLISH_MESSAGE", Transient),
            (500, "ERR_OF_TOMORROW", Transient),
        ] {
            assert_eq!(coded(status, code), expected, "{status} {code}");
        }
        assert_eq!(class(401, "invalid api token\n"), Configuration);
        assert_eq!(
            class(400, "error reading request body: too large"),
            Permanent
        );
        assert_eq!(class(413, ""), Permanent);
        assert_eq!(class(502, "<html>"), Transient);
        assert_eq!(class(500, "[]"), Transient);
    }

    #[test]
    fn a_refusal_says_what_the_sidecar_said_but_not_for_pages() {
        let long = "x".repeat(10_000);
        let refusal = Refusal::new(500, long.as_bytes());
        assert_eq!(refusal.message.len(), LONGEST_MESSAGE);

        let refusal = Refusal::new(401, b"invalid api token\n");
        assert_eq!(refusal.to_string(), "401 : invalid api token");
    }
}
