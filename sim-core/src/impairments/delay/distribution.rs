//! Extra delays from a distribution, optionally correlated from packet to packet.
//!
//! Draws are standard normal deviates z: the next is `c z + sqrt(1 - c^2) e`, where `c` is the
//! correlation and e a fresh deviate. The normal distribution function turns them into uniform
//! numbers, and the quantile function of the configured distribution turns these into delays (a
//! Gaussian copula). Each delay has exactly the configured distribution, whatever the correlation;
//! `c` is the correlation of the deviates. netem's correlation mixes uniform numbers, which narrows
//! their distribution; this one does not.

use std::sync::Arc;

use super::{AnyDelay, DelayModel, REORDER};
use crate::plugin::{InvalidValue, Maker, ModelKind, ModelParameter, ModelValues, ValueKind};
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};

const CORRELATION: ModelParameter = ModelParameter::new(
    "correlation",
    ValueKind::Probability,
    "0",
    "how much a delay is like the one before it: 0 independent, 1 the same",
);

const NORMAL: &[ModelParameter] = &[
    ModelParameter::needed("mean", ValueKind::Duration, "the mean"),
    ModelParameter::needed(
        "deviation",
        ValueKind::Duration,
        "the standard deviation; what would be less than zero is zero",
    ),
    CORRELATION,
    REORDER,
];

/// Normally distributed delays.
pub(super) fn normal() -> ModelKind<AnyDelay> {
    ModelKind::new(
        "normal",
        "a normally distributed extra delay, cut at zero",
        NORMAL,
        |values: &ModelValues| {
            let (mean, deviation) = (values.duration("mean"), values.duration("deviation"));
            let (mean_s, deviation_s) = (mean.as_secs_f64(), deviation.as_secs_f64());
            make(
                values,
                DelayDistribution::Normal {
                    mean_s,
                    deviation_s,
                },
            )
        },
    )
}

const PARETO: &[ModelParameter] = &[
    ModelParameter::needed(
        "minimum",
        ValueKind::Duration,
        "the shortest delay, greater than zero",
    ),
    ModelParameter::new(
        "shape",
        ValueKind::Number,
        "2.5",
        "how fast the tail falls; the mean is minimum * shape / (shape - 1) above 1, and infinite below",
    ),
    ModelParameter::new(
        "most",
        ValueKind::Duration,
        "10 s",
        "longer delays are cut to this",
    ),
    CORRELATION,
    REORDER,
];

/// Pareto-distributed delays.
pub(super) fn pareto() -> ModelKind<AnyDelay> {
    ModelKind::new(
        "pareto",
        "a Pareto-distributed extra delay: few packets are very late",
        PARETO,
        |values: &ModelValues| {
            let (minimum, most) = (values.duration("minimum"), values.duration("most"));
            let shape = values.number("shape");
            values.positive(&["minimum"], "write for example 1 ms")?;
            values.positive(&["shape"], "2.5 is usual")?;
            if most < minimum {
                let problem = "must not be less than `minimum`";
                return Err(InvalidValue::new("most", problem, "10 s is usual"));
            }
            make(
                values,
                DelayDistribution::Pareto {
                    minimum_s: minimum.as_secs_f64(),
                    shape,
                    most_s: most.as_secs_f64(),
                },
            )
        },
    )
}

const EMPIRICAL: &[ModelParameter] = &[
    ModelParameter::needed(
        "values",
        ValueKind::List,
        "measured delays, each as likely as any other, such as [\"1 ms\", \"1.5 ms\", \"9 ms\"]; between neighbours all are equally likely",
    ),
    CORRELATION,
    REORDER,
];

/// Delays with a measured distribution.
pub(super) fn empirical() -> ModelKind<AnyDelay> {
    ModelKind::new(
        "empirical",
        "an extra delay distributed as those listed",
        EMPIRICAL,
        |values: &ModelValues| {
            let text = values.list("values");
            let wrong = |problem: String| {
                let advice = "write for example [\"1 ms\", \"1.5 ms\", \"9 ms\"]";
                InvalidValue::new("values", problem, advice)
            };
            let read = |item: &str| match item.parse::<SimDuration>() {
                Ok(delay) => Ok(delay.as_secs_f64()),
                Err(e) => Err(wrong(format!("has an item that is not a delay: {e}"))),
            };
            let mut all: Vec<f64> = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(read)
                .collect::<Result<_, InvalidValue>>()?;
            if all.is_empty() {
                return Err(wrong("must have at least one delay".to_owned()));
            }
            all.sort_unstable_by(f64::total_cmp);
            make(values, DelayDistribution::Empirical(all.into()))
        },
    )
}

fn make(values: &ModelValues, shape: DelayDistribution) -> Result<Maker<AnyDelay>, InvalidValue> {
    let (correlation, reorders) = (values.number("correlation"), values.flag("reorder"));
    Ok(Arc::new(move || {
        AnyDelay::custom(Distributed {
            shape: shape.clone(),
            correlation,
            reorders,
            last: None,
        })
    }))
}

/// A distribution, in seconds.
#[derive(Clone, Debug)]
enum DelayDistribution {
    Normal {
        mean_s: f64,
        deviation_s: f64,
    },
    Pareto {
        minimum_s: f64,
        shape: f64,
        most_s: f64,
    },
    /// Sorted; at least one.
    Empirical(Arc<[f64]>),
}

impl DelayDistribution {
    /// The quantile of the delay that corresponds to the standard normal deviate `z`.
    fn quantile(&self, z: f64) -> f64 {
        let below = |z: f64| 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
        match self {
            DelayDistribution::Normal {
                mean_s,
                deviation_s,
            } => (mean_s + deviation_s * z).max(0.0),
            DelayDistribution::Pareto {
                minimum_s,
                shape,
                most_s,
            } => {
                // 1 - u, without cancellation.
                let above = below(-z).max(f64::MIN_POSITIVE);
                (minimum_s * libm::pow(above, -1.0 / shape)).min(*most_s)
            }
            DelayDistribution::Empirical(values) => {
                let place = below(z) * (values.len() - 1) as f64;
                let lower = (place as usize).min(values.len() - 1);
                let upper = (lower + 1).min(values.len() - 1);
                values[lower] + (values[upper] - values[lower]) * (place - lower as f64)
            }
        }
    }
}

#[derive(Debug)]
struct Distributed {
    shape: DelayDistribution,
    correlation: f64,
    reorders: bool,
    /// The last deviate.
    last: Option<f64>,
}

/// A standard normal deviate (Box and Muller 1958).
fn deviate(rng: &mut Rng) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - rng.uniform()));
    radius * libm::cos(std::f64::consts::TAU * rng.uniform())
}

impl DelayModel for Distributed {
    fn extra(&mut self, _: SimTime, rng: &mut Rng) -> SimDuration {
        let c = self.correlation;
        let fresh = deviate(rng);
        let z = match self.last {
            Some(last) => c * last + libm::sqrt(1.0 - c * c) * fresh,
            None => fresh,
        };
        self.last = Some(z);
        SimDuration::from_secs_f64(self.shape.quantile(z))
    }

    fn may_reorder(&self) -> bool {
        self.reorders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 100_000;

    /// Delays in seconds, in the order drawn.
    fn draw(kind: &ModelKind<AnyDelay>, given: &[(&str, &str)]) -> Vec<f64> {
        let mut model = kind.plugin(given).unwrap().build();
        let mut rng = Rng::stream(5, "delays", 0);
        (0..N)
            .map(|_| model.extra(SimTime::ZERO, &mut rng).as_secs_f64())
            .collect()
    }

    fn mean(of: impl Iterator<Item = f64>) -> f64 {
        of.sum::<f64>() / N as f64
    }

    /// The largest distance between the sample's distribution function and `cdf` (Kolmogorov,
    /// Smirnov), times the square root of the sample size: 1.95 is exceeded once in a thousand.
    fn distance(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
        sample.sort_unstable_by(f64::total_cmp);
        let n = sample.len() as f64;
        let far = sample.iter().enumerate().map(|(i, x)| {
            let f = cdf(*x);
            (f - i as f64 / n).abs().max((f - (i + 1) as f64 / n).abs())
        });
        far.fold(0.0, f64::max) * n.sqrt()
    }

    #[test]
    fn each_delay_has_the_configured_distribution() {
        let given = [("mean", "10 ms"), ("deviation", "2 ms")];
        let phi = |x: f64| 0.5 * libm::erfc(-(x - 0.010) / 0.002 / std::f64::consts::SQRT_2);
        let d = distance(draw(&normal(), &given), phi);
        assert!(d < 1.95, "normal {d}");
        let given = [("minimum", "2 ms"), ("shape", "2.5")];
        let pareto_cdf = |x: f64| 1.0 - (0.002 / x).powf(2.5);
        let d = distance(draw(&pareto(), &given), pareto_cdf);
        assert!(d < 1.95, "pareto {d}");
        // Half the delays lie between 1 and 2 ms, half between 2 and 10 ms, each half uniform.
        let given = [("values", "10 ms, 1 ms, 2 ms")];
        let cdf = |x: f64| match x {
            x if x < 0.002 => 0.5 * (x - 0.001) / 0.001,
            x => 0.5 + 0.5 * (x - 0.002) / 0.008,
        };
        let d = distance(draw(&empirical(), &given), cdf);
        assert!(d < 1.95, "empirical {d}");
    }

    #[test]
    fn correlated_delays_keep_their_distribution_and_have_their_correlation() {
        let given = [
            ("mean", "10 ms"),
            ("deviation", "2 ms"),
            ("correlation", "0.8"),
        ];
        let all = draw(&normal(), &given);
        let m = mean(all.iter().copied());
        let variance = mean(all.iter().map(|x| (x - m).powi(2)));
        let together = mean(all.windows(2).map(|w| (w[0] - m) * (w[1] - m)));
        // Standard error of the mean: sigma sqrt((1 + c) / (1 - c) / N), here 3 sigma / sqrt(N).
        assert!((m - 0.010).abs() < 4.0 * 0.002 * 3.0 / (N as f64).sqrt());
        assert!((variance.sqrt() / 0.002 - 1.0).abs() < 0.02, "{variance}");
        assert!((together / variance - 0.8).abs() < 0.01, "{together}");
    }

    #[test]
    fn delays_are_never_negative_nor_above_the_maximum() {
        let given = [("mean", "1 ms"), ("deviation", "5 ms")];
        let all = draw(&normal(), &given);
        let zero = all.iter().filter(|x| **x == 0.0).count() as f64 / N as f64;
        // P(z < -0.2)
        assert!((zero - 0.4207).abs() < 0.01, "{zero}");
        let given = [("minimum", "1 ms"), ("shape", "0.5"), ("most", "1 s")];
        let all = draw(&pareto(), &given);
        assert!(all.iter().all(|x| (0.000_999..=1.0).contains(x)));
        let one = draw(&empirical(), &[("values", "3 ms")]);
        assert!(one.iter().all(|x| (*x - 0.003).abs() < 1e-12));
    }
}
