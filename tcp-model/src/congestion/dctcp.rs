//! DCTCP (RFC 8257): the window shrinks in proportion to the share of marked bytes.

use super::window::{CongestionWindow, window_methods};
use super::{
    AckEvent, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent, ControlParameter,
};

/// The gain of the estimate of marks (RFC 8257 section 3.3).
pub(super) const GAIN: ControlParameter = ControlParameter::number(
    "g",
    (0.001, 1.0),
    1.0 / 16.0,
    "weight of a new round trip in the estimate of the marked share",
);

/// `dctcp`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "dctcp",
    aliases: &[],
    doc: "grows like NewReno and shrinks by the share of bytes with a congestion mark; asks for ECN; \
          for data centres whose queues mark early",
    source: "RFC 8257",
    version: 1,
    parameters: &[
        GAIN,
        ControlParameter::number("alpha", (0.0, 1.0), 1.0, "the estimate at the start"),
    ],
    make: |control, _| {
        AnyCc::own(Dctcp {
            window: CongestionWindow::new(),
            marks: MarkedShare::new(control.get("g"), control.get("alpha")),
        })
    },
};

/// DCTCP.Alpha: the share of marked bytes, averaged over round trips (RFC 8257 section 3.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct MarkedShare {
    g: f64,
    alpha: f64,
    /// Bytes acknowledged in this round trip, and the marked ones among them.
    acked: u64,
    marked: u64,
    /// DCTCP.WindowEnd: stream offset.
    end: u64,
}

impl MarkedShare {
    pub(super) fn new(g: f64, alpha: f64) -> MarkedShare {
        MarkedShare {
            g,
            alpha,
            acked: 0,
            marked: 0,
            end: 0,
        }
    }

    /// Counts an ACK. True when it ends a round trip.
    pub(super) fn on_ack(&mut self, ack: &AckEvent) -> bool {
        self.acked += ack.acked;
        self.marked += ack.marked;
        if ack.una <= self.end {
            return false;
        }
        if self.acked > 0 {
            let share = self.marked.min(self.acked) as f64 / self.acked as f64;
            self.alpha = self.alpha * (1.0 - self.g) + self.g * share;
        }
        (self.acked, self.marked, self.end) = (0, 0, ack.nxt);
        true
    }

    /// The share.
    pub(super) fn alpha(&self) -> f64 {
        self.alpha
    }
}

#[derive(Clone, Debug)]
struct Dctcp {
    window: CongestionWindow,
    marks: MarkedShare,
}

impl CongestionControl for Dctcp {
    window_methods!(with idle);

    fn needs_measurements(&self) -> bool {
        false
    }

    fn needs_ecn(&self) -> bool {
        true
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        self.marks.on_ack(ack);
        if CongestionWindow::may_grow(ack) {
            let rest = self.window.slow_start(ack.acked);
            self.window.increase(1.0, rest);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let cwnd = self.window.segments();
        match event.cause {
            Congestion::Ecn => self
                .window
                .reduce(event, cwnd * (1.0 - self.marks.alpha() / 2.0)),
            _ => self.window.reduce_by(event, 0.5), // section 3.5
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::SimTime;

    fn ack(una: u64, nxt: u64, acked: u64, marked: u64) -> AckEvent {
        AckEvent {
            una,
            nxt,
            marked,
            ..AckEvent::plain(SimTime::ZERO, acked)
        }
    }

    #[test]
    fn alpha_follows_the_marked_share_of_each_round_trip() {
        let mut marks = MarkedShare::new(1.0 / 16.0, 1.0);
        assert!(marks.on_ack(&ack(1000, 11_000, 1000, 0)));
        assert_eq!(marks.alpha(), 15.0 / 16.0);
        // Ten segments, two marked; the eleventh ends the round trip and counts to it.
        for i in 1..=10u64 {
            let marked = if i <= 2 { 1000 } else { 0 };
            assert!(!marks.on_ack(&ack(1000 + i * 1000, 22_000, 1000, marked)));
        }
        assert!(marks.on_ack(&ack(12_000, 22_000, 1000, 0)));
        let expected = 15.0 / 16.0 * 15.0 / 16.0 + 2.0 / 11.0 / 16.0;
        assert!((marks.alpha() - expected).abs() < 1e-12);
    }

    #[test]
    fn the_window_shrinks_by_half_of_alpha_and_by_half_for_a_loss() {
        for (alpha, cause, left) in [
            (1.0, Congestion::Ecn, 50_000),
            (0.25, Congestion::Ecn, 87_500),
            (0.25, Congestion::Loss, 50_000),
        ] {
            let mut cc = Dctcp {
                window: CongestionWindow::new(),
                marks: MarkedShare::new(1.0 / 16.0, alpha),
            };
            cc.on_start(&super::super::ConnectionStart {
                mss: 1000,
                initial_window: 100_000,
                srtt: None,
            });
            cc.on_congestion(&CongestionEvent {
                cause,
                now: SimTime::ZERO,
                in_flight: 100_000,
                pipe: 100_000,
                gentle: false,
                whole: false,
            });
            assert_eq!(cc.cwnd(), left, "{alpha} {cause:?}");
        }
    }
}
