//! What every publish call carries: component, topic, metadata, trace, body.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use super::{LARGEST_BODY, Sidecar};
use crate::envelope::{Metadata, Target};
use crate::json::Numbers;

/// A publish call that may go on.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) pubsub: String,
    pub(super) topic: String,
    pub(super) metadata: Metadata,
    pub(super) raw_payload: bool,
    pub(super) content_type: String,
    traceparent: Option<String>,
    tracestate: Option<String>,
}

impl Call {
    /// Reads and checks everything but the body. `path` is what follows the route's prefix.
    pub(super) fn read(sidecar: &Sidecar, parts: &Parts, path: &str) -> Result<Self, Problem> {
        let (pubsub, topic) = path.split_once('/').unwrap_or((path, ""));
        let (pubsub, topic) = (unescape(pubsub), unescape(topic));
        if pubsub.is_empty() {
            return Err(Problem::PubsubEmpty);
        }
        if pubsub != sidecar.pubsub {
            return Err(Problem::NotFound(pubsub));
        }
        if topic.is_empty() {
            return Err(Problem::TopicEmpty(pubsub));
        }
        if !sidecar.scopes.may_publish(&sidecar.app.app_id, &topic) {
            let app_id = sidecar.app.app_id.clone();
            return Err(Problem::Forbidden {
                pubsub,
                topic,
                app_id,
            });
        }
        let metadata = metadata(parts.uri.query().unwrap_or_default());
        let raw_payload = match metadata.get("rawPayload").map(|value| boolean(value)) {
            Some(Some(raw)) => raw,
            None => false,
            Some(None) => {
                let reason = "rawPayload is no boolean".to_owned();
                return Err(Problem::Metadata { pubsub, reason });
            }
        };
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        Ok(Self {
            pubsub,
            topic,
            metadata,
            raw_payload,
            content_type: header(CONTENT_TYPE.as_str())
                .filter(|value| !value.is_empty())
                .unwrap_or_else(|| "text/plain".to_owned()),
            traceparent: header("traceparent"),
            tracestate: header("tracestate"),
        })
    }

    /// Where the events of this call go.
    pub(super) fn target<'a>(&'a self, sidecar: &'a Sidecar, numbers: Numbers) -> Target<'a> {
        Target {
            app_id: &sidecar.app.app_id,
            pubsub: &self.pubsub,
            topic: &self.topic,
            traceparent: self.traceparent.as_deref(),
            tracestate: self.tracestate.as_deref(),
            now: sidecar.clock.now(),
            numbers,
        }
    }

    pub(super) fn failed(&self, reason: &dyn std::fmt::Display) -> Problem {
        Problem::Publish {
            pubsub: self.pubsub.clone(),
            topic: self.topic.clone(),
            reason: reason.to_string(),
        }
    }
}

/// A body, and the leave to hold it in memory.
pub(super) struct Read {
    pub(super) bytes: Bytes,
    _leave: Option<OwnedSemaphorePermit>,
}

/// Reads the body when there is room for it; the error is the reason why it cannot be read.
pub(super) async fn read_body(reading: &Arc<Semaphore>, body: Body) -> Result<Read, String> {
    // The semaphore is never closed.
    let leave = Arc::clone(reading).acquire_owned().await.ok();
    let bytes = to_bytes(body, LARGEST_BODY)
        .await
        .map_err(|error| error.to_string())?;
    Ok(Read {
        bytes,
        _leave: leave,
    })
}

/// Splits a request, and cuts the route's prefix off its path.
pub(super) fn split(request: Request, prefix: &str) -> (Parts, String, Body) {
    let (parts, body) = request.into_parts();
    let path = parts
        .uri
        .path()
        .strip_prefix(prefix)
        .unwrap_or_default()
        .to_owned();
    (parts, path, body)
}

/// The key that a publish call names.
pub(super) fn key(metadata: &Metadata) -> Option<String> {
    metadata
        .get("partitionKey")
        .or_else(|| metadata.get("__key"))
        .cloned()
}

/// As in a query: `+` is a space.
fn unescape(segment: &str) -> String {
    let literal = segment.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(literal.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

fn metadata(query: &str) -> Metadata {
    let mut metadata = Metadata::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if let Some(name) = name.strip_prefix("metadata.") {
            metadata
                .entry(name.to_owned())
                .or_insert_with(|| value.into_owned());
        }
    }
    metadata
}

/// A boolean as Go reads it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
