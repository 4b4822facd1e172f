//! TCP Hybla: a connection with a long round trip grows as fast as one with a short one (Caini and
//! Firrincieli, "TCP Hybla: a TCP enhancement for heterogeneous networks", 2004).

use super::window::{CongestionWindow, window_methods};
use super::{AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent, ControlParameter};

/// `hybla`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "hybla",
    aliases: &[],
    doc: "grows as fast as a reference connection with a short round trip; for satellite links",
    source: "Caini and Firrincieli 2004",
    version: 1,
    parameters: &[ControlParameter::time(
        "rtt0",
        (0.001, 10.0),
        0.025,
        "round trip of the reference connection",
    )],
    make: |control, _| {
        AnyCc::own(Hybla {
            window: CongestionWindow::new(),
            rtt0: control.get("rtt0"),
        })
    },
};

/// Largest number of doublings per round trip in slow start.
const MOST_RHO: f64 = 16.0;

#[derive(Clone, Debug)]
struct Hybla {
    window: CongestionWindow,
    rtt0: f64,
}

impl CongestionControl for Hybla {
    window_methods!(with idle);

    fn needs_measurements(&self) -> bool {
        false
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        if !CongestionWindow::may_grow(ack) {
            return;
        }
        let rtt = ack.srtt.map_or(self.rtt0, |r| r.as_secs_f64());
        let rho = (rtt / self.rtt0).clamp(1.0, MOST_RHO);
        if self.window.in_slow_start() {
            let bytes = (libm::exp2(rho) - 1.0) * ack.acked as f64;
            self.window.open_to_threshold(bytes);
        } else {
            self.window.increase(rho * rho, ack.acked);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        self.window.reduce_by(event, 0.5);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn growth_is_that_of_the_reference_connection() {
        // rho = 2: three segments for each one in slow start, four each round trip afterwards.
        let mut cc = started(&ALGORITHM, 10);
        round(&mut cc, 50, 10);
        assert_eq!(cc.cwnd(), 40_000);
        lose(&mut cc, 40);
        round(&mut cc, 50, 100);
        assert!(cc.cwnd().abs_diff(24_000) < 400, "{}", cc.cwnd());
        // Shorter than the reference: Reno.
        let mut cc = started(&ALGORITHM, 40);
        lose(&mut cc, 40);
        round(&mut cc, 10, 100);
        assert!(cc.cwnd().abs_diff(21_000) < 100, "{}", cc.cwnd());
    }
}
