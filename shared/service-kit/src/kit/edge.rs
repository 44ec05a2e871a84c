//! The outermost layer: request ids, limits, and the last touch to every problem.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clock::SharedClock;

use crate::context::RequestContext;
use crate::error::ErrorKind;
use crate::extract::too_large;
use crate::problem::Problem;

use super::unread::Unread;

#[derive(Clone)]
pub(super) struct Edge {
    pub(super) clock: SharedClock,
    pub(super) body_limit: usize,
}

pub(super) async fn guard(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let context = RequestContext::new(request.headers(), || edge.clock.new_id(), edge.body_limit);
    request.extensions_mut().insert(context.clone());
    DefaultBodyLimit::max(edge.body_limit).apply(&mut request); // For axum's own extractors.
    let (request, unread) = Unread::watch(request);
    let mut response = if announces_more_than(edge.body_limit, &request) {
        too_large(edge.body_limit).into_response()
    } else {
        next.run(request).await
    };
    if let Some(unread) = unread {
        unread.finish(&mut response).await;
    }
    finish(response, &context)
}

pub(crate) async fn not_found() -> Problem {
    Problem::new(ErrorKind::NotFound, ErrorKind::NotFound.code())
}

pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(
        ErrorKind::MethodNotAllowed,
        ErrorKind::MethodNotAllowed.code(),
    )
}

fn announces_more_than(limit: usize, request: &Request) -> bool {
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    // A length that is not a number is refused by hyper.
    length
        .and_then(|length| length.parse::<u64>().ok())
        .is_some_and(|length| length > limit as u64)
}

fn finish(mut response: Response, context: &RequestContext) -> Response {
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.identify(context.request_id, &context.trace_id());
        let body = problem.body_bytes();
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = Body::from(body);
    }
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Answers are somebody's own and change any time: they may be kept only to be revalidated.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-cache"));
    // The text of a UUID is always a header value.
    if let Ok(id) = HeaderValue::try_from(context.request_id.to_string()) {
        headers.insert("x-request-id", id);
    }
    response
}
