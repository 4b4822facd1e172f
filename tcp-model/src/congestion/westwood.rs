//! TCP Westwood+: after a loss, the window is the product of the measured bandwidth and the minimum round-trip
//! time (Grieco and Mascolo, "Performance evaluation and comparison of Westwood+, New Reno, and Vegas TCP
//! congestion control", 2004), with Linux's filter.

use sim_core::{SimDuration, SimTime};

use super::window::{CongestionWindow, window_methods};
use super::{AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent};

/// `westwood`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "westwood",
    aliases: &["westwood+"],
    doc: "grows like NewReno; after a loss the window is the measured bandwidth times the smallest \
          round trip",
    source: "Grieco and Mascolo 2004, Westwood+",
    version: 1,
    parameters: &[],
    make: |_, _| {
        AnyCc::own(Westwood {
            window: CongestionWindow::new(),
            since: None,
            delivered: 0,
            coarse: None,
            bandwidth: 0.0,
            min_rtt: None,
        })
    },
};

/// The shortest time over which bandwidth is measured (Linux `TCP_WESTWOOD_RTT_MIN`).
const SHORTEST: SimDuration = SimDuration::from_millis(50);

#[derive(Clone, Debug)]
struct Westwood {
    window: CongestionWindow,
    /// When the current measurement began.
    since: Option<SimTime>,
    delivered: u64,
    /// Bytes a second, filtered once; none before the first measurement.
    coarse: Option<f64>,
    /// Filtered twice.
    bandwidth: f64,
    min_rtt: Option<SimDuration>,
}

impl Westwood {
    fn measure(&mut self, ack: &AckEvent) {
        self.min_rtt = ack.min_rtt.or(self.min_rtt);
        self.delivered += ack.delivered;
        let since = *self.since.get_or_insert(ack.now);
        let time = ack.now.since(since);
        if time < ack.srtt.unwrap_or(SHORTEST).max(SHORTEST) {
            return;
        }
        let sample = self.delivered as f64 / time.as_secs_f64();
        let (coarse, fine) = match self.coarse {
            None => (sample, sample),
            Some(coarse) => {
                let coarse = (7.0 * coarse + sample) / 8.0;
                (coarse, (7.0 * self.bandwidth + coarse) / 8.0)
            }
        };
        (self.coarse, self.bandwidth) = (Some(coarse), fine);
        (self.since, self.delivered) = (Some(ack.now), 0);
    }
}

impl CongestionControl for Westwood {
    window_methods!(with idle);

    fn on_ack(&mut self, ack: &AckEvent) {
        self.measure(ack);
        if CongestionWindow::may_grow(ack) {
            let rest = self.window.slow_start(ack.acked);
            self.window.increase(1.0, rest);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        match (self.min_rtt, self.coarse) {
            (Some(min), Some(_)) => {
                let bytes = self.bandwidth * min.as_secs_f64();
                self.window.reduce(event, bytes / self.window.mss());
            }
            _ => self.window.reduce_by(event, 0.5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn after_a_loss_the_window_is_what_the_path_holds() {
        // The window in 125 ms, at a smallest round trip of 100 ms: four fifths of it.
        let mut cc = started(&ALGORITHM, 1000);
        round(&mut cc, 100, 1);
        lose(&mut cc, 2000);
        assert_eq!(cc.cwnd(), 1_000_000, "half, for nothing is measured yet");
        (0..40).for_each(|_| round(&mut cc, 125, 1000));
        let sent = cc.cwnd() as f64 / 1000.0;
        lose(&mut cc, sent as u64);
        let expected = sent * 0.8;
        let got = cc.cwnd() as f64 / 1000.0;
        assert!((got - expected).abs() < 0.03 * expected, "{got} {expected}");
    }
}
