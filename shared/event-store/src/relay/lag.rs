//! How far the relay is behind, and when that is worth a line.

use std::time::Duration;

/// Less is what a busy relay has.
const WORTH_A_LINE: Duration = Duration::from_secs(15);

/// The oldest event that is still to be published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lag {
    /// From it to the end of the log; 0 when everything is published.
    pub(super) positions: u64,
    /// Its age.
    pub(super) age: Duration,
}

/// What to tell an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Grows,
    Recovered,
}

/// Remembers what was told. A lag that lasts is told again when it has doubled.
#[derive(Debug, Default)]
pub(super) struct LagWatch {
    told: Option<Duration>,
}

impl LagWatch {
    pub(super) fn observe(&mut self, lag: Lag) -> Option<News> {
        let next = self.told.map_or(WORTH_A_LINE, |told| told * 2);
        if lag.age >= next {
            self.told = Some(lag.age);
            return Some(News::Grows);
        }
        if lag.age < WORTH_A_LINE && self.told.take().is_some() {
            return Some(News::Recovered);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_that_lasts_a_day_is_told_a_few_times_and_its_end_once() {
        let mut watch = LagWatch::default();
        let lag = |seconds| Lag {
            positions: 1,
            age: Duration::from_secs(seconds),
        };
        let told = (0..86_400).filter_map(|seconds| watch.observe(lag(seconds)));

        assert_eq!(told.collect::<Vec<_>>(), [News::Grows; 13]);
        assert_eq!(watch.observe(lag(16)), None);
        assert_eq!(watch.observe(Lag::default()), Some(News::Recovered));
        assert_eq!(watch.observe(Lag::default()), None);
    }
}
