//! A sidecar that takes every event at once and drops it: what is left is what publishing costs us.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use clap::Args;
use tokio::net::TcpListener;

/// The largest call that the relay makes is 1 MiB.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Settings of the stand-in.
#[derive(Args, Clone, Debug)]
pub(crate) struct Config {
    #[arg(long)]
    listen: SocketAddr,
}

/// Serves until `stop`.
pub(crate) async fn run(config: Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.listen).await?;
    let routes = Router::new()
        .fallback(take)
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT));
    tokio::select! {
        served = axum::serve(listener, routes) => served?,
        () = stop => {}
    }
    Ok(())
}

/// Published, or healthy: both are 204.
async fn take(_body: Bytes) -> StatusCode {
    StatusCode::NO_CONTENT
}
