//! Listening: our own accept loop, because `axum::serve` sets no timeouts and no limits.

mod connections;
mod stopping;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::config::HttpConfig;
use connections::Connections;
pub use stopping::Stopping;

/// How long to wait when the system has no more sockets.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Longer than the sidecar's HTTP client keeps a connection that it does not use.
const SIDECAR_IDLE: Duration = Duration::from_secs(100);

/// A bound address.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error(
        "cannot listen on {0}: another program already does; stop it or choose another address"
    )]
    Taken(SocketAddr),
    /// Any other reason.
    #[error("cannot listen on {address}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
}

/// What a listener allows its clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time to send a request's headers. A connection that is idle for as long is closed.
    pub header_timeout: Duration,
    /// Connections held at once.
    pub max_connections: u32,
    /// Time for open requests to finish after the stop.
    pub drain_timeout: Duration,
}

impl Limits {
    /// The limits of the sidecar's listener. The sidecar keeps idle connections for 90 seconds and
    /// must not find one closed when it sends the next delivery.
    pub fn for_sidecar(config: &HttpConfig) -> Self {
        Self {
            header_timeout: SIDECAR_IDLE,
            ..Self::from(config)
        }
    }
}

impl From<&HttpConfig> for Limits {
    fn from(config: &HttpConfig) -> Self {
        Self {
            header_timeout: config.http_header_timeout,
            max_connections: config.http_max_connections,
            drain_timeout: config.http_drain_timeout,
        }
    }
}

impl Listener {
    /// Listens on the address; connections wait in the backlog until `serve`.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken(address),
            _ => BindError::Other { address, source },
        };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
    }

    /// The address, with the real port when it was bound to port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves until `stop`, then lets open requests finish for at most the drain timeout.
///
/// The future completes when the last connection is gone. Dropping it closes all at once.
pub async fn serve(listener: Listener, router: Router, limits: Limits, stop: CancellationToken) {
    let stopping = Stopping::from(stop.clone());
    let mut connections = Connections::new(router, stopping, limits);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            stream = next_stream(&mut connections, &listener) => connections.spawn(stream),
        }
    }
    // Closed before the drain: who connects now is refused and can go elsewhere.
    let address = listener.address;
    drop(listener);
    let cut = connections.drain(limits.drain_timeout).await;
    if cut > 0 {
        tracing::warn!(%address, cut, "cut {cut} connections on {address} that did not finish");
    }
}

async fn next_stream(connections: &mut Connections, listener: &Listener) -> TcpStream {
    connections.wait_for_room().await;
    loop {
        match listener.socket.accept().await {
            Ok((stream, _peer)) => return stream,
            Err(error) if is_the_clients_fault(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections for a moment: {error}");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}

fn is_the_clients_fault(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}
