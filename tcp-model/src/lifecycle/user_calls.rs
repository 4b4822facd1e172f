//! Calls of the application: SEND, CLOSE, ABORT (RFC 9293 section 3.10).

use sim_core::SimTime;

use super::Lifecycle;
use crate::model::{ConnectionEnd, Outputs, SendCall};
use crate::state::State;

impl Lifecycle {
    pub(super) fn send(&mut self, call: SendCall, now: SimTime, out: &mut Outputs) {
        let taken = call.bytes.min(self.room());
        self.blocked |= taken < call.bytes;
        self.unsent += taken;
        self.transfer(now, out);
    }

    /// CLOSE of the sending direction.
    pub(super) fn shut_down(&mut self, now: SimTime, out: &mut Outputs) {
        match self.state {
            State::Listen => self.end(ConnectionEnd::Closed, out),
            State::SynSent => self.end(ConnectionEnd::Aborted, out),
            State::SynReceived => self.fin_queued = true,
            State::Established | State::CloseWait if !self.fin_queued => {
                self.fin_queued = true;
                self.leave_for_close(out);
                self.transfer(now, out);
            }
            _ => {}
        }
    }

    pub(super) fn leave_for_close(&mut self, out: &mut Outputs) {
        match self.state {
            State::Established => self.enter(State::FinWait1, out),
            State::CloseWait => self.enter(State::LastAck, out),
            _ => {}
        }
    }

    pub(super) fn close(&mut self, now: SimTime, out: &mut Outputs) {
        if self.state == State::Closed || std::mem::replace(&mut self.app_closed, true) {
            return;
        }
        if self.unread > 0 && self.state.is_synchronized() && self.state != State::TimeWait {
            self.send_reset(now, out);
            self.end(ConnectionEnd::Aborted, out);
            return;
        }
        self.shut_down(now, out);
        if self.state == State::FinWait2 {
            self.arm_fin_wait(now);
        }
    }

    pub(super) fn abort(&mut self, now: SimTime, out: &mut Outputs) {
        match self.state {
            State::Closed => {}
            State::TimeWait => {
                self.stop_timers();
                self.enter(State::Closed, out);
            }
            State::Listen | State::SynSent | State::Closing | State::LastAck => {
                self.end(ConnectionEnd::Aborted, out);
            }
            _ => {
                self.send_reset(now, out);
                self.end(ConnectionEnd::Aborted, out);
            }
        }
    }
}
