//! Means and tails of distributions.

use tcp_model::spec::Distribution;

/// The mean; infinite for a Pareto distribution with `alpha <= 1`.
pub fn mean(distribution: Distribution) -> f64 {
    match distribution {
        Distribution::Constant(x) | Distribution::Exponential(x) => x,
        Distribution::Uniform(low, high) => (low + high) / 2.0,
        Distribution::LogNormal { median, sigma } => median * libm::exp(sigma * sigma / 2.0),
        Distribution::Pareto { min, alpha } if alpha > 1.0 => alpha * min / (alpha - 1.0),
        Distribution::Pareto { min, .. } if min > 0.0 => f64::INFINITY,
        Distribution::Pareto { .. } => 0.0,
    }
}

/// The variance; infinite for a Pareto distribution with `alpha <= 2`.
pub fn variance(distribution: Distribution) -> f64 {
    let mean = mean(distribution);
    match distribution {
        Distribution::Constant(_) => 0.0,
        Distribution::Exponential(x) => x * x,
        Distribution::Uniform(low, high) => (high - low) * (high - low) / 12.0,
        Distribution::LogNormal { sigma, .. } => mean * mean * (libm::exp(sigma * sigma) - 1.0),
        Distribution::Pareto { min, alpha } if alpha > 2.0 => {
            min * min * alpha / ((alpha - 1.0) * (alpha - 1.0) * (alpha - 2.0))
        }
        Distribution::Pareto { min, .. } if min > 0.0 => f64::INFINITY,
        Distribution::Pareto { .. } => 0.0,
    }
}

/// A value that is exceeded with a probability of at most `p`.
pub fn upper(distribution: Distribution, p: f64) -> f64 {
    match distribution {
        Distribution::Constant(x) => x,
        Distribution::Uniform(_, high) => high,
        Distribution::Exponential(x) => -x * libm::log(p),
        // The tail of a normal variable beyond z is below exp(-z^2 / 2).
        Distribution::LogNormal { median, sigma } => {
            median * libm::exp(sigma * libm::sqrt(-2.0 * libm::log(p)))
        }
        Distribution::Pareto { min, alpha } => min * libm::pow(p, -1.0 / alpha),
    }
}

/// Mean excess over `t`: E[max(X - t, 0)].
pub fn beyond(distribution: Distribution, t: f64) -> f64 {
    if t <= 0.0 {
        return mean(distribution) - t;
    }
    match distribution {
        Distribution::Constant(x) => (x - t).max(0.0),
        Distribution::Exponential(0.0) => 0.0,
        Distribution::Exponential(x) => x * libm::exp(-t / x),
        Distribution::Uniform(low, high) if t >= high || low >= high => (high - t).max(0.0),
        Distribution::Uniform(low, _) if t <= low => mean(distribution) - t,
        Distribution::Uniform(low, high) => (high - t) * (high - t) / (2.0 * (high - low)),
        Distribution::LogNormal { median, .. } if median <= 0.0 => 0.0,
        Distribution::LogNormal { median, sigma } if sigma > 0.0 => {
            let d = libm::log(median / t) / sigma;
            mean(distribution) * normal(d + sigma) - t * normal(d)
        }
        Distribution::LogNormal { median, .. } => (median - t).max(0.0),
        Distribution::Pareto { min, .. } if t <= min => mean(distribution) - t,
        Distribution::Pareto { min, alpha } if alpha > 1.0 && min > 0.0 => {
            t * libm::pow(min / t, alpha) / (alpha - 1.0)
        }
        Distribution::Pareto { .. } => mean(distribution),
    }
}

/// The distribution function of the standard normal.
fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Distribution; 6] = [
        Distribution::Constant(3.0),
        Distribution::Uniform(1.0, 4.0),
        Distribution::Exponential(2.0),
        Distribution::LogNormal {
            median: 2.0,
            sigma: 0.8,
        },
        Distribution::Pareto {
            min: 1.0,
            alpha: 2.5,
        },
        Distribution::LogNormal {
            median: 2.0,
            sigma: 0.0,
        },
    ];

    /// The quantile at `u`, for numerical integration.
    fn quantile(distribution: Distribution, u: f64) -> f64 {
        match distribution {
            Distribution::Constant(x) => x,
            Distribution::Uniform(low, high) => low + (high - low) * u,
            Distribution::Exponential(x) => -x * (1.0 - u).ln(),
            Distribution::LogNormal { median, sigma } => {
                let (mut low, mut high) = (-9.0, 9.0);
                for _ in 0..60 {
                    let middle = (low + high) / 2.0;
                    if normal(middle) < u {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                median * (sigma * low).exp()
            }
            Distribution::Pareto { min, alpha } => min * (1.0 - u).powf(-1.0 / alpha),
        }
    }

    fn integral(distribution: Distribution, f: impl Fn(f64) -> f64) -> f64 {
        let n = 20_000;
        let points = (0..n).map(|i| (f64::from(i) + 0.5) / f64::from(n));
        points.map(|u| f(quantile(distribution, u))).sum::<f64>() / f64::from(n)
    }

    #[test]
    fn means_and_excesses_are_the_integrals() {
        for d in ALL {
            let numeric = integral(d, |x| x);
            assert!((mean(d) / numeric - 1.0).abs() < 0.01, "{d:?} {numeric}");
            for t in [0.5, 2.0, 3.5, 6.0] {
                let numeric = integral(d, |x| (x - t).max(0.0));
                assert!((beyond(d, t) - numeric).abs() < 0.02, "{d:?} {t} {numeric}");
            }
            assert!(integral(d, |x| f64::from(u8::from(x > upper(d, 0.01)))) <= 0.01);
        }
        for d in &ALL[..4] {
            let numeric = integral(*d, |x| (x - mean(*d)).powi(2));
            assert!(
                (variance(*d) - numeric).abs() < 0.03 * numeric + 1e-9,
                "{d:?} {numeric}"
            );
        }
    }

    #[test]
    fn the_mean_of_a_log_normal_is_no_median_and_a_heavy_pareto_has_none() {
        let hold = Distribution::LogNormal {
            median: 10.0,
            sigma: 1.5,
        };
        assert!((mean(hold) - 30.802).abs() < 1e-3);
        let heavy = Distribution::Pareto {
            min: 1.0,
            alpha: 1.0,
        };
        assert!(mean(heavy).is_infinite() && variance(heavy).is_infinite());
    }
}
