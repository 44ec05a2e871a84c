//! What was measured: for people, and as JSON.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use event_schema::App;
use serde::Serialize;

use crate::cpu::PartsTime;
use crate::latency::Millis;

/// What the latency of an effect has to stay below, in milliseconds.
const LIMIT: f64 = 100.0;

/// A whole comparison: ours first, then the bare driver.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) cores: usize,
    pub(crate) rate: u32,
    pub(crate) seconds: u64,
    pub(crate) paced: [Phase; 2],
    pub(crate) saturated: [Phase; 2],
}

/// One side under one load.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Phase {
    pub(crate) events: usize,
    pub(crate) per_second: f64,
    /// Until task-api answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answered: Option<Millis>,
    pub(crate) measured: Vec<Measured>,
    /// Microseconds of CPU time per event, by process.
    pub(crate) cpu_micros: Vec<(String, f64)>,
    pub(crate) foreign_cores: f64,
}

/// Until a subscriber had it: ours committed its effect, the bare one was given it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) subscriber: &'static str,
    pub(crate) latency_ms: Millis,
}

impl Measured {
    pub(crate) fn new(app: App, latency_ms: Millis) -> Self {
        Self {
            subscriber: app.id(),
            latency_ms,
        }
    }
}

impl Phase {
    pub(crate) fn new(events: usize, took: Duration, cpu: &PartsTime) -> Self {
        let count = u32::try_from(events).map_or(f64::MAX, f64::from);
        Self {
            events,
            per_second: count / took.as_secs_f64(),
            answered: None,
            measured: Vec::new(),
            cpu_micros: cpu.micros_per(count),
            foreign_cores: cpu.foreign / took.as_secs_f64(),
        }
    }

    fn worst_p99(&self) -> f64 {
        let each = self.measured.iter().map(|one| one.latency_ms.p99);
        each.fold(0.0, f64::max)
    }
}

impl Report {
    /// To the standard output, and as JSON where that is wanted.
    pub(crate) fn write(&self, json: Option<&Path>) -> anyhow::Result<()> {
        self.tell(&mut io::stdout().lock())?;
        if let Some(path) = json {
            std::fs::write(path, serde_json::to_string_pretty(self)?)?;
        }
        Ok(())
    }

    fn tell(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            cores,
            rate,
            seconds,
            ..
        } = self;
        writeln!(
            out,
            "daprd, Kafka and PostgreSQL on {cores} cores, the driver included; {rate}/s for {seconds} s\n"
        )?;
        let [ours, bare] = &self.paced;
        write_latencies(out, "ours", ours)?;
        write_latencies(out, "bare", bare)?;
        let margin = LIMIT - ours.worst_p99();
        writeln!(
            out,
            "\nworst p99 to a committed effect {:.1} ms: {margin:.1} ms below {LIMIT:.0}",
            ours.worst_p99()
        )?;
        let [ours, bare] = &self.saturated;
        writeln!(
            out,
            "saturation: ours {:.0}/s, bare {:.0}/s, ratio {:.2}",
            ours.per_second,
            bare.per_second,
            ours.per_second / bare.per_second
        )?;
        write_cpu(out, &self.paced, &self.saturated)
    }
}

fn write_latencies(out: &mut impl Write, side: &str, phase: &Phase) -> io::Result<()> {
    let answered = phase.answered.iter().map(|latency| ("answer", latency));
    let measured = phase.measured.iter();
    let measured = measured.map(|one| (one.subscriber, &one.latency_ms));
    for (
        what,
        Millis {
            p50,
            p99,
            p999,
            max,
            ..
        },
    ) in answered.chain(measured)
    {
        writeln!(
            out,
            "{side}  {:>5.0}/s  {what:<20} p50 {p50:>7.1}  p99 {p99:>7.1}  p99.9 {p999:>7.1}  max {max:>7.1} ms",
            phase.per_second
        )?;
    }
    Ok(())
}

/// Every process of ours; the bare driver has no services, and a sink instead.
fn write_cpu(out: &mut impl Write, paced: &[Phase; 2], most: &[Phase; 2]) -> io::Result<()> {
    writeln!(
        out,
        "\nCPU µs/event             ours    bare    ours, most    bare, most"
    )?;
    let phases = [&paced[0], &paced[1], &most[0], &most[1]];
    let mut names: Vec<&String> = phases
        .iter()
        .flat_map(|phase| phase.cpu_micros.iter().map(|(name, _)| name))
        .collect();
    names.sort();
    names.dedup();
    for name in names {
        let [a, b, c, d] = phases.map(|phase| {
            let found = phase.cpu_micros.iter().find(|(other, _)| other == name);
            found.map_or_else(|| "–".to_owned(), |(_, micros)| format!("{micros:.0}"))
        });
        writeln!(out, "{name:<22}{a:>7} {b:>7} {c:>13} {d:>13}")?;
    }
    let [a, b, c, d] = phases.map(|phase| format!("{:.2}", phase.foreign_cores));
    writeln!(out, "{:<22}{a:>7} {b:>7} {c:>13} {d:>13}", "others, cores")
}
