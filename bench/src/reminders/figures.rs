//! What was measured: for people, and as JSON.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::ensure;
use chrono::TimeDelta;
use serde::Serialize;

use super::store::{Effect, Lateness};
use crate::cpu::PartsTime;
use crate::latency::{Latencies, Millis};

#[derive(Debug, Serialize)]
pub(super) struct Figures {
    rate: u32,
    reminders: u32,
    loaded_in_seconds: f64,
    /// From the time of a reminder until an effect of it was written.
    effects: Vec<Measured>,
    /// Microseconds of CPU time per reminder, by process.
    cpu_micros: Vec<(String, f64)>,
    foreign_cores: f64,
}

#[derive(Debug, Serialize)]
struct Measured {
    effect: &'static str,
    count: usize,
    early: usize,
    repeated: usize,
    lateness_ms: Millis,
}

impl Figures {
    pub(super) fn of(
        rate: u32,
        reminders: u32,
        loaded: Duration,
        took: Duration,
        cpu: &PartsTime,
        effects: Vec<(Effect, Lateness)>,
    ) -> anyhow::Result<Self> {
        let effects = effects
            .into_iter()
            .map(|(effect, late)| Measured::of(effect, &late));
        Ok(Self {
            rate,
            reminders,
            loaded_in_seconds: loaded.as_secs_f64(),
            effects: effects.collect::<anyhow::Result<_>>()?,
            cpu_micros: cpu.micros_per(f64::from(reminders)),
            foreign_cores: cpu.foreign / took.as_secs_f64(),
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
        let Self {
            rate, reminders, ..
        } = self;
        let loaded = self.loaded_in_seconds;
        writeln!(
            out,
            "{reminders} reminders, {rate} due in a second; loaded in {loaded:.1} s"
        )?;
        for one in &self.effects {
            let Millis { p50, p99, max, .. } = one.lateness_ms;
            writeln!(
                out,
                "{:<6} {:>8}, {} early, {} repeated; late p50 {p50:.1}, p99 {p99:.1}, max {max:.1} ms",
                one.effect, one.count, one.early, one.repeated
            )?;
        }
        for (name, micros) in &self.cpu_micros {
            writeln!(out, "CPU µs {micros:>8.0} {name}")?;
        }
        writeln!(out, "others {:>8.2} cores", self.foreign_cores)
    }

    /// Fails when one came early, twice, or not at all.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for one in &self.effects {
            let is_each_once = one.repeated == 0 && u32::try_from(one.count) == Ok(self.reminders);
            ensure!(
                one.early == 0 && is_each_once,
                "{}: {} of {}, {} early, {} repeated",
                one.effect,
                one.count,
                self.reminders,
                one.early,
                one.repeated
            );
        }
        Ok(())
    }
}

impl Measured {
    fn of(effect: Effect, late: &Lateness) -> anyhow::Result<Self> {
        let mut latencies = Latencies::new()?;
        for late in &late.of_each {
            let late = (*late).max(TimeDelta::zero());
            latencies.record(late.to_std().unwrap_or_default());
        }
        Ok(Self {
            effect: effect.name(),
            count: late.of_each.len(),
            early: late.early,
            repeated: late.repeated,
            lateness_ms: latencies.summary(),
        })
    }
}
