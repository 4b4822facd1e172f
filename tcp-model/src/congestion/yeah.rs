//! YeAH-TCP: fast like Scalable TCP while few segments wait in queues, careful like Reno otherwise
//! (Baiocchi, Castellani and Vacirca, "YeAH-TCP: yet another highspeed TCP", 2007), with Linux's
//! values.

use super::round_delays::RoundDelays;
use super::window::{CongestionWindow, window_methods};
use super::{
    AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent, ControlParameter, RoundTrips,
};

/// `yeah`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "yeah",
    aliases: &["yeah-tcp"],
    doc: "grows like Scalable TCP while queues are short, empties them when they are not, and gives \
          way like Reno where others fill them",
    source: "Baiocchi, Castellani and Vacirca 2007; Linux tcp_yeah",
    version: 1,
    parameters: &[
        ControlParameter::number(
            "alpha",
            (1.0, 10_000.0),
            80.0,
            "most waiting segments in the fast mode",
        ),
        ControlParameter::number(
            "phy",
            (1.0, 1000.0),
            8.0,
            "the queue may lengthen the smallest round trip by one part in this many",
        ),
    ],
    make: |control, _| AnyCc::own(Yeah::new(control)),
};

/// The fast mode grows by one segment per this many acknowledged (Scalable TCP).
const SCALABLE: f64 = 100.0;
/// Rounds of the slow mode after which there is competition (Linux `TCP_YEAH_RHO`).
const RHO: u32 = 16;
/// Rounds of the fast mode after which there is none (Linux `TCP_YEAH_ZETA`).
const ZETA: u32 = 50;
/// A loss reduces the window by at least this share.
const LEAST_LOSS: f64 = 1.0 / 8.0;

#[derive(Clone, Debug)]
struct Yeah {
    window: CongestionWindow,
    alpha: f64,
    phy: f64,
    rounds: RoundTrips,
    delays: RoundDelays,
    /// The estimated window of a competing Reno flow, segments.
    reno: f64,
    /// Consecutive rounds in the slow mode, and total rounds in the fast mode.
    slow_rounds: u32,
    fast_rounds: u32,
    /// Segments that waited in the last round.
    waiting: f64,
}

impl Yeah {
    fn new(control: &super::Control) -> Yeah {
        Yeah {
            window: CongestionWindow::new(),
            alpha: control.get("alpha"),
            phy: control.get("phy"),
            rounds: RoundTrips::default(),
            delays: RoundDelays::default(),
            reno: 2.0,
            slow_rounds: 0,
            fast_rounds: 0,
            waiting: 0.0,
        }
    }

    fn next_round(&mut self) {
        let round = self.delays.of_round();
        self.delays.restart();
        let Some((base, rtt)) = round else { return };
        let rtt = rtt.max(1e-12);
        let cwnd = self.window.segments();
        self.waiting = cwnd * (rtt - base) / rtt;
        if self.waiting > self.alpha || rtt - base > base / self.phy {
            if self.waiting > self.alpha && cwnd > self.reno {
                // Precautionary decongestion.
                self.window
                    .set((cwnd - self.waiting.min(cwnd / 2.0)).max(self.reno));
                self.window.end_slow_start();
            }
            self.reno = match self.reno <= 2.0 {
                true => (self.window.segments() / 2.0).max(2.0),
                false => self.reno + 1.0,
            };
            self.slow_rounds = self.slow_rounds.saturating_add(1);
        } else {
            self.fast_rounds += 1;
            if self.fast_rounds > ZETA {
                (self.reno, self.fast_rounds) = (2.0, 0);
            }
            self.slow_rounds = 0;
        }
    }
}

impl CongestionControl for Yeah {
    window_methods!(with idle);

    fn on_ack(&mut self, ack: &AckEvent) {
        self.delays.on_sample(ack.rtt);
        let over = self.rounds.on_ack(ack);
        if CongestionWindow::may_grow(ack) {
            let rest = self.window.slow_start(ack.acked);
            if self.slow_rounds == 0 {
                let steep = (self.window.segments() / SCALABLE).max(1.0);
                self.window.increase(steep, rest);
            } else {
                self.window.increase(1.0, rest);
            }
        }
        if over {
            self.next_round();
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let flight = event.in_flight as f64 / self.window.mss();
        let half = (flight / 2.0).max(2.0);
        let less = match self.slow_rounds < RHO {
            true => self.waiting.min(half).max(flight * LEAST_LOSS),
            false => half,
        };
        self.fast_rounds = 0;
        self.reno = (self.reno / 2.0).max(2.0);
        self.window.reduce(event, flight - less);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    /// In congestion avoidance with this many segments, the smallest round trip known.
    fn avoiding(segments: u64) -> super::super::testing::RoundTester {
        let mut cc = started(&ALGORITHM, segments * 8 / 7);
        lose(&mut cc, segments * 8 / 7);
        round(&mut cc, 100, 20);
        cc
    }

    #[test]
    fn short_queues_let_it_grow_by_a_hundredth_and_long_ones_by_a_segment() {
        // 400 segments; at 102 ms 8 wait, at 115 ms 52, and the round trip is an eighth longer.
        for (rtt, grown) in [(102, 4.0), (115, 1.0)] {
            let mut cc = avoiding(400);
            round(&mut cc, rtt, 100);
            round(&mut cc, rtt, 100);
            let before = cc.cwnd();
            round(&mut cc, rtt, 100);
            let by = (cc.cwnd() - before) as f64 / 1000.0;
            assert!((by - grown).abs() < 0.15 * grown, "{rtt}: {by}");
        }
    }

    #[test]
    fn too_long_a_queue_is_emptied() {
        // At 150 ms a third of 400 segments waits: more than 80.
        let mut cc = avoiding(400);
        round(&mut cc, 150, 100);
        let before = cc.cwnd() as f64;
        round(&mut cc, 150, 100);
        let share = cc.cwnd() as f64 / before;
        assert!((share - 2.0 / 3.0).abs() < 0.02, "{share}");
    }

    #[test]
    fn a_loss_without_competition_costs_what_waits() {
        let mut cc = avoiding(400);
        (0..3).for_each(|_| round(&mut cc, 102, 100));
        let before = cc.cwnd();
        lose(&mut cc, before / 1000);
        let share = cc.cwnd() as f64 / before as f64;
        assert!((share - 0.875).abs() < 0.01, "{share}");
    }
}
