//! A service as a process of its own, which can be killed.

use std::process::Stdio;

use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

/// A running service.
#[derive(Debug)]
pub struct ServiceProcess {
    /// Where its door is: `http://…`.
    pub base: String,
    child: Child,
}

impl ServiceProcess {
    /// Starts a program of a service over this database and beside this sidecar, and waits until it listens
    /// at the door whose name in the log ends like this: `public`, or `sidecar door`.
    pub async fn start(
        program: &str,
        door: &str,
        database: &database::Config,
        sidecar: &str,
    ) -> Self {
        let mut child = Command::new(program)
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
            .expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let base = address(&mut lines, door).await;
        tokio::spawn(tell_errors(lines));
        Self { base, child }
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it was running");
    }

    /// Memory that it holds, in MB, where the system tells.
    pub fn resident(&self) -> Option<f64> {
        let status = format!("/proc/{}/status", self.child.id()?);
        let status = std::fs::read_to_string(status).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes / 1024.0)
    }
}

#[expect(
    clippy::print_stderr,
    reason = "what a service complains of belongs to the test's output"
)]
async fn tell_errors(mut lines: Lines<BufReader<ChildStderr>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        if line.contains(r#""level":"ERROR""#) {
            eprintln!("{line}");
        }
    }
}

/// Reads the log until it says where the door is.
async fn address(lines: &mut Lines<BufReader<ChildStderr>>, door: &str) -> String {
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.expect("its log") {
        let entry: Value = serde_json::from_str(&line).unwrap_or_default();
        let is_door = |name: &str| name.ends_with(door);
        if entry["listener"].as_str().is_some_and(is_door) {
            return format!("http://{}", entry["address"].as_str().unwrap_or_default());
        }
        said.push_str(&line);
    }
    panic!("it did not start: {said}")
}
