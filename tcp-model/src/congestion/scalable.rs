//! Scalable TCP: the time to recover from a loss does not depend on the window (Kelly, "Scalable
//! TCP: improving performance in highspeed wide area networks", 2003).

use super::window::{CongestionWindow, window_methods};
use super::{AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent, ControlParameter};

/// `scalable`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "scalable",
    aliases: &[],
    doc: "opens the window by a fixed amount for each ACK and keeps seven eighths after a loss",
    source: "Kelly 2003, Scalable TCP",
    version: 1,
    parameters: &[
        ControlParameter::number(
            "a",
            (0.0001, 1.0),
            0.01,
            "segments added for each one acknowledged",
        ),
        ControlParameter::number(
            "b",
            (0.01, 0.9),
            0.125,
            "share of the window given up after a loss",
        ),
        ControlParameter::count(
            "low_window",
            (1, 1_000_000),
            16,
            "as NewReno below this many segments",
        ),
    ],
    make: |control, _| {
        AnyCc::own(Scalable {
            window: CongestionWindow::new(),
            a: control.get("a"),
            b: control.get("b"),
            low_window: control.get("low_window"),
        })
    },
};

#[derive(Clone, Debug)]
struct Scalable {
    window: CongestionWindow,
    a: f64,
    b: f64,
    low_window: f64,
}

impl CongestionControl for Scalable {
    window_methods!(with idle);

    fn needs_measurements(&self) -> bool {
        false
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        if !CongestionWindow::may_grow(ack) {
            return;
        }
        let rest = self.window.slow_start(ack.acked);
        if self.window.segments() <= self.low_window {
            self.window.increase(1.0, rest);
        } else {
            self.window.open(self.a * rest as f64);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let low = self.window.segments() <= self.low_window;
        self.window
            .reduce_by(event, if low { 0.5 } else { 1.0 - self.b });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn recovery_takes_the_same_number_of_round_trips_whatever_the_window() {
        // 0.875 * 1.01^n >= 1 from n = 14 on.
        for segments in [100, 10_000] {
            let mut cc = started(&ALGORITHM, segments);
            lose(&mut cc, segments);
            let rounds = (0..)
                .take_while(|_| {
                    let before = cc.cwnd();
                    round(&mut cc, 100, 100);
                    before < segments * 1000
                })
                .count();
            assert_eq!(rounds, 14, "{segments}");
        }
    }

    #[test]
    fn a_small_window_is_that_of_reno() {
        let mut cc = started(&ALGORITHM, 10);
        lose(&mut cc, 10);
        assert_eq!(cc.cwnd(), 5_000);
        round(&mut cc, 100, 100);
        assert!((5_900..6_100).contains(&cc.cwnd()), "{}", cc.cwnd());
    }
}
