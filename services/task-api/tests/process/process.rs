//! A running `task-api`.

use std::process::Stdio;

use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

/// A `task-api` that answers.
pub(crate) struct Process {
    pub(crate) base: String,
    child: Child,
}

impl Process {
    /// Starts it over this database and beside this sidecar, and waits until it listens.
    pub(crate) async fn start(database: &database::Config, sidecar: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_task-api"))
            .args(["--listen", "127.0.0.1:0"])
            .args(["--sidecar-listen", "127.0.0.1:0"])
            .args(["--ops-listen", "127.0.0.1:0"])
            .args(["--database-migrate", "apply"])
            .env("DATABASE_URL", database.database_url.expose_secret())
            .env("DAPR_HTTP_ENDPOINT", sidecar)
            .env("LOG_FORMAT", "json")
            .env("RUST_LOG", "error,service_kit::lifecycle=info")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let base = address(&mut lines).await;
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains(r#""level":"ERROR""#) {
                    eprintln!("{line}");
                }
            }
        });
        Self { base, child }
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Memory that it holds, in MB, where the system tells.
    pub(crate) fn resident(&self) -> Option<f64> {
        let status = format!("/proc/{}/status", self.child.id()?);
        let status = std::fs::read_to_string(status).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes / 1024.0)
    }
}

/// Reads the log until it says where the public door is.
async fn address(lines: &mut Lines<BufReader<ChildStderr>>) -> String {
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        let entry: Value = serde_json::from_str(&line).unwrap_or_default();
        if entry["listener"] == "public" {
            return format!("http://{}", entry["address"].as_str().unwrap());
        }
        said.push_str(&line);
    }
    panic!("it did not start: {said}")
}
