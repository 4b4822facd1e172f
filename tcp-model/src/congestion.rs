//! Congestion control: how much may be in flight, and how fast it may leave.
//!
//! A control answers queries and receives events; it never touches the control block. [`crate::recovery`]
//! decides what to retransmit.
//!
//! Your own control is a type that implements [`CongestionControl`]; four methods are enough:
//!
//! ```
//! use tcp_model::congestion::{AckEvent, CongestionControl, CongestionEvent, ConnectionStart};
//!
//! /// Keeps a fixed number of segments in flight.
//! #[derive(Clone, Debug)]
//! struct Constant { segments: u64, mss: u64 }
//!
//! impl CongestionControl for Constant {
//!     fn cwnd(&self) -> u64 {
//!         self.segments * self.mss
//!     }
//!     fn on_start(&mut self, start: &ConnectionStart) {
//!         self.mss = start.mss.into();
//!     }
//!     fn on_ack(&mut self, _: &AckEvent) {}
//!     fn on_congestion(&mut self, _: &CongestionEvent) {}
//! }
//! ```

use std::fmt::Debug;

use sim_core::Rate;

use crate::segment::Ecn;

mod algorithm;
mod any;
mod bbr;
mod bbr3;
mod bic;
mod built_in;
mod copa;
mod cubic;
mod cubic_linux;
mod dctcp;
mod events;
mod fixed;
mod highspeed;
mod htcp;
mod hybla;
mod hystart;
mod hystart_linux;
mod illinois;
mod ledbat;
mod ledbat_pp;
mod newreno;
mod prague;
mod round_delays;
mod round_trips;
mod scalable;
#[cfg(test)]
mod testing;
mod vegas;
mod veno;
mod westwood;
mod window;
mod windowed_max;
mod yeah;

pub use algorithm::{
    Algorithm, Control, ControlContext, ControlError, ControlParameter, ControlValue,
    MOST_PARAMETERS, ParameterKind,
};
pub use any::{AnyCc, BoxedControl};
pub use built_in::{BUILT_IN, algorithms, find, register};
pub(crate) use cubic::DEFAULTS as CUBIC;
pub(crate) use cubic_linux::DEFAULTS as LINUX_CUBIC;
pub use cubic_linux::FreshCubic;
pub use events::{
    AckEvent, AfterIdle, Congestion, CongestionEvent, ConnectionStart, SpuriousCongestion,
};
pub use hystart::{HyStart, SlowStartGrowth};
pub use newreno::NewReno;
pub use round_trips::RoundTrips;
pub use window::CongestionWindow;

pub use crate::delivery_rate::RateSample;

/// Copies a boxed control, so that a connection can be copied; implemented for every `Clone` type.
pub trait CloneController {
    /// A copy in a box.
    fn clone_box(&self) -> Box<dyn CongestionControl>;
}

impl<T: CongestionControl + Clone + 'static> CloneController for T {
    fn clone_box(&self) -> Box<dyn CongestionControl> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn CongestionControl> {
    fn clone(&self) -> Self {
        (**self).clone_box()
    }
}

/// A congestion control algorithm. All windows are in bytes.
///
/// The order of events at an ACK: [`CongestionControl::on_ack`]; then
/// [`CongestionControl::on_recovery_exit`] if the ACK ends fast recovery, or
/// [`CongestionControl::on_congestion`] if it shows a loss and recovery begins.
pub trait CongestionControl: CloneController + Send + Debug {
    /// The congestion window. It may change with events only: it is asked for after each of them, and not again until
    /// the next.
    fn cwnd(&self) -> u64;
    /// The slow-start threshold; `None` before the first congestion.
    fn ssthresh(&self) -> Option<u64> {
        None
    }
    /// The rate at which to send segments; `None`: as fast as the windows allow.
    fn pacing_rate(&self) -> Option<Rate> {
        None
    }
    /// The most bytes that leave together when [`CongestionControl::pacing_rate`] sets the pace: the send quantum
    /// of draft-ietf-ccwg-bbr section 5.6.3. `None`: a segment at a time. With the parameter `tso` the bursts are
    /// those of Linux instead.
    fn send_quantum(&self) -> Option<u64> {
        None
    }
    /// Whether the connection must log the send times of its segments and measure delivery rate, minimum
    /// round-trip time and losses for [`AckEvent`], and a round-trip time at every ACK. Asked before the
    /// connection opens, and after each ACK while measuring; once stopped, measurement does not restart. A
    /// control that needs none of these saves time and memory by returning `false`.
    fn needs_measurements(&self) -> bool {
        true
    }
    /// Whether it needs [`AckEvent::rtt`] and [`AckEvent::min_rtt`] at every ACK, but no other measurement:
    /// connections that detect losses by time have these anyway.
    fn needs_round_trips(&self) -> bool {
        self.needs_measurements()
    }
    /// Whether it needs ECN and the number of marked bytes: the connection requests ECN regardless of the
    /// parameters, and echoes each mark as in RFC 8257 section 3.2.
    fn needs_ecn(&self) -> bool {
        false
    }
    /// The ECN codepoint of data: ECT(0), or ECT(1) for a control that reacts to marks as required by RFC
    /// 9331.
    fn ect(&self) -> Ecn {
        Ecn::Ect0
    }
    /// The connection is established.
    fn on_start(&mut self, start: &ConnectionStart);
    /// An ACK arrived while data are in flight, also during recovery.
    fn on_ack(&mut self, ack: &AckEvent);
    /// Congestion was detected. Unless the signal is a mark, fast recovery begins, or slow start
    /// after a time-out.
    fn on_congestion(&mut self, event: &CongestionEvent);
    /// The path carries only smaller segments than assumed. The window keeps its number of segments.
    fn on_mss(&mut self, mss: u32) {
        let _ = mss;
    }
    /// The path carries larger segments than assumed, and the window should become `window` bytes.
    fn on_larger_mss(&mut self, mss: u32, window: u64) {
        let _ = window;
        self.on_mss(mss);
    }
    /// Fast recovery ends; `in_flight` in bytes.
    fn on_recovery_exit(&mut self, in_flight: u64, now: sim_core::SimTime) {
        let _ = (in_flight, now);
    }
    /// The latest loss or time-out proved spurious: the window should be at least what it was before. A
    /// control that does nothing here keeps the reduced window.
    fn on_undo(&mut self, restored: &SpuriousCongestion) {
        let _ = restored;
    }
    /// Whether the control sets its window itself in fast recovery. Otherwise Proportional Rate Reduction
    /// (RFC 9937) governs sending then, if the parameters enable it.
    fn governs_recovery(&self) -> bool {
        false
    }
    /// Whether a reduction for a congestion mark takes effect at once, and the window may grow in
    /// the same round trip, instead of the reduction being spread over it (PRR): for controls that
    /// reduce a little in each.
    fn reduces_at_once(&self) -> bool {
        false
    }
    /// Its current state, in a word or two, for records over time.
    fn state(&self) -> &'static str {
        match self.ssthresh() {
            Some(threshold) if self.cwnd() >= threshold => "congestion avoidance",
            _ => "slow start",
        }
    }
    /// The application sends again after a pause.
    fn on_idle(&mut self, idle: &AfterIdle) {
        let _ = idle;
    }
}
