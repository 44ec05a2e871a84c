//! The result for people.

use std::io::{self, Write};

use super::{CaseReport, Report, cpu, p50, p99, rate};
use crate::case::Side;
use crate::driver::Run;
use crate::statistics::median;

pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report {
        cores,
        pairs,
        seconds,
        ..
    } = report;
    writeln!(out, "{}", report.database)?;
    writeln!(out, "relay {}", report.relay)?;
    writeln!(
        out,
        "{cores} cores for everything, the driver included; medians of {pairs} pairs of {seconds} s"
    )?;
    writeln!(
        out,
        "\n{:<12} {:<15} {:>11} {:>9} {:>9}   {:>8} {:>8} {:>7} {:>7}  CPU µs/command",
        "load",
        "side",
        "commands/s",
        "p50 ms",
        "p99 ms",
        "database",
        "service",
        "sidecar",
        "driver"
    )?;
    for case in &report.cases {
        write_case(out, case)?;
    }
    for case in &report.cases {
        write_ratios(out, case)?;
    }
    for missing in &report.missing {
        writeln!(out, "\n{missing}")?;
    }
    for case in &report.cases {
        write_disturbances(out, case, report.foreign_limit)?;
    }
    Ok(())
}

fn write_case(out: &mut impl Write, case: &CaseReport) -> io::Result<()> {
    for side in Side::ALL {
        let of = |pick: fn(&Run) -> f64| median(case.figures(side, pick));
        let Some(per_second) = of(rate) else {
            continue;
        };
        writeln!(
            out,
            "{:<12} {:<15} {per_second:>11.0} {:>9} {:>9}   {:>8} {:>8} {:>7} {:>7}",
            case.load,
            side,
            figure(of(p50), 2),
            figure(of(p99), 2),
            figure(of(|run| run.cpu_micros.database), 1),
            figure(of(|run| run.cpu_micros.service), 1),
            figure(of(|run| run.cpu_micros.sidecar), 1),
            figure(of(|run| run.cpu_micros.driver), 1),
        )?;
    }
    Ok(())
}

/// Nothing was measured where it is 0: SQLite has no process, the ceiling no driver.
fn figure(figure: Option<f64>, digits: usize) -> String {
    match figure {
        Some(figure) if figure > 0.0 => format!("{figure:.digits$}"),
        Some(_) | None => "–".to_owned(),
    }
}

fn write_ratios(out: &mut impl Write, case: &CaseReport) -> io::Result<()> {
    let probe = case.flush_probe.latency_ms;
    writeln!(
        out,
        "\n{}: beside it an 8 kB write with fdatasync took {:.2} ms (p99 {:.2} ms)",
        case.load, probe.p50, probe.p99
    )?;
    for named in case.ratios() {
        let (name, ratio) = (named.name, named.ratio);
        writeln!(
            out,
            "  {name}: {:.2} (worst pair {:.2})",
            ratio.median, ratio.worst
        )?;
    }
    for side in Side::ALL {
        write_shortfall(out, case, side)?;
    }
    Ok(())
}

/// What was asked for and not reached is no footnote.
fn write_shortfall(out: &mut impl Write, case: &CaseReport, side: Side) -> io::Result<()> {
    let runs = case.rounds.iter().filter_map(|round| round.runs.get(&side));
    let runs: Vec<&Run> = runs.collect();
    let missed = runs.iter().filter(|run| !run.reached()).count();
    let refused: u64 = runs.iter().map(|run| run.refused).sum();
    let unanswered: u64 = runs.iter().map(|run| run.unanswered).sum();
    let behind = runs.iter().filter_map(|run| run.unpublished).max();
    if missed > 0 {
        writeln!(
            out,
            "  {side} did not reach the rate in {missed} of {} runs: {unanswered} commands were not \
             answered a second after the end, and count with the time they had waited",
            runs.len()
        )?;
    }
    if refused > 0 {
        writeln!(out, "  {side} refused {refused} commands with 503")?;
    }
    if let Some(behind) = behind.filter(|behind| *behind > 0) {
        writeln!(
            out,
            "  {side} had at most {behind} events still to publish at the end of a run"
        )?;
    }
    Ok(())
}

fn write_disturbances(out: &mut impl Write, case: &CaseReport, limit: f64) -> io::Result<()> {
    if !case.dropped.is_empty() {
        writeln!(
            out,
            "\n{}: {} pairs were dropped and repeated, because others used more than {limit} cores",
            case.load,
            case.dropped.len()
        )?;
    }
    let disturbed = case
        .rounds
        .iter()
        .filter(|round| round.foreign_cores() > limit);
    let most = disturbed.clone().map(super::Round::foreign_cores);
    let most = most.fold(0.0, f64::max);
    if most > 0.0 {
        writeln!(
            out,
            "\n{}: NOT A QUIET MACHINE: in {} of the pairs that count others used up to {most:.2} cores",
            case.load,
            disturbed.count()
        )?;
    }
    Ok(())
}

impl Run {
    /// For the progress.
    pub(crate) fn in_a_line(&self) -> String {
        format!(
            "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms, {:.0} µs CPU per command, others {:.2} cores",
            self.per_second,
            p50(self),
            p99(self),
            cpu(self),
            self.foreign_cores
        )
    }
}
