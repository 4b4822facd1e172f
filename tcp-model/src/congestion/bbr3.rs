//! BBR, version 3 (draft-ietf-ccwg-bbr-06): models the path by delivery rate, smallest round trip
//! and loss, probes for more every few seconds, and leaves room for others.
//!
//! Names of sections and states are those of the draft. Deviations: the loss rate is that of the
//! current round trip, relative to the data in flight when the newest delivered segment was sent,
//! where the draft evaluates each lost packet; random choices are derived from the time, so that
//! runs are reproducible. Leaves out offload: a quantum is what the rate allows in a millisecond,
//! at least two segments.

use sim_core::{Rate, SimDuration, SimTime};

use super::windowed_max::WindowedMax;
use super::{
    AckEvent, AfterIdle, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent,
    ConnectionStart, ControlParameter, SpuriousCongestion,
};
use crate::recovery::RecoveryPhase;

mod cycle;
mod model;
mod sample;
#[cfg(test)]
mod tests;
mod window;

use cycle::AckPhase;
use sample::Bbr3Sample;

/// `bbr3`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "bbr3",
    aliases: &["bbrv3"],
    doc: "models the path by its delivery rate, smallest round trip and losses, paces at that rate, \
          probes for more every two to three seconds, and leaves room for other flows",
    source: "draft-ietf-ccwg-bbr-06",
    version: 1,
    parameters: &[
        ControlParameter::number(
            "startup_gain",
            (1.1, 4.0),
            2.77,
            "pacing gain of the start: doubles the rate each round trip",
        ),
        ControlParameter::number(
            "cwnd_gain",
            (1.0, 10.0),
            2.0,
            "window in bandwidth-delay products",
        ),
        ControlParameter::number(
            "loss_threshold",
            (0.0, 1.0),
            0.02,
            "share of losses in a round trip beyond which a probe went too far",
        ),
        ControlParameter::number(
            "beta",
            (0.1, 1.0),
            0.7,
            "share of rate and window that a round trip with losses leaves at least",
        ),
        ControlParameter::number(
            "headroom",
            (0.0, 0.9),
            0.15,
            "share of what the path is known to hold that is left to others",
        ),
        ControlParameter::time(
            "probe_wait",
            (0.1, 100.0),
            2.0,
            "time between probes for more, and up to a second longer",
        ),
        ControlParameter::time(
            "probe_rtt_interval",
            (0.1, 1000.0),
            5.0,
            "time without a shorter round trip after which the pipe is half emptied to see one",
        ),
    ],
    make: |control, _| AnyCc::own(Bbr3::new(control)),
};

/// BBR.DrainPacingGain.
const DRAIN_GAIN: f64 = 0.5;
/// BBR.ProbeRTTCwndGain.
const PROBE_RTT_GAIN: f64 = 0.5;
/// BBR.MinRTTFilterLen, in intervals of ProbeRTT.
const MIN_RTT_INTERVALS: u64 = 2;
/// BBR.ProbeRTTDuration.
const PROBE_RTT_TIME: SimDuration = SimDuration::from_millis(200);
/// BBR.MinPipeCwnd, segments.
const LEAST: f64 = 4.0;
/// BBR.PacingMarginPercent.
const MARGIN: f64 = 0.99;
/// Largest number of rounds of Drain.
const DRAIN_ROUNDS: u64 = 3;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bbr3State {
    Startup,
    Drain,
    Down,
    Cruise,
    Refill,
    Up,
    ProbeRtt,
}

/// The state that is restored after a spurious loss recovery (section 5.5.11).
#[derive(Clone, Copy, Debug)]
struct SavedBounds {
    state: Option<Bbr3State>,
    rate_short: f64,
    short: f64,
    long: f64,
}

#[derive(Clone, Debug)]
struct Bbr3 {
    startup_gain: f64,
    cwnd_gain: f64,
    loss_threshold: f64,
    beta: f64,
    headroom: f64,
    probe_wait: SimDuration,
    probe_rtt_interval: SimDuration,

    mss: f64,
    initial: f64,
    cwnd: f64,
    pacing: f64,
    prior_cwnd: f64,
    state: Bbr3State,
    in_recovery: bool,
    idle: bool,

    // Rounds.
    delivered: f64,
    next_round: f64,
    rounds: u64,
    round_start: bool,
    rounds_since_probe: u64,

    // Bandwidth.
    max_rate: WindowedMax,
    cycle_count: u64,
    rate: f64,
    rate_latest: f64,
    rate_short: f64,
    full_rate: f64,
    full_count: u32,
    full_now: bool,
    full_reached: bool,
    drain_start: u64,

    // Volume.
    latest: f64,
    short: f64,
    long: f64,
    extra: WindowedMax,
    extra_since: SimTime,
    extra_delivered: f64,

    // Losses.
    loss_in_round: bool,
    loss_round_start: bool,
    loss_round: f64,
    lost_in_round: f64,
    loss_events: u32,
    loss_rounds: u32,
    saved: Option<SavedBounds>,

    // The cycle of ProbeBW.
    ack_phase: AckPhase,
    cycle_since: SimTime,
    wait: SimDuration,
    probe_sample: bool,
    probe_rounds: u32,
    probe_acked: f64,
    acked_per_increment: f64,
    too_high: bool,
    precautionary: bool,

    // Round trips.
    min_rtt: Option<SimDuration>,
    min_rtt_at: SimTime,
    probe_min: Option<SimDuration>,
    probe_min_at: Option<SimTime>,
    probe_expired: bool,
    probe_done: Option<SimTime>,
    probe_round_done: bool,
    little_until: f64,
}

impl Bbr3 {
    fn new(control: &super::Control) -> Bbr3 {
        let never = f64::INFINITY;
        Bbr3 {
            startup_gain: control.get("startup_gain"),
            cwnd_gain: control.get("cwnd_gain"),
            loss_threshold: control.get("loss_threshold"),
            beta: control.get("beta"),
            headroom: control.get("headroom"),
            probe_wait: control.time("probe_wait"),
            probe_rtt_interval: control.time("probe_rtt_interval"),
            mss: 1.0,
            initial: 0.0,
            cwnd: 0.0,
            pacing: 0.0,
            prior_cwnd: 0.0,
            state: Bbr3State::Startup,
            in_recovery: false,
            idle: false,
            delivered: 0.0,
            next_round: 0.0,
            rounds: 0,
            round_start: false,
            rounds_since_probe: 0,
            max_rate: WindowedMax::default(),
            cycle_count: 0,
            rate: 0.0,
            rate_latest: 0.0,
            rate_short: never,
            full_rate: 0.0,
            full_count: 0,
            full_now: false,
            full_reached: false,
            drain_start: 0,
            latest: 0.0,
            short: never,
            long: never,
            extra: WindowedMax::default(),
            extra_since: SimTime::ZERO,
            extra_delivered: 0.0,
            loss_in_round: false,
            loss_round_start: false,
            loss_round: 0.0,
            lost_in_round: 0.0,
            loss_events: 0,
            loss_rounds: 0,
            saved: None,
            ack_phase: AckPhase::Init,
            cycle_since: SimTime::ZERO,
            wait: SimDuration::ZERO,
            probe_sample: false,
            probe_rounds: 0,
            probe_acked: 0.0,
            acked_per_increment: never,
            too_high: false,
            precautionary: false,
            min_rtt: None,
            min_rtt_at: SimTime::ZERO,
            probe_min: None,
            probe_min_at: None,
            probe_expired: false,
            probe_done: None,
            probe_round_done: false,
            little_until: 0.0,
        }
    }

    fn pacing_gain(&self) -> f64 {
        match self.state {
            Bbr3State::Startup => self.startup_gain,
            Bbr3State::Drain => DRAIN_GAIN,
            Bbr3State::Down => 0.9,
            Bbr3State::Up => 1.25,
            Bbr3State::Cruise | Bbr3State::Refill | Bbr3State::ProbeRtt => 1.0,
        }
    }

    fn window_gain(&self) -> f64 {
        match self.state {
            Bbr3State::Up => self.cwnd_gain + 0.25,
            Bbr3State::ProbeRtt => PROBE_RTT_GAIN,
            _ => self.cwnd_gain,
        }
    }

    fn in_probe_bw(&self) -> bool {
        matches!(
            self.state,
            Bbr3State::Down | Bbr3State::Cruise | Bbr3State::Refill | Bbr3State::Up
        )
    }
}

impl CongestionControl for Bbr3 {
    fn cwnd(&self) -> u64 {
        self.cwnd as u64
    }

    fn pacing_rate(&self) -> Option<Rate> {
        Rate::from_bps((self.pacing * 8.0) as u64)
    }

    fn send_quantum(&self) -> Option<u64> {
        Some(self.quantum() as u64)
    }

    fn governs_recovery(&self) -> bool {
        true
    }

    fn state(&self) -> &'static str {
        match self.state {
            Bbr3State::Startup => "Startup",
            Bbr3State::Drain => "Drain",
            Bbr3State::Down => "ProbeBW_DOWN",
            Bbr3State::Cruise => "ProbeBW_CRUISE",
            Bbr3State::Refill => "ProbeBW_REFILL",
            Bbr3State::Up => "ProbeBW_UP",
            Bbr3State::ProbeRtt => "ProbeRTT",
        }
    }

    fn on_start(&mut self, start: &ConnectionStart) {
        self.mss = start.mss.max(1).into();
        self.initial = start.initial_window as f64;
        self.cwnd = self.initial;
        self.min_rtt = start.srtt;
        let rtt = start.srtt.unwrap_or(SimDuration::from_millis(1));
        self.pacing = self.startup_gain * self.initial / rtt.as_secs_f64().max(1e-6);
    }

    /// UpdateOnACK, section 5.2.3.
    fn on_ack(&mut self, ack: &AckEvent) {
        if ack.phase == RecoveryPhase::Open && self.in_recovery {
            self.in_recovery = false; // after a time-out
            self.restore_window();
        }
        self.note_losses(ack);
        let sample = self.sample(ack);
        self.update_latest(ack, &sample);
        self.update_congestion(ack, &sample);
        self.measure_aggregation(ack.now, sample.acked);
        self.check_full(&sample);
        self.check_startup(&sample);
        if self.state == Bbr3State::Drain
            && (sample.in_flight <= self.with_room(self.bdp(1.0))
                || self.rounds > self.drain_start + DRAIN_ROUNDS)
        {
            self.start_down(ack.now);
        }
        self.update_cycle(&sample, ack.now);
        self.update_min_rtt(ack);
        self.check_probe_rtt(ack);
        if self.loss_round_start {
            (self.rate_latest, self.latest) = (sample.rate, sample.delivered);
        }
        self.rate = self.max_rate.get().min(self.rate_short);
        self.set_pacing(self.pacing_gain());
        self.set_window(sample.acked);
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        match event.cause {
            Congestion::Ecn => {}
            Congestion::Loss => {
                self.save_window();
                self.save_state();
                self.in_recovery = true;
                self.loss_rounds = 0;
            }
            Congestion::Timeout | Congestion::RepeatedTimeout => {
                self.save_window();
                self.save_state();
                self.in_recovery = true;
                self.cwnd = event.pipe as f64 + self.mss;
            }
        }
    }

    fn on_mss(&mut self, mss: u32) {
        let new = f64::from(mss.max(1));
        self.cwnd = (self.cwnd * new / self.mss).max(new);
        self.mss = new;
    }

    fn on_recovery_exit(&mut self, _in_flight: u64, _now: SimTime) {
        self.in_recovery = false;
        self.restore_window();
        self.bound_window();
    }

    /// HandleSpuriousLossDetection, section 5.5.11.2.
    fn on_undo(&mut self, restored: &SpuriousCongestion) {
        self.in_recovery = false;
        self.prior_cwnd = self.prior_cwnd.max(restored.cwnd as f64);
        self.restore_window();
        self.restore_state();
    }

    /// HandleRestartFromIdle, section 5.4.1.
    fn on_idle(&mut self, idle: &AfterIdle) {
        self.idle = true;
        self.extra_since = idle.now;
        if self.in_probe_bw() {
            self.set_pacing(1.0);
        } else if self.state == Bbr3State::ProbeRtt {
            self.check_probe_rtt_done(idle.now);
        }
    }
}
