//! `/healthz`, `/readyz` and `/metrics`.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
use crate::{problem, telemetry};

/// A check that takes longer has failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Verdict = Result<(), String>;
type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Verdict> + Send>> + Send + Sync>;

/// Whether the service can work: named checks, and a switch that shutdown turns off first.
#[derive(Clone, Default)]
pub struct Health(Arc<Checks>);

#[derive(Default)]
struct Checks {
    stopping: AtomicBool,
    by_name: Mutex<Vec<(&'static str, Check)>>,
}

/// What `/readyz` answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// `ready`, `not ready` or `stopping`.
    pub status: &'static str,
    /// Every check.
    pub checks: Vec<CheckResult>,
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
        let check: Check = Arc::new(move || {
            let verdict = check();
            Box::pin(async move { verdict.await.map_err(|error| problem::chain(&error)) })
        });
        // A panic cannot leave the list half-written.
        self.0
            .by_name
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((name, check));
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
        let checks = self
            .0
            .by_name
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let checks = join_all(
            checks
                .into_iter()
                .map(|(name, check)| run(name, check, timeout)),
        )
        .await;
        let status = if self.0.stopping.load(Ordering::SeqCst) {
            "stopping"
        } else if checks.iter().all(|check| check.ok) {
            "ready"
        } else {
            "not ready"
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

async fn run(name: &'static str, check: Check, timeout: Duration) -> CheckResult {
    let verdict = tokio::time::timeout(timeout, check()).await;
    let verdict = verdict.unwrap_or_else(|_elapsed| Err("took too long".to_owned()));
    if let Err(error) = &verdict {
        tracing::warn!(check = name, error, "not ready: {name}: {error}");
    }
    CheckResult {
        name,
        ok: verdict.is_ok(),
    }
}

async fn readyz(State(health): State<Health>) -> impl IntoResponse {
    let readiness = health.readiness().await;
    let status = match readiness.status {
        "ready" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
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
