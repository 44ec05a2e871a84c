//! `/healthz`, `/readyz` and `/metrics`.

mod check;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::future::join_all;
use serde::Serialize;

use crate::extract::Json;
use crate::kit::{method_not_allowed, not_found};
use crate::telemetry;
use check::Check;

/// A check that takes longer has failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether the service can work: named checks, and a switch that shutdown turns off first.
#[derive(Clone, Default)]
pub struct Health(Arc<Checks>);

#[derive(Default)]
struct Checks {
    stopping: AtomicBool,
    all: Mutex<Vec<Check>>,
}

/// What `/readyz` answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// The worst of all checks, or that it stops.
    pub status: Status,
    /// Every check.
    pub checks: Vec<CheckResult>,
}

/// Whether a service can work, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All checks pass.
    Ready,
    /// It takes requests. What it can do without for a while is gone.
    Degraded,
    /// What it needs is not there.
    #[serde(rename = "not ready")]
    NotReady,
    /// It takes no requests any more.
    Stopping,
}

impl Status {
    /// Whether requests should be sent here.
    pub fn takes_requests(self) -> bool {
        self <= Self::Degraded
    }
}

/// How one check ended.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// The check's name.
    pub name: &'static str,
    /// Whether it passed.
    pub ok: bool,
}

impl Health {
    /// Health without checks: ready until it stops.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check that must pass for the service to be ready. Its error goes to the log, because
    /// it may name hosts and files.
    pub fn check<F, E>(&self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::error::Error,
    {
        self.add(Check::always(name, check::ask(check)));
    }

    /// Adds a check that must pass once: what it asks for is needed at the start, and the service works
    /// on when it goes. From then on the service is only degraded by its loss, and whoever uses what is
    /// lost has to say so in the log.
    pub fn check_until_seen<F, E>(
        &self,
        name: &'static str,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::error::Error,
    {
        self.add(Check::until_seen(name, check::ask(check)));
    }

    /// Adds a part that has checks of its own.
    pub fn part(&self, name: &'static str, part: Self) {
        self.add(Check::part(name, part));
    }

    fn add(&self, check: Check) {
        self.lock().push(check);
    }

    /// A panic cannot leave the list half-written.
    fn lock(&self) -> MutexGuard<'_, Vec<Check>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns readiness off for good.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::SeqCst);
    }

    /// Runs all checks at once.
    pub async fn readiness(&self) -> Readiness {
        self.readiness_within(CHECK_TIMEOUT).await
    }

    async fn readiness_within(&self, timeout: Duration) -> Readiness {
        let checks = self.lock().clone();
        let results = join_all(checks.into_iter().map(|check| check.run(timeout))).await;
        let (statuses, checks): (Vec<_>, Vec<_>) = results.into_iter().unzip();
        let status = if self.0.stopping.load(Ordering::SeqCst) {
            Status::Stopping
        } else {
            statuses.into_iter().max().unwrap_or(Status::Ready)
        };
        Readiness { status, checks }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("stopping", &self.0.stopping)
            .finish_non_exhaustive()
    }
}

/// The routes of the ops listener.
pub fn ops_router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .with_state(health)
}

async fn readyz(State(health): State<Health>) -> impl IntoResponse {
    let readiness = health.readiness().await;
    let status = if readiness.status.takes_requests() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness))
}

async fn metrics() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        telemetry::metrics_text(),
    )
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::problem;

    async fn get(health: &Health, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = ops_router(health.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.into()).unwrap())
    }

    #[tokio::test]
    async fn healthz_depends_on_nothing() {
        let health = Health::new();
        health.check("database", || async { Err(io::Error::other("down")) });
        assert_eq!(get(&health, "/healthz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn unknown_methods_and_paths_are_problems() {
        for (method, path, code) in [
            ("PUT", "/healthz", "method-not-allowed"),
            ("POST", "/metrics", "method-not-allowed"),
            ("GET", "/elsewhere", "not-found"),
        ] {
            let request = Request::builder().method(method).uri(path);
            let request = request.body(Body::empty()).unwrap();
            let response = ops_router(Health::new()).oneshot(request).await.unwrap();
            assert_eq!(response.headers()[CONTENT_TYPE], problem::PROBLEM_JSON);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["code"], code, "{method} {path}");
        }
    }

    #[tokio::test]
    async fn readyz_names_the_check_that_failed_but_not_why() {
        let health = Health::new();
        health.check("database", || async {
            Err(io::Error::other("no route to db.internal"))
        });
        health.check("sidecar", || async { Ok::<_, io::Error>(()) });

        let (status, body) = get(&health, "/readyz").await;

        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let expected = r#"{"status":"not ready","checks":[{"name":"database","ok":false},{"name":"sidecar","ok":true}]}"#;
        assert_eq!(body, expected);
    }

    /// A check that passes while this is true.
    fn while_true(
        there: &Arc<AtomicBool>,
    ) -> impl Fn() -> std::future::Ready<io::Result<()>> + Send + Sync + 'static {
        let there = Arc::clone(there);
        move || {
            let there = there.load(Ordering::SeqCst);
            std::future::ready(there.then_some(()).ok_or(io::Error::other("away")))
        }
    }

    #[tokio::test]
    async fn what_counts_until_it_was_seen_only_degrades_afterwards() {
        let (database, sidecar) = (
            Arc::new(AtomicBool::new(true)),
            Arc::<AtomicBool>::default(),
        );
        let health = Health::new();
        health.check("database", while_true(&database));
        health.check_until_seen("sidecar", while_true(&sidecar));
        let suite = Health::new();
        suite.part("task-api", health.clone());
        let status = async || {
            let readiness = health.readiness().await;
            assert_eq!(suite.readiness().await.status, readiness.status);
            readiness.status
        };

        assert_eq!(status().await, Status::NotReady, "it was never there");
        sidecar.store(true, Ordering::SeqCst);
        assert_eq!(status().await, Status::Ready);
        sidecar.store(false, Ordering::SeqCst);
        assert_eq!(status().await, Status::Degraded);
        let (code, body) = get(&health, "/readyz").await;
        let expected = r#"{"status":"degraded","checks":[{"name":"database","ok":true},{"name":"sidecar","ok":false}]}"#;
        assert_eq!((code, body.as_str()), (StatusCode::OK, expected));

        database.store(false, Ordering::SeqCst);
        assert_eq!(
            status().await,
            Status::NotReady,
            "the database counts always"
        );
        assert_eq!(
            get(&suite, "/readyz").await.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
        database.store(true, Ordering::SeqCst);
        sidecar.store(true, Ordering::SeqCst);
        assert_eq!(status().await, Status::Ready);
    }

    #[tokio::test]
    async fn stopping_turns_readiness_off() {
        let health = Health::new();
        assert_eq!(get(&health, "/readyz").await.0, StatusCode::OK);
        health.stop();
        let (status, body) = get(&health, "/readyz").await;
        assert_eq!(
            (status, body.contains("stopping")),
            (StatusCode::SERVICE_UNAVAILABLE, true)
        );
    }

    #[tokio::test]
    async fn a_check_that_hangs_has_failed() {
        let health = Health::new();
        health.check("database", std::future::pending::<io::Result<()>>);
        assert!(!health.readiness_within(Duration::ZERO).await.checks[0].ok);
    }
}
