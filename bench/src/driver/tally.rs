//! What came back.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;

use super::client::Answered;
use crate::cpu::CpuTime;
use crate::latency::{Latencies, Millis};

/// What one client, or all of them, counted.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) latencies: Latencies,
    pub(super) offered: Option<u32>,
    completed: u64,
    refused: u64,
    unanswered: u64,
    fault: Option<String>,
}

/// What a side did in the measured time.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Run {
    /// Commands that were carried out.
    pub(crate) completed: u64,
    pub(crate) per_second: f64,
    /// The rate that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offered_per_second: Option<f64>,
    /// Commands answered 503.
    pub(crate) refused: u64,
    /// Commands of the schedule without an answer a second after its end. They are in the latencies
    /// with the time they had waited until then.
    pub(crate) unanswered: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_ms: Option<Millis>,
    /// Microseconds of CPU time per command.
    pub(crate) cpu_micros: CpuTime,
    /// Cores that others used meanwhile.
    pub(crate) foreign_cores: f64,
    /// Events not yet published when the measured time was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unpublished: Option<u64>,
}

impl Tally {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            latencies: Latencies::new()?,
            offered: None,
            completed: 0,
            refused: 0,
            unanswered: 0,
            fault: None,
        })
    }

    pub(super) fn count(&mut self, answered: Answered) {
        match answered {
            Answered::Done => self.completed += 1,
            Answered::Refused => self.refused += 1,
            Answered::Fault(text) => self.fault = Some(text),
        }
    }

    pub(super) fn unanswered(&mut self, waited: Duration) {
        self.unanswered += 1;
        self.latencies.record(waited);
    }

    pub(super) fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.latencies.add(&other.latencies)?;
        self.completed += other.completed;
        self.refused += other.refused;
        self.unanswered += other.unanswered;
        self.fault = self.fault.take().or_else(|| other.fault.clone());
        Ok(())
    }

    /// Fails when an answer was neither a success nor "too much": then something else was measured.
    pub(super) fn into_run(self, measured: Duration, cpu: CpuTime) -> anyhow::Result<Run> {
        if let Some(fault) = self.fault {
            anyhow::bail!("a command was answered with {fault}");
        }
        let mut run = Run::new(self.completed, measured, cpu)?;
        run.offered_per_second = self.offered.map(f64::from);
        run.refused = self.refused;
        run.unanswered = self.unanswered;
        run.latency_ms = Some(self.latencies.summary());
        Ok(run)
    }
}

impl Run {
    pub(crate) fn new(completed: u64, measured: Duration, cpu: CpuTime) -> anyhow::Result<Self> {
        ensure!(completed > 0, "nothing was completed in {measured:?}");
        let operations = f64::from(u32::try_from(completed).context("too many to count")?);
        let seconds = measured.as_secs_f64();
        let micros = |seconds: f64| seconds * 1e6 / operations;
        Ok(Self {
            completed,
            per_second: operations / seconds,
            offered_per_second: None,
            refused: 0,
            unanswered: 0,
            latency_ms: None,
            cpu_micros: CpuTime {
                database: micros(cpu.database),
                service: micros(cpu.service),
                sidecar: micros(cpu.sidecar),
                driver: micros(cpu.driver),
                foreign: micros(cpu.foreign),
            },
            foreign_cores: cpu.foreign / seconds,
            unpublished: None,
        })
    }

    /// Whether the service kept up with the rate that was asked for.
    pub(crate) fn reached(&self) -> bool {
        let wanted = self.offered_per_second.unwrap_or_default() * 0.99;
        self.per_second >= wanted
    }
}
