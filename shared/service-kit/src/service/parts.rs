//! A service's own loops, and a service taken apart for tests.

use std::fmt;
use std::pin::Pin;

use axum::Router;
use dapr_client::Door;
use event_store::{Lane, Ledger, Relay};
use tokio_util::sync::CancellationToken;

use super::{Projections, Redelivery, Service};

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A loop of a service: it runs until its token is cancelled and then finishes what it has begun.
pub struct Worker {
    pub(super) name: &'static str,
    pub(super) run: Box<dyn FnOnce(CancellationToken) -> Running + Send>,
}

impl Worker {
    /// A loop with a name for logs.
    pub fn new<F>(
        name: &'static str,
        run: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let run = Box::new(|stop| Box::pin(run(stop)) as Running);
        Self { name, run }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A service taken apart, for tests that run lane, relay and workers step by step.
#[derive(Debug)]
pub struct Parts<S> {
    /// What its doors share.
    pub state: S,
    /// The ledger.
    pub ledger: Ledger,
    /// The one writer.
    pub lane: Lane,
    /// The one publisher.
    pub relay: Relay,
    /// The public routes with all their layers; none for a service without a public door.
    pub public: Router,
    /// What the sidecar calls.
    pub sidecar: Router,
    /// Delivers again what an operator released.
    pub redelivery: Redelivery,
    /// Rebuilds what an older version has made.
    pub projections: Projections,
}

impl<S> Service<S> {
    /// Takes the service apart. Nothing runs unless the caller runs it.
    pub fn into_parts(self) -> Result<Parts<S>, serde_json::Error> {
        let public = self.edge_routes()?.unwrap_or_default();
        let redelivery = Redelivery {
            table: self.foundation.ledger.dead_letter_table(),
            door: Door::new(self.sidecar.clone(), &self.foundation.config.dapr),
        };
        Ok(Parts {
            state: self.state,
            ledger: self.foundation.ledger,
            lane: self.foundation.lane,
            relay: self.foundation.relay,
            public,
            sidecar: self.sidecar,
            redelivery,
            projections: self.foundation.projections,
        })
    }
}
