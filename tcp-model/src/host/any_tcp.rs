//! A TCP model of any kind; calls go through a `match`.

use std::sync::Arc;

use sim_core::SimTime;

use crate::connection::Connection;
use crate::diagnostics::{CeReceived, ConnectionDetails, SenderState, UndoCounts};
use crate::lifecycle::Lifecycle;
use crate::model::{Input, Outputs, TcpModel, TcpView};
use crate::params::TcpParams;
use crate::time_wait::TimeWait;

/// Any TCP model.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the common one, and lives in a reused slot"
)]
pub enum AnyTcp {
    /// [`Connection`].
    Full(Connection),
    /// [`Lifecycle`].
    Lifecycle(Lifecycle),
    /// A user's own.
    Custom(Box<dyn TcpModel>),
}

macro_rules! each {
    ($self:ident, $tcp:ident => $call:expr) => {
        match $self {
            AnyTcp::Full($tcp) => $call,
            AnyTcp::Lifecycle($tcp) => $call,
            AnyTcp::Custom($tcp) => $call,
        }
    };
}

/// Other models than [`Connection`] are asked out of line, so that this code does not lie within the functions
/// that every segment runs through.
impl AnyTcp {
    #[inline(never)]
    fn step_other(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs) {
        each!(self, tcp => tcp.step(input, now, out))
    }
    #[inline(never)]
    fn next_timeout_of_other(&self) -> Option<SimTime> {
        each!(self, tcp => tcp.next_timeout())
    }
    #[inline(never)]
    fn view_of_other(&self) -> TcpView {
        each!(self, tcp => tcp.view())
    }
    #[inline(never)]
    fn send_room_of_other(&self) -> u64 {
        each!(self, tcp => tcp.send_room())
    }
    #[inline(never)]
    fn readable_of_other(&self) -> u64 {
        each!(self, tcp => tcp.readable())
    }
    #[inline(never)]
    fn time_wait_of_other(&self) -> Option<TimeWait> {
        each!(self, tcp => tcp.time_wait())
    }
}

impl TcpModel for AnyTcp {
    #[inline]
    fn step(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs) {
        match self {
            AnyTcp::Full(tcp) => tcp.step(input, now, out),
            other => other.step_other(input, now, out),
        }
    }
    #[inline(always)]
    fn next_timeout(&self) -> Option<SimTime> {
        match self {
            AnyTcp::Full(tcp) => tcp.next_timeout(),
            other => other.next_timeout_of_other(),
        }
    }
    #[inline(always)]
    fn view(&self) -> TcpView {
        match self {
            AnyTcp::Full(tcp) => tcp.view(),
            other => other.view_of_other(),
        }
    }
    #[inline]
    fn send_room(&self) -> u64 {
        match self {
            AnyTcp::Full(tcp) => tcp.send_room(),
            other => other.send_room_of_other(),
        }
    }
    #[inline]
    fn readable(&self) -> u64 {
        match self {
            AnyTcp::Full(tcp) => tcp.readable(),
            other => other.readable_of_other(),
        }
    }
    #[inline]
    fn time_wait(&self) -> Option<TimeWait> {
        match self {
            AnyTcp::Full(tcp) => tcp.time_wait(),
            other => other.time_wait_of_other(),
        }
    }
    #[cold]
    fn change_params(&mut self, params: &Arc<TcpParams>, now: SimTime, out: &mut Outputs) -> bool {
        each!(self, tcp => tcp.change_params(params, now, out))
    }
    fn heap_bytes(&self) -> usize {
        each!(self, tcp => tcp.heap_bytes())
    }
    fn details(&self) -> ConnectionDetails {
        each!(self, tcp => tcp.details())
    }
    fn sender_state(&self) -> SenderState {
        each!(self, tcp => tcp.sender_state())
    }
    #[inline]
    fn undone(&self) -> UndoCounts {
        each!(self, tcp => tcp.undone())
    }
    #[inline]
    fn marked(&self) -> CeReceived {
        each!(self, tcp => tcp.marked())
    }
}
