//! Publishing many events in one call.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Sidecar;
use super::problem::Problem;
use super::request::{self, Call};
use crate::envelope::{self, Metadata};
use crate::json::Numbers;
use crate::{Broker, NewRecord};

const ALPHA_PREFIX: &str = "/v1.0-alpha1/publish/bulk/";

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "entryId", borrow)]
    entry_id: Cow<'a, str>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(rename = "contentType", borrow, default)]
    content_type: Cow<'a, str>,
    #[serde(default)]
    metadata: Metadata,
}

/// `POST /v1.0-alpha1/publish/bulk/{pubsub}/{topic}`
pub(super) async fn publish_alpha(
    State(sidecar): State<Arc<Sidecar>>,
    request: Request,
) -> Response {
    let (parts, path, body) = request::split(request, ALPHA_PREFIX);
    publish(&sidecar, &parts, &path, body)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

/// Either path of a bulk call.
pub(super) async fn publish(
    sidecar: &Sidecar,
    parts: &Parts,
    path: &str,
    body: Body,
) -> Result<Response, Problem> {
    let call = Call::read(sidecar, parts, path)?;
    let (pubsub, topic) = (call.pubsub.clone(), call.topic.clone());
    let unmarshal = |reason: String| Problem::Unmarshal {
        pubsub,
        topic,
        reason,
    };
    let read = request::read_body(&sidecar.reading, body).await;
    let body = match read {
        Ok(body) => body,
        Err(reason) => return Err(unmarshal(reason)),
    };
    let entries: Vec<Item<'_>> =
        serde_json::from_slice(&body.bytes).map_err(|error| unmarshal(error.to_string()))?;
    check_ids(&call, &entries)?;
    let records = entries
        .iter()
        .map(|entry| record(sidecar, &call, entry))
        .collect::<Result<Vec<_>, _>>()?;
    store(&sidecar.broker, &call, &entries, records).await
}

/// One transaction: unlike Kafka's, these entries fail together.
async fn store(
    broker: &Broker,
    call: &Call,
    entries: &[Item<'_>],
    records: Vec<NewRecord>,
) -> Result<Response, Problem> {
    let Err(error) = broker.publish(&call.topic, records).await else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let reason = error.to_string();
    let failed: Vec<_> = entries
        .iter()
        .map(|entry| json!({ "entryId": entry.entry_id, "error": reason }))
        .collect();
    let body = json!({ "failedEntries": failed, "errorCode": "ERR_PUBSUB_PUBLISH_MESSAGE" });
    Ok((StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response())
}

fn check_ids(call: &Call, entries: &[Item<'_>]) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    if entries
        .iter()
        .all(|entry| !entry.entry_id.is_empty() && seen.insert(&entry.entry_id))
    {
        return Ok(());
    }
    Err(Problem::MarshalEvents {
        pubsub: call.pubsub.clone(),
        topic: call.topic.clone(),
        reason: "entryId is duplicated or not present for entry".to_owned(),
    })
}

/// Metadata of the request wins over that of the entry, as Kafka's client has it.
fn record(sidecar: &Sidecar, call: &Call, entry: &Item<'_>) -> Result<NewRecord, Problem> {
    let mut headers = entry.metadata.clone();
    headers.extend(call.metadata.clone());
    let value = value(sidecar, call, entry, &headers).map_err(|reason| {
        let (pubsub, topic) = (call.pubsub.clone(), call.topic.clone());
        Problem::MarshalEnvelope {
            pubsub,
            topic,
            reason,
        }
    })?;
    Ok(NewRecord {
        key: request::key(&headers),
        value,
        headers,
    })
}

fn value(
    sidecar: &Sidecar,
    call: &Call,
    entry: &Item<'_>,
    metadata: &Metadata,
) -> Result<Option<Bytes>, String> {
    let event = entry.event.map_or("null", RawValue::get);
    let target = call.target(sidecar, Numbers::Float);
    if !call.raw_payload && envelope::is_cloud_event(&entry.content_type) {
        let event = envelope::full(event, &target, metadata).map_err(|error| error.to_string())?;
        return Ok(Some(event.into()));
    }
    let data = data(event, &entry.content_type)?;
    if call.raw_payload {
        return Ok((data.as_ref() != b"null").then_some(data));
    }
    let id = sidecar.clock.new_id().to_string();
    let event = envelope::wrapped(&id, &entry.content_type, &data, &target, metadata);
    Ok(Some(event.map_err(|error| error.to_string())?.into()))
}

/// The bytes that an entry stands for: JSON as it is, text as a string, bytes in base64.
fn data(event: &str, content_type: &str) -> Result<Bytes, String> {
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if kind == "application/json" || kind.ends_with("+json") {
        return Ok(Bytes::copy_from_slice(event.as_bytes()));
    }
    let text: String = serde_json::from_str(event)
        .map_err(|_| format!("an event of content type {content_type:?} has to be a string"))?;
    if kind == "application/octet-stream" {
        return STANDARD
            .decode(text)
            .map(Bytes::from)
            .map_err(|error| error.to_string());
    }
    Ok(text.into())
}
