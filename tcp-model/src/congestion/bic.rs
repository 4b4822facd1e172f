//! BIC: after a loss, a binary search for the window at which it happened (Xu, Harfoush and Rhee,
//! "Binary increase congestion control (BIC) for fast long-distance networks", 2004), with Linux's
//! smoothing near that window.

use super::window::{CongestionWindow, window_methods};
use super::{AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent, ControlParameter};

/// `bic`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "bic",
    aliases: &[],
    doc: "binary search towards the window of the last loss, then growth beyond it in increasing steps",
    source: "Xu, Harfoush and Rhee 2004; Linux tcp_bic",
    version: 1,
    parameters: &[
        ControlParameter::number(
            "beta",
            (0.1, 0.99),
            819.0 / 1024.0,
            "share of the window that is left after a loss",
        ),
        ControlParameter::number(
            "max_increment",
            (1.0, 1000.0),
            16.0,
            "most segments by which the window opens in a round trip",
        ),
        ControlParameter::number(
            "low_window",
            (0.0, 10_000.0),
            14.0,
            "up to this many segments the window is that of Reno",
        ),
        ControlParameter::switch(
            "fast_convergence",
            true,
            "release more of the window when it was smaller at this loss than at the one before",
        ),
    ],
    make: |control, _| {
        AnyCc::own(Bic {
            window: CongestionWindow::new(),
            beta: control.get("beta"),
            max_increment: control.get("max_increment"),
            low_window: control.get("low_window"),
            fast_convergence: control.is_on("fast_convergence"),
            last_max: None,
        })
    },
};

/// The search goes a quarter of the way at a time (Linux `BICTCP_B`).
const SEARCH: f64 = 4.0;
/// Round trips for the last step of the search (Linux `smooth_part`), over `SEARCH`.
const SMOOTH: f64 = 20.0;
/// Before the first loss the window grows by at least a twentieth of itself in a round trip.
const FIRST: f64 = 1.0 / 20.0;

#[derive(Clone, Debug)]
struct Bic {
    window: CongestionWindow,
    beta: f64,
    max_increment: f64,
    low_window: f64,
    fast_convergence: bool,
    /// The window of the last loss, segments.
    last_max: Option<f64>,
}

impl Bic {
    /// Segments by which the window grows in a round trip.
    fn increment(&self) -> f64 {
        let cwnd = self.window.segments();
        if cwnd <= self.low_window {
            return 1.0;
        }
        let Some(max) = self.last_max else {
            return self.max_increment.max(cwnd * FIRST);
        };
        let slow = SEARCH / SMOOTH;
        if cwnd < max {
            let distance = (max - cwnd) / SEARCH;
            if distance <= 1.0 {
                return slow;
            }
            distance.min(self.max_increment)
        } else if cwnd < max + SEARCH {
            slow
        } else {
            ((cwnd - max) / (SEARCH - 1.0)).min(self.max_increment)
        }
    }
}

impl CongestionControl for Bic {
    window_methods!(with idle);

    fn needs_measurements(&self) -> bool {
        false
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        if !CongestionWindow::may_grow(ack) {
            return;
        }
        let rest = self.window.slow_start(ack.acked);
        if rest > 0 {
            self.window.increase(self.increment(), rest);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let cwnd = self.window.segments();
        let shrinking = self.last_max.is_some_and(|max| cwnd < max);
        self.last_max = Some(match self.fast_convergence && shrinking {
            true => cwnd * (1.0 + self.beta) / 2.0,
            false => cwnd,
        });
        let share = if cwnd <= self.low_window {
            0.5
        } else {
            self.beta
        };
        self.window.reduce_by(event, share);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn the_search_is_linear_then_by_quarters_then_slow_and_beyond_it_speeds_up() {
        // 400 segments when the loss comes: 320 are left (0.7998 of them).
        let mut cc = started(&ALGORITHM, 400);
        lose(&mut cc, 400);
        assert_eq!(cc.cwnd(), 319_922);
        let mut expected = 319.922;
        for n in 0..40 {
            let before = cc.cwnd() as f64 / 1000.0;
            round(&mut cc, 100, 100);
            let grown = cc.cwnd() as f64 / 1000.0 - before;
            // The values of the rule at the start of the round and at its end.
            let rule = |w: f64| {
                if w < 400.0 {
                    let d = (400.0 - w) / 4.0;
                    if d <= 1.0 { 0.2 } else { d.min(16.0) }
                } else if w < 404.0 {
                    0.2
                } else {
                    ((w - 400.0) / 3.0).min(16.0)
                }
            };
            let (a, b) = (rule(before), rule(before + grown));
            assert!(
                (a.min(b) * 0.97..=a.max(b) * 1.03).contains(&grown),
                "round {n}: {before} grew by {grown}, rule {a} to {b}"
            );
            expected += grown;
        }
        assert!((expected - cc.cwnd() as f64 / 1000.0).abs() < 0.1);
        assert!(cc.cwnd() > 399_000 && cc.cwnd() < 412_000, "{}", cc.cwnd());
    }

    #[test]
    fn a_small_window_is_that_of_reno() {
        let mut cc = started(&ALGORITHM, 12);
        lose(&mut cc, 12);
        assert_eq!(cc.cwnd(), 6000);
        round(&mut cc, 100, 6);
        assert!(cc.cwnd().abs_diff(7000) < 100, "{}", cc.cwnd());
    }
}
