//! Congestion control: how much may be in flight.
//!
//! A controller answers questions and hears events; it never touches the control block. What to
//! retransmit is the business of [`crate::recovery`].

use std::fmt::Debug;
use std::hash::{Hash, Hasher};

use sim_core::{Rate, SimDuration, SimTime};

use crate::params::{CongestionKind, TcpParams};

mod newreno;

pub use newreno::NewReno;

/// New data was acknowledged outside fast recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AckEvent {
    /// When.
    pub now: SimTime,
    /// Bytes newly acknowledged.
    pub acked: u64,
    /// Bytes in flight before the ACK.
    pub in_flight: u64,
    /// The window, not the application or the peer, held the sender back.
    pub cwnd_limited: bool,
    /// Smoothed round-trip time.
    pub srtt: Option<SimDuration>,
}

/// What told of congestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Congestion {
    /// Duplicate or selective ACKs: fast recovery begins.
    Loss,
    /// The retransmission timer expired for a segment for the first time.
    Timeout,
    /// It expired again for the same segment.
    RepeatedTimeout,
    /// The peer echoes a congestion mark (RFC 3168).
    Ecn,
}

/// Copies a boxed controller, so that a connection can be copied; whatever is `Clone` has it.
pub trait CloneController {
    /// A copy in a box.
    fn clone_box(&self) -> Box<dyn CongestionControl>;
}

impl<T: CongestionControl + Clone + 'static> CloneController for T {
    fn clone_box(&self) -> Box<dyn CongestionControl> {
        Box::new(self.clone())
    }
}

/// A congestion control algorithm. All windows are in bytes.
pub trait CongestionControl: CloneController + Send + Debug {
    /// The congestion window.
    fn cwnd(&self) -> u64;
    /// The slow-start threshold; `None` before the first congestion.
    fn ssthresh(&self) -> Option<u64> {
        None
    }
    /// A rate to space segments by, if the algorithm paces.
    fn pacing_rate(&self) -> Option<Rate> {
        None
    }
    /// The MSS became known, at the start of the connection; `initial_window` in bytes.
    fn on_start(&mut self, mss: u32, initial_window: u64);
    /// New data was acknowledged.
    fn on_ack(&mut self, ack: &AckEvent);
    /// Congestion; `in_flight` in bytes when it was seen.
    fn on_congestion(&mut self, cause: Congestion, in_flight: u64, now: SimTime);
    /// The path carries smaller segments than was thought. The window keeps its number of segments.
    fn on_mss(&mut self, mss: u32) {
        let _ = mss;
    }
    /// Fast recovery is over.
    fn on_recovery_exit(&mut self, in_flight: u64, now: SimTime) {
        let _ = (in_flight, now);
    }
    /// Nothing was sent for longer than a retransmission time-out (RFC 5681 section 4.1).
    fn on_idle(&mut self, restart_window: u64) {
        let _ = restart_window;
    }
}

/// Any congestion control; calls go through a `match`.
#[derive(Clone, Debug)]
pub enum AnyCc {
    /// RFC 5681 and RFC 6582.
    NewReno(NewReno),
    /// A user's own.
    Custom(Box<dyn CongestionControl>),
}

impl AnyCc {
    /// The algorithm that the parameters name.
    pub fn new(params: &TcpParams) -> AnyCc {
        match params.congestion {
            CongestionKind::NewReno => AnyCc::NewReno(NewReno::new(params.slow_start_limit)),
        }
    }
}

impl Clone for Box<dyn CongestionControl> {
    fn clone(&self) -> Self {
        (**self).clone_box()
    }
}

impl Hash for AnyCc {
    /// A user's own is known by what it shows of itself.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self {
            AnyCc::NewReno(cc) => cc.hash(hasher),
            AnyCc::Custom(cc) => format!("{cc:?}").hash(hasher),
        }
    }
}

macro_rules! each {
    ($self:ident, $cc:ident => $call:expr) => {
        match $self {
            AnyCc::NewReno($cc) => $call,
            AnyCc::Custom($cc) => $call,
        }
    };
}

impl CongestionControl for AnyCc {
    fn cwnd(&self) -> u64 {
        each!(self, cc => cc.cwnd())
    }
    fn ssthresh(&self) -> Option<u64> {
        each!(self, cc => cc.ssthresh())
    }
    fn pacing_rate(&self) -> Option<Rate> {
        each!(self, cc => cc.pacing_rate())
    }
    fn on_start(&mut self, mss: u32, initial_window: u64) {
        each!(self, cc => cc.on_start(mss, initial_window))
    }
    fn on_ack(&mut self, ack: &AckEvent) {
        each!(self, cc => cc.on_ack(ack))
    }
    fn on_congestion(&mut self, cause: Congestion, in_flight: u64, now: SimTime) {
        each!(self, cc => cc.on_congestion(cause, in_flight, now))
    }
    fn on_mss(&mut self, mss: u32) {
        each!(self, cc => cc.on_mss(mss))
    }
    fn on_recovery_exit(&mut self, in_flight: u64, now: SimTime) {
        each!(self, cc => cc.on_recovery_exit(in_flight, now))
    }
    fn on_idle(&mut self, restart_window: u64) {
        each!(self, cc => cc.on_idle(restart_window))
    }
}
