//! TCP Vegas: keeps a few segments in the queue of the bottleneck (Brakmo and Peterson, "TCP Vegas:
//! end to end congestion avoidance on a global Internet", 1995).

use super::round_delays::RoundDelays;
use super::window::{CongestionWindow, window_methods};
use super::{
    AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent, ControlParameter, RoundTrips,
};

/// `vegas`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "vegas",
    aliases: &[],
    doc: "opens and closes the window so that a few segments wait in queues, by the round-trip time",
    source: "Brakmo and Peterson 1995",
    version: 2,
    parameters: &[
        ControlParameter::number(
            "alpha",
            (0.0, 1000.0),
            2.0,
            "open below this many waiting segments",
        ),
        ControlParameter::number(
            "beta",
            (0.0, 1000.0),
            4.0,
            "close above this many waiting segments",
        ),
        ControlParameter::number(
            "gamma",
            (0.0, 1000.0),
            1.0,
            "leave slow start above this many waiting segments",
        ),
    ],
    make: |control, _| {
        AnyCc::own(Vegas {
            window: CongestionWindow::new(),
            alpha: control.get("alpha"),
            beta: control.get("beta"),
            gamma: control.get("gamma"),
            rounds: RoundTrips::default(),
            delays: RoundDelays::default(),
        })
    },
};

#[derive(Clone, Debug)]
struct Vegas {
    window: CongestionWindow,
    alpha: f64,
    beta: f64,
    gamma: f64,
    rounds: RoundTrips,
    delays: RoundDelays,
}

impl Vegas {
    /// Segments that waited in queues in the last round, and the window that would leave none.
    fn waiting(&self) -> Option<(f64, f64)> {
        let (base, rtt) = self.delays.of_round()?;
        let target = self.window.segments() * base / rtt.max(1e-12);
        Some((self.window.segments() - target, target))
    }

    fn next_round(&mut self, acked: u64) {
        match self.waiting() {
            None => {
                let rest = self.window.slow_start(acked);
                self.window.increase(1.0, rest);
            }
            Some((waiting, target)) if self.window.in_slow_start() => {
                if waiting > self.gamma {
                    self.window.set(self.window.segments().min(target + 1.0));
                    self.window.end_slow_start();
                }
            }
            Some((waiting, _)) if waiting > self.beta => {
                self.window.set((self.window.segments() - 1.0).max(2.0));
            }
            Some((waiting, _)) if waiting < self.alpha => self.window.open(self.window.mss()),
            Some(_) => {}
        }
        self.delays.restart();
    }
}

impl CongestionControl for Vegas {
    window_methods!(with idle);

    fn on_ack(&mut self, ack: &AckEvent) {
        self.delays.on_sample(ack.rtt);
        let over = self.rounds.on_ack(ack);
        if !CongestionWindow::may_grow(ack) {
            return;
        }
        if over {
            self.next_round(ack.acked);
        } else if self.window.in_slow_start() {
            // The paper doubles in every other round trip; half as fast in each is equivalent.
            self.window.open(ack.acked as f64 / 2.0);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        self.window.reduce_by(event, 0.5);
        self.delays.restart();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn a_window_that_closes_stays_in_congestion_avoidance() {
        let mut cc = started(&ALGORITHM, 40);
        lose(&mut cc, 40);
        round(&mut cc, 100, 20);
        round(&mut cc, 150, 20);
        round(&mut cc, 150, 20);
        let closed = cc.cwnd();
        assert!(closed < 21_000, "{closed}");
        round(&mut cc, 150, 20);
        assert_eq!(cc.cwnd(), closed - 1000, "slow start would have doubled it");
    }

    #[test]
    fn the_window_opens_stays_or_closes_by_what_waits_in_queues() {
        // 20 segments; the round trip of 100 ms rises so that 1, 3 or 6 of them wait.
        for (rtt, change) in [(105, 1), (118, 0), (143, -1)] {
            let mut cc = started(&ALGORITHM, 40);
            lose(&mut cc, 40);
            round(&mut cc, 100, 20); // the base
            let before = cc.cwnd() as i64;
            round(&mut cc, rtt, 20);
            let first = cc.cwnd() as i64;
            round(&mut cc, rtt, 20);
            let second = cc.cwnd() as i64;
            assert_eq!(first - before, 1000, "the round of the base ends");
            assert_eq!((second - first) / 1000, change, "{rtt}");
        }
    }
}
