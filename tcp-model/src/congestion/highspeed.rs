//! HighSpeed TCP, RFC 3649: increase and decrease depend on the window, so that a large window can be sustained
//! at a higher loss rate than with Reno.

use super::window::{CongestionWindow, window_methods};
use super::{AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent};

/// `highspeed`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "highspeed",
    aliases: &["hstcp"],
    doc: "adds more and gives up less the larger the window is; NewReno below 38 segments",
    source: "RFC 3649",
    version: 1,
    parameters: &[],
    make: |_, _| {
        AnyCc::own(HighSpeed {
            window: CongestionWindow::new(),
        })
    },
};

/// Section 5: the window below which it is Reno, and the one of a loss rate of 10^-7.
const LOW_WINDOW: f64 = 38.0;
const HIGH_WINDOW: f64 = 83_000.0;
/// The decrease at the high window.
const HIGH_DECREASE: f64 = 0.1;

#[derive(Clone, Debug)]
struct HighSpeed {
    window: CongestionWindow,
}

/// b(w): the share by which a loss reduces the window.
fn decrease(w: f64) -> f64 {
    if w <= LOW_WINDOW {
        return 0.5;
    }
    let place = libm::log(w / LOW_WINDOW) / libm::log(HIGH_WINDOW / LOW_WINDOW);
    (HIGH_DECREASE - 0.5) * place + 0.5
}

/// a(w): segments added each round trip.
fn increase(w: f64) -> f64 {
    if w <= LOW_WINDOW {
        return 1.0;
    }
    let p = 0.078 / libm::pow(w, 1.2);
    let b = decrease(w);
    (w * w * p * 2.0 * b / (2.0 - b)).max(1.0)
}

impl CongestionControl for HighSpeed {
    window_methods!(with idle);

    fn needs_measurements(&self) -> bool {
        false
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        if CongestionWindow::may_grow(ack) {
            let rest = self.window.slow_start(ack.acked);
            if rest > 0 {
                self.window.increase(increase(self.window.segments()), rest);
            }
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let share = 1.0 - decrease(self.window.segments());
        self.window.reduce_by(event, share);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    /// Rows of appendix B: w, a(w), b(w).
    const ROWS: [(f64, f64, f64); 6] = [
        (38.0, 1.0, 0.50),
        (118.0, 2.0, 0.44),
        (221.0, 3.0, 0.41),
        (347.0, 4.0, 0.38),
        (495.0, 5.0, 0.37),
        (84_035.0, 71.0, 0.10),
    ];

    #[test]
    fn increase_and_decrease_are_those_of_the_table() {
        for (w, a, b) in ROWS {
            assert!(
                (increase(w) - a).abs() < 0.02 * a,
                "a({w}) = {}",
                increase(w)
            );
            assert!((decrease(w) - b).abs() < 0.006, "b({w}) = {}", decrease(w));
        }
    }

    #[test]
    fn the_window_follows() {
        let mut cc = started(&ALGORITHM, 347);
        lose(&mut cc, 347);
        let after = 347_000.0 * (1.0 - decrease(347.0));
        assert!((cc.cwnd() as f64 - after).abs() < 1.0);
        let before = cc.cwnd();
        round(&mut cc, 100, 100);
        let grown = (cc.cwnd() - before) as f64 / 1000.0;
        let expected = increase(before as f64 / 1000.0);
        assert!((grown - expected).abs() < 0.05, "{grown} {expected}");
    }
}
