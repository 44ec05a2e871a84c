//! A running `taskledger`, started as a person would.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How a process ended that ended by itself.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<&Output> for Ended {
    fn from(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A suite that answers.
pub(crate) struct Running {
    pub(crate) base: String,
    pub(crate) banner: String,
    child: Child,
}

pub(crate) fn command(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskledger"));
    command
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data_dir);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Running {
    pub(crate) async fn start(data_dir: &Path) -> Self {
        Self::of(command(data_dir)).await
    }

    pub(crate) async fn of(mut command: Command) -> Self {
        // What it logs shows when a test fails, and never fills a pipe that nobody reads.
        command.stderr(Stdio::inherit());
        Self::heard(command).await
    }

    /// Keeps what it says on stderr, for [`ended_saying`](Self::ended_saying).
    pub(crate) async fn heard(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut banner = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            banner.push_str(&line);
            banner.push('\n');
            if line.starts_with("Press") {
                break;
            }
        }
        let address = banner
            .lines()
            .find_map(|line| line.trim().strip_prefix("API"));
        let base = address
            .unwrap_or_else(|| panic!("no address in {banner:?}"))
            .trim();
        let base = base.strip_suffix("/v1").unwrap().to_owned();
        Self {
            base,
            banner,
            child,
        }
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits for it to end by itself, and reads what it said.
    pub(crate) async fn ended_saying(self) -> Ended {
        let output = self.child.wait_with_output();
        let ended = tokio::time::timeout(Duration::from_secs(20), output).await;
        Ended::from(&ended.expect("it ends within 20 seconds").unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Waits for it to end by itself.
    pub(crate) async fn ended(mut self) -> Option<i32> {
        let ended = tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await;
        ended.expect("it ends within 10 seconds").unwrap().code()
    }
}

/// One of the operator's commands.
pub(crate) fn operator(words: &[&str], data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskledger"));
    command.args(words).arg("--data-dir").arg(data_dir);
    command.env_remove("DATABASE_URL");
    command
}

/// Runs a command that is expected to end by itself, soon.
pub(crate) async fn run(mut command: Command) -> Ended {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    Ended::from(&output)
}
