//! Publishing one event.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;

use super::problem::Problem;
use super::request::{self, Call};
use super::{Sidecar, bulk};
use crate::NewRecord;
use crate::envelope;
use crate::json::Numbers;

const PREFIX: &str = "/v1.0/publish/";

/// `POST /v1.0/publish/{pubsub}/{topic}`, and `/v1.0/publish/bulk/…`, which no component can be named.
pub(super) async fn publish(State(sidecar): State<Arc<Sidecar>>, request: Request) -> Response {
    let (parts, path, body) = request::split(request, PREFIX);
    let answer = match path.strip_prefix("bulk/") {
        Some(path) => bulk::publish(&sidecar, &parts, path, body).await,
        None => publish_one(&sidecar, &parts, &path, body).await,
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn publish_one(
    sidecar: &Sidecar,
    parts: &http::request::Parts,
    path: &str,
    body: axum::body::Body,
) -> Result<Response, Problem> {
    let call = Call::read(sidecar, parts, path)?;
    let body = request::read_body(&sidecar.reading, body)
        .await
        .map_err(|reason| call.failed(&reason))?;
    let value = value(sidecar, &call, body.bytes.clone())?;
    let record = NewRecord {
        key: request::key(&call.metadata),
        value,
        headers: call.metadata.clone(),
    };
    let published = sidecar.broker.publish(&call.topic, vec![record]).await;
    published.map_err(|error| call.failed(&error))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn value(sidecar: &Sidecar, call: &Call, body: Bytes) -> Result<Option<Bytes>, Problem> {
    if call.raw_payload {
        return Ok((body.as_ref() != b"null").then_some(body));
    }
    let target = call.target(sidecar, Numbers::Exact);
    let event = if envelope::is_cloud_event(&call.content_type) {
        std::str::from_utf8(&body)
            .map_err(|error| error.to_string())
            .and_then(|text| {
                envelope::full(text, &target, &call.metadata).map_err(|error| error.to_string())
            })
    } else {
        let id = sidecar.clock.new_id().to_string();
        envelope::wrapped(&id, &call.content_type, &body, &target, &call.metadata)
            .map_err(|error| error.to_string())
    };
    let event = event.map_err(|reason| Problem::CloudEvent {
        pubsub: call.pubsub.clone(),
        reason,
    })?;
    Ok(Some(event.into()))
}
