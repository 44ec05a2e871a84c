//! A server in a folder of its own, gone with everything it wrote when it is dropped.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use super::POLL;
use crate::postgres::{Account, Binaries};
use crate::signals::{Interrupts, signal};

const READY_WITHIN: Duration = Duration::from_mins(1);
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    binaries: Binaries,
    folder: TempDir,
    port: u16,
    url: String,
    process: Child,
}

impl Server {
    /// Starts a server and waits until it answers; `None` when a signal came first.
    pub(super) fn start(interrupts: &Interrupts) -> anyhow::Result<Option<Self>> {
        let binaries = Binaries::find()?;
        let account = Account::choose()?;
        let folder = tempfile::Builder::new()
            .prefix("taskledger-postgres-")
            .tempdir()?;
        account.own(folder.path())?;
        create_cluster(&binaries, account, folder.path())?;
        let port = free_port()?;
        let process = spawn(&binaries, account, folder.path(), port)?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let mut server = Self {
            binaries,
            folder,
            port,
            url,
            process,
        };
        Ok(server.wait_until_ready(interrupts)?.then_some(server))
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn version(&self) -> &str {
        self.binaries.version()
    }

    /// How many connections were let in so far.
    pub(super) fn connections(&self) -> anyhow::Result<usize> {
        let log = self.log()?;
        let authorized = log
            .lines()
            .filter(|line| line.contains("connection authorized"));
        // Our own question whether the server is ready does not count.
        Ok(authorized
            .filter(|line| !line.contains("application_name=pg_isready"))
            .count())
    }

    fn log(&self) -> anyhow::Result<String> {
        let bytes = fs::read(self.folder.path().join("log"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn wait_until_ready(&mut self, interrupts: &Interrupts) -> anyhow::Result<bool> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if self.is_ready()? {
                return Ok(true);
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended with {status}:\n{}", self.log()?);
            }
            if interrupts.wait(POLL) {
                return Ok(false);
            }
        }
        bail!(
            "the server did not answer within {READY_WITHIN:?}:\n{}",
            self.log()?
        )
    }

    fn is_ready(&self) -> anyhow::Result<bool> {
        let port = self.port.to_string();
        let status = Command::new(self.binaries.path("pg_isready"))
            .args([
                "--quiet",
                "--host=127.0.0.1",
                "--username=postgres",
                "--dbname=postgres",
            ])
            .args(["--port", &port])
            .status()
            .context("cannot run pg_isready")?;
        Ok(status.success())
    }

    /// SIGINT is PostgreSQL's fast shutdown: it ends sessions and stops in order.
    fn stop(&mut self) -> std::io::Result<()> {
        signal("INT", &self.process.id().to_string())?;
        let deadline = Instant::now() + STOPPED_WITHIN;
        while Instant::now() < deadline {
            if self.process.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::park_timeout(POLL);
        }
        self.process.kill()?;
        self.process.wait().map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            crate::root::say(&format!("test-postgres: cannot stop the server: {error}"));
        }
        // The folder goes with its field, after the process.
    }
}

fn create_cluster(binaries: &Binaries, account: Account, folder: &Path) -> anyhow::Result<()> {
    let output = account
        .command(&binaries.path("initdb"))
        .current_dir(folder)
        .args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
        ])
        .args(["--no-sync", "--no-instructions", "--pgdata"])
        .arg(folder.join("data"))
        .output()
        .context("cannot run initdb")?;
    ensure!(
        output.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Durable as in production, so that a test of a crash means something.
fn spawn(binaries: &Binaries, account: Account, folder: &Path, port: u16) -> anyhow::Result<Child> {
    let log = File::create(folder.join("log"))?;
    let mut command = account.command(&binaries.path("postgres"));
    command
        .current_dir(folder)
        .arg("-D")
        .arg(folder.join("data"));
    command
        .args(["-p", &port.to_string()])
        .arg("-k")
        .arg(folder);
    for setting in [
        "listen_addresses=127.0.0.1",
        "fsync=on",
        "synchronous_commit=on",
        "max_connections=300",
        "log_connections=on",
    ] {
        command.args(["-c", setting]);
    }
    // A group of its own: Ctrl-C is for us, and we stop the server after the tests.
    let command = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    command.spawn().context("cannot run postgres")
}

/// A port that is free now; nobody else is likely to take it before the server does.
fn free_port() -> std::io::Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()
        .map(|address| address.port())
}
