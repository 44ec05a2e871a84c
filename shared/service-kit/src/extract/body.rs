//! JSON bodies.

use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
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
    let keyed = request.headers().contains_key("idempotency-key");
    let sent_type = media_type(request.headers());
    check_encoding(request.headers())?;
    let bytes = collect(request, limit).await?;
    let value = match sent_type {
        // A command whose fields are all optional may come without a body.
        None if bytes.is_empty() => typed::nothing(),
        Some(sent) if types.iter().any(|known| sent.eq_ignore_ascii_case(known)) => {
            strict::parse(&bytes)?
        }
        _ => return Err(unsupported(types)),
    };
    if keyed {
        remember(context.as_ref(), &value);
    }
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

/// The media type without its parameters.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().unwrap_or("unreadable");
    let name = value.split(';').next().unwrap_or_default();
    Some(name.trim().to_owned())
}

/// JSON is UTF-8, and we unpack nothing: who says otherwise would be misread.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |value: &HeaderValue| value.to_str().unwrap_or("unreadable").to_ascii_lowercase();
    let content_type = headers.get(CONTENT_TYPE).map(text).unwrap_or_default();
    let parameters = content_type.split(';').skip(1);
    let mut charsets = parameters
        .filter_map(|parameter| parameter.trim().split_once('='))
        .filter(|(name, _)| name.trim() == "charset");
    if !charsets.all(|(_, charset)| charset.trim().trim_matches('"') == "utf-8") {
        return Err(unsupported_because("the body must be sent as UTF-8"));
    }
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter().map(text);
    if !encodings.all(|encoding| encoding.split(',').all(|one| one.trim() == "identity")) {
        return Err(unsupported_because(
            "the body must be sent without a content encoding",
        ));
    }
    Ok(())
}

fn unsupported(types: &[&str]) -> Problem {
    unsupported_because(&format!("the body must be sent as {}", types.join(" or ")))
}

fn unsupported_because(detail: &str) -> Problem {
    let kind = ErrorKind::UnsupportedMediaType;
    Problem::new(kind, kind.code()).detail(detail)
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
