//! The cycle of ProbeBW: down, cruise, refill, up (draft-ietf-ccwg-bbr section 5.3.3).

use sim_core::{SimDuration, SimTime};

use super::{Bbr3, Bbr3Sample, Bbr3State};

/// Maximum number of rounds between probes, for coexistence with Reno (section 5.3.3.8).
const MOST_ROUNDS: f64 = 63.0;

/// What ACKs show about the last probe (BBR.ack_phase).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AckPhase {
    Init,
    Refilling,
    Starting,
    Feedback,
    Stopping,
}

impl Bbr3 {
    /// StartProbeBW_DOWN.
    pub(super) fn start_down(&mut self, now: SimTime) {
        self.reset_congestion();
        self.acked_per_increment = f64::INFINITY;
        self.pick_wait(now);
        self.cycle_since = now;
        self.ack_phase = AckPhase::Stopping;
        self.start_round();
        self.state = Bbr3State::Down;
    }

    /// StartProbeBW_REFILL.
    pub(super) fn start_refill(&mut self) {
        self.reset_short_term();
        self.probe_rounds = 0;
        self.probe_acked = 0.0;
        self.precautionary = false;
        self.ack_phase = AckPhase::Refilling;
        self.start_round();
        self.state = Bbr3State::Refill;
    }

    /// StartProbeBW_UP.
    pub(super) fn start_up(&mut self, sample: &Bbr3Sample) {
        self.ack_phase = AckPhase::Starting;
        self.start_round();
        self.reset_full();
        self.full_rate = sample.rate;
        self.state = Bbr3State::Up;
        self.raise_slope();
    }

    /// PickProbeWait: a round or none, and up to a second more.
    fn pick_wait(&mut self, now: SimTime) {
        let mixed = (now.as_ps() ^ (self.delivered as u64).rotate_left(32))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.rounds_since_probe = mixed >> 63;
        self.wait = self.probe_wait + SimDuration::from_millis((mixed >> 20) % 1000);
    }

    /// UpdateProbeBWCyclePhase, section 5.3.3.9.
    pub(super) fn update_cycle(&mut self, sample: &Bbr3Sample, now: SimTime) {
        if !self.full_reached || self.adapt_long_term(sample) || !self.in_probe_bw() {
            return;
        }
        let go_down = self.state == Bbr3State::Up && self.is_time_to_go_down(sample);
        match self.state {
            Bbr3State::Down | Bbr3State::Cruise if self.is_time_to_probe(now) => {
                self.start_refill()
            }
            Bbr3State::Down if self.is_time_to_cruise(sample) => self.state = Bbr3State::Cruise,
            // A round of refilling, then up.
            Bbr3State::Refill if self.round_start => {
                self.probe_sample = true;
                self.start_up(sample);
            }
            Bbr3State::Up if go_down => {
                self.too_high = false;
                self.start_down(now);
            }
            _ => {}
        }
    }

    fn is_time_to_probe(&self, now: SimTime) -> bool {
        let rounds = (self.bdp(1.0).min(self.cwnd) / self.mss).min(MOST_ROUNDS);
        now.since(self.cycle_since) > self.wait || self.rounds_since_probe as f64 >= rounds
    }

    fn is_time_to_cruise(&self, sample: &Bbr3Sample) -> bool {
        sample.in_flight <= self.long_with_headroom()
            && sample.in_flight <= self.with_room(self.bdp(1.0))
    }

    fn is_time_to_go_down(&mut self, sample: &Bbr3Sample) -> bool {
        if self.too_high && sample.in_flight >= self.long {
            self.precautionary = true;
            return true;
        }
        if sample.cwnd_limited && self.cwnd >= self.long {
            self.reset_full();
            self.full_rate = sample.rate;
            return false;
        }
        self.full_now
    }

    /// RaiseInflightLongtermSlope.
    fn raise_slope(&mut self) {
        let growth = f64::from(1u32 << self.probe_rounds.min(30));
        self.probe_rounds = (self.probe_rounds + 1).min(30);
        self.acked_per_increment = (self.cwnd / growth).max(self.mss);
    }

    /// ProbeInflightLongtermUpward.
    pub(super) fn raise_long_term(&mut self, sample: &Bbr3Sample) {
        if !sample.cwnd_limited || self.cwnd < self.long {
            return;
        }
        self.probe_acked += sample.acked;
        if self.probe_acked >= self.acked_per_increment {
            let steps = libm::floor(self.probe_acked / self.acked_per_increment);
            self.probe_acked -= steps * self.acked_per_increment;
            self.long += steps * self.mss;
        }
        if self.round_start {
            self.raise_slope();
        }
    }

    /// AdaptLongTermModel; true when it has decided on the next state.
    fn adapt_long_term(&mut self, sample: &Bbr3Sample) -> bool {
        if self.round_start && self.ack_phase == AckPhase::Starting {
            self.ack_phase = AckPhase::Feedback;
        }
        if self.round_start && self.ack_phase == AckPhase::Stopping {
            self.probe_sample = false;
            self.ack_phase = AckPhase::Init;
            if self.in_probe_bw() && !sample.app_limited {
                self.cycle_count += 1;
            }
            if self.in_probe_bw() && self.precautionary && !self.too_high {
                self.start_refill();
                return true;
            }
        }
        if !self.is_too_high(sample) && self.long.is_finite() {
            self.long = self.long.max(sample.in_flight_at_send);
            if self.state == Bbr3State::Up {
                self.raise_long_term(sample);
            }
        }
        false
    }
}
