//! Answers in the sidecar's words: always HTTP 200, the status is in the body.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Ack;

#[derive(Serialize)]
struct Single {
    status: &'static str,
}

#[derive(Serialize)]
struct Bulk<'a> {
    statuses: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(rename = "entryId")]
    entry_id: &'a str,
    status: &'static str,
}

/// The answer to a single delivery.
pub(super) fn single(ack: Ack) -> Response {
    Json(Single {
        status: status(ack),
    })
    .into_response()
}

/// The answer to a bulk delivery. An entry that is not listed counts as failed.
pub(super) fn bulk<'a>(acks: impl Iterator<Item = (&'a str, Ack)>) -> Response {
    let statuses = acks
        .map(|(entry_id, ack)| Entry {
            entry_id,
            status: status(ack),
        })
        .collect();
    Json(Bulk { statuses }).into_response()
}

const fn status(ack: Ack) -> &'static str {
    match ack {
        Ack::Success => "SUCCESS",
        Ack::Retry => "RETRY",
    }
}
