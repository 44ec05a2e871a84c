//! What was measured: for people, and as JSON.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::ensure;
use serde::Serialize;
use uuid::Uuid;

use crate::cpu::PartsTime;
use crate::latency::{Latencies, Millis};

#[derive(Debug, Serialize)]
pub(super) struct Figures {
    series: usize,
    created_in_seconds: f64,
    /// Until the last completion was answered.
    completed_in_seconds: f64,
    completed_per_second: f64,
    /// Until the last next occurrence was there.
    generated_in_seconds: f64,
    generated_per_second: f64,
    /// From the completion of an occurrence until the next was written.
    delay_ms: Millis,
    /// Series without a next occurrence.
    missing: usize,
    /// Series with more than one.
    repeated: usize,
    /// Next occurrences that were read as they should be, and how many were read.
    read: [usize; 2],
    /// Microseconds of CPU time per occurrence, by process.
    cpu_micros: Vec<(String, f64)>,
    foreign_cores: f64,
}

impl Figures {
    pub(super) fn of(
        series: usize,
        [created, completed, generated]: [Duration; 3],
        cpu: &PartsTime,
        of_series: &HashMap<Uuid, Vec<Uuid>>,
        delays: &[Duration],
        read: [usize; 2],
    ) -> anyhow::Result<Self> {
        let count = f64::from(u32::try_from(series)?);
        let mut latencies = Latencies::new()?;
        for delay in delays {
            latencies.record(*delay);
        }
        let with =
            |tasks: fn(usize) -> bool| of_series.values().filter(|of| tasks(of.len())).count();
        Ok(Self {
            series,
            created_in_seconds: created.as_secs_f64(),
            completed_in_seconds: completed.as_secs_f64(),
            completed_per_second: count / completed.as_secs_f64(),
            generated_in_seconds: generated.as_secs_f64(),
            generated_per_second: count / generated.as_secs_f64(),
            delay_ms: latencies.summary(),
            missing: series - with(|tasks| tasks >= 2),
            repeated: with(|tasks| tasks > 2),
            read,
            cpu_micros: cpu.micros_per(count),
            foreign_cores: cpu.foreign / generated.as_secs_f64(),
        })
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer_pretty(&mut out, self)?;
            writeln!(out)?;
            return Ok(());
        }
        self.tell(&mut out)?;
        Ok(())
    }

    fn tell(&self, out: &mut impl Write) -> io::Result<()> {
        let (completed, generated) = (self.completed_in_seconds, self.generated_in_seconds);
        let Millis { p50, p99, max, .. } = self.delay_ms;
        let [open, read] = self.read;
        writeln!(
            out,
            "series      {:>8} in {:>7.1} s",
            self.series, self.created_in_seconds
        )?;
        writeln!(
            out,
            "completed   {:>8.0}/s, {completed:.1} s",
            self.completed_per_second
        )?;
        writeln!(
            out,
            "generated   {:>8.0}/s, {generated:.1} s",
            self.generated_per_second
        )?;
        writeln!(
            out,
            "delay        p50 {p50:.0}, p99 {p99:.0}, max {max:.0} ms"
        )?;
        writeln!(out, "missing     {:>8}", self.missing)?;
        writeln!(out, "repeated    {:>8}", self.repeated)?;
        writeln!(out, "readable    {open:>8} of {read}")?;
        for (name, micros) in &self.cpu_micros {
            writeln!(out, "CPU µs      {micros:>8.0} {name}")?;
        }
        writeln!(out, "others      {:>8.2} cores", self.foreign_cores)
    }

    /// Fails when an occurrence is missing, is there twice, or cannot be read.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let [open, read] = self.read;
        ensure!(
            self.missing == 0 && self.repeated == 0 && open == read,
            "{} missing, {} repeated, {open} of {read} readable",
            self.missing,
            self.repeated
        );
        Ok(())
    }
}
