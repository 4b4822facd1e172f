//! A rate that switches between the link's own rate and another at exponentially distributed times.

use std::sync::Arc;

use super::{AnyRate, RateProcess};
use crate::plugin::{InvalidValue, ModelKind, ModelParameter, ModelValues, ValueKind};
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};
use crate::units::Rate;

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::needed(
        "other",
        ValueKind::Rate,
        "the rate that takes turns with that of the link",
    ),
    ModelParameter::new(
        "mean_nominal",
        ValueKind::Duration,
        "1 s",
        "the mean time at the rate of the link",
    ),
    ModelParameter::new(
        "mean_other",
        ValueKind::Duration,
        "1 s",
        "the mean time at the other rate",
    ),
];

/// The process as a kind of rate process.
pub(super) fn kind() -> ModelKind<AnyRate> {
    ModelKind::new(
        "two-state",
        "a rate that switches to another and back at exponentially distributed times",
        PARAMETERS,
        |values: &ModelValues| {
            let means = [
                values.duration("mean_nominal"),
                values.duration("mean_other"),
            ];
            let other = values.rate("other");
            values.positive(&["mean_nominal", "mean_other"], "write for example 1 s")?;
            let Some(other) = other else {
                let problem = "must be greater than zero";
                return Err(InvalidValue::new(
                    "other",
                    problem,
                    "write for example 1 Mbit/s",
                ));
            };
            Ok(Arc::new(move || {
                AnyRate::TwoState(TwoStateRate::new(other, means))
            }))
        },
    )
}

/// The process. It begins at the link's own rate. A link without a rate sends without transmission time in
/// that state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoStateRate {
    other: Rate,
    means: [SimDuration; 2],
    at_other: bool,
    /// The end of the current state; `None` before the first transmission.
    until: Option<SimTime>,
}

impl TwoStateRate {
    /// Switches between the link's rate and `other`, staying `means[0]` and `means[1]` on average.
    pub fn new(other: Rate, means: [SimDuration; 2]) -> TwoStateRate {
        TwoStateRate {
            other,
            means,
            at_other: false,
            until: None,
        }
    }

    /// The end of a state that begins at `from`; states are at least a picosecond long.
    fn draw_end(&self, from: SimTime, rng: &mut Rng) -> SimTime {
        let mean = self.means[usize::from(self.at_other)];
        let holds = rng.exponential(mean).max(SimDuration::from_ps(1));
        from.saturating_add(holds)
    }
}

impl RateProcess for TwoStateRate {
    fn end_of_transmission(
        &mut self,
        start: SimTime,
        bytes: u32,
        nominal: Option<Rate>,
        rng: &mut Rng,
    ) -> SimTime {
        const PS_PER_S: u128 = 1_000_000_000_000;
        let mut left = u128::from(bytes) * 8 * PS_PER_S; // bit-picoseconds per second
        let mut at = start;
        loop {
            let until = match self.until {
                Some(until) => until,
                None => self.draw_end(SimTime::ZERO, rng),
            };
            self.until = Some(until);
            if until > at {
                let rate = if self.at_other {
                    Some(self.other)
                } else {
                    nominal
                };
                let Some(rate) = rate else { return at };
                let needs = left.div_ceil(u128::from(rate.as_bps()));
                let needs = SimDuration::from_ps(u64::try_from(needs).unwrap_or(u64::MAX));
                if at.saturating_add(needs) <= until {
                    return at.saturating_add(needs);
                }
                left -= u128::from(rate.as_bps()) * u128::from(until.since(at).as_ps());
                at = until;
            }
            self.at_other = !self.at_other;
            self.until = Some(self.draw_end(until, rng));
        }
    }
}
