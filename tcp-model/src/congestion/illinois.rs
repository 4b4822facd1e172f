//! TCP Illinois: increases more and decreases less while queues are short (Liu, Basar and Srikant,
//! "TCP-Illinois: a loss- and delay-based congestion control algorithm for high-speed networks",
//! 2006).

use sim_core::SimDuration;

use super::window::{CongestionWindow, window_methods};
use super::{AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent, RoundTrips};

/// `illinois`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "illinois",
    aliases: &[],
    doc: "adds up to ten segments each round trip and gives up an eighth while queues are short, \
          less and more as they fill",
    source: "Liu, Basar and Srikant 2006",
    version: 1,
    parameters: &[],
    make: |_, _| {
        AnyCc::own(Illinois {
            window: CongestionWindow::new(),
            rounds: RoundTrips::default(),
            base: None,
            largest: SimDuration::ZERO,
            sum: SimDuration::ZERO,
            samples: 0,
            alpha: 1.0,
            beta: 0.5,
        })
    },
};

const ALPHA_MIN: f64 = 0.3;
const ALPHA_MAX: f64 = 10.0;
const BETA_MIN: f64 = 0.125;
const BETA_MAX: f64 = 0.5;
/// As Reno below this window, segments.
const LOW_WINDOW: f64 = 15.0;

#[derive(Clone, Debug)]
struct Illinois {
    window: CongestionWindow,
    rounds: RoundTrips,
    base: Option<SimDuration>,
    largest: SimDuration,
    sum: SimDuration,
    samples: u32,
    alpha: f64,
    beta: f64,
}

/// Increase and decrease at an average queueing delay `da`, of at most `dm`.
fn response(da: f64, dm: f64) -> (f64, f64) {
    let (d1, d2, d3) = (0.01 * dm, 0.1 * dm, 0.8 * dm);
    let alpha = if da <= d1 {
        ALPHA_MAX
    } else {
        // kappa1 / (kappa2 + da), continuous at d1 and dm.
        let k1 = (dm - d1) * ALPHA_MIN * ALPHA_MAX / (ALPHA_MAX - ALPHA_MIN);
        let k2 = (dm - d1) * ALPHA_MIN / (ALPHA_MAX - ALPHA_MIN) - d1;
        k1 / (k2 + da)
    };
    let beta = if da <= d2 {
        BETA_MIN
    } else if da >= d3 {
        BETA_MAX
    } else {
        BETA_MIN + (BETA_MAX - BETA_MIN) * (da - d2) / (d3 - d2)
    };
    (alpha, beta)
}

impl Illinois {
    fn next_round(&mut self) {
        if let (Some(base), true) = (self.base, self.samples > 0) {
            let mean = self.sum.as_secs_f64() / f64::from(self.samples);
            let dm = self.largest.saturating_sub(base).as_secs_f64();
            let da = (mean - base.as_secs_f64()).max(0.0);
            (self.alpha, self.beta) = if self.window.segments() < LOW_WINDOW {
                (1.0, 0.5)
            } else {
                response(da, dm)
            };
        }
        self.sum = SimDuration::ZERO;
        self.samples = 0;
    }
}

impl CongestionControl for Illinois {
    window_methods!(with idle);

    fn on_ack(&mut self, ack: &AckEvent) {
        if let Some(rtt) = ack.rtt {
            self.base = Some(self.base.map_or(rtt, |b| b.min(rtt)));
            self.largest = self.largest.max(rtt);
            self.sum += rtt;
            self.samples += 1;
        }
        if self.rounds.on_ack(ack) {
            self.next_round();
        }
        if CongestionWindow::may_grow(ack) {
            let rest = self.window.slow_start(ack.acked);
            self.window.increase(self.alpha, rest);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        self.window.reduce_by(event, 1.0 - self.beta);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn the_response_is_that_of_the_paper() {
        for (da, alpha, beta) in [
            (0.0, 10.0, 0.125),
            (0.01, 10.0, 0.125),
            (0.1, 2.538, 0.125),
            (0.45, 0.6506, 0.3125),
            (0.8, 0.3731, 0.5),
            (1.0, 0.3, 0.5),
        ] {
            let (a, b) = response(da, 1.0);
            assert!((a - alpha).abs() < 0.01, "alpha({da}) = {a}");
            assert!((b - beta).abs() < 1e-9, "beta({da}) = {b}");
        }
    }

    #[test]
    fn short_queues_add_ten_segments_a_round_trip_and_give_up_an_eighth() {
        let mut cc = started(&ALGORITHM, 200);
        round(&mut cc, 200, 10); // the largest delay known
        round(&mut cc, 100, 10);
        lose(&mut cc, 200);
        round(&mut cc, 100, 100);
        round(&mut cc, 100, 100);
        let before = cc.cwnd();
        round(&mut cc, 100, 100);
        assert!((cc.cwnd() - before).abs_diff(10_000) < 500);
        lose(&mut cc, 160);
        assert_eq!(cc.cwnd(), 140_000);
    }
}
