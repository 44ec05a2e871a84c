//! What a publish call becomes on the broker: our own event with a few attributes overwritten, or
//! anything else wrapped in a new one.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::value::RawValue;

use crate::json::{self, JsonError, Members, Numbers};

pub(crate) const CLOUD_EVENT: &str = "application/cloudevents+json";

/// The `traceparent` of nothing.
pub(crate) const NO_TRACE: &str = "00-00000000000000000000000000000000-0000000000000000-00";

/// Metadata of a publish call, without the prefix.
pub(crate) type Metadata = BTreeMap<String, String>;

/// Where an event goes and in which context.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) app_id: &'a str,
    pub(crate) pubsub: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) traceparent: Option<&'a str>,
    pub(crate) tracestate: Option<&'a str>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) numbers: Numbers,
}

/// Whether the body of this content type is the event itself.
pub(crate) fn is_cloud_event(content_type: &str) -> bool {
    media_type(content_type).eq_ignore_ascii_case(CLOUD_EVENT)
}

/// Takes the body for the event. Only the attributes that the sidecar owns are overwritten.
pub(crate) fn full(
    body: &str,
    target: &Target<'_>,
    metadata: &Metadata,
) -> Result<String, JsonError> {
    let mut event = json::members(body)?;
    event.insert("topic".into(), json::string(target.topic));
    event.insert("pubsubname".into(), json::string(target.pubsub));
    default(&mut event, "source", "Dapr");
    default(&mut event, "type", "com.dapr.event.sent");
    default(&mut event, "specversion", "1.0");
    default(&mut event, "time", &seconds(target.now));
    if !event.contains_key("traceid") {
        let trace = json::string(target.traceparent.unwrap_or(NO_TRACE));
        event.insert("traceid".into(), trace.clone());
        event.insert("traceparent".into(), trace);
        default(
            &mut event,
            "tracestate",
            target.tracestate.unwrap_or_default(),
        );
    }
    expire(&mut event, target, metadata);
    json::write_members(&event, target.numbers)
}

/// Wraps the body in a new event.
pub(crate) fn wrapped(
    id: &str,
    content_type: &str,
    body: &[u8],
    target: &Target<'_>,
    metadata: &Metadata,
) -> Result<String, JsonError> {
    let attribute = |name: &str, fallback: &str| {
        let over = metadata.iter().find(|(key, _)| {
            key.to_ascii_lowercase()
                .strip_prefix("cloudevent.")
                .is_some_and(|key| key == name)
        });
        over.map_or_else(|| fallback.to_owned(), |(_, value)| value.clone())
    };
    let trace = attribute("traceparent", target.traceparent.unwrap_or(NO_TRACE));
    let mut event = Members::new();
    for (name, value) in [
        ("id", attribute("id", id)),
        ("source", attribute("source", target.app_id)),
        ("specversion", "1.0".to_owned()),
        ("type", attribute("type", "com.dapr.event.sent")),
        ("time", seconds(target.now)),
        ("datacontenttype", content_type.to_owned()),
        ("topic", target.topic.to_owned()),
        ("pubsubname", target.pubsub.to_owned()),
        ("traceid", attribute("traceid", &trace)),
        (
            "tracestate",
            attribute("tracestate", target.tracestate.unwrap_or_default()),
        ),
        ("traceparent", trace),
    ] {
        event.insert(name.into(), json::string(&value));
    }
    let subject = attribute("subject", "");
    if !subject.is_empty() {
        event.insert("subject".into(), json::string(&subject));
    }
    let text = String::from_utf8_lossy(body);
    match media_type(content_type).to_ascii_lowercase().as_str() {
        "application/octet-stream" => {
            event.insert("data_base64".into(), json::string(&STANDARD.encode(body)));
        }
        // JSON that cannot be read is no error, it becomes a string.
        "application/json" if let Ok(data) = serde_json::from_str::<&RawValue>(&text) => {
            event.insert("data".into(), std::borrow::Cow::Borrowed(data));
        }
        _ => {
            event.insert("data".into(), json::string(&text));
        }
    }
    expire(&mut event, target, metadata);
    json::write_members(&event, target.numbers)
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn default(event: &mut Members<'_>, name: &'static str, value: &str) {
    event
        .entry(name.into())
        .or_insert_with(|| json::string(value));
}

fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn expire(event: &mut Members<'_>, target: &Target<'_>, metadata: &Metadata) {
    let ttl = metadata
        .get("ttlInSeconds")
        .and_then(|ttl| ttl.parse().ok());
    let expiration = ttl
        .and_then(TimeDelta::try_seconds)
        .and_then(|ttl| target.now.checked_add_signed(ttl));
    if let Some(expiration) = expiration {
        event.insert("expiration".into(), json::string(&seconds(expiration)));
    }
}
