//! pg-boss and graphile-worker: jobs sent by their own library, from Node.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::Peers;
use crate::case::{Load, Side};
use crate::cpu::{CpuTime, Meter};
use crate::driver::{Run, Times};
use crate::latency::Millis;

/// What the script prints at its end.
#[derive(Debug, Deserialize)]
struct Sent {
    completed: u64,
    latency_ms: Millis,
}

impl Peers {
    /// Runs the script of a peer against a database.
    pub(crate) async fn send_jobs(
        &self,
        side: Side,
        load: Load,
        url: &str,
        times: Times,
        meter: Meter,
    ) -> anyhow::Result<Run> {
        let Load::Clients(clients) = load else {
            anyhow::bail!("{side} is compared by a closed loop");
        };
        let mut command = Command::new("node");
        command
            .current_dir(&self.folder)
            .arg(format!("{side}.mjs"))
            .args([url, &clients.to_string()])
            .arg(times.warm_up.as_secs_f64().to_string())
            .arg(times.measured.as_secs_f64().to_string())
            .stdout(Stdio::piped());
        let sending = tokio::task::spawn_blocking(move || send(command, meter));
        let (sent, cpu) = sending.await?.with_context(|| side.to_string())?;
        let mut run = Run::new(sent.completed, times.measured, cpu)?;
        run.latency_ms = Some(sent.latency_ms);
        Ok(run)
    }
}

/// A script that runs; killed when it is dropped.
struct Script(Child);

impl Drop for Script {
    fn drop(&mut self) {
        // Neither fails but for a process that has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn send(mut command: Command, meter: Meter) -> anyhow::Result<(Sent, CpuTime)> {
    let mut script = Script(command.spawn().context("cannot run node")?);
    let meter = Meter {
        service: Some(script.0.id()),
        ..meter
    };
    let output = script.0.stdout.take().context("no output")?;
    let mut lines = BufReader::new(output).lines();
    wait_for(&mut lines, "begin")?;
    let before = meter.read();
    wait_for(&mut lines, "end")?;
    let cpu = meter.read() - before;
    let last = lines.next().context("the script said nothing")??;
    Ok((serde_json::from_str(&last)?, cpu))
}

fn wait_for(lines: &mut Lines<BufReader<ChildStdout>>, wanted: &str) -> anyhow::Result<()> {
    let line = lines.next().context("the script ended early")??;
    ensure!(line == wanted, "the script said {line}");
    Ok(())
}
