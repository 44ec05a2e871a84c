//! The open connections of a listener.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower::Service;

use super::{Limits, Stopping};

/// More headers than this are refused.
const MAX_HEADERS: usize = 100;
/// Room for a request's head: a token of 8 KiB and a long query fit.
const MAX_HEAD_BYTES: usize = 64 * 1024;

pub(super) struct Connections {
    http: http1::Builder,
    router: Router,
    stopping: Stopping,
    graceful: GracefulShutdown,
    open: JoinSet<()>,
    room: Arc<Semaphore>,
    reserved: Option<OwnedSemaphorePermit>,
}

impl Connections {
    pub(super) fn new(router: Router, stopping: Stopping, limits: Limits) -> Self {
        let mut http = http1::Builder::new();
        // Without a timer hyper ignores the header timeout.
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES);
        Self {
            http,
            router,
            stopping,
            graceful: GracefulShutdown::new(),
            open: JoinSet::new(),
            room: Arc::new(Semaphore::new(limits.max_connections as usize)),
            reserved: None,
        }
    }

    /// Waits until one more connection is allowed. Safe to cancel: the room stays reserved.
    pub(super) async fn wait_for_room(&mut self) {
        while self.open.try_join_next().is_some() {}
        if self.reserved.is_none() {
            // The semaphore is never closed, so there is always a permit in the end.
            self.reserved = Arc::clone(&self.room).acquire_owned().await.ok();
        }
    }

    pub(super) fn spawn(&mut self, stream: TcpStream) {
        let room = self.reserved.take();
        // Answers are small; waiting to fill a packet only delays them.
        let _best_effort = stream.set_nodelay(true);
        let (router, stopping) = (self.router.clone(), self.stopping.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(stopping.clone());
            router.clone().call(request) // A router is always ready.
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        self.open.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early: {error}");
            }
            drop(room);
        });
    }

    /// Lets open requests finish and tells how many connections had to be cut.
    pub(super) async fn drain(mut self, timeout: Duration) -> usize {
        let drained = tokio::time::timeout(timeout, self.graceful.shutdown()).await;
        if drained.is_ok() {
            return 0;
        }
        while self.open.try_join_next().is_some() {}
        self.open.len()
    }
}
