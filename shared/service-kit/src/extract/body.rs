//! JSON bodies.

use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{hash, strict, typed};
use crate::context::RequestContext;
use crate::error::ErrorKind;
use crate::problem::Problem;

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
/// For a router that was not given the kit's layers.
const FALLBACK_LIMIT: usize = 256 * 1024;

/// A JSON body, read strictly: every wrong field is named in one problem. Also a JSON answer.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// A JSON merge patch (RFC 7396), as `application/merge-patch+json` or plain JSON. Its fields are
/// usually `Patch<T>`.
#[derive(Clone, Copy, Debug)]
pub struct MergePatch<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        read(request, &[JSON]).await.map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for MergePatch<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        read(request, &[MERGE_PATCH, JSON]).await.map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, JSON)], body).into_response(),
            Err(error) => {
                tracing::error!(%error, "an answer has no JSON form: {error}");
                Problem::new(ErrorKind::Internal, ErrorKind::Internal.code()).render()
            }
        }
    }
}

async fn read<T: DeserializeOwned>(request: Request, types: &[&str]) -> Result<T, Problem> {
    let context = request.extensions().get::<RequestContext>().cloned();
    let limit = context
        .as_ref()
        .map_or(FALLBACK_LIMIT, |context| context.body_limit);
    let sent_type = media_type(request.headers());
    let bytes = collect(request, limit).await?;
    let value = match sent_type {
        // A command whose fields are all optional may come without a body.
        None if bytes.is_empty() => typed::nothing(),
        Some(sent) if types.iter().any(|known| sent.eq_ignore_ascii_case(known)) => {
            strict::parse(&bytes)?
        }
        _ => return Err(unsupported(types)),
    };
    remember(context.as_ref(), &value);
    typed::read(value).map_err(Problem::invalid)
}

async fn collect(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let body = Limited::new(request.into_body(), limit).collect().await;
    body.map(http_body_util::Collected::to_bytes)
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                too_large(limit)
            } else {
                Problem::new(ErrorKind::Malformed, "malformed-request").detail("the body broke off")
            }
        })
}

fn remember(context: Option<&RequestContext>, value: &Value) {
    if let Some(context) = context {
        // A second body extractor cannot exist: the body is read once.
        let _first = context.body_hash.set(hash::canonical_hash(value));
    }
}

/// The media type without its parameters. JSON has none that matter: it is always UTF-8.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().unwrap_or("unreadable");
    Some(
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned(),
    )
}

fn unsupported(types: &[&str]) -> Problem {
    Problem::new(
        ErrorKind::UnsupportedMediaType,
        ErrorKind::UnsupportedMediaType.code(),
    )
    .detail(format!("the body must be sent as {}", types.join(" or ")))
}

/// The answer to a body that is too large.
pub(crate) fn too_large(limit: usize) -> Problem {
    Problem::new(
        ErrorKind::PayloadTooLarge,
        ErrorKind::PayloadTooLarge.code(),
    )
    .detail(format!("the body is larger than {limit} bytes"))
    .member("limit_bytes", limit)
}
