//! Transitions that the TCPs of this crate have in common: the end of a connection, CLOSE and ABORT
//! (RFC 9293 sections 3.10.4 and 3.10.5).

use sim_core::SimTime;

use crate::model::{ConnectionEnd, Outputs, Signal};
use crate::state::State;

/// An end point with the states of RFC 9293.
pub(crate) trait StateMachine {
    fn state_mut(&mut self) -> &mut State;

    /// Whether the application has called CLOSE.
    fn app_closed_mut(&mut self) -> &mut bool;

    /// Bytes received and not yet read by the application.
    fn unread(&self) -> u64;

    fn stop_timers(&mut self);

    /// Sends `<SEQ=SND.NXT><CTL=RST,ACK>`.
    fn send_reset(&mut self, now: SimTime, out: &mut Outputs);

    /// CLOSE of the sending direction only: the application continues to read.
    fn shut_down(&mut self, now: SimTime, out: &mut Outputs);

    /// Starts the time-out of FIN-WAIT-2, if there is one.
    fn arm_fin_timeout(&mut self, now: SimTime);

    /// Changes the state, and signals it.
    fn enter(&mut self, to: State, out: &mut Outputs) {
        let from = std::mem::replace(self.state_mut(), to);
        out.signals.push(Signal::State { from, to });
    }

    /// Enters CLOSED: stops the timers and informs the application of the cause.
    fn end(&mut self, why: ConnectionEnd, out: &mut Outputs) {
        self.stop_timers();
        if *self.state_mut() != State::Closed {
            self.enter(State::Closed, out);
        }
        out.signals.push(Signal::Ended(why));
    }

    /// Ends TIME-WAIT; the application was notified on entry.
    fn forget(&mut self, out: &mut Outputs) {
        self.stop_timers();
        self.enter(State::Closed, out);
    }

    /// "In any case, enter FIN-WAIT-1 state", or LAST-ACK from CLOSE-WAIT.
    fn leave_for_close(&mut self, out: &mut Outputs) {
        match *self.state_mut() {
            State::Established => self.enter(State::FinWait1, out),
            State::CloseWait => self.enter(State::LastAck, out),
            _ => {}
        }
    }

    /// CLOSE: the application no longer sends or reads. In CLOSED there is no connection to close (RFC 9293
    /// section 3.10.4).
    fn close(&mut self, now: SimTime, out: &mut Outputs) {
        let state = *self.state_mut();
        if state == State::Closed || std::mem::replace(self.app_closed_mut(), true) {
            return;
        }
        // RFC 9293 section 3.6.1 (SHLD-3): unread data cause a reset, which tells the peer that they were
        // lost.
        if self.unread() > 0 && state.is_synchronized() && state != State::TimeWait {
            self.send_reset(now, out);
            self.end(ConnectionEnd::Aborted, out);
            return;
        }
        self.shut_down(now, out);
        if *self.state_mut() == State::FinWait2 {
            self.arm_fin_timeout(now); // shut down before, closed only now
        }
    }

    /// ABORT, section 3.10.5.
    fn abort(&mut self, now: SimTime, out: &mut Outputs) {
        match *self.state_mut() {
            State::Closed => {}
            // "Respond with an ok, delete the TCB"; the application was notified on entry.
            State::TimeWait => self.forget(out),
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
