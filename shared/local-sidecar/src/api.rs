//! What an app asks its sidecar.

mod bulk;
mod health;
mod problem;
mod publish;
mod request;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{Semaphore, watch};

use crate::config::Scopes;
use crate::delivery::Discovery;
use crate::{AppBinding, Broker, token};
use clock::SharedClock;
use problem::Problem;

/// No larger request is read.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// So many publish requests are in memory at a time; later ones wait unread.
pub(crate) const CONCURRENT_REQUESTS: usize = 64;

/// What the routes of one app's sidecar need.
#[derive(Debug)]
pub(crate) struct Sidecar {
    pub(crate) app: AppBinding,
    pub(crate) pubsub: String,
    pub(crate) scopes: Scopes,
    pub(crate) broker: Broker,
    pub(crate) clock: SharedClock,
    pub(crate) discovery: watch::Receiver<Discovery>,
    pub(crate) reading: Arc<Semaphore>,
}

/// The routes of one app's sidecar.
pub(crate) fn router(sidecar: Arc<Sidecar>) -> Router {
    let guarded = Router::new()
        .route(
            "/v1.0/publish/{*target}",
            post(publish::publish).put(publish::publish),
        )
        .route(
            "/v1.0-alpha1/publish/bulk/{*target}",
            post(bulk::publish_alpha).put(bulk::publish_alpha),
        )
        .route("/v1.0/metadata", get(health::metadata))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&sidecar),
            check_token,
        ));
    let open = Router::new()
        .route("/v1.0/healthz", get(health::healthz))
        .route("/v1.0/healthz/outbound", get(health::outbound));
    guarded.merge(open).with_state(sidecar)
}

async fn check_token(
    State(sidecar): State<Arc<Sidecar>>,
    request: Request,
    next: Next,
) -> Response {
    if token::accepts(sidecar.app.dapr_api_token.as_ref(), request.headers()) {
        return next.run(request).await;
    }
    Problem::Token.into_response()
}
