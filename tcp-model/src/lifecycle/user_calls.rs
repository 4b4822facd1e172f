//! Calls of the application: SEND, CLOSE, ABORT (RFC 9293 section 3.10).

use sim_core::SimTime;

use super::{Lifecycle, OFF};
use crate::model::{ConnectionEnd, Outputs, SendCall};
use crate::segment::Flags;
use crate::state::State;
use crate::state_machine::StateMachine;

impl Lifecycle {
    pub(super) fn send(&mut self, call: SendCall, now: SimTime, out: &mut Outputs) {
        let taken = call.bytes.min(self.room());
        self.blocked |= taken < call.bytes;
        self.unsent += taken;
        self.transfer(now, out);
    }
}

impl StateMachine for Lifecycle {
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn app_closed_mut(&mut self) -> &mut bool {
        &mut self.app_closed
    }

    fn unread(&self) -> u64 {
        self.unread
    }

    fn stop_timers(&mut self) {
        (self.rto_at, self.ack_at, self.fin_wait_at) = (OFF, OFF, OFF);
        self.unsent = 0;
    }

    fn send_reset(&mut self, now: SimTime, out: &mut Outputs) {
        let reset = self.header(Flags::RST | Flags::ACK, self.nxt, now);
        self.emit(reset, None, out);
    }

    fn shut_down(&mut self, now: SimTime, out: &mut Outputs) {
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

    fn arm_fin_timeout(&mut self, now: SimTime) {
        self.arm_fin_wait(now);
    }
}
