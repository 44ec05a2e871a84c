//! Latencies, counted in a histogram of fixed size.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// A minute in microseconds; what takes longer counts as a minute.
const LONGEST: u64 = 60_000_000;
const DIGITS: u8 = 3;

#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Millis {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Latencies {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, LONGEST, DIGITS)?))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST);
        self.0.saturating_record(micros.clamp(1, LONGEST));
    }

    pub(crate) fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    pub(crate) fn summary(&self) -> Millis {
        let at = |quantile: f64| millis(self.0.value_at_quantile(quantile));
        Millis {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: millis(self.0.max()),
        }
    }
}

fn millis(micros: u64) -> f64 {
    u32::try_from(micros).map_or(f64::MAX, f64::from) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_told_in_milliseconds() {
        let mut latencies = Latencies::new().unwrap();
        for micros in 1..=1000 {
            latencies.record(Duration::from_micros(micros * 10));
        }

        let summary = latencies.summary();

        assert!((summary.p50 - 5.0).abs() < 0.02, "{summary:?}");
        assert!((summary.p99 - 9.9).abs() < 0.02, "{summary:?}");
        assert!((summary.max - 10.0).abs() < 0.02, "{summary:?}");
    }

    #[test]
    fn what_takes_longer_than_a_minute_counts_as_a_minute() {
        let mut latencies = Latencies::new().unwrap();
        latencies.record(Duration::from_hours(1));
        assert!((latencies.summary().max - 60_000.0).abs() < 100.0);
    }
}
