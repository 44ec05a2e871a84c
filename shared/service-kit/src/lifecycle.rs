//! Starting and stopping, in one order for every service.

mod signal;
mod tasks;

use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::health::{Health, ops_router};
use crate::server::{self, Limits, Listener};
pub use signal::shutdown_signal;
use tasks::Tasks;
pub use tasks::{Name, TaskError, TaskFailure};

/// How long the loops may take to finish the batch in their hands.
const WORK_TIMEOUT: Duration = Duration::from_secs(10);

type Closing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The running parts of a service, and the order in which they stop:
///
/// readiness off → no new connections → open requests and deliveries finish → loops finish their
/// batch → what was registered with `on_close` closes, in that order → the ops listener, which tells
/// about all this, goes. Telemetry is flushed by `main`.
pub struct Lifecycle {
    health: Health,
    ops: Tasks,
    listeners: Tasks,
    loops: Tasks,
    closing: Vec<(Name, Closing)>,
}

impl Lifecycle {
    /// Nothing runs yet.
    pub fn new(health: Health) -> Self {
        Self {
            health,
            ops: Tasks::new(),
            listeners: Tasks::new(),
            loops: Tasks::new(),
            closing: Vec::new(),
        }
    }

    /// Serves `/healthz`, `/readyz` and `/metrics`. It is the last thing to stop.
    pub fn serve_ops(&mut self, listener: Listener, limits: Limits) {
        let routes = ops_router(self.health.clone());
        spawn_server(&mut self.ops, "ops".into(), listener, routes, limits);
    }

    /// Serves the router. It is the first thing to stop.
    pub fn serve(
        &mut self,
        name: impl Into<Name>,
        listener: Listener,
        router: Router,
        limits: Limits,
    ) {
        spawn_server(&mut self.listeners, name.into(), listener, router, limits);
    }

    /// Runs a loop until its token is cancelled; it then finishes the batch in its hands and
    /// returns. A loop that ends before is a failure of the service.
    pub fn work<F>(&mut self, name: impl Into<Name>, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.loops.spawn(name.into(), work);
    }

    /// Closes something when nothing uses it any more: first the lane, then pools.
    pub fn on_close(
        &mut self,
        name: impl Into<Name>,
        close: impl Future<Output = ()> + Send + 'static,
    ) {
        self.closing.push((name.into(), Box::pin(close)));
    }

    /// Runs until `stop` completes or a part fails, then stops everything in order. A second signal
    /// cuts the stopping short.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), TaskFailure> {
        let failure = tokio::select! {
            () = stop => None,
            failure = self.ops.first_failure() => Some(failure),
            failure = self.listeners.first_failure() => Some(failure),
            failure = self.loops.first_failure() => Some(failure),
        };
        match &failure {
            None => tracing::info!("stopping"),
            Some(failure) => tracing::error!(error = %failure, "stopping: {failure}"),
        }
        let stopped = tokio::select! {
            stopped = self.stop() => stopped,
            () = shutdown_signal() => Err(TaskFailure::CutShort),
        };
        failure.map_or(stopped, Err)
    }

    async fn stop(mut self) -> Result<(), TaskFailure> {
        self.health.stop();
        // Each listener has its own drain timeout.
        let listeners = self.listeners.stop(None).await;
        let loops = self.loops.stop(Some(WORK_TIMEOUT)).await;
        for (name, close) in self.closing {
            if tokio::time::timeout(WORK_TIMEOUT, close).await.is_err() {
                tracing::warn!(part = %name, "{name} did not close in time");
            }
        }
        let ops = self.ops.stop(None).await;
        listeners.and(loops).and(ops)
    }
}

fn spawn_server(tasks: &mut Tasks, name: Name, listener: Listener, router: Router, limits: Limits) {
    let address = listener.address();
    tracing::info!(listener = %name, %address, "{name} listens on http://{address}");
    tasks.spawn(name, |stop| async move {
        server::serve(listener, router, limits, stop).await;
        Ok(())
    });
}

impl std::fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lifecycle")
            .field("listeners", &self.listeners)
            .field("loops", &self.loops)
            .finish_non_exhaustive()
    }
}
