//! Error answers, in Dapr's shape.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// An error of the publish API. The variants are the rows of the contract's error table.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("pubsub {0} is not found")]
    NotFound(String),
    #[error("pubsub name is empty")]
    PubsubEmpty,
    #[error("topic is empty in pubsub {0}")]
    TopicEmpty(String),
    #[error("topic {topic} is not allowed for app id {app_id}")]
    Forbidden {
        pubsub: String,
        topic: String,
        app_id: String,
    },
    #[error("failed deserializing metadata: {reason}")]
    Metadata { pubsub: String, reason: String },
    #[error("cannot create cloudevent: {reason}")]
    CloudEvent { pubsub: String, reason: String },
    #[error("error when publishing to topic {topic} in pubsub {pubsub}: {reason}")]
    Publish {
        pubsub: String,
        topic: String,
        reason: String,
    },
    #[error("error when unmarshaling the request for topic {topic} pubsub {pubsub}: {reason}")]
    Unmarshal {
        pubsub: String,
        topic: String,
        reason: String,
    },
    #[error(
        "error when marshaling cloud event envelope for topic {topic} pubsub {pubsub}: {reason}"
    )]
    MarshalEnvelope {
        pubsub: String,
        topic: String,
        reason: String,
    },
    #[error("error when marshaling events for topic {topic} pubsub {pubsub}: {reason}")]
    MarshalEvents {
        pubsub: String,
        topic: String,
        reason: String,
    },
    #[error("invalid api token")]
    Token,
}

impl Problem {
    /// Status, error code, word of the reason, and the component when it is named.
    fn parts(&self) -> (u16, &'static str, &'static str, Option<&str>) {
        match self {
            Self::NotFound(_) => (404, "ERR_PUBSUB_NOT_FOUND", "NOT_FOUND", None),
            Self::PubsubEmpty => (404, "ERR_PUBSUB_EMPTY", "NAME_EMPTY", Some("")),
            Self::TopicEmpty(pubsub) => (
                404,
                "ERR_TOPIC_NAME_EMPTY",
                "TOPIC_NAME_EMPTY",
                Some(pubsub),
            ),
            Self::Forbidden { pubsub, .. } => {
                (403, "ERR_PUBSUB_FORBIDDEN", "FORBIDDEN", Some(pubsub))
            }
            Self::Metadata { pubsub, .. } => (
                400,
                "ERR_PUBSUB_REQUEST_METADATA",
                "METADATA_DESERIALIZATION",
                Some(pubsub),
            ),
            Self::CloudEvent { pubsub, .. } => (
                500,
                "ERR_PUBSUB_CLOUD_EVENTS_SER",
                "CLOUD_EVENT_CREATION",
                Some(pubsub),
            ),
            Self::Publish { pubsub, .. } => (
                500,
                "ERR_PUBSUB_PUBLISH_MESSAGE",
                "PUBLISH_MESSAGE",
                Some(pubsub),
            ),
            Self::Unmarshal { pubsub, .. } => (
                400,
                "ERR_PUBSUB_EVENTS_SER",
                "UNMARSHAL_EVENTS",
                Some(pubsub),
            ),
            Self::MarshalEnvelope { pubsub, .. } => (
                400,
                "ERR_PUBSUB_EVENTS_SER",
                "MARSHAL_ENVELOPE",
                Some(pubsub),
            ),
            Self::MarshalEvents { pubsub, .. } => {
                (400, "ERR_PUBSUB_EVENTS_SER", "MARSHAL_EVENTS", Some(pubsub))
            }
            Self::Token => (401, "", "", None),
        }
    }

    fn body(&self, code: &str, word: &str, pubsub: Option<&str>) -> Value {
        let mut details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "domain": "dapr.io",
            "reason": format!("DAPR_PUBSUB_{word}"),
            "metadata": {},
        })];
        if let Some(pubsub) = pubsub {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.ResourceInfo",
                "resource_type": "pubsub",
                "resource_name": pubsub,
            }));
        }
        json!({ "errorCode": code, "message": self.to_string(), "details": details })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, word, pubsub) = self.parts();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if matches!(self, Self::Token) {
            return (status, "invalid api token\n").into_response();
        }
        (status, Json(self.body(code, word, pubsub))).into_response()
    }
}
