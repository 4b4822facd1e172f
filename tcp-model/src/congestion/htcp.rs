//! H-TCP: the increase grows with the time since the last loss, the decrease adapts to the round
//! trip (Leith and Shorten, "H-TCP: TCP for high-speed and long-distance networks", 2004).

use sim_core::{SimDuration, SimTime};

use super::window::{CongestionWindow, window_methods};
use super::{AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent};

/// `htcp`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "htcp",
    aliases: &["h-tcp"],
    doc: "adds more segments each round trip the longer no loss has occurred",
    source: "Leith and Shorten 2004; draft-leith-tcp-htcp-06",
    version: 1,
    parameters: &[],
    make: |_, _| {
        AnyCc::own(Htcp {
            window: CongestionWindow::new(),
            last_loss: None,
            rtts: None,
            beta: 0.5,
        })
    },
};

/// As Reno for this long after a loss, seconds.
const LOW_SPEED: f64 = 1.0;

#[derive(Clone, Debug)]
struct Htcp {
    window: CongestionWindow,
    last_loss: Option<SimTime>,
    /// Smallest and largest round trip since the last loss.
    rtts: Option<(SimDuration, SimDuration)>,
    beta: f64,
}

/// Segments added each round trip, `since` seconds after the last loss.
fn increase(since: f64, beta: f64) -> f64 {
    let alpha = if since <= LOW_SPEED {
        1.0
    } else {
        let d = since - LOW_SPEED;
        1.0 + 10.0 * d + 0.25 * d * d
    };
    (2.0 * (1.0 - beta) * alpha).max(1.0)
}

impl CongestionControl for Htcp {
    window_methods!(with idle);

    fn on_ack(&mut self, ack: &AckEvent) {
        if let Some(rtt) = ack.rtt {
            let (min, max) = self.rtts.unwrap_or((rtt, rtt));
            self.rtts = Some((min.min(rtt), max.max(rtt)));
        }
        if CongestionWindow::may_grow(ack) {
            let rest = self.window.slow_start(ack.acked);
            let since = *self.last_loss.get_or_insert(ack.now);
            let since = ack.now.since(since).as_secs_f64();
            self.window.increase(increase(since, self.beta), rest);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        // The queue of the bottleneck just empties.
        if let Some((min, max)) = self.rtts {
            let ratio = min.as_secs_f64() / max.as_secs_f64().max(1e-12);
            self.beta = ratio.clamp(0.5, 0.8);
        }
        self.rtts = None;
        self.last_loss = Some(event.now);
        self.window.reduce_by(event, self.beta);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn the_increase_grows_with_the_time_since_the_last_loss() {
        for (since, beta, segments) in [
            (0.5, 0.5, 1.0),
            (1.0, 0.5, 1.0),
            (2.0, 0.5, 11.25),
            (3.0, 0.5, 22.0),
            (2.0, 0.8, 4.5),
            (0.5, 0.8, 1.0),
        ] {
            let increase = increase(since, beta);
            assert!(
                (increase - segments).abs() < 1e-9,
                "{since} {beta} {increase}"
            );
        }
    }

    #[test]
    fn the_decrease_is_the_ratio_of_round_trips_within_bounds() {
        for (min, max, left) in [(100, 120, 800), (100, 150, 667), (100, 400, 500)] {
            let mut cc = started(&ALGORITHM, 1000);
            round(&mut cc, min, 1);
            round(&mut cc, max, 1);
            lose(&mut cc, 1000);
            assert!(
                cc.cwnd().abs_diff(left * 1000) < 500,
                "{min} {max} {}",
                cc.cwnd()
            );
        }
    }
}
