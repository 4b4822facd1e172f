//! The window and the pacing rate that BBR derives from its model.

use sim_core::SimDuration;

use super::{Bbr, BbrState, LEAST, MARGIN};
use crate::congestion::AckEvent;
use crate::recovery::RecoveryPhase;

/// Below this rate segments are sent one at a time, above it at least two, bytes a second.
const SLOW_RATE: f64 = 1_200_000.0 / 8.0;

/// A burst is at most what the rate allows in this time, seconds.
const BURST: f64 = 0.001;

/// Largest burst, bytes.
const LARGEST_BURST: f64 = 65_536.0;
/// The most that ACK aggregation adds to the window, seconds at the rate.
const EXTRA_MOST: f64 = 0.1;

/// The least whole number that is not below `n`, which is not negative.
#[inline]
fn rounded_up(n: f64) -> u64 {
    let whole = n as u64;
    whole + u64::from(whole as f64 != n)
}

impl Bbr {
    /// This many bandwidth-delay products at a rate in bytes a second, bytes.
    fn bdp(&self, rate: f64, gain: f64) -> u64 {
        match self.min_rtt {
            None => self.initial,
            Some(rtt) => {
                let segments = rate * rtt.as_secs_f64() * gain / self.mss as f64;
                rounded_up(segments) * self.mss
            }
        }
    }

    /// Segments that leave together.
    pub(super) fn quantum(&self) -> u64 {
        let burst = (self.rate * BURST).min(LARGEST_BURST) as u64 / self.mss;
        let least = if self.rate < SLOW_RATE { 1 } else { 2 };
        burst.max(least)
    }

    /// Room for data held in the end hosts: three bursts, an even number of segments, and two more while probing
    /// for bandwidth.
    fn with_room(&self, bytes: u64) -> u64 {
        let segments = (bytes / self.mss + 3 * self.quantum()).next_multiple_of(2);
        let probing = self.mode == BbrState::ProbeBw && self.phase == 0;
        (segments + if probing { 2 } else { 0 }) * self.mss
    }

    /// What is in flight with this many bandwidth-delay products, bytes; the policed rate does not matter here, as in
    /// Linux.
    pub(super) fn in_flight_at(&self, gain: f64) -> u64 {
        self.with_room(self.bdp(self.bandwidth.get(), gain))
    }

    pub(super) fn save_window(&mut self) {
        let normal =
            self.was == RecoveryPhase::Open && !matches!(self.mode, BbrState::ProbeRtt { .. });
        self.saved = if normal {
            self.cwnd
        } else {
            self.saved.max(self.cwnd)
        };
    }

    pub(super) fn set_rate(&mut self, ack: &AckEvent) {
        if !self.seen_rtt
            && let Some(rtt) = ack.srtt
        {
            self.seen_rtt = true;
            self.rate = self.startup_rate(rtt);
        }
        let rate = self.path_rate() * self.pacing_gain() * MARGIN;
        if rate > 0.0 && (self.full || rate > self.rate) {
            self.rate = rate;
        }
    }

    pub(super) fn startup_rate(&self, rtt: SimDuration) -> f64 {
        let window = self.cwnd.max(self.initial) as f64;
        self.startup_gain * window / rtt.as_secs_f64().max(1e-6) * MARGIN
    }

    pub(super) fn set_window(&mut self, ack: &AckEvent) {
        let acked = ack.delivered;
        if acked > 0 && !self.recovers(ack) {
            let mut target = self.bdp(self.path_rate(), self.window_gain());
            if self.full {
                let most = (self.path_rate() * EXTRA_MOST) as u64;
                let extra = self.aggregation.extra[0].max(self.aggregation.extra[1]);
                target += extra.min(most);
            }
            let target = self.with_room(target);
            if self.full {
                self.cwnd = (self.cwnd + acked).min(target);
            } else if self.cwnd < target || self.delivered < self.initial {
                self.cwnd += acked;
            }
            self.cwnd = self.cwnd.max(LEAST * self.mss);
        }
        if matches!(self.mode, BbrState::ProbeRtt { .. }) {
            self.cwnd = self.cwnd.min(LEAST * self.mss);
        }
    }

    /// Conserves packets in the first round trip of recovery: as much is sent as has arrived. True
    /// if this determines the window.
    fn recovers(&mut self, ack: &AckEvent) -> bool {
        let lost = ack.lost.saturating_sub(ack.lost_by_timer);
        self.cwnd = self.cwnd.saturating_sub(lost).max(self.mss);
        if ack.phase == RecoveryPhase::Open && self.was != RecoveryPhase::Open {
            self.cwnd = self.cwnd.max(self.saved);
            self.conserves = false;
        }
        if ack.phase == RecoveryPhase::Fast && self.was != RecoveryPhase::Fast {
            self.conserves = true;
            self.next_round = self.delivered;
            self.cwnd = ack.in_flight + ack.delivered;
        }
        self.was = ack.phase;
        if self.conserves {
            self.cwnd = self.cwnd.max(ack.in_flight + ack.delivered);
        }
        self.conserves
    }
}
