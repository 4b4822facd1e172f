//! BBR's states: the gain cycle of ProbeBW, and the visits of ProbeRTT.

use sim_core::{SimDuration, SimTime};

use super::{Bbr, BbrState, LEAST};
use crate::congestion::AckEvent;

/// Gains of the phases of ProbeBW, each of which lasts one minimum round-trip time.
pub(super) const CYCLE: [f64; 8] = [1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];

impl Bbr {
    /// The pacing gain of ProbeBW: at the rate of a policer it does not probe.
    pub(super) fn cycle_gain(&self) -> f64 {
        match self.policer.rate() {
            Some(_) => 1.0,
            None => CYCLE[self.phase],
        }
    }

    pub(super) fn advance_phase(&mut self, ack: &AckEvent) {
        if self.mode != BbrState::ProbeBw {
            return;
        }
        let rtt = self.min_rtt.unwrap_or(SimDuration::ZERO);
        let long = ack.now.since(self.phase_since) > rtt;
        let gain = self.cycle_gain();
        let next = if gain > 1.0 {
            long && (ack.lost > 0 || ack.prior_in_flight >= self.in_flight_at(gain))
        } else if gain < 1.0 {
            long || ack.prior_in_flight <= self.in_flight_at(1.0)
        } else {
            long
        };
        if next {
            self.phase = (self.phase + 1) % CYCLE.len();
            self.phase_since = ack.now;
        }
    }

    /// Enters ProbeBW in any phase except the one that drains.
    pub(super) fn enter_probe_bw(&mut self, now: SimTime) {
        self.mode = BbrState::ProbeBw;
        let mixed =
            (now.as_ps() ^ self.delivered.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.phase = match (mixed >> 32) % 7 {
            0 => 0,
            n => n as usize + 1,
        };
        self.phase_since = now;
    }

    pub(super) fn check_drain(&mut self, ack: &AckEvent) {
        if self.mode == BbrState::Startup && self.full {
            self.mode = BbrState::Drain;
        }
        if self.mode == BbrState::Drain && ack.in_flight <= self.in_flight_at(1.0) {
            self.enter_probe_bw(ack.now);
        }
    }

    pub(super) fn update_min_rtt(&mut self, ack: &AckEvent) {
        let seen = *self.min_rtt_at.get_or_insert(ack.now);
        let expired = ack.now.since(seen) > self.min_rtt_window;
        if let Some(rtt) = ack.rtt
            && (expired || self.min_rtt.is_none_or(|min| rtt < min))
        {
            (self.min_rtt, self.min_rtt_at) = (Some(rtt), Some(ack.now));
        }
        let probing = matches!(self.mode, BbrState::ProbeRtt { .. });
        if expired && !self.idle && !probing {
            self.save_window();
            self.mode = BbrState::ProbeRtt {
                until: None,
                round_done: false,
            };
        }
        self.probe_rtt(ack);
        if ack.delivered > 0 {
            self.idle = false;
        }
    }

    fn probe_rtt(&mut self, ack: &AckEvent) {
        let BbrState::ProbeRtt { until, round_done } = self.mode else {
            return;
        };
        self.little_until = self.delivered + ack.in_flight;
        match until {
            None if ack.in_flight <= LEAST * self.mss => {
                let until = Some(ack.now.saturating_add(self.probe_rtt_time));
                self.mode = BbrState::ProbeRtt {
                    until,
                    round_done: false,
                };
                self.next_round = self.delivered;
            }
            None => {}
            Some(end) => {
                let round_done = round_done || self.round_start;
                self.mode = BbrState::ProbeRtt { until, round_done };
                if round_done && ack.now > end {
                    self.leave_probe_rtt(ack.now);
                }
            }
        }
    }

    fn leave_probe_rtt(&mut self, now: SimTime) {
        self.min_rtt_at = Some(now);
        self.cwnd = self.cwnd.max(self.saved);
        if self.full {
            self.enter_probe_bw(now);
        } else {
            self.mode = BbrState::Startup;
        }
    }
}
