//! Linux's CUBIC: it counts whole segments, has its own HyStart, aims at the target one minimum round-trip time
//! ahead, omits the last stage of the Reno-friendly region, and forgets W_max after a time-out (Ha, Rhee and
//! Xu, "CUBIC: a new TCP-friendly high-speed TCP variant", 2008).
//!
//! The window grows by one segment for every n acknowledged, where n follows from the distance to the target in
//! whole segments, or from the lead of the window that Reno would have; n is at least two. Counting whole
//! segments matters for small windows: of 7 segments a loss leaves 4.
//!
//! Leaves out the granularity of the clock, which is a tick, and the round trips of data sent before the window was
//! first filled, when there is only the window to keep.

use sim_core::{SimDuration, SimTime};

use super::cubic::{FAST_CONVERGENCE, GENTLE_BETA, RENO_FRIENDLY, STEEPNESS, beta};
use super::hystart_linux::LinuxHyStart;
use super::window::{CongestionWindow, window_methods};
use super::{
    AckEvent, AfterIdle, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent, Control,
    ControlParameter,
};

/// `cubic-linux`.
pub(super) static ALGORITHM: Algorithm = Algorithm {
    name: "cubic-linux",
    aliases: &[],
    doc: "CUBIC as Linux has it: whole segments, and the HyStart that ends slow start at once",
    source: "Linux tcp_cubic; Ha, Rhee and Xu 2008; Ha and Rhee 2011",
    version: 2,
    parameters: &[
        beta(717.0 / 1024.0),
        STEEPNESS,
        FAST_CONVERGENCE,
        RENO_FRIENDLY,
        ControlParameter::switch(
            "hystart",
            true,
            "leave slow start when the round-trip time rises, or ACKs come in a long train",
        ),
    ],
    make: |control, _| match *control == DEFAULTS {
        true => AnyCc::FreshCubic(FreshCubic {
            window: CongestionWindow::new(),
        }),
        false => AnyCc::own(CubicLinux::new(control)),
    },
};

/// The control with Linux's values.
pub(crate) const DEFAULTS: Control = Control::new(&ALGORITHM);

/// `cubic-linux` with Linux's values before the window was ever filled or reduced: only the window.
#[derive(Clone, Debug)]
pub struct FreshCubic {
    window: CongestionWindow,
}

impl FreshCubic {
    /// The whole control, with this window.
    #[cold]
    pub(super) fn put_to_use(&self) -> AnyCc {
        AnyCc::own(CubicLinux {
            window: self.window,
            ..CubicLinux::new(&DEFAULTS)
        })
    }
}

impl CongestionControl for FreshCubic {
    window_methods!(with idle);

    fn needs_measurements(&self) -> bool {
        false
    }

    fn needs_round_trips(&self) -> bool {
        true
    }

    fn on_ack(&mut self, _: &AckEvent) {} // only ACKs of a window that was not full

    fn on_congestion(&mut self, _: &CongestionEvent) {} // the whole control has replaced it by then
}

/// The cubic function is evaluated again after this time, or when the window has changed.
const REFRESH: SimDuration = SimDuration::from_ps(1_000_000_000_000 / 32);
/// Segments to be acknowledged per segment of growth while the window is far above its target.
const STANDSTILL: f64 = 100.0;
/// The largest such number before the first loss, and the smallest at any time.
const UNKNOWN_PATH: f64 = 20.0;
const FASTEST: f64 = 2.0;

/// How long after the beginning of such a stage round trips are not measured.
const SETTLING: SimDuration = SimDuration::from_secs(1);

/// A stage of congestion avoidance; windows in segments.
#[derive(Clone, Copy, Debug)]
struct LinuxCubicEpoch {
    start: SimTime,
    /// Time until the cubic function reaches `origin`, seconds.
    k: f64,
    origin: f64,
    /// The window that Reno would have, and segments acknowledged since it last grew.
    reno: f64,
    reno_acked: f64,
    /// When the cubic function was last evaluated, and the window then.
    seen: Option<(SimTime, f64)>,
}

#[derive(Clone, Debug)]
struct CubicLinux {
    window: CongestionWindow,
    beta: f64,
    c: f64,
    fast_convergence: bool,
    reno_friendly: bool,
    hystart: Option<LinuxHyStart>,
    epoch: Option<LinuxCubicEpoch>,
    /// The smallest round-trip time of data since the start or a time-out; the longest duration without one.
    min_rtt: SimDuration,
    /// The window at the last loss, reduced if it was smaller than at the previous one; 0 if there was no loss, or
    /// a time-out since.
    last_max: f64,
    /// Segments to be acknowledged per segment of growth, and those counted so far.
    per_segment: f64,
    credit: f64,
}

impl CubicLinux {
    fn new(control: &Control) -> CubicLinux {
        CubicLinux {
            window: CongestionWindow::new(),
            beta: control.get("beta"),
            c: control.get("c"),
            fast_convergence: control.is_on("fast_convergence"),
            reno_friendly: control.is_on("reno_friendly"),
            hystart: control.is_on("hystart").then(LinuxHyStart::default),
            epoch: None,
            min_rtt: SimDuration::MAX,
            last_max: 0.0,
            per_segment: 0.0,
            credit: 0.0,
        }
    }

    /// Every ACK that gives a round-trip time, limited by the window or not (`cubictcp_acked`). Samples in the
    /// first second of a stage of congestion avoidance may come from the queue that caused the loss.
    fn on_round_trip(&mut self, ack: &AckEvent, rtt: SimDuration) {
        let young = |epoch: LinuxCubicEpoch| ack.now.since(epoch.start) < SETTLING;
        if self.epoch.is_some_and(young) {
            return;
        }
        let smallest = self.min_rtt.min(rtt);
        self.min_rtt = smallest;
        if let Some(hystart) = &mut self.hystart
            && self.window.in_slow_start()
        {
            let window = (self.window.bytes() as f64, self.window.mss());
            if hystart.on_sample(ack, rtt, smallest, window) {
                self.window.end_slow_start();
            }
        }
    }

    fn begin(&self, now: SimTime, cwnd: f64) -> LinuxCubicEpoch {
        let above = (self.last_max - cwnd).max(0.0);
        LinuxCubicEpoch {
            start: now,
            k: libm::cbrt(above / self.c),
            origin: self.last_max.max(cwnd),
            reno: cwnd,
            reno_acked: 0.0,
            seen: None,
        }
    }

    /// How many segments must be acknowledged for the window to grow by one.
    fn pace(&mut self, ack: &AckEvent, acked: f64) {
        let cwnd = libm::floor(self.window.segments());
        let mut epoch = self.epoch.unwrap_or_else(|| self.begin(ack.now, cwnd));
        epoch.reno_acked += acked;
        let fresh = |(at, window)| window == cwnd && ack.now.since(at) <= REFRESH;
        if !epoch.seen.is_some_and(fresh) {
            epoch.seen = Some((ack.now, cwnd));
            self.per_segment = self.to_target(&epoch, ack, cwnd);
            if self.reno_friendly {
                // Reno's window would grow by 3 (1 - beta) / (1 + beta) a round trip, in the kernel's
                // integers.
                let share = 8.0 * (1.0 + self.beta) / 3.0 / (1.0 - self.beta);
                let round = libm::floor(cwnd * libm::floor(share) / 8.0);
                while epoch.reno_acked > round {
                    epoch.reno_acked -= round;
                    epoch.reno += 1.0;
                }
                if epoch.reno > cwnd {
                    let most = libm::floor(cwnd / (epoch.reno - cwnd));
                    self.per_segment = self.per_segment.min(most);
                }
            }
            self.per_segment = self.per_segment.max(FASTEST);
        }
        self.epoch = Some(epoch);
    }

    /// The same by the cubic function, one minimum round-trip time ahead.
    fn to_target(&self, epoch: &LinuxCubicEpoch, ack: &AckEvent, cwnd: f64) -> f64 {
        let ahead = match self.min_rtt {
            SimDuration::MAX => SimDuration::ZERO,
            known => known,
        };
        let t = (ack.now.since(epoch.start) + ahead).as_secs_f64() - epoch.k;
        let away = libm::floor(self.c * (t * t * t).abs());
        let target = epoch.origin + if t < 0.0 { -away } else { away };
        let per_segment = match target > cwnd {
            true => libm::floor(cwnd / (target - cwnd)),
            false => STANDSTILL * cwnd,
        };
        match self.last_max == 0.0 {
            true => per_segment.min(UNKNOWN_PATH),
            false => per_segment,
        }
    }

    /// Increases the window by whole segments.
    fn avoid_congestion(&mut self, ack: &AckEvent, acked: f64) {
        self.pace(ack, acked);
        let mss = self.window.mss();
        // Credit from a time of slower growth is worth at most one segment.
        if self.credit >= self.per_segment {
            self.credit = 0.0;
            self.window.open(mss);
        }
        self.credit += acked;
        if self.credit >= self.per_segment {
            let segments = libm::floor(self.credit / self.per_segment);
            self.credit -= segments * self.per_segment;
            self.window.open(segments * mss);
        }
    }
}

impl CongestionControl for CubicLinux {
    window_methods!(with undo);

    fn needs_measurements(&self) -> bool {
        false
    }

    fn needs_round_trips(&self) -> bool {
        true
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        if let Some(rtt) = ack.rtt {
            self.on_round_trip(ack, rtt);
        }
        if !CongestionWindow::may_grow(ack) {
            return;
        }
        let mut acked = ack.acked;
        if self.window.in_slow_start() {
            acked = self.window.slow_start(acked);
            if acked == 0 || self.window.in_slow_start() {
                return;
            }
        }
        self.avoid_congestion(ack, acked as f64 / self.window.mss());
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let cwnd = libm::floor(self.window.segments());
        self.epoch = None;
        self.credit = 0.0;
        let timeout = matches!(
            event.cause,
            Congestion::Timeout | Congestion::RepeatedTimeout
        );
        if timeout {
            self.last_max = 0.0;
            self.min_rtt = SimDuration::MAX;
            if let Some(hystart) = &mut self.hystart {
                hystart.reset();
            }
        } else if self.fast_convergence && cwnd < self.last_max {
            self.last_max = libm::floor(cwnd * (1.0 + self.beta) / 2.0);
        } else {
            self.last_max = cwnd;
        }
        let share = match event.gentle {
            true => self.beta.max(GENTLE_BETA), // RFC 8511 section 3.1
            false => self.beta,
        };
        self.window.reduce_by(event, share);
    }

    fn on_idle(&mut self, idle: &AfterIdle) {
        self.window.after_pause(idle);
        if let Some(epoch) = &mut self.epoch {
            epoch.start = epoch.start.saturating_add(idle.silent);
        }
    }
}

#[cfg(test)]
mod tests;
