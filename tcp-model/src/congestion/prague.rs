//! Prague: DCTCP for the Internet, for queues that mark early (L4S, RFC 9331;
//! draft-briscoe-iccrg-prague-congestion-control).
//!
//! Leaves out the fall-back for queues that mark ECT(1) like ECT(0), the fractional window below two segments,
//! and the fast start that replaces slow start.

use sim_core::{Rate, SimDuration};

use super::dctcp::{GAIN, MarkedShare};
use super::window::{CongestionWindow, window_methods};
use super::{
    AckEvent, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent, ControlParameter,
};
use crate::segment::Ecn;

/// `prague`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "prague",
    aliases: &[],
    doc: "sends ECT(1) and shrinks by the share of bytes with a congestion mark, paced; below a \
          round trip of 25 ms it grows as if that were its round trip; for L4S",
    source: "draft-briscoe-iccrg-prague-congestion-control, RFC 9331",
    version: 1,
    parameters: &[
        GAIN,
        ControlParameter::time(
            "virtual_rtt",
            (0.0, 1.0),
            0.025,
            "flows with shorter round trips grow as if theirs were this",
        ),
        ControlParameter::number(
            "beta",
            (0.1, 0.99),
            0.5,
            "share of the window that is left after a loss",
        ),
    ],
    make: |control, _| {
        AnyCc::own(Prague {
            window: CongestionWindow::new(),
            marks: MarkedShare::new(control.get("g"), 1.0),
            virtual_rtt: control.get("virtual_rtt"),
            beta: control.get("beta"),
            srtt: None,
        })
    },
};

#[derive(Clone, Debug)]
struct Prague {
    window: CongestionWindow,
    marks: MarkedShare,
    virtual_rtt: f64,
    beta: f64,
    srtt: Option<SimDuration>,
}

impl Prague {
    /// Segments by which the window grows in a round trip: the rate grows as fast as that of a flow with the virtual
    /// round-trip time.
    fn increase(&self) -> f64 {
        match self.srtt {
            Some(rtt) if self.virtual_rtt > 0.0 => {
                let ratio = (rtt.as_secs_f64() / self.virtual_rtt).min(1.0);
                ratio * ratio
            }
            _ => 1.0,
        }
    }
}

impl CongestionControl for Prague {
    window_methods!(with idle);

    fn needs_measurements(&self) -> bool {
        true // pacing
    }

    fn needs_ecn(&self) -> bool {
        true
    }

    fn ect(&self) -> Ecn {
        Ecn::Ect1
    }

    /// Additive increase continues in a round trip with a reduction.
    fn reduces_at_once(&self) -> bool {
        true
    }

    /// One window per round trip, twice that in slow start.
    fn pacing_rate(&self) -> Option<Rate> {
        let rtt = self.srtt?.as_secs_f64().max(1e-9);
        let gain = if self.window.in_slow_start() {
            2.0
        } else {
            1.0
        };
        Rate::from_bps((gain * self.window.bytes() as f64 * 8.0 / rtt) as u64)
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        self.srtt = ack.srtt.or(self.srtt);
        self.marks.on_ack(ack);
        if CongestionWindow::may_grow(ack) {
            // Only unmarked bytes let the window grow.
            let unmarked = ack.acked.saturating_sub(ack.marked);
            let rest = self.window.slow_start(unmarked);
            self.window.increase(self.increase(), rest);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let cwnd = self.window.segments();
        match event.cause {
            Congestion::Ecn => self
                .window
                .reduce(event, cwnd * (1.0 - self.marks.alpha() / 2.0)),
            _ => self.window.reduce_by(event, self.beta),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn short_round_trips_grow_like_one_of_25_ms() {
        // In 100 ms: 4 round trips of 25 ms, a segment each; 20 of 5 ms, a 25th of a segment each:
        // a fifth of the window's rate in each, so the same rate is gained in proportion.
        for (rtt, grown) in [(50, 1.0), (25, 1.0), (5, 0.04)] {
            let mut cc = started(&ALGORITHM, 40);
            lose(&mut cc, 40);
            round(&mut cc, rtt, 20);
            let before = cc.cwnd();
            round(&mut cc, rtt, 20);
            let by = (cc.cwnd() - before) as f64 / 1000.0;
            assert!((by - grown).abs() < 0.1 * grown + 0.002, "{rtt}: {by}");
        }
    }

    #[test]
    fn it_sends_ect_1_and_asks_for_ecn() {
        let control = super::super::Control::new(&ALGORITHM);
        let cc = control.make(&crate::congestion::ControlContext::default());
        assert!(cc.needs_ecn());
        assert_eq!(cc.ect(), Ecn::Ect1);
    }
}
