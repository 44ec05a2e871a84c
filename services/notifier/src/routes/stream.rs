//! The live stream: what happens to the caller's notifications, as it happens.

mod tail;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::Sse;
use axum::response::{IntoResponse, Response};
use service_kit::extract::Call;
use service_kit::server::Stopping;

use crate::app::AppState;
use crate::error::Error;
use tail::{Limits, Tail};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Streams what happens to the caller's notifications as server-sent events.
///
/// `notification.created`, `notification.updated` and `notification.read` carry the notification; `id` is a place to resume
/// from with `Last-Event-ID`. `resync` means that events were left out: read the list again. A comment
/// comes every 20 seconds. The stream ends after 15 minutes and when the token does; clients connect
/// again.
#[utoipa::path(get, path = "/v1/notifications/stream", tag = "notifications",
    params(("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, description = "The stream", content_type = "text/event-stream")))]
pub(super) async fn stream_notifications(
    State(app): State<AppState>,
    call: Call,
    stopping: Stopping,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let after = headers
        .get(LAST_EVENT_ID)
        .map(|id| id.to_str().unwrap_or_default());
    let tail = Tail::begin(app.ledger, &call.caller, after, stopping, Limits::USUAL).await?;
    let mut response = Sse::new(tail.events()).into_response();
    // A proxy that collects the answer would make it late.
    response
        .headers_mut()
        .insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}
