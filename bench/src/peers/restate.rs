//! Restate: a server, and a service that it shall call in a day.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clock::SystemClock;
use serde_json::json;
use tempfile::TempDir;

use super::Peers;
use crate::child::{Child, free_address};
use crate::driver::{Asked, Client, Requests};

const READY_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(200);

/// A running server with an empty folder of its own; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Restate {
    server: Child,
    _service: Child,
    ingress: SocketAddr,
    // After the processes that use it.
    _folder: TempDir,
}

impl Restate {
    pub(crate) async fn start(peers: &Peers, folder: &Path) -> anyhow::Result<Self> {
        let (ingress, admin, fabric) = (free_address()?, free_address()?, free_address()?);
        let data = tempfile::tempdir_in(folder)?;
        let program = peers.restate_server().context("no restate-server")?;
        let mut command = Command::new(program);
        command
            .current_dir(data.path())
            .args(["--node-name", "bench"])
            .env("RESTATE_BASE_DIR", data.path())
            .env("RESTATE_INGRESS__BIND_ADDRESS", ingress.to_string())
            .env("RESTATE_ADMIN__BIND_ADDRESS", admin.to_string())
            .env("RESTATE_BIND_ADDRESS", fabric.to_string())
            .env("RESTATE_DISABLE_TELEMETRY", "true");
        let server = Child::start_program("restate", command, ingress, folder).await?;
        let address = free_address()?;
        let mut command = Command::new("node");
        command
            .current_dir(&peers.folder)
            .args(["restate.mjs", &address.port().to_string()]);
        let service = Child::start_program("restate-service", command, address, folder).await?;
        register(admin, address).await?;
        Ok(Self {
            server,
            _service: service,
            ingress,
            _folder: data,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    /// Where calls are sent.
    pub(crate) fn ingress(&self) -> SocketAddr {
        self.ingress
    }
}

/// Tells the server of the service, as soon as it listens to that.
async fn register(admin: SocketAddr, service: SocketAddr) -> anyhow::Result<()> {
    let body = json!({"uri": format!("http://{service}")}).to_string();
    let deadline = Instant::now() + READY_WITHIN;
    let mut outcome = String::new();
    while Instant::now() < deadline {
        match post(admin, "/deployments", body.clone()).await {
            Ok(None) => return Ok(()),
            Ok(Some(refusal)) => outcome = refusal,
            Err(error) => outcome = error.to_string(),
        }
        tokio::time::sleep(POLL).await;
    }
    bail!("Restate does not take the service: {outcome}")
}

/// What it says against it, if anything.
async fn post(address: SocketAddr, path: &str, body: String) -> anyhow::Result<Option<String>> {
    let nothing = Requests::DelayedSends(Arc::new(SystemClock::new()));
    let mut client = Client::connect(address, nothing).await?;
    let (status, answer) = client.ask(&Asked::post(path, body)).await?;
    let refusal = || format!("{status} {}", String::from_utf8_lossy(&answer));
    Ok((!status.is_success()).then(refusal))
}
