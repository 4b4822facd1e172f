//! Statistics over replicas: means with intervals that stay within their range, fairness,
//! quantiles.
//!
//! Every interval over replicas in a report comes from [`Estimate::of_values`], [`Estimate::of_counts`]
//! or [`Estimate::of_quantile`]; that of one long run comes from [`long_mean`].

use std::sync::LazyLock;

mod saltelli;
mod sensitivity;
mod series;
mod student;

pub use saltelli::{LEAST_BASE_POINTS, SobolIndices, saltelli};
pub use sensitivity::{SobolIndex, first_order};
pub use series::{
    LongMean, WarmUpEnd, WarmUpRule, batch_means, long_mean, mser5, quantile_interval,
};
pub use student::student_t;

/// The 0.975 quantile of the normal distribution.
const Z_975: f64 = 1.959_963_984_540_054;

/// A mean over replicas with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Number of replicas.
    pub n: usize,
    /// Their mean; for shares of counts, the share over all replicas together.
    pub mean: f64,
    /// Ends of the 95 % interval; `None` for a single replica.
    pub interval: Option<(f64, f64)>,
}

impl Estimate {
    /// The mean of independent values that lie in `range`; `None` without values. Sums in the given order.
    ///
    /// The interval is the mean plus or minus Student's t times the standard error, clipped to the range.
    /// The clipped part is impossible, so the coverage of the true mean is unchanged.
    pub fn of_values(values: &[f64], range: (f64, f64)) -> Option<Estimate> {
        let n = values.len();
        if n == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        let interval = (n > 1).then(|| {
            let error = (squares / (n - 1) as f64 / n as f64).sqrt();
            let half = student_t_975(n - 1) * error;
            // A mean outside its range would be a mistake elsewhere; the interval contains it even then.
            let low = (mean - half).max(range.0.min(mean));
            (low, (mean + half).min(range.1.max(mean)))
        });
        Some(Estimate { n, mean, interval })
    }

    /// A quantile of independent values, with an interval from their order ([`quantile_interval`]),
    /// which is `None` if there are too few values. `None` without values.
    pub fn of_quantile(values: &[f64], q: f64) -> Option<Estimate> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Estimate {
            n: sorted.len(),
            mean: quantile(&sorted, q)?,
            interval: quantile_interval(&sorted, q),
        })
    }

    /// The share of one count in another, given a pair for each replica; `None` if there was nothing to
    /// count.
    ///
    /// Trials of one replica need not be independent. The interval is Wilson's (1927) with Student's t for the
    /// effective number of trials p (1 - p) / v, where v is the variance of the share as the differences
    /// between replicas show it (ratio estimator; Korn and Graubard, Survey Methodology 24, 1998). If the
    /// replicas do not differ at all, v is unknown; then the interval is Wilson's for that number of
    /// independent trials. It lies within 0 and 1.
    pub fn of_counts(counts: &[(f64, f64)]) -> Option<Estimate> {
        let n = counts.len();
        let trials: f64 = counts.iter().map(|c| c.1).sum();
        if trials <= 0.0 {
            return None;
        }
        let share = counts.iter().map(|c| c.0).sum::<f64>() / trials;
        let interval = (n > 1).then(|| {
            let squares = counts
                .iter()
                .map(|c| (c.0 - share * c.1).powi(2))
                .sum::<f64>();
            let variance = squares * n as f64 / (n - 1) as f64 / (trials * trials);
            if variance <= 0.0 {
                return wilson(share, trials, Z_975);
            }
            let effective = share * (1.0 - share) / variance;
            wilson(share, effective, student_t_975(n - 1))
        });
        Some(Estimate {
            n,
            mean: share,
            interval,
        })
    }

    /// Half the width of the interval divided by the mean; infinite if there is no interval, or if
    /// the mean is 0 and uncertain.
    pub fn relative_half_width(&self) -> f64 {
        let Some((low, high)) = self.interval else {
            return f64::INFINITY;
        };
        match high - low {
            width if width <= 0.0 => 0.0,
            width => width / 2.0 / self.mean.abs(),
        }
    }

    /// The ends of the interval; the mean twice if there is no interval.
    pub fn ends(&self) -> (f64, f64) {
        self.interval.unwrap_or((self.mean, self.mean))
    }
}

/// Whether a variance is more than the rounding of values with this mean.
fn varies(variance: f64, mean: f64) -> bool {
    variance > f64::EPSILON * mean * mean
}

/// Wilson's score interval for a share of `trials`, with the quantile `z`.
fn wilson(share: f64, trials: f64, z: f64) -> (f64, f64) {
    if trials <= 0.0 {
        return (0.0, 1.0);
    }
    let weight = z * z / trials;
    let centre = (share + weight / 2.0) / (1.0 + weight);
    let spread = (share * (1.0 - share) / trials + weight / (4.0 * trials)).max(0.0);
    let half = z / (1.0 + weight) * spread.sqrt();
    // Rounding must not move an end past the share itself.
    let low = (centre - half).clamp(0.0, share);
    (low, (centre + half).clamp(share, 1.0))
}

/// The 0.975 quantile of Student's t: half-width of the 95 % interval in standard errors.
///
/// Found by bisection on the distribution function, whose closed form for whole degrees of
/// freedom is a finite sum (Abramowitz and Stegun 26.7.3, 26.7.4). Above a thousand degrees the
/// expansion around the normal quantile (26.7.5) is exact to 1e-9.
pub fn student_t_975(degrees: usize) -> f64 {
    if degrees == 0 {
        return f64::INFINITY;
    }
    // Most estimates of a batch have the same, small number of replicas.
    static FEW: LazyLock<Vec<f64>> = LazyLock::new(|| (1..=64).map(bisected_t_975).collect());
    if let Some(known) = FEW.get(degrees - 1) {
        return *known;
    }
    bisected_t_975(degrees)
}

fn bisected_t_975(degrees: usize) -> f64 {
    if degrees > 1000 {
        let (z, n) = (Z_975, degrees as f64);
        return z
            + (z.powi(3) + z) / (4.0 * n)
            + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * n * n);
    }
    let (mut low, mut high) = (1.9, 13.0);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if two_sided_t(middle, degrees) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// P(|T| <= t) for Student's t with `degrees` degrees of freedom.
fn two_sided_t(t: f64, degrees: usize) -> f64 {
    let theta = (t / (degrees as f64).sqrt()).atan();
    let (sin, cos) = theta.sin_cos();
    let odd = degrees % 2 == 1;
    // Sum of the series term by term: cos^k (2 4 … / 3 5 …) for odd, cos^k (1 3 … / 2 4 …) else.
    let (mut term, mut k) = if odd { (cos, 1) } else { (1.0, 0) };
    let mut sum = 0.0;
    while k + 2 <= degrees {
        sum += term;
        term *= cos * cos * (k + 1) as f64 / (k + 2) as f64;
        k += 2;
    }
    if odd {
        (theta + sin * sum) * std::f64::consts::FRAC_2_PI
    } else {
        sin * sum
    }
}

/// Jain's fairness index, (sum x)^2 / (n sum x^2): 1 for equal shares, 1/n if one takes everything.
/// 1 without shares, or if all are zero.
pub fn jain_index(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|x| x * x).sum();
    if squares == 0.0 {
        return 1.0;
    }
    sum * sum / (shares.len() as f64 * squares)
}

/// The value below which a share `q` of the sorted values lies, by linear interpolation; `None`
/// without values.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    let share = place - low as f64;
    Some(sorted[low] + (sorted[high] - sorted[low]) * share)
}

#[cfg(test)]
mod coverage;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_quantiles_agree_with_the_printed_table() {
        for (degrees, printed) in [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (9, 2.262),
            (19, 2.093),
            (29, 2.045),
            (60, 2.000),
            (100, 1.984),
            (1000, 1.962),
            (1001, 1.962),
            (1_000_000, 1.960),
        ] {
            let t = student_t_975(degrees);
            assert!((t - printed).abs() < 5.1e-4, "{degrees}: {t}");
        }
        assert!((student_t_975(1000) - student_t_975(1001)).abs() < 1e-5);
    }

    const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

    #[test]
    fn an_interval_over_five_replicas() {
        let e = Estimate::of_values(&[1.0, 2.0, 3.0, 4.0, 5.0], ANY).unwrap();
        assert_eq!((e.n, e.mean), (5, 3.0));
        let half = 2.776_445 * (0.5f64).sqrt();
        let (low, high) = e.interval.unwrap();
        assert!((low - (3.0 - half)).abs() < 1e-5 && (high - (3.0 + half)).abs() < 1e-5);
        let single = Estimate::of_values(&[7.0], ANY).unwrap();
        assert_eq!((single.mean, single.interval), (7.0, None));
        assert_eq!(Estimate::of_values(&[], ANY), None);
    }

    #[test]
    fn intervals_stay_within_the_range_of_what_is_measured() {
        let rate = Estimate::of_values(&[1.0, 60.0], (0.0, f64::INFINITY)).unwrap();
        let (low, high) = rate.interval.unwrap();
        assert_eq!(
            low, 0.0,
            "12.7 standard errors below 30.5 would be negative"
        );
        assert!(high > 60.0);
        let index = Estimate::of_values(&[0.9, 1.0], (0.0, 1.0)).unwrap();
        assert_eq!(index.interval.unwrap().1, 1.0);
    }

    #[test]
    fn shares_of_counts_have_wilsons_interval() {
        // Two replicas of 50 that agree: 20 of 100. Brown, Cai and DasGupta (2001): [0.133, 0.289].
        let e = Estimate::of_counts(&[(10.0, 50.0), (10.0, 50.0)]).unwrap();
        let (low, high) = e.interval.unwrap();
        assert!(
            (low - 0.1334).abs() < 1e-4 && (high - 0.2888).abs() < 1e-4,
            "{low} {high}"
        );
        // No failure in 100 trials does not prove that none are possible: z^2 / (100 + z^2).
        let none = Estimate::of_counts(&[(0.0, 50.0), (0.0, 50.0)]).unwrap();
        let (low, high) = none.interval.unwrap();
        assert_eq!((none.mean, low), (0.0, 0.0));
        assert!((high - 0.036_99).abs() < 1e-5, "{high}");
        assert_eq!(Estimate::of_counts(&[(0.0, 0.0)]), None);
        assert_eq!(Estimate::of_counts(&[(3.0, 10.0)]).unwrap().interval, None);
    }

    #[test]
    fn replicas_that_differ_more_than_trials_would_widen_the_interval() {
        let alike = Estimate::of_counts(&[(5e3, 1e4); 4])
            .unwrap()
            .interval
            .unwrap();
        let differ = [(1e3, 1e4), (9e3, 1e4), (2e3, 1e4), (8e3, 1e4)];
        let differ = Estimate::of_counts(&differ).unwrap().interval.unwrap();
        assert!(alike.1 - alike.0 < 0.01);
        assert!(differ.1 - differ.0 > 0.5, "{differ:?}");
        assert!(differ.0 >= 0.0 && differ.1 <= 1.0);
    }

    #[test]
    fn about_95_of_100_intervals_cover_the_true_share() {
        // Clustered counts: each replica has its own share around 0.1. The bounds leave room for
        // the error of 2000 draws.
        let mut state = 1u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut covered = 0;
        for _ in 0..2000 {
            let counts: Vec<(f64, f64)> = (0..8)
                .map(|_| {
                    let own = 0.05 + 0.1 * uniform();
                    let hits = (0..100).filter(|_| uniform() < own).count();
                    (hits as f64, 100.0)
                })
                .collect();
            let (low, high) = Estimate::of_counts(&counts).unwrap().interval.unwrap();
            covered += usize::from(low <= 0.1 && 0.1 <= high);
        }
        assert!((1880..=1990).contains(&covered), "{covered} of 2000");
    }

    #[test]
    fn fairness_of_k_equal_shares_among_n_is_k_over_n() {
        assert_eq!(jain_index(&[1.0; 4]), 1.0);
        assert_eq!(jain_index(&[5.0, 5.0, 0.0, 0.0]), 0.5);
        assert_eq!(jain_index(&[0.0, 0.0]), 1.0);
        assert_eq!(jain_index(&[]), 1.0);
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        let sorted = [1.0, 2.0, 4.0];
        let at = |q| quantile(&sorted, q).unwrap();
        assert_eq!(
            [at(0.0), at(0.25), at(0.5), at(1.0), at(7.0)],
            [1.0, 1.5, 2.0, 4.0, 4.0]
        );
        assert_eq!(quantile(&[], 0.5), None);
    }
}
