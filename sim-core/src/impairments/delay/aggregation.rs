//! Aggregation: packets wait for the next opportunity and are then sent together, like those of a Wi-Fi
//! station that waits for the medium, or of a radio link with a grant in each interval.
//!
//! On the return path of a connection it bunches ACKs. Packets sent at one opportunity arrive at
//! the same instant, in order. Leaves out the size of an aggregate and its transmission time.

use std::sync::Arc;

use super::{AnyDelay, DelayModel};
use crate::plugin::{InvalidValue, ModelKind, ModelParameter, ModelValues, ValueKind};
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::needed(
        "interval",
        ValueKind::Duration,
        "the time between opportunities, or its mean",
    ),
    ModelParameter::new(
        "random",
        ValueKind::Flag,
        "false",
        "times between opportunities are exponentially distributed, as in contention; otherwise all alike, as with grants",
    ),
];

/// Aggregation as a kind of delay model.
pub(super) fn kind() -> ModelKind<AnyDelay> {
    ModelKind::new(
        "aggregation",
        "packets wait for the next opportunity to be sent together (Wi-Fi, LTE)",
        PARAMETERS,
        |values: &ModelValues| {
            let (interval, random) = (values.duration("interval"), values.flag("random"));
            if interval < SimDuration::from_nanos(1) {
                return Err(InvalidValue::new(
                    "interval",
                    "must be at least 1 ns",
                    "4 ms is usual",
                ));
            }
            Ok(Arc::new(move || {
                AnyDelay::custom(AggregatedDelay {
                    interval,
                    random,
                    next: SimTime::ZERO,
                })
            }))
        },
    )
}

#[derive(Debug)]
struct AggregatedDelay {
    interval: SimDuration,
    random: bool,
    /// The next opportunity.
    next: SimTime,
}

impl DelayModel for AggregatedDelay {
    fn extra(&mut self, departs: SimTime, rng: &mut Rng) -> SimDuration {
        if self.next < departs && !self.random {
            let late = departs.since(self.next).as_ps();
            let step = self.interval.as_ps();
            let skipped = late.div_ceil(step).saturating_mul(step);
            self.next = self.next.saturating_add(SimDuration::from_ps(skipped));
        } else if self.next < departs {
            // Opportunities are memoryless: the wait does not depend on when the packet arrives.
            self.next = departs.saturating_add(rng.exponential(self.interval));
        }
        self.next.since(departs)
    }

    fn may_reorder(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> SimTime {
        SimTime::ZERO.saturating_add(SimDuration::from_micros(us))
    }

    /// When packets that depart at these times are sent, microseconds.
    fn sent(given: &[(&str, &str)], departs: &[u64]) -> Vec<u64> {
        let mut model = kind().plugin(given).unwrap().build();
        let mut rng = Rng::stream(2, "aggregation", 0);
        departs
            .iter()
            .map(|us| {
                let extra = model.extra(at(*us), &mut rng);
                (at(*us) + extra).as_ps() / 1_000_000
            })
            .collect()
    }

    #[test]
    fn grants_come_on_a_grid() {
        let sent = sent(&[("interval", "4 ms")], &[0, 1, 3999, 4000, 4001, 90_000]);
        assert_eq!(sent, [0, 4000, 4000, 4000, 8000, 92_000]);
    }

    #[test]
    fn with_contention_waits_are_exponential_and_later_packets_join_the_group() {
        let departs: Vec<u64> = (0..200_000).map(|i| 500 * i).collect();
        let sent = sent(&[("interval", "2 ms"), ("random", "true")], &departs);
        assert!(sent.is_sorted());
        let mut groups: Vec<u64> = sent.clone();
        groups.dedup();
        // A group is its first packet and the packets of the next 2 ms on average, one every 0.5
        // ms: the number of the latter is geometric with mean 1 / (e^(1/4) - 1) = 3.52.
        let mean = departs.len() as f64 / groups.len() as f64;
        assert!((mean - 4.52).abs() < 0.1, "{mean}");
    }
}
