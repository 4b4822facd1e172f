//! User calls: OPEN, SEND, RECEIVE, CLOSE, ABORT (RFC 9293 sections 3.10.1 to 3.10.5).

use sim_core::SimTime;

use super::Connection;
use super::spaces::Hold;
use super::timeouts::ConnectionTimers;
use crate::model::{ConnectionEnd, Outputs, SendCall, Signal};
use crate::params::IdleRestart;
use crate::segment::Flags;
use crate::state::State;
use crate::state_machine::StateMachine;

impl Connection {
    /// Active OPEN.
    #[inline(never)]
    pub(super) fn on_connect(&mut self, now: SimTime, out: &mut Outputs) {
        if self.state != State::Closed || self.is_over() {
            return;
        }
        self.enter(State::SynSent, out);
        self.send_syn(None, now, out);
    }

    /// True once sequence numbers have been used: the end point cannot be opened again.
    pub(super) fn is_over(&self) -> bool {
        self.snd.nxt != self.snd.iss
    }

    /// Passive OPEN; the next input is the segment that the listener received.
    pub(super) fn on_listen(&mut self) {
        if self.state == State::Closed && !self.is_over() {
            self.passive = true;
            self.state = State::Listen;
        }
    }

    /// `TCP_QUICKACK`: when on, a waiting ACK is sent now, and the next ones without delay.
    #[inline(never)]
    pub(super) fn on_quick_ack(&mut self, on: bool, now: SimTime, out: &mut Outputs) {
        if !self.state.is_synchronized() && self.state != State::SynReceived {
            self.rare().interactive = !on; // there are no segments to learn from yet
            return;
        }
        if self.params.adaptive_receiver {
            self.adaptive(now).interactive = !on;
        }
        if !on {
            self.rcv.quick_acks = 0;
            return;
        }
        self.rcv.quick_acks = self.rcv.quick_acks.max(self.params.quick_acks);
        if self.timers.ack != SimTime::MAX {
            self.send_ack(now, out);
        }
    }

    /// Bytes of room in the send buffer.
    pub(super) fn room(&self) -> u64 {
        let open = matches!(
            self.state,
            State::SynSent | State::SynReceived | State::Established | State::CloseWait
        );
        if !open || self.snd.fin_queued {
            return 0;
        }
        if let Some(most) = self.params.notsent_lowat
            && self.snd.unsent() >= u64::from(most)
        {
            return 0;
        }
        let capacity = self.params.send_capacity(self.snd.mss);
        capacity.saturating_sub(self.snd.written - self.snd.acked)
    }

    /// SEND: queues what fits; it is not sent before ESTABLISHED (section 3.10.2).
    #[inline(never)]
    pub(super) fn on_send(&mut self, call: SendCall, now: SimTime, out: &mut Outputs) {
        if self.params.linux_cwnd && self.snd.unsent() < u64::from(self.snd.mss) {
            // Linux notices that the application was the limit only when it writes again.
            self.note_app_limit();
        }
        if self.queue(call) == 0 {
            return;
        }
        self.restart_after_idle(now);
        self.snd.hold = if call.more { Hold::More } else { Hold::Usual };
        self.transmit(now, out);
        self.snd.hold = Hold::Usual;
    }

    /// Puts what fits into the send buffer.
    pub(super) fn queue(&mut self, call: SendCall) -> u64 {
        let taken = call.bytes.min(self.room());
        self.snd.blocked |= taken < call.bytes;
        if taken == 0 {
            return 0;
        }
        self.snd.written += taken;
        if call.push && !call.more {
            self.snd.pushed = self.snd.written;
        }
        if call.ends_record && taken == call.bytes {
            self.end_record();
        }
        if call.urgent {
            self.snd.urgent = self.snd.written; // MUST-62: the octet after the urgent data
        }
        taken
    }

    /// RFC 5681 section 4.1: after an idle time of more than one time-out, slow start begins again.
    fn restart_after_idle(&mut self, now: SimTime) {
        use crate::congestion::{AfterIdle, CongestionControl};
        let rto = self.rtt.rto();
        let silent = now.since(self.snd.last_sent);
        let idle = self.snd.flight() == 0 && silent > rto;
        if !self.state.can_send() || !idle || self.snd.last_sent == SimTime::ZERO {
            return;
        }
        let initial = u64::from(self.params.initial_window) * u64::from(self.snd.mss);
        let restart_window = match self.params.idle_restart {
            IdleRestart::Off => None,
            IdleRestart::Initial => Some(initial),
            IdleRestart::Halving => {
                let timeouts = (silent.as_ps() - 1) / rto.as_ps().max(1);
                let halved = self.cc.cwnd().checked_shr(timeouts.min(63) as u32);
                Some(halved.unwrap_or(0).max(initial))
            }
        };
        self.cc.on_idle(&AfterIdle {
            now,
            silent,
            restart_window,
        });
    }

    /// RECEIVE: removes octets from the buffer; announces the new room if that is worth an ACK.
    #[inline(never)]
    pub(super) fn on_receive(&mut self, bytes: u64, now: SimTime, out: &mut Outputs) {
        let taken = bytes.min(self.rcv.readable());
        self.rcv.unread -= taken;
        let read = u32::try_from(taken).unwrap_or(u32::MAX);
        self.rcv.freed = self.rcv.freed.saturating_add(read);
        if self.rcv.urgent.is_some() && self.rcv.urgent_ahead().is_none() {
            self.rcv.urgent = None; // the application is past it
        }
        if self.params.adaptive_receiver {
            self.read_adaptively(taken, now, out);
            return;
        }
        if taken == 0 || self.rcv.fin_received || !self.state.is_synchronized() {
            return;
        }
        if self.params.freebsd_window {
            if self.rcv.opens_as_freebsd_tells() {
                self.send_ack(now, out);
            }
            return;
        }
        // A window that had shrunk below two segments, or opens by half the buffer, is announced at once,
        // otherwise in the next ACK.
        let offered = self.rcv.window();
        let gain = self.rcv.window_to_offer() - offered;
        let was_closed = offered < 2 * self.rcv.mss && gain > 0;
        if was_closed || self.rcv.freed >= self.rcv.buffer / 2 {
            self.send_ack(now, out);
        }
    }

    fn read_adaptively(&mut self, taken: u64, now: SimTime, out: &mut Outputs) {
        if taken == 0 || !self.state.is_synchronized() || self.state == State::TimeWait {
            return;
        }
        self.free_memory(taken, self.rcv.unread);
        self.adjust_buffer(taken, now);
        if self.read_calls_for_ack() {
            self.send_ack(now, out);
        }
    }

    /// Notifies the application of room in the send buffer, once a third of it is free.
    #[inline]
    pub(super) fn signal_room(&mut self, out: &mut Outputs) {
        if self.snd.blocked {
            self.signal_room_if_enough(out);
        }
    }

    #[inline(never)]
    fn signal_room_if_enough(&mut self, out: &mut Outputs) {
        let room = self.room();
        if room >= self.params.send_capacity(self.snd.mss) / 3 {
            self.snd.blocked = false;
            out.signals.push(Signal::Writable(room));
        }
    }
}

impl StateMachine for Connection {
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn app_closed_mut(&mut self) -> &mut bool {
        &mut self.app_closed
    }

    fn unread(&self) -> u64 {
        self.rcv.unread
    }

    fn stop_timers(&mut self) {
        self.timers = ConnectionTimers::default();
        self.meter = None;
    }

    fn send_reset(&mut self, now: SimTime, out: &mut Outputs) {
        let segment = self.header(Flags::RST | Flags::ACK, self.acceptable_seq(), now);
        self.emit(segment, None, out);
    }

    #[inline(never)]
    fn shut_down(&mut self, now: SimTime, out: &mut Outputs) {
        match self.state {
            State::Listen => self.end(ConnectionEnd::Closed, out),
            // "Delete the TCB and return 'error: closing' responses to any queued SENDs."
            State::SynSent => self.end(ConnectionEnd::Aborted, out),
            // "If no SENDs have been issued and there is no pending data to send, then form a FIN segment
            // and send it, and enter FIN-WAIT-1 state; otherwise, queue." If Fast Open allows data before
            // the handshake is complete, the FIN follows them.
            State::SynReceived => {
                self.snd.fin_queued = true;
                if self.snd.written == 0 || self.is_open_early() {
                    self.rare().closed_early = true;
                    self.enter(State::FinWait1, out);
                    self.transmit(now, out);
                }
            }
            State::Established | State::CloseWait => {
                self.snd.fin_queued = true;
                self.leave_for_close(out);
                self.transmit(now, out);
            }
            _ => {}
        }
    }

    fn arm_fin_timeout(&mut self, now: SimTime) {
        self.start_fin_timeout(now);
    }
}
