//! The layers of one service: span, metrics, authentication.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::Kit;
use super::body_wait::BodyWait;
use crate::auth::Caller;
use crate::context::RequestContext;
use crate::error::ErrorKind;
use crate::problem::Problem;
use crate::telemetry;

#[derive(Debug)]
pub(super) struct RequestMetrics {
    service: &'static str,
    duration: Histogram<f64>,
}

impl RequestMetrics {
    pub(super) fn new(service: &'static str) -> Self {
        let duration = global::meter("service-kit")
            .f64_histogram("http.server.request.duration")
            .with_description("How long requests took until their answer began.")
            .with_unit("s")
            .build();
        Self { service, duration }
    }

    fn record(&self, begun: Instant, method: &str, route: &str, status: u16) {
        let attributes = [
            KeyValue::new("service", self.service),
            KeyValue::new("http.request.method", method.to_owned()),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(status)),
        ];
        self.duration
            .record(begun.elapsed().as_secs_f64(), &attributes);
    }
}

/// What the authenticator said, on its way from outside the span to inside of it.
#[derive(Clone)]
struct Who(Result<Caller, Problem>);

/// Finds out who asks before the span begins, because a field that a span is given later makes the
/// log write all of its fields anew.
pub(super) async fn authenticate(
    State(kit): State<Kit>,
    mut request: Request,
    next: Next,
) -> Response {
    let now = kit.0.clock.now();
    let authenticator = &kit.0.authenticator;
    let who = authenticator.authenticate(request.uri(), request.headers(), now);
    request.extensions_mut().insert(Who(who));
    next.run(request).await
}

/// Lets nobody in who is nobody.
pub(super) async fn admit(mut request: Request, next: Next) -> Response {
    match request.extensions_mut().remove::<Who>() {
        Some(Who(Ok(caller))) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Some(Who(Err(problem))) => problem.into_response(),
        None => Problem::new(
            ErrorKind::Unauthenticated,
            ErrorKind::Unauthenticated.code(),
        )
        .into_response(),
    }
}

pub(super) async fn observe(State(kit): State<Kit>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = known_method(request.method().as_str());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route
        .as_ref()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let span = span(&kit, &request, method, &route);
    let body_wait = BodyWait::default();
    let answer = next.run(body_wait.watch(request));
    let answer = tokio::time::timeout(kit.0.request_timeout, answer);
    let answer = async {
        let timed_out = |_elapsed| timed_out(body_wait.is_waiting());
        answer.await.unwrap_or_else(timed_out)
    };
    let response = answer.instrument(span.clone()).await;
    let status = response.status();
    // For the trace alone: nothing is logged in this span any more.
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    kit.0.metrics.record(begun, method, &route, status.as_u16());
    response
}

fn span(kit: &Kit, request: &Request, method: &str, route: &str) -> Span {
    let context = request.extensions().get::<RequestContext>();
    let who = request.extensions().get::<Who>();
    let caller = who.and_then(|Who(who)| who.as_ref().ok());
    let span = tracing::info_span!(
        "request",
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = field::Empty,
        service = kit.0.service,
        http.request.method = method,
        http.route = route,
        request.id = context.map(|context| field::display(context.request_id)),
        user.id = caller.map(|caller| field::display(caller.user_id)),
    );
    if let Some(incoming) = context.and_then(|context| context.incoming.as_deref()) {
        // Fails only when traces are not exported: then there is nothing to continue.
        let _continued = span.set_parent(telemetry::remote_context(incoming));
    }
    span
}

/// Only a slowness of ours is worth another try of the same request.
fn timed_out(body_is_missing: bool) -> Response {
    if body_is_missing {
        return Problem::new(ErrorKind::RequestTimeout, ErrorKind::RequestTimeout.code())
            .into_response();
    }
    Problem::new(ErrorKind::Unavailable, "timed-out")
        .title("It took too long")
        .into_response()
}

/// Any token is a method to HTTP; as a metric's label it must come from a small set.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"];
    KNOWN
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("_OTHER")
}
