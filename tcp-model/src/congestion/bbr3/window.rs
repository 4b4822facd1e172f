//! Window and pacing rate (sections 5.6.2 to 5.6.4).

use super::{Bbr3, Bbr3State, LEAST, MARGIN, PROBE_RTT_GAIN};

/// C.send_quantum: what the rate allows in this many seconds, and the most in bytes.
const QUANTUM: f64 = 0.001;
const LARGEST_QUANTUM: f64 = 65_536.0;

impl Bbr3 {
    /// BDPMultiple, section 5.6.4.2.
    pub(super) fn bdp(&self, gain: f64) -> f64 {
        match self.min_rtt {
            None => self.initial,
            Some(rtt) => gain * self.rate * rtt.as_secs_f64(),
        }
    }

    /// C.send_quantum, section 5.6.3: bytes that leave together.
    pub(super) fn quantum(&self) -> f64 {
        (self.pacing * QUANTUM)
            .min(LARGEST_QUANTUM)
            .max(2.0 * self.mss)
    }

    /// QuantizationBudget.
    pub(super) fn with_room(&self, bytes: f64) -> f64 {
        let bytes = bytes.max(3.0 * self.quantum()).max(LEAST * self.mss);
        bytes
            + if self.state == Bbr3State::Up {
                2.0 * self.mss
            } else {
                0.0
            }
    }

    /// InflightWithHeadroom, section 5.3.3.9.
    pub(super) fn long_with_headroom(&self) -> f64 {
        if self.long.is_infinite() {
            return self.long;
        }
        let headroom = (self.headroom * self.long).max(self.mss);
        (self.long - headroom).max(LEAST * self.mss)
    }

    pub(super) fn probe_rtt_window(&self) -> f64 {
        self.bdp(PROBE_RTT_GAIN).max(LEAST * self.mss)
    }

    pub(super) fn set_pacing(&mut self, gain: f64) {
        let rate = gain * self.rate * MARGIN;
        if rate > 0.0 && (self.full_reached || rate > self.pacing) {
            self.pacing = rate;
        }
    }

    /// SetCwnd, section 5.6.4.6.
    pub(super) fn set_window(&mut self, acked: f64) {
        let most = self.with_room(self.bdp(self.window_gain()) + self.extra.get());
        if self.full_reached {
            self.cwnd = (self.cwnd + acked).min(most);
        } else if self.cwnd < most || self.delivered < self.initial {
            self.cwnd += acked;
        }
        self.cwnd = self.cwnd.max(LEAST * self.mss);
        if self.state == Bbr3State::ProbeRtt {
            self.cwnd = self.cwnd.min(self.probe_rtt_window());
        }
        self.bound_window();
    }

    /// BoundCwndForModel, section 5.6.4.7.
    pub(super) fn bound_window(&mut self) {
        let cap = match self.state {
            Bbr3State::Cruise | Bbr3State::ProbeRtt => self.long_with_headroom(),
            Bbr3State::Down | Bbr3State::Refill | Bbr3State::Up => self.long,
            Bbr3State::Startup | Bbr3State::Drain => f64::INFINITY,
        };
        self.cwnd = self.cwnd.min(cap.min(self.short).max(LEAST * self.mss));
    }

    pub(super) fn save_window(&mut self) {
        self.prior_cwnd = match self.in_recovery || self.state == Bbr3State::ProbeRtt {
            false => self.cwnd,
            true => self.prior_cwnd.max(self.cwnd),
        };
    }

    pub(super) fn restore_window(&mut self) {
        self.cwnd = self.cwnd.max(self.prior_cwnd);
    }
}
