//! What a crowd's firing looked like, by the log that it left.

use std::collections::HashSet;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use database::Database;
use serde::Serialize;
use serde_json::Value;

use super::store;

/// Read from the log; every time in seconds.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    loaded_in: f64,
    fired: usize,
    /// Told before their time.
    early: usize,
    /// Told more than once.
    repeated: usize,
    /// From their time until the last was written.
    total: f64,
    lateness_p50: f64,
    lateness_p99: f64,
    lateness_max: f64,
}

impl Figures {
    pub(crate) async fn of(database: &Database, loaded: Duration) -> anyhow::Result<Self> {
        let (mut ids, mut early) = (HashSet::new(), 0);
        let mut lateness = Vec::new();
        let events = store::events(database).await?;
        for (id, envelope, recorded_at) in &events {
            ids.insert(*id);
            let envelope: Value = serde_json::from_str(envelope)?;
            let due_at = time(&envelope, "scheduled_for")?;
            early += usize::from(time(&envelope, "fired_at")? < due_at || *recorded_at < due_at);
            lateness.push(*recorded_at - due_at);
        }
        lateness.sort_unstable();
        Ok(Self {
            loaded_in: loaded.as_secs_f64(),
            fired: ids.len(),
            early,
            repeated: events.len() - ids.len(),
            total: at(&lateness, 1, 1),
            lateness_p50: at(&lateness, 1, 2),
            lateness_p99: at(&lateness, 99, 100),
            lateness_max: at(&lateness, 1, 1),
        })
    }

    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer_pretty(&mut out, self)?;
            writeln!(out)?;
            return Ok(());
        }
        writeln!(out, "loaded in    {:>10.1} s", self.loaded_in)?;
        writeln!(out, "fired        {:>10}", self.fired)?;
        writeln!(out, "early        {:>10}", self.early)?;
        writeln!(out, "repeated     {:>10}", self.repeated)?;
        writeln!(out, "total        {:>10.3} s", self.total)?;
        writeln!(out, "lateness p50 {:>10.3} s", self.lateness_p50)?;
        writeln!(out, "         p99 {:>10.3} s", self.lateness_p99)?;
        writeln!(out, "         max {:>10.3} s", self.lateness_max)?;
        Ok(())
    }
}

/// A time that the event tells.
fn time(envelope: &Value, field: &str) -> anyhow::Result<DateTime<Utc>> {
    let time = envelope["data"]["change"][field].as_str();
    Ok(time.context("the event is not reminder.fired")?.parse()?)
}

/// The share `part / whole` of the sorted times is not above this, in seconds.
fn at(sorted: &[TimeDelta], part: usize, whole: usize) -> f64 {
    let rank = (sorted.len() * part).div_ceil(whole);
    let time = sorted.get(rank.saturating_sub(1));
    time.map_or(0.0, |time| time.as_seconds_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let times: Vec<TimeDelta> = (1..=10).map(TimeDelta::seconds).collect();
        assert!((at(&times, 1, 2) - 5.0).abs() < f64::EPSILON);
        assert!((at(&times, 99, 100) - 10.0).abs() < f64::EPSILON);
        assert!(at(&[], 1, 2).abs() < f64::EPSILON);
    }
}
