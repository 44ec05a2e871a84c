//! Pairs of figures as a table or JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

/// Commands a second of two runs within the same moments.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) lane: f64,
    pub(crate) single: f64,
}

/// All pairs by number of callers.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report(BTreeMap<usize, Vec<Pair>>);

impl Report {
    pub(crate) fn add(&mut self, callers: usize, pair: Pair) {
        self.0.entry(callers).or_default().push(pair);
    }

    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer_pretty(&mut out, self)?;
            writeln!(out)?;
            return Ok(());
        }
        writeln!(
            out,
            "{:>8} {:>12} {:>14} {:>8} {:>12}",
            "callers", "lane 1/s", "one by one 1/s", "ratio", "worst ratio"
        )?;
        for (callers, pairs) in &self.0 {
            let ratios: Vec<f64> = pairs.iter().map(|pair| pair.lane / pair.single).collect();
            writeln!(
                out,
                "{callers:>8} {:>12.0} {:>14.0} {:>8.2} {:>12.2}",
                median(pairs.iter().map(|pair| pair.lane).collect()),
                median(pairs.iter().map(|pair| pair.single).collect()),
                median(ratios.clone()),
                ratios.iter().copied().fold(f64::INFINITY, f64::min),
            )?;
        }
        Ok(())
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median(vec![9.0, 1.0, 5.0]) - 5.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }
}
