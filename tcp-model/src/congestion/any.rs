//! Any congestion control: the most common ones inline, others in a box.

use std::hash::{Hash, Hasher};

use sim_core::{Rate, SimTime};

use super::{
    AckEvent, AfterIdle, CongestionControl, CongestionEvent, CongestionWindow, ConnectionStart,
    FreshCubic, NewReno, SpuriousCongestion,
};
use crate::segment::Ecn;

/// Any congestion control; calls go through a `match`. NewReno is stored in the connection itself, and so is
/// Linux's CUBIC until it is used: a short connection allocates nothing for its control.
#[derive(Clone, Debug)]
pub enum AnyCc {
    /// RFC 5681 and RFC 6582.
    NewReno(NewReno),
    /// Linux's CUBIC before its first use.
    FreshCubic(FreshCubic),
    /// Any other, including a user's own.
    Custom(BoxedControl),
}

/// A control in a box, with its window, which is asked for several times for each segment.
#[derive(Clone, Debug)]
pub struct BoxedControl {
    control: Box<dyn CongestionControl>,
    /// As of the last event.
    cwnd: u64,
}

macro_rules! each {
    ($self:ident, $cc:ident => $call:expr) => {
        match $self {
            AnyCc::NewReno($cc) => $call,
            AnyCc::FreshCubic($cc) => $call,
            AnyCc::Custom(BoxedControl { control: $cc, .. }) => $call,
        }
    };
}

/// The same for an event, which may change the window.
macro_rules! tell_each {
    ($self:ident, $cc:ident => $call:expr) => {
        match $self {
            AnyCc::NewReno($cc) => $call,
            AnyCc::FreshCubic($cc) => $call,
            AnyCc::Custom(BoxedControl { control: $cc, cwnd }) => {
                $call;
                *cwnd = $cc.cwnd();
            }
        }
    };
}

impl AnyCc {
    /// Any other algorithm, in a box.
    pub fn own(control: impl CongestionControl + 'static) -> AnyCc {
        let cwnd = control.cwnd();
        AnyCc::Custom(BoxedControl {
            control: Box::new(control),
            cwnd,
        })
    }

    // Out of line, so that this code does not lie within the functions that every segment runs through.
    #[inline(never)]
    fn ssthresh_of_other(&self) -> Option<u64> {
        each!(self, cc => cc.ssthresh())
    }

    /// An ACK for a control that is not in a box.
    #[inline(never)]
    fn on_ack_inline(&mut self, ack: &AckEvent) {
        if CongestionWindow::may_grow(ack) {
            self.put_to_use();
        }
        tell_each!(self, cc => cc.on_ack(ack));
    }

    /// Replaces a fresh CUBIC by the whole control, because its window is about to be used.
    #[inline]
    fn put_to_use(&mut self) {
        if let AnyCc::FreshCubic(fresh) = self {
            *self = fresh.put_to_use();
        }
    }
}

impl Hash for AnyCc {
    /// A boxed control is hashed by its `Debug` output.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self {
            AnyCc::NewReno(cc) => cc.hash(hasher),
            AnyCc::FreshCubic(cc) => format!("{cc:?}").hash(hasher),
            AnyCc::Custom(cc) => format!("{:?}", cc.control).hash(hasher),
        }
    }
}

impl CongestionControl for AnyCc {
    #[inline]
    fn cwnd(&self) -> u64 {
        match self {
            AnyCc::NewReno(cc) => cc.cwnd(),
            AnyCc::FreshCubic(cc) => cc.cwnd(),
            AnyCc::Custom(boxed) => boxed.cwnd,
        }
    }
    #[inline]
    fn ssthresh(&self) -> Option<u64> {
        match self {
            AnyCc::NewReno(cc) => cc.ssthresh(),
            other => other.ssthresh_of_other(),
        }
    }
    fn pacing_rate(&self) -> Option<Rate> {
        each!(self, cc => cc.pacing_rate())
    }
    fn send_quantum(&self) -> Option<u64> {
        each!(self, cc => cc.send_quantum())
    }
    fn needs_measurements(&self) -> bool {
        each!(self, cc => cc.needs_measurements())
    }
    fn needs_round_trips(&self) -> bool {
        each!(self, cc => cc.needs_round_trips())
    }
    fn needs_ecn(&self) -> bool {
        each!(self, cc => cc.needs_ecn())
    }
    fn ect(&self) -> Ecn {
        each!(self, cc => cc.ect())
    }
    fn on_start(&mut self, start: &ConnectionStart) {
        tell_each!(self, cc => cc.on_start(start))
    }
    fn on_ack(&mut self, ack: &AckEvent) {
        match self {
            AnyCc::Custom(boxed) => {
                boxed.control.on_ack(ack);
                boxed.cwnd = boxed.control.cwnd();
            }
            inline => inline.on_ack_inline(ack),
        }
    }
    fn on_congestion(&mut self, event: &CongestionEvent) {
        self.put_to_use();
        tell_each!(self, cc => cc.on_congestion(event))
    }
    fn on_mss(&mut self, mss: u32) {
        tell_each!(self, cc => cc.on_mss(mss))
    }
    fn on_larger_mss(&mut self, mss: u32, window: u64) {
        tell_each!(self, cc => cc.on_larger_mss(mss, window))
    }
    fn on_recovery_exit(&mut self, in_flight: u64, now: SimTime) {
        tell_each!(self, cc => cc.on_recovery_exit(in_flight, now))
    }
    fn on_undo(&mut self, restored: &SpuriousCongestion) {
        self.put_to_use();
        tell_each!(self, cc => cc.on_undo(restored))
    }
    fn governs_recovery(&self) -> bool {
        each!(self, cc => cc.governs_recovery())
    }

    fn reduces_at_once(&self) -> bool {
        each!(self, cc => cc.reduces_at_once())
    }
    fn state(&self) -> &'static str {
        each!(self, cc => cc.state())
    }
    fn on_idle(&mut self, idle: &AfterIdle) {
        tell_each!(self, cc => cc.on_idle(idle))
    }
}
