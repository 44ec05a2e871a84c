//! The two shapes of a delivery, read without copying events.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::CLOUD_EVENT;

const BULK_TYPE: &str = "com.dapr.event.sent.bulk";
pub(super) const KEY: HeaderName = HeaderName::from_static("__key");

/// An event as it was received.
#[derive(Debug)]
pub(super) struct Received {
    /// The envelope's bytes, or `null` for a tombstone, or anything.
    pub(super) raw: Bytes,
    /// The key that the broker knows.
    pub(super) key: Option<String>,
}

/// What a request carries.
#[derive(Debug)]
pub(super) enum Body {
    Single(Received),
    /// Entry ids and events.
    Bulk(Vec<(String, Received)>),
}

impl Received {
    /// Whether the key was deleted; the JSON `null`.
    pub(super) fn is_tombstone(&self) -> bool {
        self.raw.is_empty() || self.raw.trim_ascii() == b"null"
    }
}

impl Body {
    /// Reads a request. What is no bulk delivery is taken for a single event, so that it can be
    /// parked when it is not that either.
    pub(super) fn read(headers: &HeaderMap, bytes: Bytes) -> Self {
        let is_event = headers
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(CLOUD_EVENT.as_bytes()));
        match if is_event { None } else { bulk(&bytes) } {
            Some(entries) => Self::Bulk(entries),
            None => Self::Single(Received {
                raw: bytes,
                key: header(headers, &KEY),
            }),
        }
    }
}

#[derive(Deserialize)]
struct BulkBody<'a> {
    #[serde(rename = "type", borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct BulkEntry<'a> {
    #[serde(rename = "entryId", borrow)]
    entry_id: Cow<'a, str>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    #[serde(rename = "__key")]
    key: Option<String>,
}

fn bulk(bytes: &Bytes) -> Option<Vec<(String, Received)>> {
    let body: BulkBody<'_> = serde_json::from_slice(bytes).ok()?;
    (body.event_type == BULK_TYPE).then_some(())?;
    Some(
        body.entries
            .into_iter()
            .filter_map(|entry| read_entry(bytes, entry))
            .collect(),
    )
}

/// An entry without an id cannot be answered; left out, it counts as failed.
fn read_entry(bytes: &Bytes, raw: &RawValue) -> Option<(String, Received)> {
    match serde_json::from_str::<BulkEntry<'_>>(raw.get()) {
        Ok(entry) => {
            let event = entry.event.map_or("null", RawValue::get);
            let raw = slice(bytes, event);
            Some((
                entry.entry_id.into_owned(),
                Received {
                    raw,
                    key: entry.metadata.key,
                },
            ))
        }
        Err(error) => {
            tracing::warn!("an entry of a bulk delivery cannot be read: {error}");
            None
        }
    }
}

fn slice(bytes: &Bytes, part: &str) -> Bytes {
    let whole = bytes.as_ptr_range();
    if whole.contains(&part.as_ptr()) {
        bytes.slice_ref(part.as_bytes())
    } else {
        Bytes::copy_from_slice(part.as_bytes())
    }
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}
