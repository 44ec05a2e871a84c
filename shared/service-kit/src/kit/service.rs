//! The layers of one service: span, metrics, authentication.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use event_store::gather;
use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::Kit;
use super::body_wait::BodyWait;
use super::panics;
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

    fn record(&self, begun: Instant, method: &'static str, route: &str, status: u16) {
        let attributes = [
            KeyValue::new("service", self.service),
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(status)),
        ];
        self.duration
            .record(begun.elapsed().as_secs_f64(), &attributes);
    }
}

/// Around every public route: one layer and not several, because each costs a request a boxed future
/// and a copy of all the layers inside of it.
pub(super) async fn public(State(kit): State<Kit>, mut request: Request, next: Next) -> Response {
    let now = kit.0.clock.now();
    let authenticator = &kit.0.authenticator;
    match authenticator.authenticate(request.uri(), request.headers(), now) {
        Ok(caller) => {
            let request_of = Observed::begin(&kit, &request, Some(&caller));
            request.extensions_mut().insert(caller);
            request_of.run(request, next).await
        }
        // Nobody is let in who is nobody.
        Err(problem) => {
            let request_of = Observed::begin(&kit, &request, None);
            request_of.end(problem.into_response())
        }
    }
}

/// Around what the sidecar delivers, which has a token of its own.
pub(super) async fn delivered(State(kit): State<Kit>, request: Request, next: Next) -> Response {
    // The events of one delivery are one batch of the lane.
    gather(Observed::begin(&kit, &request, None).run(request, next)).await
}

/// A request in its span and in the metrics.
struct Observed<'a> {
    kit: &'a Kit,
    begun: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    span: Span,
}

impl<'a> Observed<'a> {
    /// Who calls is known by now, because a field that a span is given later makes the log write all
    /// of its fields anew.
    fn begin(kit: &'a Kit, request: &Request, caller: Option<&Caller>) -> Self {
        let begun = Instant::now();
        let method = known_method(request.method().as_str());
        let route = request.extensions().get::<MatchedPath>().cloned();
        let span = span(kit, request, method, path(route.as_ref()), caller);
        Self {
            kit,
            begun,
            method,
            route,
            span,
        }
    }

    /// Answers within the time limit, whatever the handler does.
    async fn run(self, request: Request, next: Next) -> Response {
        let body_wait = BodyWait::default();
        let answer = panics::catch(next.run(body_wait.watch(request)));
        let answer = tokio::time::timeout(self.kit.0.request_timeout, answer);
        let answer = async {
            let timed_out = |_elapsed| timed_out(body_wait.is_waiting());
            answer.await.unwrap_or_else(timed_out)
        };
        let response = answer.instrument(self.span.clone()).await;
        self.end(response)
    }

    fn end(self, response: Response) -> Response {
        let status = response.status();
        // For the trace alone: nothing is logged in this span any more.
        let code = i64::from(status.as_u16());
        self.span.set_attribute("http.response.status_code", code);
        if status.is_server_error() {
            self.span.record("otel.status_code", "ERROR");
        }
        let metrics = &self.kit.0.metrics;
        let route = path(self.route.as_ref());
        metrics.record(self.begun, self.method, route, status.as_u16());
        response
    }
}

fn path(route: Option<&MatchedPath>) -> &str {
    route.map_or("unmatched", MatchedPath::as_str)
}

fn span(kit: &Kit, request: &Request, method: &str, route: &str, caller: Option<&Caller>) -> Span {
    let context = request.extensions().get::<RequestContext>();
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
