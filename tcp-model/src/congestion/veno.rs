//! TCP Veno: distinguishes random losses from congestion by the number of queued segments (Fu and Liew,
//! "TCP Veno: TCP enhancement for transmission over wireless access networks", 2003).

use super::round_delays::RoundDelays;
use super::window::{CongestionWindow, window_methods};
use super::{
    AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent, ControlParameter, RoundTrips,
};

/// `veno`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "veno",
    aliases: &[],
    doc: "takes a loss for a random one while few segments wait in queues, and gives up a fifth of \
          the window then, half otherwise; for wireless paths",
    source: "Fu and Liew 2003",
    version: 1,
    parameters: &[
        ControlParameter::number(
            "beta",
            (0.0, 1000.0),
            3.0,
            "waiting segments from which on the path counts as congested",
        ),
        ControlParameter::number(
            "random_share",
            (0.5, 0.99),
            0.8,
            "share of the window that is left after a loss taken for random",
        ),
    ],
    make: |control, _| {
        AnyCc::own(Veno {
            window: CongestionWindow::new(),
            beta: control.get("beta"),
            random_share: control.get("random_share"),
            rounds: RoundTrips::default(),
            delays: RoundDelays::default(),
            waiting: None,
        })
    },
};

#[derive(Clone, Debug)]
struct Veno {
    window: CongestionWindow,
    beta: f64,
    random_share: f64,
    rounds: RoundTrips,
    delays: RoundDelays,
    /// N: segments that waited in the last round; none when unknown.
    waiting: Option<f64>,
}

impl Veno {
    fn next_round(&mut self) {
        self.waiting = self.delays.of_round().map(|(base, rtt)| {
            let share = base / rtt.max(1e-12);
            self.window.segments() * (1.0 - share)
        });
        self.delays.restart();
    }

    fn is_congested(&self) -> bool {
        self.waiting.is_none_or(|n| n >= self.beta)
    }
}

impl CongestionControl for Veno {
    window_methods!(with idle);

    fn on_ack(&mut self, ack: &AckEvent) {
        self.delays.on_sample(ack.rtt);
        if self.rounds.on_ack(ack) {
            self.next_round();
        }
        if !CongestionWindow::may_grow(ack) {
            return;
        }
        let rest = self.window.slow_start(ack.acked);
        // Half a segment a round trip: one every other.
        let congested = self.waiting.is_some_and(|n| n >= self.beta);
        self.window
            .increase(if congested { 0.5 } else { 1.0 }, rest);
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let share = if self.is_congested() {
            0.5
        } else {
            self.random_share
        };
        self.window.reduce_by(event, share);
        self.delays.restart();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn a_loss_with_empty_queues_costs_a_fifth_and_one_with_full_queues_half() {
        // 20 segments at a smallest round trip of 100 ms: at 110 ms 1.8 of them wait, at 125 ms 4.
        for (rtt, left) in [(110, 0.8), (125, 0.5)] {
            let mut cc = started(&ALGORITHM, 40);
            lose(&mut cc, 40);
            round(&mut cc, 100, 20);
            (0..3).for_each(|_| round(&mut cc, rtt, 20));
            let window = cc.cwnd();
            lose(&mut cc, window / 1000);
            let share = cc.cwnd() as f64 / (window / 1000 * 1000) as f64;
            assert!((share - left).abs() < 0.03, "{rtt}: {share}");
        }
    }

    #[test]
    fn growth_halves_when_segments_wait() {
        for (rtt, grown) in [(105, 1000), (140, 500)] {
            let mut cc = started(&ALGORITHM, 40);
            lose(&mut cc, 40);
            round(&mut cc, 100, 20);
            round(&mut cc, rtt, 20);
            let before = cc.cwnd();
            round(&mut cc, rtt, 20);
            let by = cc.cwnd() - before;
            assert!(by.abs_diff(grown) < 100, "{rtt}: {by}");
        }
    }
}
