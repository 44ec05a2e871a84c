//! What was measured: rounds, ratios, and both as JSON.

mod table;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::case::{Load, Side};
use crate::driver::Run;
use crate::probe::FlushProbe;
use crate::statistics::{Better, Ratio};

/// A whole comparison.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) database: String,
    pub(crate) relay: String,
    pub(crate) cores: usize,
    pub(crate) seconds: f64,
    pub(crate) pairs: usize,
    pub(crate) foreign_limit: f64,
    /// Peers that could not be installed, a sentence each.
    pub(crate) missing: Vec<String>,
    #[serde(serialize_with = "with_ratios")]
    pub(crate) cases: Vec<CaseReport>,
}

/// Everything under one load.
#[derive(Debug, Serialize)]
pub(crate) struct CaseReport {
    pub(crate) load: Load,
    pub(crate) flush_probe: FlushProbe,
    pub(crate) rounds: Vec<Round>,
    /// Rounds that were repeated because others used the machine.
    pub(crate) dropped: Vec<Round>,
}

/// All sides, one after the other.
#[derive(Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) runs: BTreeMap<Side, Run>,
}

/// What a run says.
type Figure = fn(&Run) -> f64;

/// A ratio that is told, and what it says.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NamedRatio {
    pub(crate) name: &'static str,
    #[serde(flatten)]
    pub(crate) ratio: Ratio,
}

impl Round {
    /// The most that others used during a run of it.
    pub(crate) fn foreign_cores(&self) -> f64 {
        let cores = self.runs.values().map(|run| run.foreign_cores);
        cores.fold(0.0, f64::max)
    }
}

impl CaseReport {
    /// What every round says of a side.
    fn figures(&self, side: Side, pick: impl Fn(&Run) -> f64) -> Vec<f64> {
        let runs = self.rounds.iter().filter_map(|round| round.runs.get(&side));
        runs.map(pick).collect()
    }

    fn ratio(
        &self,
        name: &'static str,
        (ours, theirs): (Figure, Figure),
        (our_side, their_side): (Side, Side),
        better: Better,
    ) -> Option<NamedRatio> {
        let ours = self.figures(our_side, ours);
        let theirs = self.figures(their_side, theirs);
        let ratio = Ratio::of(ours.into_iter().zip(theirs), better)?;
        Some(NamedRatio { name, ratio })
    }

    /// The ratios that mean something under this load, of those sides that took part.
    pub(crate) fn ratios(&self) -> Vec<NamedRatio> {
        let by_load = match self.load {
            Load::Clients(_) => &CLOSED[..],
            Load::Rate(_) => &OPEN[..],
        };
        let ratios = by_load.iter().chain([&CPU]);
        let ratio =
            |&(name, figures, sides, better): &Compared| self.ratio(name, figures, sides, better);
        ratios.filter_map(ratio).collect()
    }
}

/// A ratio's name, what is divided, of whom, and which way it speaks for us.
type Compared = (&'static str, (Figure, Figure), (Side, Side), Better);

const CLOSED: [Compared; 8] = {
    use Better::{Higher, Lower};
    use Side::{Ceiling, GraphileWorker, Ledger, Naive, PgBoss, Restate, Timers};
    const RATES: (Figure, Figure) = (rate, rate);
    [
        ("ledger / naive, commands/s", RATES, (Ledger, Naive), Higher),
        (
            "ledger / ceiling, commands/s",
            RATES,
            (Ledger, Ceiling),
            Higher,
        ),
        ("ledger p99 / naive p50", (p99, p50), (Ledger, Naive), Lower),
        (
            "commands / jobs sent to pg-boss",
            RATES,
            (Ledger, PgBoss),
            Higher,
        ),
        (
            "commands / jobs added to graphile-worker",
            RATES,
            (Ledger, GraphileWorker),
            Higher,
        ),
        (
            "timers / jobs sent to pg-boss",
            RATES,
            (Timers, PgBoss),
            Higher,
        ),
        (
            "timers / jobs added to graphile-worker",
            RATES,
            (Timers, GraphileWorker),
            Higher,
        ),
        (
            "timers / delayed sends of Restate",
            RATES,
            (Timers, Restate),
            Higher,
        ),
    ]
};

const OPEN: [Compared; 2] = [
    (
        "ledger p50 / naive p50",
        (p50, p50),
        (Side::Ledger, Side::Naive),
        Better::Lower,
    ),
    (
        "ledger p99 / naive p99",
        (p99, p99),
        (Side::Ledger, Side::Naive),
        Better::Lower,
    ),
];

const CPU: Compared = (
    "ledger / naive, CPU per command",
    (cpu, cpu),
    (Side::Ledger, Side::Naive),
    Better::Lower,
);

fn rate(run: &Run) -> f64 {
    run.per_second
}

fn p50(run: &Run) -> f64 {
    run.latency_ms.map_or(f64::NAN, |latency| latency.p50)
}

fn p99(run: &Run) -> f64 {
    run.latency_ms.map_or(f64::NAN, |latency| latency.p99)
}

/// Of database and service: what a command costs whoever runs the product.
fn cpu(run: &Run) -> f64 {
    run.cpu_micros.database + run.cpu_micros.service
}

fn with_ratios<S: serde::Serializer>(
    cases: &[CaseReport],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct WithRatios<'a> {
        ratios: Vec<NamedRatio>,
        #[serde(flatten)]
        case: &'a CaseReport,
    }
    serializer.collect_seq(cases.iter().map(|case| WithRatios {
        ratios: case.ratios(),
        case,
    }))
}

impl Report {
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        table::write(&mut out, self)?;
        Ok(out.flush()?)
    }
}

/// Tells what is going on, apart from the result.
pub(crate) fn say(line: &str) {
    // A closed standard error is no reason to stop.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cpu::CpuTime;
    use crate::latency::Millis;

    fn run(completed: u64, service: f64, foreign: f64) -> Run {
        let cpu = CpuTime {
            service,
            foreign,
            ..CpuTime::default()
        };
        Run::new(completed, Duration::from_secs(2), cpu).unwrap()
    }

    fn case(rounds: Vec<[(Side, Run); 2]>) -> CaseReport {
        CaseReport {
            load: Load::Clients(64),
            flush_probe: FlushProbe {
                flushes_per_second: 1000.0,
                latency_ms: Millis::default(),
            },
            rounds: rounds
                .into_iter()
                .map(|runs| Round { runs: runs.into() })
                .collect(),
            dropped: Vec::new(),
        }
    }

    #[test]
    fn cpu_time_is_told_per_command() {
        let run = run(1000, 0.05, 0.5);
        assert!((run.per_second - 500.0).abs() < 1e-9);
        assert!((run.cpu_micros.service - 50.0).abs() < 1e-9);
        assert!((run.foreign_cores - 0.25).abs() < 1e-9);
    }

    #[test]
    fn ratios_are_those_of_what_was_measured() {
        let case = case(vec![
            [
                (Side::Ledger, run(600, 0.1, 0.0)),
                (Side::Naive, run(100, 0.1, 0.0)),
            ],
            [
                (Side::Ledger, run(400, 0.1, 0.0)),
                (Side::Naive, run(100, 0.1, 0.0)),
            ],
        ]);

        let ratios = case.ratios();

        let names: Vec<_> = ratios.iter().map(|ratio| ratio.name).collect();
        let wanted = [
            "ledger / naive, commands/s",
            "ledger / naive, CPU per command",
        ];
        assert_eq!(names, wanted);
        assert!((ratios[0].ratio.median - 5.0).abs() < 1e-9);
        assert!((ratios[0].ratio.worst - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_round_is_as_disturbed_as_its_worst_run() {
        let case = case(vec![[
            (Side::Ledger, run(600, 0.1, 0.1)),
            (Side::Naive, run(100, 0.1, 0.8)),
        ]]);
        assert!((case.rounds[0].foreign_cores() - 0.4).abs() < 1e-9);
    }
}
