//! Losses at regular intervals, in bursts of any length, and random bursts.

use std::sync::Arc;

use super::{AnyLoss, LossModel};
use crate::plugin::{ModelKind, ModelParameter, ModelValues, ValueKind};
use crate::rng::Rng;
use crate::time::SimTime;

const LENGTH: ModelParameter = ModelParameter::new(
    "length",
    ValueKind::Count,
    "1",
    "packets lost in a row each time",
);

const PERIODIC: &[ModelParameter] = &[
    ModelParameter::needed(
        "every",
        ValueKind::Count,
        "packets from the begin of one loss to that of the next",
    ),
    LENGTH,
    ModelParameter::new(
        "first",
        ValueKind::Count,
        "0",
        "the first packet lost, counted from 1; 0 for the one numbered `every`",
    ),
];

/// Losses at regular intervals as a kind of loss model.
pub(super) fn periodic() -> ModelKind<AnyLoss> {
    ModelKind::new(
        "periodic",
        "loses `length` packets of every `every`, without chance",
        PERIODIC,
        |values: &ModelValues| {
            values.positive(&["every"], "write for example 100")?;
            let every = values.count("every");
            let length = values.count_within("length", 1..=every, "it is part of `every`")?;
            let first = match values.count("first") {
                0 => every,
                first => first,
            };
            Ok(Arc::new(move || {
                AnyLoss::custom(Periodic {
                    every,
                    length,
                    first,
                    packet: 0,
                })
            }))
        },
    )
}

#[derive(Debug)]
struct Periodic {
    every: u64,
    length: u64,
    first: u64,
    /// Number of the last packet.
    packet: u64,
}

impl LossModel for Periodic {
    fn is_lost(&mut self, _: SimTime, _: &mut Rng) -> bool {
        self.packet += 1;
        let since = self.packet.checked_sub(self.first);
        since.is_some_and(|since| since % self.every < self.length)
    }
}

const BURST: &[ModelParameter] = &[
    ModelParameter::needed(
        "probability",
        ValueKind::Probability,
        "the probability that a packet outside a burst begins one",
    ),
    LENGTH,
];

/// Random bursts of a fixed length as a kind of loss model.
pub(super) fn burst() -> ModelKind<AnyLoss> {
    ModelKind::new(
        "burst",
        "loses `length` packets in a row, at random times",
        BURST,
        |values: &ModelValues| {
            let (probability, length) = (values.number("probability"), values.count("length"));
            values.positive(&["length"], "write for example 3")?;
            Ok(Arc::new(move || {
                AnyLoss::custom(LossBurst {
                    probability,
                    length,
                    left: 0,
                })
            }))
        },
    )
}

#[derive(Debug)]
struct LossBurst {
    probability: f64,
    length: u64,
    /// Packets of the current burst that are still to be lost.
    left: u64,
}

impl LossModel for LossBurst {
    fn is_lost(&mut self, _: SimTime, rng: &mut Rng) -> bool {
        if self.left == 0 && rng.chance(self.probability) {
            self.left = self.length;
        }
        let lost = self.left > 0;
        self.left = self.left.saturating_sub(1);
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of the packets lost among the first `n`.
    fn lost(kind: &ModelKind<AnyLoss>, given: &[(&str, &str)], n: u64) -> Vec<u64> {
        let mut model = kind.plugin(given).unwrap().build();
        let mut rng = Rng::stream(1, "loss", 0);
        (1..=n)
            .filter(|_| model.is_lost(SimTime::ZERO, &mut rng))
            .collect()
    }

    #[test]
    fn periodic_losses_have_their_distance_length_and_first_packet() {
        let kind = periodic();
        assert_eq!(lost(&kind, &[("every", "4")], 13), [4, 8, 12]);
        let given = [("every", "5"), ("length", "2"), ("first", "3")];
        assert_eq!(lost(&kind, &given, 14), [3, 4, 8, 9, 13, 14]);
        assert_eq!(lost(&kind, &[("every", "1")], 3), [1, 2, 3]);
        for wrong in [
            [("every", "0"), ("length", "1")],
            [("every", "2"), ("length", "3")],
        ] {
            assert!(kind.plugin(&wrong).is_err());
        }
    }

    #[test]
    fn random_bursts_have_their_length_and_long_run_share() {
        const N: u64 = 200_000;
        let given = [("probability", "0.01"), ("length", "3")];
        let lost = lost(&burst(), &given, N);
        // A cycle is a burst and (1 - p) / p = 99 packets before the next on average.
        let expected = 3.0 / (3.0 + 99.0);
        let share = lost.len() as f64 / N as f64;
        // About 1960 bursts; the standard deviation of the distance between bursts is about its
        // mean.
        assert!(
            (share / expected - 1.0).abs() < 4.0 / 1960f64.sqrt(),
            "{share}"
        );
        let begins = lost.iter().filter(|n| !lost.contains(&(*n - 1)));
        assert!(
            begins
                .take(50)
                .all(|n| lost.contains(&(n + 1)) && lost.contains(&(n + 2)))
        );
    }
}
