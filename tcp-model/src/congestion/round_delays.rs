//! Round-trip times of a round, for algorithms that react to queueing delay.

use sim_core::SimDuration;

/// A round with fewer samples says nothing about queues, because an ACK may have been delayed.
const FEWEST_SAMPLES: u32 = 3;

/// The smallest round-trip time of the connection, and that of the current round.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RoundDelays {
    base: Option<SimDuration>,
    round_min: Option<SimDuration>,
    samples: u32,
}

impl RoundDelays {
    pub(super) fn on_sample(&mut self, rtt: Option<SimDuration>) {
        let Some(rtt) = rtt else { return };
        self.base = Some(self.base.map_or(rtt, |b| b.min(rtt)));
        self.round_min = Some(self.round_min.map_or(rtt, |m| m.min(rtt)));
        self.samples += 1;
    }

    /// The smallest round-trip time of the connection (BaseRTT) and of the round, seconds; `None` if the round has
    /// too few samples.
    pub(super) fn of_round(&self) -> Option<(f64, f64)> {
        let (base, rtt) = (self.base?.as_secs_f64(), self.round_min?.as_secs_f64());
        (self.samples >= FEWEST_SAMPLES).then_some((base, rtt))
    }

    /// Starts a new round.
    pub(super) fn restart(&mut self) {
        self.round_min = None;
        self.samples = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_needs_three_samples_and_the_base_outlives_it() {
        let mut delays = RoundDelays::default();
        let ms = |n| Some(SimDuration::from_millis(n));
        [20, 30]
            .map(ms)
            .into_iter()
            .for_each(|rtt| delays.on_sample(rtt));
        assert_eq!(delays.of_round(), None);
        delays.on_sample(ms(25));
        assert_eq!(delays.of_round(), Some((0.02, 0.02)));
        delays.restart();
        [40, 50, 60]
            .map(ms)
            .into_iter()
            .for_each(|rtt| delays.on_sample(rtt));
        assert_eq!(delays.of_round(), Some((0.02, 0.04)));
    }
}
