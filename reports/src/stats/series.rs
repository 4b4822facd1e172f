//! Statistics of one long series of successive values that depend on each other.
//!
//! An interval computed as if such values were independent is far too narrow. Here the warm-up is
//! removed ([`mser5`]) and the rest is divided into long batches whose means are nearly independent
//! ([`batch_means`]).

use serde::{Deserialize, Serialize};

use super::Estimate;

/// Number of values averaged first.
const TAKEN_TOGETHER: usize = 5;
/// Batches of a long series (Schmeiser, Operations Research 30, 1982: 10 to 30 are best).
const BATCHES: usize = 20;

/// Where the warm-up of a series ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUpEnd {
    /// It ends after this many values.
    Ends(usize),
    /// The series is too short, or has not settled in its first half.
    TooShort,
}

/// Finds the end of the warm-up of a series by MSER-5: averages five values at a time, and of all
/// cuts in the first half chooses the one that leaves the smallest standard error of the mean.
///
/// White, Simulation 69 (1997); White, Cobb and Spratt (2000). A minimum at the very middle means
/// that the series has not settled.
pub fn mser5(values: &[f64]) -> WarmUpEnd {
    let means: Vec<f64> = values.chunks_exact(TAKEN_TOGETHER).map(mean).collect();
    let n = means.len();
    if n < 10 {
        return WarmUpEnd::TooShort;
    }
    // Sums from the end, so that no cut needs its own pass.
    let shift = mean(&means);
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut best = (f64::INFINITY, n);
    for cut in (0..n).rev() {
        let value = means[cut] - shift;
        sum += value;
        squares += value * value;
        let left = (n - cut) as f64;
        let error = (squares - sum * sum / left) / (left * left);
        // Of equally good cuts, the earliest.
        if cut <= n / 2 && error <= best.0 {
            best = (error, cut);
        }
    }
    match best.1 {
        cut if cut < n / 2 => WarmUpEnd::Ends(cut * TAKEN_TOGETHER),
        _ => WarmUpEnd::TooShort,
    }
}

/// The mean of a steady series with its 95 % interval, from the means of twenty batches; `None` for
/// fewer than forty values. Values that do not fill a batch are left out at the beginning. Also
/// returns the correlation of the means of neighbouring batches: above about 0.3 the series is too
/// short, and the interval too narrow.
pub fn batch_means(values: &[f64], range: (f64, f64)) -> Option<(Estimate, f64)> {
    let length = values.len() / BATCHES;
    if length < 2 {
        return None;
    }
    let used = &values[values.len() - BATCHES * length..];
    let means: Vec<f64> = used.chunks_exact(length).map(mean).collect();
    let all = mean(&means);
    let squares: f64 = means.iter().map(|m| (m - all) * (m - all)).sum();
    let pairs = means.windows(2);
    let products: f64 = pairs.map(|p| (p[0] - all) * (p[1] - all)).sum();
    let correlation = if squares > 0.0 {
        products / squares
    } else {
        0.0
    };
    Estimate::of_values(&means, range).map(|estimate| (estimate, correlation))
}

/// The 95 % interval of a quantile of independent values, from their order alone: two of the sorted
/// values between which the quantile lies with a probability of at least 95 %. `None` if there are
/// too few values.
///
/// The number of values below the quantile is binomial (David and Nagaraja, Order Statistics, 7.1).
pub fn quantile_interval(sorted: &[f64], q: f64) -> Option<(f64, f64)> {
    let n = sorted.len();
    if q <= 0.0 || q >= 1.0 {
        return None;
    }
    // P(exactly k of n are below the quantile) by its logarithm, and the sum so far, k from 0.
    let mut log_term = n as f64 * (1.0 - q).ln();
    let mut below = Vec::with_capacity(n);
    let mut sum = 0.0;
    for k in 0..n {
        sum += log_term.exp();
        below.push(sum);
        log_term += ((n - k) as f64 / (k + 1) as f64).ln() + (q / (1.0 - q)).ln();
    }
    let low = below.iter().rposition(|p| *p <= 0.025)?;
    let high = below.iter().position(|p| *p >= 0.975)?;
    Some((sorted[low], sorted[high]))
}

/// Correlation of neighbouring batches above which they are too short for an interval. For 20
/// independent means it has a standard deviation of 0.22.
const MOST_CORRELATION: f64 = 0.3;

/// How the end of the warm-up of a long run is found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmUpRule {
    /// By [`mser5`].
    Mser5,
    /// The warm-up lasts for this time, seconds.
    After(f64),
}

/// The mean of one long run after its warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LongMean {
    /// Values left out at the beginning.
    pub warm_up: usize,
    /// The mean of the rest.
    pub mean: f64,
    /// Correlation of the means of neighbouring batches; `None` for too few values.
    pub correlation: Option<f64>,
    /// The 95 % interval by batch means; `None` for fewer than forty values, or if the batches
    /// depend on each other too much for a valid one.
    pub interval: Option<(f64, f64)>,
}

/// The mean of successive values, without the warm-up found by MSER-5 if `find_warm_up`, otherwise
/// of all of them. `None` without values, or if MSER-5 finds that the series has not settled.
pub fn long_mean(values: &[f64], find_warm_up: bool, range: (f64, f64)) -> Option<LongMean> {
    let warm_up = match find_warm_up.then(|| mser5(values)) {
        None => 0,
        Some(WarmUpEnd::Ends(after)) => after,
        Some(WarmUpEnd::TooShort) => return None,
    };
    let rest = &values[warm_up..];
    if rest.is_empty() {
        return None;
    }
    let by_batches = batch_means(rest, range);
    let honest = by_batches.filter(|(_, correlation)| *correlation <= MOST_CORRELATION);
    Some(LongMean {
        warm_up,
        mean: mean(rest),
        correlation: by_batches.map(|(_, correlation)| correlation),
        interval: honest.and_then(|(estimate, _)| estimate.interval),
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mser_5_leaves_out_the_beginning_and_no_more() {
        let mut noise = 1u64;
        let mut uniform = || {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (noise >> 11) as f64 / (1u64 << 53) as f64
        };
        let settling: Vec<f64> = (0..2000)
            .map(|i| 10.0 - 8.0 * (-f64::from(i) / 60.0).exp() + uniform())
            .collect();
        let WarmUpEnd::Ends(cut) = mser5(&settling) else {
            panic!("it settles");
        };
        assert!((120..500).contains(&cut) && cut % 5 == 0, "{cut}");
        assert_eq!(mser5(&[3.0; 100]), WarmUpEnd::Ends(0));
        let rising: Vec<f64> = (0..500).map(f64::from).collect();
        assert_eq!(mser5(&rising), WarmUpEnd::TooShort);
        assert_eq!(mser5(&[1.0; 49]), WarmUpEnd::TooShort);
    }

    #[test]
    fn the_median_of_a_hundred_lies_between_the_40th_and_the_61st() {
        // The printed tables for n = 100: ranks 40 and 61 cover with probability 96.5 %.
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile_interval(&sorted, 0.5), Some((40.0, 61.0)));
        assert_eq!(quantile_interval(&sorted[..5], 0.5), None);
        assert_eq!(quantile_interval(&sorted[..50], 0.99), None);
        assert_eq!(quantile_interval(&[], 0.5), None);
        assert!(quantile_interval(&vec![1.0; 100_000], 0.999).is_some());
    }

    #[test]
    fn a_long_mean_has_an_interval_only_where_its_batches_are_independent() {
        let any = (f64::NEG_INFINITY, f64::INFINITY);
        let mut noise = 7u64;
        let mut uniform = || {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (noise >> 11) as f64 / (1u64 << 53) as f64
        };
        let settling: Vec<f64> = (0..2000)
            .map(|i| 10.0 - 8.0 * (-f64::from(i) / 40.0).exp() + uniform())
            .collect();
        let of = long_mean(&settling, true, any).unwrap();
        let (low, high) = of.interval.unwrap();
        assert!(of.warm_up >= 80 && low < 10.5 && 10.5 < high, "{of:?}");
        assert!(high - low < 0.1, "{of:?}");
        // If the warm-up is kept, neighbouring batches are alike.
        let whole = long_mean(&settling, false, any).unwrap();
        assert!(whole.warm_up == 0 && whole.mean < 10.4, "{whole:?}");
        // A random walk: batches of a hundred depend on each other.
        let mut place = 0.0;
        let walk: Vec<f64> = (0..2000)
            .map(|_| {
                place = 0.999 * place + uniform() - 0.5;
                place
            })
            .collect();
        let of = long_mean(&walk, false, any).unwrap();
        assert!(
            of.correlation > Some(0.3) && of.interval.is_none(),
            "{of:?}"
        );
        let rising: Vec<f64> = (0..500).map(f64::from).collect();
        assert_eq!(long_mean(&rising, true, any), None);
        assert_eq!(long_mean(&[], false, any), None);
        assert_eq!(long_mean(&[2.0], false, any).unwrap().interval, None);
    }

    #[test]
    fn short_series_have_no_batches() {
        let any = (f64::NEG_INFINITY, f64::INFINITY);
        assert!(batch_means(&[1.0; 39], any).is_none());
        let (estimate, correlation) = batch_means(&[2.0; 45], any).unwrap();
        assert_eq!((estimate.n, estimate.mean, correlation), (20, 2.0, 0.0));
    }
}
