//! From a call to the ledger and back: what all commands over HTTP have in common.

use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use event_schema::{Actor, UserId};
use event_store::{Answer, Context, Error, IdempotencyKey, Ledger, Outcome, StreamRef, Unit};

use crate::etag;
use crate::extract::Call;

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Hands a caller's command to the lane and answers what it decided, or had decided before under the
/// same idempotency key: then with the header `idempotent-replayed: true`.
///
/// `decide` is pure and may be called more than once; see [`Ledger::execute`].
pub async fn execute<E, F>(
    ledger: &Ledger,
    call: &Call,
    streams: &[StreamRef],
    decide: F,
) -> Result<Response, E>
where
    E: From<Error> + Send + 'static,
    F: Fn(&mut Unit<'_>) -> Result<Answer, E> + Send + 'static,
{
    let outcome = ledger
        .execute(context(ledger, call), key(call), streams, decide)
        .await?;
    Ok(match outcome {
        Outcome::Accepted(answer) => respond(answer),
        Outcome::Replayed(answer) => {
            let mut response = respond(answer);
            let replayed = HeaderValue::from_static("true");
            response.headers_mut().insert(REPLAYED, replayed);
            response
        }
        // Only deliveries end like this.
        Outcome::Stale | Outcome::Waiting => StatusCode::NO_CONTENT.into_response(),
    })
}

fn context(ledger: &Ledger, call: &Call) -> Context {
    let request_id = call.request_id.to_string();
    Context {
        actor: Actor::User(UserId(call.caller.user_id)),
        now: ledger.clock().now(),
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
