//! Whether the listener of a request is stopping.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio_util::sync::CancellationToken;

/// Tells an answer that would never end by itself, such as a live stream, that its listener stops:
/// open requests are waited for, so it has to end. In a router that nobody listens for it never stops.
#[derive(Clone, Debug)]
pub struct Stopping(pub(super) CancellationToken);

impl Stopping {
    /// Completes when the listener begins to stop.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }
}

impl From<CancellationToken> for Stopping {
    fn from(stop: CancellationToken) -> Self {
        Self(stop)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Stopping {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| Self(CancellationToken::new())))
    }
}
