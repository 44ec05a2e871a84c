//! A PostgreSQL server in a folder of its own, gone when it is dropped.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::account::Account;
use super::binaries::Binaries;
use crate::child::free_address;

const READY_WITHIN: Duration = Duration::from_mins(1);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Durable as in production. The log is large enough that no checkpoint falls into a run: one begins
/// before each.
const SETTINGS: [&str; 7] = [
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=512MB",
    "max_wal_size=8GB",
    "checkpoint_timeout=30min",
    "max_connections=100",
];

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    binaries: Binaries,
    folder: PathBuf,
    port: u16,
    process: Child,
}

impl Server {
    /// Makes a cluster below `folder`, starts the server and waits until it answers.
    pub(super) fn start(folder: &Path) -> anyhow::Result<Self> {
        let binaries = Binaries::find()?;
        let account = Account::choose()?;
        let folder = folder.join("postgres");
        fs::create_dir(&folder)?;
        account.own(&folder)?;
        create_cluster(&binaries, account, &folder)?;
        let port = free_address()?.port();
        let process = spawn(&binaries, account, &folder, port)?;
        let mut server = Self {
            binaries,
            folder,
            port,
            process,
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn description(&self) -> String {
        format!("{}, {}", self.binaries.version(), SETTINGS.join(", "))
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if self.is_ready()? {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended with {status}:\n{}", self.log());
            }
            std::thread::park_timeout(POLL);
        }
        bail!("the server does not answer:\n{}", self.log())
    }

    fn is_ready(&self) -> anyhow::Result<bool> {
        let status = Command::new(self.binaries.path("pg_isready"))
            .args(["--quiet", "--host=127.0.0.1", "--username=postgres"])
            .args(["--dbname=postgres", "--port", &self.port.to_string()])
            .status()
            .context("cannot run pg_isready")?;
        Ok(status.success())
    }

    fn log(&self) -> String {
        let bytes = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// SIGINT is PostgreSQL's fast shutdown: it ends sessions and stops in order.
    fn stop(&mut self) -> io::Result<()> {
        let script = format!("kill -s INT -- {}", self.process.id());
        Command::new("sh").args(["-c", &script]).status()?;
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
            crate::report::say(&format!("cannot stop PostgreSQL: {error}"));
        }
    }
}

fn create_cluster(binaries: &Binaries, account: Account, folder: &Path) -> anyhow::Result<()> {
    let output = account
        .command(&binaries.path("initdb"))
        .current_dir(folder)
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
        .args(["--locale=C", "--no-sync", "--no-instructions", "--pgdata"])
        .arg(folder.join("data"))
        .output()
        .context("cannot run initdb")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "initdb: {complaint}");
    Ok(())
}

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
    command.args(["-c", "listen_addresses=127.0.0.1"]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    // A group of its own: Ctrl-C is for us, and we stop the server in order.
    let command = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    command.spawn().context("cannot run postgres")
}
