//! BBR, version 1: paces at the largest delivery rate of the last round trips and keeps about two
//! bandwidth-delay products in flight (Cardwell, Cheng, Gunn, Hassas Yeganeh and Jacobson, "BBR:
//! congestion-based congestion control", 2016), with the details of Linux's `tcp_bbr`.
//!
//! Leaves out the special treatment of delayed ACKs.
//! Deviation: the first phase of the gain cycle is derived from the time, so that runs are reproducible.

use sim_core::{Rate, SimDuration, SimTime};

use super::windowed_max::WindowedMax;
use super::{
    AckEvent, AfterIdle, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent,
    ConnectionStart, ControlParameter, SpuriousCongestion,
};
use crate::recovery::RecoveryPhase;

mod cycle;
mod path_model;
mod policer;
mod window;

use cycle::CYCLE;
use path_model::AckAggregation;
use policer::Policer;

/// `bbr`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "bbr",
    aliases: &["bbr1", "bbrv1"],
    doc: "models the path by its delivery rate and smallest round trip, paces at that rate and \
          probes for more now and then; hardly reacts to losses",
    source: "Cardwell et al. 2016; Linux tcp_bbr (version 1)",
    version: 2,
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
        ControlParameter::switch(
            "detect_policers",
            true,
            "pace at the long-term rate when two intervals with a sixth of the data lost show a policer",
        ),
    ],
    make: |control, _| AnyCc::own(Bbr::new(control)),
};

/// Least number of segments in flight.
const LEAST: u64 = 4;
/// Pacing slightly below the estimate, so that queues drain.
const MARGIN: f64 = 0.99;
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
    /// Bytes delivered, when the last of them were, and bytes found lost.
    delivered: u64,
    delivered_at: SimTime,
    lost: u64,
    min_rtt: Option<SimDuration>,
    /// When it was last measured; `None` before the first ACK.
    min_rtt_at: Option<SimTime>,
    full: bool,
    full_bandwidth: f64,
    full_rounds: u32,
    phase: usize,
    phase_since: SimTime,
    aggregation: AckAggregation,
    detects_policers: bool,
    policer: Policer,
    /// Time-outs since the last ACK.
    time_outs: u32,
    /// The window before recovery or ProbeRTT.
    saved: u64,
    was: RecoveryPhase,
    conserves: bool,
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
            delivered_at: SimTime::ZERO,
            lost: 0,
            min_rtt: None,
            min_rtt_at: None,
            full: false,
            full_bandwidth: 0.0,
            full_rounds: 0,
            phase: 0,
            phase_since: SimTime::ZERO,
            aggregation: AckAggregation::default(),
            detects_policers: control.is_on("detect_policers"),
            policer: Policer::default(),
            time_outs: 0,
            saved: 0,
            was: RecoveryPhase::Open,
            conserves: false,
            idle: false,
            little_until: 0,
        }
    }

    fn pacing_gain(&self) -> f64 {
        match self.mode {
            BbrState::Startup => self.startup_gain,
            BbrState::Drain => 1.0 / self.startup_gain,
            BbrState::ProbeBw => self.cycle_gain(),
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
}

impl CongestionControl for Bbr {
    fn cwnd(&self) -> u64 {
        self.cwnd
    }

    fn pacing_rate(&self) -> Option<Rate> {
        Rate::from_bps((self.rate * 8.0) as u64)
    }

    fn send_quantum(&self) -> Option<u64> {
        Some(self.quantum() * self.mss)
    }

    fn governs_recovery(&self) -> bool {
        true
    }

    fn state(&self) -> &'static str {
        match self.mode {
            BbrState::Startup => "Startup",
            BbrState::Drain => "Drain",
            BbrState::ProbeBw if self.policer.rate().is_some() => "ProbeBW policed",
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
        self.lost += ack.lost;
        let timed_out = self.time_outs > 0 && self.take_time_outs();
        if let Some(sample) = &ack.rate {
            self.take_sample(sample, ack, timed_out);
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
            Congestion::Loss => self.save_window(),
            Congestion::Timeout | Congestion::RepeatedTimeout => {
                self.save_window();
                self.was = RecoveryPhase::Loss;
                self.time_outs += 1;
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
        self.policer = Policer::default();
        self.cwnd = self.cwnd.max(restored.cwnd);
        self.conserves = false;
        self.was = RecoveryPhase::Open;
    }

    fn on_idle(&mut self, idle: &AfterIdle) {
        self.idle = true;
        self.aggregation.since = idle.now;
        self.aggregation.acked = 0;
        if self.mode == BbrState::ProbeBw {
            self.rate = self.path_rate() * MARGIN;
        }
    }
}

#[cfg(test)]
mod tests;
