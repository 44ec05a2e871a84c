//! The arithmetic of pairs: median and worst.

use serde::Serialize;

/// A ratio of two figures over all pairs of runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    /// Of the pair that says the least for us.
    pub(crate) worst: f64,
}

/// Which ratios speak for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

impl Ratio {
    /// Of `ours` to `theirs`, pair by pair; `None` without a pair that can be divided.
    pub(crate) fn of(pairs: impl IntoIterator<Item = (f64, f64)>, better: Better) -> Option<Self> {
        let ratios = pairs.into_iter().map(|(ours, theirs)| ours / theirs);
        let ratios: Vec<f64> = ratios.filter(|ratio| ratio.is_finite()).collect();
        let worst = match better {
            Better::Higher => ratios.iter().copied().min_by(f64::total_cmp),
            Better::Lower => ratios.iter().copied().max_by(f64::total_cmp),
        };
        Some(Self {
            median: median(ratios)?,
            worst: worst?,
        })
    }
}

/// The middle one; of an even number the mean of the two in the middle.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let upper = *figures.get(figures.len() / 2)?;
    let lower = *figures.get(figures.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median([9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median([9.0, 1.0, 5.0, 2.0]), Some(3.5));
        assert_eq!(median([]), None);
    }

    #[test]
    fn the_ratio_is_taken_within_each_pair() {
        // The machine was three times as slow in the second pair; the ratios do not show it.
        let pairs = [(60.0, 10.0), (20.0, 4.0), (55.0, 11.0)];

        let ratio = Ratio::of(pairs, Better::Higher).unwrap();

        assert!((ratio.median - 5.0).abs() < 1e-9);
        assert!((ratio.worst - 5.0).abs() < 1e-9);
    }

    #[test]
    fn the_worst_pair_is_the_one_that_says_the_least_for_us() {
        let pairs = [(2.0, 1.0), (6.0, 2.0), (4.0, 1.0)];

        assert_eq!(Ratio::of(pairs, Better::Higher).map(|r| r.worst), Some(2.0));
        assert_eq!(Ratio::of(pairs, Better::Lower).map(|r| r.worst), Some(4.0));
    }

    #[test]
    fn what_cannot_be_divided_is_no_ratio() {
        assert_eq!(Ratio::of([(1.0, 0.0)], Better::Higher), None);
        assert_eq!(Ratio::of([], Better::Higher), None);
    }
}
