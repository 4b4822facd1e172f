//! Transmissions of exponentially distributed length, as on a channel with contention: with Poisson arrivals
//! the link is the M/M/1 queue of queueing theory, and M/M/1/K with a queue of K packets.

use std::sync::Arc;

use super::{AnyRate, RateProcess};
use crate::plugin::{ModelKind, ModelValues};
use crate::rng::Rng;
use crate::time::SimTime;
use crate::units::Rate;

/// Its name in a scenario.
pub(super) const NAME: &str = "exponential";

/// The process as a kind of rate process.
pub(super) fn kind() -> ModelKind<AnyRate> {
    ModelKind::new(
        NAME,
        "each transmission takes an exponentially distributed time, on average that at the rate of the link",
        &[],
        |_: &ModelValues| Ok(Arc::new(|| AnyRate::custom(ExponentialRate))),
    )
}

/// Each transmission takes an exponentially distributed time. A link without a rate sends at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ExponentialRate;

impl RateProcess for ExponentialRate {
    fn end_of_transmission(
        &mut self,
        start: SimTime,
        bytes: u32,
        nominal: Option<Rate>,
        rng: &mut Rng,
    ) -> SimTime {
        match nominal {
            Some(rate) => {
                start.saturating_add(rng.exponential(rate.transmission_time(bytes.into())))
            }
            None => start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_the_mean_and_the_deviation_of_an_exponential_distribution() {
        let mut link = kind().plugin(&[]).unwrap().build();
        let mut rng = Rng::stream(1, "rate", 0);
        let n = 100_000;
        let mut lengths = |bytes: u32, rate| -> Vec<f64> {
            let mut one = || link.end_of_transmission(SimTime::ZERO, bytes, rate, &mut rng);
            let spans = (0..n).map(|_| one().since(SimTime::ZERO).as_secs_f64());
            spans.collect()
        };
        // 1250 bytes at 10 Mbit/s take 1 ms.
        let all = lengths(1250, Some(Rate::mbps(10)));
        let mean = all.iter().sum::<f64>() / f64::from(n);
        let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        // Standard errors: 0.32 % of the mean, and 0.45 % of the standard deviation.
        assert!((mean / 1e-3 - 1.0).abs() < 0.01, "{mean}");
        assert!((variance.sqrt() / 1e-3 - 1.0).abs() < 0.014, "{variance}");
        assert!(lengths(1250, None).iter().all(|x| *x == 0.0));
    }
}
