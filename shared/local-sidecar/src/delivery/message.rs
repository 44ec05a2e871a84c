//! A record as it is delivered: body, metadata, and whether it may be delivered at all.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Subscription;
use crate::envelope::{CLOUD_EVENT, NO_TRACE};
use crate::{Headers, NewRecord, Record};

/// Record headers that would break the request that carries them.
const OF_THE_REQUEST: [&str; 5] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
];

/// A record of a batch. The entry id is its place in the batch, also when others are done.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) entry_id: String,
    pub(super) record: Record,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes<'a> {
    #[serde(borrow)]
    traceparent: Option<&'a RawValue>,
    #[serde(borrow)]
    expiration: Option<&'a RawValue>,
}

impl Message {
    /// The body; a tombstone is `null`. `None` for what is no event and never reaches an app.
    pub(super) fn event(&self) -> Option<&str> {
        let Some(value) = &self.record.value else {
            return Some("null");
        };
        let event: &RawValue = serde_json::from_slice(value).ok()?;
        event.get().starts_with('{').then_some(event.get())
    }

    /// Whether its time to live is over.
    pub(super) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        let expiration = self.attributes().expiration.map(text);
        expiration
            .and_then(|time| DateTime::parse_from_rfc3339(&time).ok())
            .is_some_and(|expiration| expiration <= now)
    }

    /// What travels beside the event: the broker's own, overruled by the record's headers.
    pub(super) fn metadata(&self, pubsub: &str) -> Headers {
        let record = &self.record;
        let mut metadata = Headers::from([
            ("__offset".to_owned(), record.offset.to_string()),
            ("__partition".to_owned(), record.partition.to_string()),
            (
                "__timestamp".to_owned(),
                record.timestamp.timestamp_millis().to_string(),
            ),
            ("__topic".to_owned(), record.topic.clone()),
            ("pubsubName".to_owned(), pubsub.to_owned()),
        ]);
        if let Some(key) = &record.key {
            metadata.insert("__key".to_owned(), key.clone());
        }
        metadata.extend(record.headers.clone());
        metadata
    }

    /// The headers of a single delivery. Fails when a value is illegal in HTTP.
    pub(super) fn headers(&self, pubsub: &str) -> Result<HeaderMap, http::Error> {
        let mut headers = HeaderMap::new();
        let trace = self
            .attributes()
            .traceparent
            .map_or(Cow::Borrowed(NO_TRACE), text);
        headers.insert("traceparent", HeaderValue::from_str(&trace)?);
        for (name, value) in self.metadata(pubsub) {
            let name = HeaderName::try_from(name)?;
            if !OF_THE_REQUEST.contains(&name.as_str()) {
                headers.insert(name, HeaderValue::try_from(value)?);
            }
        }
        headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static(CLOUD_EVENT),
        );
        Ok(headers)
    }

    /// Its copy on the dead-letter topic: the original bytes, the original place as headers.
    pub(super) fn dead_letter(&self, pubsub: &str) -> NewRecord {
        NewRecord {
            key: self.record.key.clone(),
            value: self.record.value.clone(),
            headers: self.metadata(pubsub),
        }
    }

    fn attributes(&self) -> Attributes<'_> {
        let value = self.record.value.as_deref().unwrap_or_default();
        serde_json::from_slice(value).unwrap_or_default()
    }
}

/// The body of a bulk delivery. Events are spliced in as they are stored.
pub(super) fn bulk_body(
    id: &str,
    subscription: &Subscription,
    messages: &[&Message],
) -> serde_json::Result<String> {
    let entries = messages.iter().map(|message| {
        Ok(Item {
            entry_id: &message.entry_id,
            event: message.event().map(serde_json::from_str).transpose()?,
            content_type: CLOUD_EVENT,
            metadata: message.metadata(&subscription.pubsub),
        })
    });
    serde_json::to_string(&Bulk {
        id,
        event_type: "com.dapr.event.sent.bulk",
        topic: &subscription.topic,
        pubsub: &subscription.pubsub,
        metadata: Headers::new(),
        entries: entries.collect::<serde_json::Result<_>>()?,
    })
}

#[derive(Serialize)]
struct Bulk<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    event_type: &'static str,
    topic: &'a str,
    #[serde(rename = "pubsubname")]
    pubsub: &'a str,
    metadata: Headers,
    entries: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    #[serde(rename = "entryId")]
    entry_id: &'a str,
    event: Option<&'a RawValue>,
    #[serde(rename = "contentType")]
    content_type: &'static str,
    metadata: Headers,
}

fn text(raw: &RawValue) -> Cow<'_, str> {
    serde_json::from_str(raw.get()).map_or(Cow::Borrowed(""), Cow::Owned)
}
