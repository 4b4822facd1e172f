//! CUBIC, RFC 9438: the window grows as a cubic function of the time since the last congestion.
//! [`super::cubic_linux`] is Linux's variant.
//!
//! Windows are in segments and the time in seconds, as in the RFC.

use sim_core::{SimDuration, SimTime};

use super::hystart::HyStart;
use super::window::{CongestionWindow, window_methods};
use super::{
    AckEvent, AfterIdle, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent, Control,
    ControlParameter, SpuriousCongestion,
};
use crate::recovery::RecoveryPhase;

/// Multiplicative decrease, with its default.
pub(super) const fn beta(default: f64) -> ControlParameter {
    ControlParameter::number(
        "beta",
        (0.1, 0.99),
        default,
        "share of the window that is left after a loss",
    )
}

pub(super) const STEEPNESS: ControlParameter = ControlParameter::number(
    "c",
    (0.001, 100.0),
    0.4,
    "how steeply the window grows, in segments per cubic second",
);
pub(super) const FAST_CONVERGENCE: ControlParameter = ControlParameter::switch(
    "fast_convergence",
    true,
    "release more of the window when it was smaller at this loss than at the one before",
);
pub(super) const RENO_FRIENDLY: ControlParameter =
    ControlParameter::switch("reno_friendly", true, "grow at least as fast as Reno would");

/// `cubic`.
pub(super) static ALGORITHM: Algorithm = Algorithm {
    name: "cubic",
    aliases: &[],
    doc: "grows the window as a cubic function of the time since the last loss, whatever the \
          round-trip time; the default of most operating systems",
    source: "RFC 9438; slow start RFC 9406",
    version: 1,
    parameters: &[
        beta(0.7),
        STEEPNESS,
        FAST_CONVERGENCE,
        RENO_FRIENDLY,
        ControlParameter::switch(
            "hystart",
            true,
            "leave slow start by HyStart++ (RFC 9406) when the round-trip time rises",
        ),
    ],
    make: |control, _| AnyCc::own(Cubic::new(control)),
};

/// The control with the values of the RFC.
pub(crate) const DEFAULTS: Control = Control::new(&ALGORITHM);

/// The share of the window that remains after a mark with alternative back-off (RFC 8511 section 3.1).
pub(super) const GENTLE_BETA: f64 = 0.85;

/// A stage of congestion avoidance.
#[derive(Clone, Copy, Debug)]
struct CubicEpoch {
    start: SimTime,
    /// K, seconds.
    k: f64,
    /// W_max, segments.
    w_max: f64,
    /// W_est, segments: the window that Reno would have.
    w_est: f64,
}

/// What each ACK needs lies at the beginning, in two cache lines.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
struct Cubic {
    window: CongestionWindow,
    /// The window has not been in use since then.
    unused_since: Option<SimTime>,
    /// Equation 4: how fast W_est grows before it reaches the window before the loss.
    alpha: f64,
    c: f64,
    /// The current stage; if `None`, the next ACK in congestion avoidance begins one.
    epoch: Option<CubicEpoch>,
    /// W_max and cwnd_prior of the last congestion shown by ACKs; `None` if the next stage is the first one after a
    /// time-out or after slow start.
    reduced: Option<(f64, f64)>,
    reno_friendly: bool,
    fast_convergence: bool,
    beta: f64,
    /// W_max of the last congestion, segments.
    last_max: f64,
    hystart: Option<HyStart>,
    /// `epoch`, `reduced` and `last_max` before the last congestion (section 4.9).
    before: Option<BeforeCongestion>,
}

/// The state that is restored after a spurious congestion event: `epoch`, `reduced`, `last_max`.
type BeforeCongestion = (Option<CubicEpoch>, Option<(f64, f64)>, f64);

impl Cubic {
    fn new(control: &Control) -> Cubic {
        let beta: f64 = control.get("beta");
        Cubic {
            window: CongestionWindow::new(),
            beta,
            alpha: 3.0 * (1.0 - beta) / (1.0 + beta),
            c: control.get("c"),
            fast_convergence: control.is_on("fast_convergence"),
            reno_friendly: control.is_on("reno_friendly"),
            hystart: control.is_on("hystart").then(|| HyStart::new(false)),
            epoch: None,
            reduced: None,
            last_max: 0.0,
            unused_since: None,
            before: None,
        }
    }

    /// Sections 4.2, 4.8 and 4.10: K and W_max at the start of congestion avoidance.
    fn begin(&self, now: SimTime) -> CubicEpoch {
        let cwnd = self.window.segments();
        match self.reduced {
            Some((w_max, _)) if w_max > cwnd => CubicEpoch {
                start: now,
                k: libm::cbrt((w_max - cwnd) / self.c),
                w_max,
                w_est: cwnd,
            },
            _ => CubicEpoch {
                start: now,
                k: 0.0,
                w_max: cwnd,
                w_est: cwnd,
            },
        }
    }

    /// W_cubic of equation 1.
    fn w_cubic(&self, epoch: &CubicEpoch, t: f64) -> f64 {
        let x = t - epoch.k;
        self.c * x * x * x + epoch.w_max
    }

    /// Excludes time in which the window was not in use (section 5.8).
    fn shift(&mut self, time: SimDuration) {
        if let Some(epoch) = &mut self.epoch {
            epoch.start = epoch.start.saturating_add(time);
        }
    }

    /// Grows as in slow start; returns the bytes that are left for congestion avoidance.
    #[inline(never)]
    fn slow_start(&mut self, ack: &AckEvent) -> u64 {
        let Some(hystart) = &mut self.hystart else {
            return self.window.slow_start(ack.acked);
        };
        if self.window.threshold().is_some() {
            return self.window.slow_start(ack.acked);
        }
        let growth = hystart.on_ack(ack, self.window.mss() as u64);
        self.window.open(growth.bytes as f64);
        if growth.exit {
            self.window.end_slow_start();
        }
        0
    }

    fn avoid_congestion(&mut self, ack: &AckEvent, acked: u64) {
        let mut epoch = self.epoch.unwrap_or_else(|| self.begin(ack.now));
        let cwnd = self.window.segments();
        // Of a window.
        let acked = self.window.share(acked);
        let t = ack.now.since(epoch.start).as_secs_f64();
        // Equation 4: alpha is that of Reno once W_est has reached the window before the loss.
        let prior = self.reduced.map_or(epoch.w_max, |(_, prior)| prior);
        let alpha = if epoch.w_est >= prior {
            1.0
        } else {
            self.alpha
        };
        epoch.w_est += alpha * acked;
        if self.reno_friendly && self.w_cubic(&epoch, t) < epoch.w_est {
            self.window.set(epoch.w_est.max(cwnd)); // section 4.3
        } else {
            // Sections 4.2, 4.4 and 4.5
            let rtt = ack.srtt.map_or(0.0, |r| r.as_secs_f64());
            let target = self.w_cubic(&epoch, t + rtt);
            let target = target.max(cwnd).min(1.5 * cwnd);
            self.window.set(cwnd + acked * (target - cwnd));
        }
        self.epoch = Some(epoch);
    }
}

impl CongestionControl for Cubic {
    window_methods!();

    fn needs_measurements(&self) -> bool {
        self.hystart.as_ref().is_some_and(HyStart::is_under_way) // a round-trip time at every ACK
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        if !CongestionWindow::may_grow(ack) {
            if ack.phase == RecoveryPhase::Open && !ack.cwnd_limited {
                self.unused_since.get_or_insert(ack.now);
            }
            return;
        }
        if let Some(since) = self.unused_since.take() {
            self.shift(ack.now.since(since));
        }
        let mut acked = ack.acked;
        if self.window.in_slow_start() {
            acked = self.slow_start(ack);
            if acked == 0 || self.window.in_slow_start() {
                return;
            }
        }
        self.avoid_congestion(ack, acked);
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let cwnd = self.window.segments();
        if event.cause != Congestion::RepeatedTimeout {
            self.before = Some((self.epoch, self.reduced, self.last_max));
        }
        self.epoch = None;
        if let Some(hystart) = &mut self.hystart {
            hystart.on_congestion();
        }
        self.unused_since = None;
        // Section 4.7
        if self.fast_convergence && cwnd < self.last_max {
            self.last_max = cwnd * (1.0 + self.beta) / 2.0;
        } else {
            self.last_max = cwnd;
        }
        self.reduced = match event.cause {
            Congestion::Loss | Congestion::Ecn => Some((self.last_max, cwnd)),
            Congestion::Timeout | Congestion::RepeatedTimeout => None, // section 4.8
        };
        // Section 4.6; RFC 8511 section 3.1
        let share = if event.gentle {
            self.beta.max(GENTLE_BETA)
        } else {
            self.beta
        };
        self.window.reduce_by(event, share);
    }

    fn on_undo(&mut self, restored: &SpuriousCongestion) {
        self.window.restore(restored);
        if let Some((epoch, reduced, last_max)) = self.before.take() {
            (self.epoch, self.reduced, self.last_max) = (epoch, reduced, last_max);
        }
    }

    fn on_idle(&mut self, idle: &AfterIdle) {
        self.window.after_pause(idle);
        self.shift(idle.silent);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ConnectionStart, Control, ControlValue};
    use super::*;

    const MSS: u64 = 1000;
    const RTT: f64 = 0.1;

    /// A window of this many segments, just reduced by a loss at time zero.
    fn after_loss(segments: u64, change: impl Fn(Control) -> Control) -> Cubic {
        let control = change(Control::new(&ALGORITHM));
        let mut cubic = Cubic::new(&control);
        cubic.on_start(&ConnectionStart {
            mss: MSS as u32,
            initial_window: segments * MSS,
            srtt: None,
        });
        cubic.on_congestion(&CongestionEvent {
            cause: Congestion::Loss,
            now: SimTime::ZERO,
            in_flight: segments * MSS,
            pipe: segments * MSS,
            gentle: false,
            whole: false,
        });
        cubic
    }

    /// The window in segments after each of `n` round trips in which all of it is acknowledged, a
    /// segment at a time.
    fn rounds(cubic: &mut Cubic, n: u32) -> Vec<f64> {
        let mut at = Vec::new();
        for round in 0..n {
            let acks = cubic.cwnd() / MSS;
            for i in 0..acks {
                let t = RTT * (f64::from(round) + i as f64 / acks as f64);
                cubic.on_ack(&AckEvent {
                    srtt: Some(SimDuration::from_secs_f64(RTT)),
                    ..AckEvent::plain(SimTime::ZERO + SimDuration::from_secs_f64(t), MSS)
                });
            }
            at.push(cubic.window.segments());
        }
        at
    }

    #[test]
    fn after_a_loss_the_window_follows_the_formula() {
        // 1000 segments, so that only the cubic region matters: W_max = 1000, K = cbrt(300 / 0.4) =
        // 9.086 s.
        let mut cubic = after_loss(1000, |c| {
            c.with("reno_friendly", ControlValue::Switch(false))
                .unwrap()
        });
        assert_eq!(cubic.cwnd(), 700 * MSS);
        let k = libm::cbrt(300.0 / 0.4);
        for (i, window) in rounds(&mut cubic, 150).into_iter().enumerate() {
            let t = RTT * (i as f64 + 1.0) - k;
            let formula = 0.4 * t * t * t + 1000.0;
            // The ACKs of a round trip aim at the window of one round trip later.
            let slope = 1.2 * t * t * RTT;
            assert!(
                (window - formula).abs() <= 1.0 + slope,
                "round {i}: {window} {formula}"
            );
        }
    }

    #[test]
    fn the_reno_friendly_region_has_the_throughput_of_reno() {
        // A small window at a short round trip: W_est determines it. alpha = 3 * 0.3 / 1.7 = 0.529
        // segments a round trip until the window before the loss is reached, then one.
        let mut cubic = after_loss(20, |c| c);
        let windows = rounds(&mut cubic, 30);
        let alpha = 3.0 * 0.3 / 1.7;
        let mut expected = 14.0;
        for (i, window) in windows.into_iter().enumerate() {
            expected += if expected >= 20.0 { 1.0 } else { alpha };
            assert!(
                (window - expected).abs() < 1.0,
                "round {i}: {window} {expected}"
            );
        }
    }

    #[test]
    fn fast_convergence_releases_more_of_a_shrinking_window() {
        for (on, w_max) in [(true, 700.0 * 0.85), (false, 700.0)] {
            let mut cubic = after_loss(1000, |c| {
                c.with("fast_convergence", ControlValue::Switch(on))
                    .unwrap()
            });
            cubic.on_congestion(&CongestionEvent {
                cause: Congestion::Loss,
                now: SimTime::ZERO,
                in_flight: 700 * MSS,
                pipe: 700 * MSS,
                gentle: false,
                whole: false,
            });
            assert_eq!(cubic.reduced, Some((w_max, 700.0)));
            assert_eq!(cubic.cwnd(), 490 * MSS);
        }
    }

    #[test]
    fn after_a_time_out_growth_begins_at_the_inflection() {
        let mut cubic = after_loss(100, |c| c);
        cubic.on_congestion(&CongestionEvent {
            cause: Congestion::Timeout,
            now: SimTime::ZERO,
            in_flight: 70 * MSS,
            pipe: 70 * MSS,
            gentle: false,
            whole: false,
        });
        assert_eq!((cubic.cwnd(), cubic.ssthresh()), (MSS, Some(49 * MSS)));
        cubic.on_ack(&AckEvent::plain(SimTime::ZERO, 60 * MSS));
        let epoch = cubic.epoch.expect("congestion avoidance");
        assert_eq!((epoch.k, epoch.w_max), (0.0, 49.0));
    }
}
