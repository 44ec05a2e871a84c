//! From a call to the ledger and back: what all commands over HTTP have in common.

use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use event_schema::{Actor, UserId};
use event_store::{Answer, Context, IdempotencyKey, Outcome, StreamRef, Unit};
use service_kit::etag;
use service_kit::extract::Call;

use crate::app::AppState;
use crate::error::Error;

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Hands a caller's command to the lane and answers what it decided, or had decided before under
/// the same idempotency key.
pub(super) async fn execute<F>(
    app: &AppState,
    call: &Call,
    streams: &[StreamRef],
    decide: F,
) -> Result<Response, Error>
where
    F: Fn(&mut Unit<'_>) -> Result<Answer, Error> + Send + 'static,
{
    let outcome = app
        .ledger
        .execute(context(app, call), key(call), streams, decide)
        .await?;
    Ok(match outcome {
        Outcome::Accepted(answer) => respond(answer),
        Outcome::Replayed(answer) => {
            let mut response = respond(answer);
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
            response
        }
        // Only deliveries end like this.
        Outcome::Stale | Outcome::Waiting => StatusCode::NO_CONTENT.into_response(),
    })
}

fn context(app: &AppState, call: &Call) -> Context {
    let request_id = call.request_id.to_string();
    Context {
        actor: Actor::User(UserId(call.caller.user_id)),
        now: app.clock.now(),
        correlation_id: Some(request_id.clone()),
        causation_id: Some(request_id),
        traceparent: call.traceparent.clone(),
    }
}

fn key(call: &Call) -> Option<IdempotencyKey> {
    call.idempotency_key.as_ref().map(|key| IdempotencyKey {
        owner: UserId(call.caller.user_id),
        key: key.as_str().to_owned(),
        request_hash: call.request_hash(),
    })
}

fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = if answer.body.is_empty() {
        status.into_response()
    } else {
        (status, [(CONTENT_TYPE, "application/json")], answer.body).into_response()
    };
    let tag = answer.etag.map(etag::format);
    for (name, text) in [(ETAG, tag), (LOCATION, answer.location)] {
        // Our own tags and paths are plain ASCII.
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
