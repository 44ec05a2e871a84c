//! What the suite needs of a service.

use std::fmt::{self, Display};
use std::sync::Mutex;

use axum::Router;
use event_store::{Lane, Ledger, Relay};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use service_kit::service::Service;

type RunOnce = dyn FnMut() -> BoxFuture<'static, Result<usize, String>> + Send;

/// A worker's name and its `run_once`. The mutex is never locked: it makes the suite `Sync`.
pub(crate) type Worker = (&'static str, Mutex<Box<RunOnce>>);

/// What the suite needs of a service, built but not running.
pub struct TestParts {
    pub(crate) public: Router,
    pub(crate) sidecar: Router,
    pub(crate) ledger: Ledger,
    pub(crate) lane: Lane,
    pub(crate) relay: Relay,
    pub(crate) workers: Vec<Worker>,
}

impl TestParts {
    /// `public` and `sidecar` are the routers as they are served, with all layers of the kit.
    pub fn new(ledger: Ledger, lane: Lane, relay: Relay, public: Router, sidecar: Router) -> Self {
        Self {
            public,
            sidecar,
            ledger,
            lane,
            relay,
            workers: Vec::new(),
        }
    }

    /// A service as production builds it.
    pub fn of<S>(service: Service<S>) -> Result<Self, serde_json::Error> {
        let parts = service.into_parts()?;
        let (redelivery, projections) = (parts.redelivery, parts.projections);
        let parts = Self::new(
            parts.ledger,
            parts.lane,
            parts.relay,
            parts.public,
            parts.sidecar,
        );
        let parts = parts.worker("projections", move || {
            let projections = projections.clone();
            async move { projections.run_once().await }
        });
        Ok(parts.worker("redelivery", move || {
            let redelivery = redelivery.clone();
            async move { redelivery.run_once().await }
        }))
    }

    /// Adds a worker: one batch per call, and how many that were.
    #[must_use]
    pub fn worker<F, Fut, E>(mut self, name: &'static str, mut run_once: F) -> Self
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<usize, E>> + Send + 'static,
        E: Display,
    {
        let run_once = move || {
            let pass = run_once();
            async move { pass.await.map_err(|error| error.to_string()) }.boxed()
        };
        self.workers.push((name, Mutex::new(Box::new(run_once))));
        self
    }
}

impl fmt::Debug for TestParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers: Vec<_> = self.workers.iter().map(|(name, _)| name).collect();
        f.debug_struct("TestParts")
            .field("ledger", &self.ledger)
            .field("workers", &workers)
            .finish_non_exhaustive()
    }
}
