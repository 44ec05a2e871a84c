//! Parts of a comparison that run as processes of their own, so that their CPU time can be told apart.
//! Each is this very binary with another subcommand.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

const POLL: Duration = Duration::from_millis(5);
const READY_WITHIN: Duration = Duration::from_secs(20);
const STOPPED_WITHIN: Duration = Duration::from_secs(5);
/// So much of a log is shown when a child ends by itself.
const MOST_SHOWN: usize = 4000;

/// A running child; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Child {
    name: &'static str,
    process: std::process::Child,
    log: PathBuf,
}

impl Child {
    /// Starts this binary with other arguments and waits until it listens at `address`.
    pub(crate) async fn start(
        name: &'static str,
        arguments: &[String],
        address: SocketAddr,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(name).args(arguments);
        Self::start_program(name, command, address, folder).await
    }

    /// Starts any program and waits until it listens at `address`.
    pub(crate) async fn start_program(
        name: &'static str,
        mut command: Command,
        address: SocketAddr,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let process = command
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let mut child = Self { name, process, log };
        child.wait_for(address).await?;
        Ok(child)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    async fn wait_for(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = self.process.try_wait()? {
                bail!("{} ended with {status}:\n{}", self.name, self.end_of_log());
            }
            if Instant::now() > deadline {
                bail!("{} does not listen:\n{}", self.name, self.end_of_log());
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Asks it to end and waits until it has.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.process.stdin.take());
        let deadline = Instant::now() + STOPPED_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait()? {
                if !status.success() {
                    bail!("{} ended with {status}:\n{}", self.name, self.end_of_log());
                }
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("{} does not end:\n{}", self.name, self.end_of_log())
    }

    fn end_of_log(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let end = &text[text.len().saturating_sub(MOST_SHOWN)..];
        String::from_utf8_lossy(end).into_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Neither fails but for a child that has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Within a child: completes when the parent closed its end of the standard input, or is gone.
pub(crate) async fn parent_asks_to_stop() {
    let (closed, wait) = oneshot::channel();
    std::thread::spawn(move || {
        // Whatever ends reading ends the child.
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        closed.send(())
    });
    let _ = wait.await;
}

/// A free port of this machine; nobody else is likely to take it before a child does.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}
