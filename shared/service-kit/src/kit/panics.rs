//! A handler that panics costs one request, not the connection.

use std::panic::AssertUnwindSafe;

use axum::response::Response;
use futures_util::FutureExt;

use crate::error::ErrorKind;
use crate::problem::Problem;

pub(super) async fn catch(answer: impl Future<Output = Response>) -> Response {
    // Nothing of the request is used after the panic.
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let message = message(&*panic);
            tracing::error!(panic = message, "a handler panicked: {message}");
            Problem::new(ErrorKind::Internal, ErrorKind::Internal.code()).render()
        }
    }
}

/// What a panic said.
pub(crate) fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
