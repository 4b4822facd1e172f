//! BBR, version 1: paces at the largest delivery rate of the last round trips and keeps about two
//! bandwidth-delay products in flight (Cardwell, Cheng, Gunn, Hassas Yeganeh and Jacobson, "BBR:
//! congestion-based congestion control", 2016), with the details of Linux's `tcp_bbr`.
//!
//! Leaves out the detection of policers by long-term sampling, and the special treatment of delayed ACKs.
//! Deviation: the first phase of the gain cycle is derived from the time, so that runs are reproducible.

use sim_core::{Rate, SimDuration, SimTime};

use super::windowed_max::WindowedMax;
use super::{
    AckEvent, AfterIdle, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent,
    ConnectionStart, ControlParameter, RateSample, SpuriousCongestion,
};
use crate::recovery::RecoveryPhase;

/// `bbr`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "bbr",
    aliases: &["bbr1", "bbrv1"],
    doc: "models the path by its delivery rate and smallest round trip, paces at that rate and \
          probes for more now and then; hardly reacts to losses",
    source: "Cardwell et al. 2016; Linux tcp_bbr (version 1)",
    version: 1,
    parameters: &[
        ControlParameter::number(
            "startup_gain",
            (1.1, 4.0),
            2.885,
            "pacing gain of the start: doubles the rate each round trip",
        ),
        ControlParameter::number(
            "cwnd_gain",
            (1.0, 10.0),
            2.0,
            "window in bandwidth-delay products",
        ),
        ControlParameter::count(
            "bandwidth_window",
            (2, 100),
            10,
            "round trips for which the largest delivery rate is remembered",
        ),
        ControlParameter::time(
            "min_rtt_window",
            (0.1, 1000.0),
            10.0,
            "time for which the smallest round trip is remembered",
        ),
        ControlParameter::time(
            "probe_rtt_time",
            (0.001, 10.0),
            0.2,
            "time with four segments in flight, to see the smallest round trip again",
        ),
    ],
    make: |control, _| AnyCc::own(Bbr::new(control)),
};

/// Gains of the phases of ProbeBW, each of which lasts one minimum round-trip time.
const CYCLE: [f64; 8] = [1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
/// Least number of segments in flight.
const LEAST: u64 = 4;
/// The pipe is full if the rate grows by less than this for this many round trips.
const FULL_GROWTH: f64 = 1.25;
const FULL_ROUNDS: u32 = 3;
/// Pacing slightly below the estimate, so that queues drain.
const MARGIN: f64 = 0.99;
/// Below this rate segments are sent one at a time, above it at least two, bytes a second.
const SLOW_RATE: f64 = 1_200_000.0 / 8.0;
/// A burst is at most what the rate allows in this time, seconds.
const BURST: f64 = 0.001;
/// Largest burst, bytes.
const LARGEST_BURST: f64 = 65_536.0;
/// Window in which ACK aggregation is measured, round trips; and the most it adds, seconds at the rate.
const EXTRA_ROUNDS: u32 = 5;
const EXTRA_MOST: f64 = 0.1;

/// The state of the control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BbrState {
    /// Searches for the rate of the path.
    Startup,
    /// Drains the queue that Startup built.
    Drain,
    /// Probes for more by the phases of [`CYCLE`].
    ProbeBw,
    /// Empties the pipe to measure the minimum round-trip time: until when, once it is empty, and whether a
    /// round trip has passed since.
    ProbeRtt {
        until: Option<SimTime>,
        round_done: bool,
    },
}

/// The degree of ACK aggregation: bytes acknowledged in excess of the rate.
#[derive(Clone, Copy, Debug, Default)]
struct AckAggregation {
    since: SimTime,
    acked: u64,
    /// Largest excess of two windows of round trips.
    extra: [u64; 2],
    rounds: u32,
}

#[derive(Clone, Debug)]
struct Bbr {
    startup_gain: f64,
    cwnd_gain: f64,
    window_rounds: u32,
    min_rtt_window: SimDuration,
    probe_rtt_time: SimDuration,
    mss: u64,
    initial: u64,
    mode: BbrState,
    cwnd: u64,
    /// Bytes a second.
    rate: f64,
    seen_rtt: bool,
    bandwidth: WindowedMax,
    rounds: u64,
    round_start: bool,
    next_round: u64,
    delivered: u64,
    min_rtt: Option<SimDuration>,
    /// When it was last measured; `None` before the first ACK.
    min_rtt_at: Option<SimTime>,
    full: bool,
    full_bandwidth: f64,
    full_rounds: u32,
    phase: usize,
    phase_since: SimTime,
    aggregation: AckAggregation,
    /// The window before recovery or ProbeRTT.
    saved: u64,
    was: RecoveryPhase,
    conserves: bool,
    /// The losses of the next ACK were counted when recovery began.
    known_losses: bool,
    idle: bool,
    /// Rate samples of data sent before this much was delivered are ignored: they were sent in ProbeRTT.
    little_until: u64,
}

impl Bbr {
    fn new(control: &super::Control) -> Bbr {
        Bbr {
            startup_gain: control.get("startup_gain"),
            cwnd_gain: control.get("cwnd_gain"),
            window_rounds: control.count("bandwidth_window"),
            min_rtt_window: control.time("min_rtt_window"),
            probe_rtt_time: control.time("probe_rtt_time"),
            mss: 1,
            initial: 0,
            mode: BbrState::Startup,
            cwnd: 0,
            rate: 0.0,
            seen_rtt: false,
            bandwidth: WindowedMax::default(),
            rounds: 0,
            round_start: false,
            next_round: 0,
            delivered: 0,
            min_rtt: None,
            min_rtt_at: None,
            full: false,
            full_bandwidth: 0.0,
            full_rounds: 0,
            phase: 0,
            phase_since: SimTime::ZERO,
            aggregation: AckAggregation::default(),
            saved: 0,
            was: RecoveryPhase::Open,
            conserves: false,
            known_losses: false,
            idle: false,
            little_until: 0,
        }
    }

    fn pacing_gain(&self) -> f64 {
        match self.mode {
            BbrState::Startup => self.startup_gain,
            BbrState::Drain => 1.0 / self.startup_gain,
            BbrState::ProbeBw => CYCLE[self.phase],
            BbrState::ProbeRtt { .. } => 1.0,
        }
    }

    fn window_gain(&self) -> f64 {
        match self.mode {
            BbrState::Startup | BbrState::Drain => self.startup_gain,
            BbrState::ProbeBw => self.cwnd_gain,
            BbrState::ProbeRtt { .. } => 1.0,
        }
    }

    /// This many bandwidth-delay products, bytes.
    fn bdp(&self, gain: f64) -> u64 {
        match self.min_rtt {
            None => self.initial,
            Some(rtt) => {
                let segments = self.bandwidth.get() * rtt.as_secs_f64() * gain / self.mss as f64;
                libm::ceil(segments) as u64 * self.mss
            }
        }
    }

    /// Room for data held in the end hosts: three bursts, an even number of segments, and two more while probing
    /// for bandwidth.
    fn with_room(&self, bytes: u64) -> u64 {
        let burst = (self.rate * BURST).min(LARGEST_BURST) as u64 / self.mss;
        let least = if self.rate < SLOW_RATE { 1 } else { 2 };
        let segments = (bytes / self.mss + 3 * burst.max(least)).next_multiple_of(2);
        let probing = self.mode == BbrState::ProbeBw && self.phase == 0;
        (segments + if probing { 2 } else { 0 }) * self.mss
    }

    fn in_flight_at(&self, gain: f64) -> u64 {
        self.with_room(self.bdp(gain))
    }

    fn take_sample(&mut self, sample: &RateSample) {
        self.delivered = sample.total;
        if sample.prior_delivered >= self.next_round {
            self.next_round = sample.total;
            self.rounds += 1;
            self.round_start = true;
            self.conserves = false;
        }
        let rate = sample.delivered as f64 / sample.interval.as_secs_f64();
        let limited = sample.app_limited || sample.prior_delivered < self.little_until;
        if !limited || rate >= self.bandwidth.get() {
            self.bandwidth
                .update(self.window_rounds.into(), self.rounds, rate);
        }
        if self.round_start && !limited {
            self.check_full();
        }
    }

    fn check_full(&mut self) {
        if self.full {
            return;
        }
        if self.bandwidth.get() >= self.full_bandwidth * FULL_GROWTH {
            (self.full_bandwidth, self.full_rounds) = (self.bandwidth.get(), 0);
            return;
        }
        self.full_rounds += 1;
        self.full = self.full_rounds >= FULL_ROUNDS;
    }

    fn measure_aggregation(&mut self, ack: &AckEvent) {
        let a = &mut self.aggregation;
        if self.round_start {
            a.rounds += 1;
            if a.rounds >= EXTRA_ROUNDS {
                (a.rounds, a.extra) = (0, [0, a.extra[0]]);
            }
        }
        let mut expected = self.bandwidth.get() * ack.now.since(a.since).as_secs_f64();
        if a.acked as f64 <= expected {
            (a.acked, a.since, expected) = (0, ack.now, 0.0);
        }
        a.acked += ack.delivered;
        let extra = (a.acked as f64 - expected).max(0.0) as u64;
        a.extra[0] = a.extra[0].max(extra.min(self.cwnd));
    }

    fn advance_phase(&mut self, ack: &AckEvent) {
        if self.mode != BbrState::ProbeBw {
            return;
        }
        let rtt = self.min_rtt.unwrap_or(SimDuration::ZERO);
        let long = ack.now.since(self.phase_since) > rtt;
        let gain = CYCLE[self.phase];
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

    /// Any phase but the one that drains.
    fn enter_probe_bw(&mut self, now: SimTime) {
        self.mode = BbrState::ProbeBw;
        let mixed =
            (now.as_ps() ^ self.delivered.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.phase = match (mixed >> 32) % 7 {
            0 => 0,
            n => n as usize + 1,
        };
        self.phase_since = now;
    }

    fn check_drain(&mut self, ack: &AckEvent) {
        if self.mode == BbrState::Startup && self.full {
            self.mode = BbrState::Drain;
        }
        if self.mode == BbrState::Drain && ack.in_flight <= self.in_flight_at(1.0) {
            self.enter_probe_bw(ack.now);
        }
    }

    fn update_min_rtt(&mut self, ack: &AckEvent) {
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

    fn save_window(&mut self) {
        let normal =
            self.was == RecoveryPhase::Open && !matches!(self.mode, BbrState::ProbeRtt { .. });
        self.saved = if normal {
            self.cwnd
        } else {
            self.saved.max(self.cwnd)
        };
    }

    fn set_rate(&mut self, ack: &AckEvent) {
        if !self.seen_rtt
            && let Some(rtt) = ack.srtt
        {
            self.seen_rtt = true;
            self.rate = self.startup_rate(rtt);
        }
        let rate = self.bandwidth.get() * self.pacing_gain() * MARGIN;
        if rate > 0.0 && (self.full || rate > self.rate) {
            self.rate = rate;
        }
    }

    fn startup_rate(&self, rtt: SimDuration) -> f64 {
        let window = self.cwnd.max(self.initial) as f64;
        self.startup_gain * window / rtt.as_secs_f64().max(1e-6) * MARGIN
    }

    fn set_window(&mut self, ack: &AckEvent) {
        let acked = ack.delivered;
        if acked > 0 && !self.recovers(ack) {
            let mut target = self.bdp(self.window_gain());
            if self.full {
                let most = (self.bandwidth.get() * EXTRA_MOST) as u64;
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

    /// In the first round trip of recovery, as much is sent as has arrived; true if this determines the window.
    fn recovers(&mut self, ack: &AckEvent) -> bool {
        if !std::mem::take(&mut self.known_losses) {
            self.cwnd = self.cwnd.saturating_sub(ack.lost).max(self.mss);
        }
        if ack.phase == RecoveryPhase::Open && self.was != RecoveryPhase::Open {
            self.cwnd = self.cwnd.max(self.saved);
            self.conserves = false;
        }
        self.was = ack.phase;
        if self.conserves {
            self.cwnd = self.cwnd.max(ack.in_flight + ack.delivered);
        }
        self.conserves
    }
}

impl CongestionControl for Bbr {
    fn cwnd(&self) -> u64 {
        self.cwnd
    }

    fn pacing_rate(&self) -> Option<Rate> {
        Rate::from_bps((self.rate * 8.0) as u64)
    }

    fn governs_recovery(&self) -> bool {
        true
    }

    fn state(&self) -> &'static str {
        match self.mode {
            BbrState::Startup => "Startup",
            BbrState::Drain => "Drain",
            BbrState::ProbeBw => match CYCLE[self.phase] {
                gain if gain > 1.0 => "ProbeBW up",
                gain if gain < 1.0 => "ProbeBW down",
                _ => "ProbeBW cruise",
            },
            BbrState::ProbeRtt { .. } => "ProbeRTT",
        }
    }

    fn on_start(&mut self, start: &ConnectionStart) {
        self.mss = start.mss.max(1).into();
        self.cwnd = start.initial_window;
        self.initial = start.initial_window;
        let rtt = start.srtt.unwrap_or(SimDuration::from_millis(1));
        self.seen_rtt = start.srtt.is_some();
        self.min_rtt = start.srtt;
        self.rate = self.startup_rate(rtt);
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        self.round_start = false;
        if let Some(sample) = &ack.rate {
            self.take_sample(sample);
            self.measure_aggregation(ack);
        }
        self.advance_phase(ack);
        self.check_drain(ack);
        self.update_min_rtt(ack);
        self.set_rate(ack);
        self.set_window(ack);
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        match event.cause {
            Congestion::Ecn => {}
            // One recovery follows another: packets were conserved in the first one.
            Congestion::Loss if self.was != RecoveryPhase::Open => self.save_window(),
            Congestion::Loss => {
                self.save_window();
                self.was = RecoveryPhase::Fast;
                self.conserves = true;
                self.known_losses = true;
                self.next_round = self.delivered;
                self.cwnd = (event.pipe + self.mss).max(self.mss);
            }
            Congestion::Timeout | Congestion::RepeatedTimeout => {
                self.save_window();
                self.was = RecoveryPhase::Loss;
                self.known_losses = true;
                self.full_bandwidth = 0.0;
                self.cwnd = event.pipe + self.mss;
            }
        }
    }

    fn on_mss(&mut self, mss: u32) {
        let (old, new) = (self.mss, u64::from(mss.max(1)));
        self.cwnd = (self.cwnd * new / old).max(new);
        self.mss = new;
    }

    fn on_recovery_exit(&mut self, _in_flight: u64, _now: SimTime) {
        self.cwnd = self.cwnd.max(self.saved);
        self.conserves = false;
        self.was = RecoveryPhase::Open;
    }

    fn on_undo(&mut self, restored: &SpuriousCongestion) {
        (self.full_bandwidth, self.full_rounds) = (0.0, 0);
        self.cwnd = self.cwnd.max(restored.cwnd);
        self.conserves = false;
        self.was = RecoveryPhase::Open;
    }

    fn on_idle(&mut self, idle: &AfterIdle) {
        self.idle = true;
        self.aggregation.since = idle.now;
        self.aggregation.acked = 0;
        if self.mode == BbrState::ProbeBw {
            self.rate = self.bandwidth.get() * MARGIN;
        }
    }
}

#[cfg(test)]
mod tests;
