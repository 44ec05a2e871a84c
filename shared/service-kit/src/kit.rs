//! The layers around every router.

mod body_wait;
mod edge;
mod panics;
mod service;
mod unread;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use clock::SharedClock;

use crate::auth::{AuthSetupError, Authenticator};
use crate::config::{AuthConfig, HttpConfig};
pub(crate) use edge::{method_not_allowed, not_found};
pub(crate) use panics::message as panic_message;
use service::RequestMetrics;

/// The layers around every router of a service: what all requests have in common.
///
/// From the outside in. The *edge*, once per listener: request id, size limit, unknown paths. The
/// *service*, once per service also when several share a listener: trace span, metrics, time limit,
/// panics, authentication, unknown methods.
#[derive(Clone, Debug)]
pub struct Kit(Arc<State>);

#[derive(Debug)]
struct State {
    service: &'static str,
    clock: SharedClock,
    authenticator: Authenticator,
    metrics: RequestMetrics,
    body_limit: usize,
    sidecar_body_limit: usize,
    request_timeout: Duration,
}

impl Kit {
    /// The kit of one service. Call it after `telemetry::init`, or its metrics go nowhere.
    pub fn new(
        service: &'static str,
        clock: SharedClock,
        http: &HttpConfig,
        auth: &AuthConfig,
    ) -> Result<Self, AuthSetupError> {
        let authenticator = Authenticator::new(auth, http.listen)?;
        Ok(Self::with(service, clock, http, authenticator))
    }

    /// The kit of a service that only its sidecar calls. A public route would answer nobody.
    pub fn internal(service: &'static str, clock: SharedClock, http: &HttpConfig) -> Self {
        Self::with(service, clock, http, Authenticator::nobody())
    }

    fn with(
        service: &'static str,
        clock: SharedClock,
        http: &HttpConfig,
        authenticator: Authenticator,
    ) -> Self {
        Self(Arc::new(State {
            service,
            clock,
            authenticator,
            metrics: RequestMetrics::new(service),
            body_limit: http.http_body_limit,
            sidecar_body_limit: http.sidecar_body_limit,
            request_timeout: http.http_request_timeout,
        }))
    }

    /// All layers, for a service that has its public listener to itself.
    pub fn public_layers(&self, routes: Router) -> Router {
        self.edge_layers(self.service_layers(routes))
    }

    /// The layers of the service, for routers that are merged before `edge_layers`.
    pub fn service_layers(&self, routes: Router) -> Router {
        routes
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn_with_state(self.clone(), service::public))
    }

    /// The outermost layers of a public listener.
    pub fn edge_layers(&self, routes: Router) -> Router {
        self.edge(routes, self.0.body_limit)
    }

    /// All layers of the sidecar's listener: as the public ones, but nobody is authenticated (the
    /// sidecar has its own token) and deliveries may be larger.
    pub fn sidecar_layers(&self, routes: Router) -> Router {
        let routes = routes
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn_with_state(self.clone(), service::delivered));
        self.edge(routes, self.0.sidecar_body_limit)
    }

    fn edge(&self, routes: Router, body_limit: usize) -> Router {
        let clock = Arc::clone(&self.0.clock);
        let edge = edge::Edge { clock, body_limit };
        routes
            .fallback(not_found)
            .layer(from_fn_with_state(edge, edge::guard))
    }
}
