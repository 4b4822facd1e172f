//! The window that most algorithms share: slow start, additive increase, multiplicative decrease, and the
//! effects of time-outs, pauses and smaller segments (RFC 5681, RFC 6582).

use super::{
    AckEvent, AfterIdle, Congestion, CongestionEvent, ConnectionStart, SpuriousCongestion,
};
use crate::recovery::RecoveryPhase;

/// A congestion window and its threshold, in bytes; growth is kept in fractions of a byte.
#[derive(Clone, Copy, Debug)]
pub struct CongestionWindow {
    cwnd: f64,
    /// Infinite before the first congestion.
    ssthresh: f64,
    mss: f64,
}

impl Default for CongestionWindow {
    fn default() -> CongestionWindow {
        CongestionWindow::new()
    }
}

impl CongestionWindow {
    /// The window before the connection opens.
    pub const fn new() -> CongestionWindow {
        CongestionWindow {
            cwnd: 0.0,
            ssthresh: f64::INFINITY,
            mss: 1.0,
        }
    }

    /// The window in whole bytes.
    pub fn bytes(&self) -> u64 {
        (self.cwnd + 0.5) as u64
    }

    /// The threshold, once there is one.
    pub fn threshold(&self) -> Option<u64> {
        self.ssthresh.is_finite().then_some(self.ssthresh as u64)
    }

    /// The window in segments.
    pub fn segments(&self) -> f64 {
        self.cwnd / self.mss
    }

    /// What part of the window these bytes are.
    pub fn share(&self, bytes: u64) -> f64 {
        bytes as f64 / self.cwnd.max(1.0)
    }

    /// Bytes of a full segment.
    pub fn mss(&self) -> f64 {
        self.mss
    }

    /// Sets the segment size and the initial window of an established connection.
    pub fn start(&mut self, start: &ConnectionStart) {
        self.mss = f64::from(start.mss.max(1));
        self.cwnd = start.initial_window as f64;
    }

    /// Whether the window is below the threshold.
    pub fn in_slow_start(&self) -> bool {
        self.cwnd < self.ssthresh
    }

    /// Whether an ACK may increase the window: it acknowledges new data outside fast recovery, and the window was
    /// full (RFC 9293 section 3.8.2 by way of RFC 7661).
    pub fn may_grow(ack: &AckEvent) -> bool {
        ack.acked > 0 && ack.phase != RecoveryPhase::Fast && ack.cwnd_limited
    }

    /// Slow start: grows by the acknowledged bytes, up to the threshold. Returns the bytes that are left for
    /// congestion avoidance.
    pub fn slow_start(&mut self, acked: u64) -> u64 {
        if !self.in_slow_start() {
            return acked;
        }
        let acked = acked as f64;
        let grown = (self.cwnd + acked).min(self.ssthresh);
        let rest = acked - (grown - self.cwnd);
        self.cwnd = grown;
        rest as u64
    }

    /// Grows by this many bytes.
    pub fn open(&mut self, bytes: f64) {
        self.cwnd += bytes;
    }

    /// Slow start by another rule: grows by this many bytes, up to the threshold.
    pub fn open_to_threshold(&mut self, bytes: f64) {
        self.cwnd = (self.cwnd + bytes).min(self.ssthresh.max(self.cwnd));
    }

    /// Additive increase: `segments` for each window of acknowledged bytes.
    pub fn increase(&mut self, segments: f64, acked: u64) {
        self.cwnd += segments * self.mss * acked as f64 / self.cwnd.max(1.0);
    }

    /// Sets the window to at least one segment. In congestion avoidance the threshold follows a shrinking window,
    /// so that slow start does not begin again.
    pub fn set(&mut self, segments: f64) {
        let avoiding = !self.in_slow_start();
        self.cwnd = (segments * self.mss).max(self.mss);
        if avoiding {
            self.ssthresh = self.ssthresh.min(self.cwnd);
        }
    }

    /// Ends slow start without a loss.
    pub fn end_slow_start(&mut self) {
        self.ssthresh = self.cwnd;
    }

    /// Congestion: the threshold becomes `segments`, at least two; the window becomes that, or one
    /// segment after a time-out. A segment that times out again leaves the threshold alone.
    pub fn reduce(&mut self, event: &CongestionEvent, segments: f64) {
        if event.cause != Congestion::RepeatedTimeout {
            let segments = if event.whole {
                libm::floor(segments)
            } else {
                segments
            };
            self.ssthresh = (segments * self.mss).max(2.0 * self.mss);
        }
        self.cwnd = match event.cause {
            Congestion::Loss | Congestion::Ecn => self.ssthresh,
            Congestion::Timeout | Congestion::RepeatedTimeout => self.mss,
        };
    }

    /// Reduces the window to a share of the data in flight.
    pub fn reduce_by(&mut self, event: &CongestionEvent, share: f64) {
        self.reduce(event, event.in_flight as f64 * share / self.mss);
    }

    /// Ends fast recovery, without a burst when little is in flight (RFC 6582 section 3.2).
    pub fn leave_recovery(&mut self, in_flight: u64) {
        let most = (in_flight as f64).max(self.mss) + self.mss;
        self.cwnd = self.ssthresh.min(most);
    }

    /// The latest reduction was spurious: restores at least the earlier window and threshold.
    pub fn restore(&mut self, restored: &SpuriousCongestion) {
        self.cwnd = self.cwnd.max(restored.cwnd as f64);
        let before = restored.ssthresh.map_or(f64::INFINITY, |t| t as f64);
        self.ssthresh = self.ssthresh.max(before);
    }

    /// Segments become smaller: keeps their number.
    pub fn change_mss(&mut self, mss: u32) {
        let new = f64::from(mss.max(1));
        self.cwnd *= new / self.mss;
        self.ssthresh = (self.ssthresh * new / self.mss).max(2.0 * new);
        self.mss = new;
    }

    /// Restricts the window when the application sends after a pause.
    pub fn after_pause(&mut self, idle: &AfterIdle) {
        if let Some(most) = idle.restart_window {
            self.cwnd = self.cwnd.min(most as f64);
        }
    }
}

/// The methods of [`super::CongestionControl`] that a field `window: CongestionWindow` implements.
macro_rules! window_methods {
    (with idle) => {
        $crate::congestion::window::window_methods!(with undo);
        fn on_idle(&mut self, idle: &$crate::congestion::AfterIdle) {
            self.window.after_pause(idle);
        }
    };
    (with undo) => {
        $crate::congestion::window::window_methods!();
        fn on_undo(&mut self, restored: &$crate::congestion::SpuriousCongestion) {
            self.window.restore(restored);
        }
    };
    () => {
        fn cwnd(&self) -> u64 {
            self.window.bytes()
        }
        fn ssthresh(&self) -> Option<u64> {
            self.window.threshold()
        }
        fn on_start(&mut self, start: &$crate::congestion::ConnectionStart) {
            self.window.start(start);
        }
        fn on_mss(&mut self, mss: u32) {
            self.window.change_mss(mss);
        }
        fn on_larger_mss(&mut self, mss: u32, window: u64) {
            self.window.change_mss(mss);
            self.window.set(window as f64 / f64::from(mss.max(1)));
        }
        fn on_recovery_exit(&mut self, in_flight: u64, _: sim_core::SimTime) {
            self.window.leave_recovery(in_flight);
        }
    };
}
pub(super) use window_methods;
