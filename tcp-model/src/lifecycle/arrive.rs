//! Arriving segments (RFC 9293 section 3.10.7); text is accepted only in order.

use sim_core::SimTime;

use super::{Lifecycle, OFF};
use crate::model::{ConnectionEnd, Outputs, Signal};
use crate::resend_rule::RetransmitReason;
use crate::segment::{Flags, Segment};
use crate::state::State;
use crate::state_machine::StateMachine as _;
use crate::transmit::Transmit;

impl Lifecycle {
    pub(super) fn arrives(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        self.counts.segments_received += 1;
        match self.state {
            State::Closed | State::TimeWait => {}
            State::Listen => self.opens(seg, now, out),
            State::SynSent => self.answers_syn(seg, now, out),
            _ => self.continues(seg, now, out),
        }
    }

    /// Handles a segment in LISTEN.
    fn opens(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        if seg.flags.is_rst() || seg.flags.is_ack() || !seg.flags.is_syn() {
            return;
        }
        self.take_syn(seg);
        self.enter(State::SynReceived, out);
        self.send_syn(None, now, out);
    }

    /// Handles a segment in SYN-SENT.
    fn answers_syn(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        let acceptable = seg.flags.is_ack() && seg.ack == self.nxt;
        if seg.flags.is_ack() && !acceptable {
            if let Some(reset) = seg.refusal() {
                self.counts.segments_sent += 1;
                out.segments.push(Transmit::new(reset));
            }
            return;
        }
        if seg.flags.is_rst() {
            if acceptable {
                self.end(ConnectionEnd::Refused, out);
            }
            return;
        }
        if !seg.flags.is_syn() {
            return;
        }
        self.take_syn(seg);
        if !acceptable {
            self.rto_at = OFF;
            self.enter(State::SynReceived, out);
            self.send_syn(Some(RetransmitReason::SimultaneousOpen), now, out);
            return;
        }
        self.establish(now, out);
        // The ACK is sent at once, together with the first data if the application has any.
        self.ack_at = now;
        self.transfer(now, out);
    }

    /// Handles a segment in SYN-RECEIVED or a synchronized state.
    fn continues(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        if seg.flags.is_syn() && self.state == State::SynReceived && seg.seq + 1 == self.rcv_nxt {
            self.syn_again(seg, now, out);
            return;
        }
        let old = |(val, _): (u32, u32)| (val.wrapping_sub(self.ts_recent) as i32) < 0;
        let stale = self.ts_ok && seg.options.timestamps().is_some_and(old); // PAWS
        if seg.flags.is_rst() {
            if seg
                .seq
                .in_window(self.rcv_nxt, self.params.offered_buffer().max(1))
            {
                self.reset(out);
            }
            return;
        }
        let known = seg.ack.at_or_after(self.una) && seg.ack.at_or_before(self.nxt);
        if stale || seg.flags.is_syn() || !seg.flags.is_ack() || seg.ack.after(self.nxt) {
            self.send_ack(now, out);
            return;
        }
        if let Some((val, _)) = seg.options.timestamps().filter(|_| self.ts_ok) {
            self.ts_recent = val;
        }
        if self.state == State::SynReceived {
            if seg.ack != self.nxt {
                return;
            }
            self.establish(now, out);
        }
        if known {
            self.acknowledged(seg, now, out);
        }
        if self.state != State::Closed && self.state != State::TimeWait && seg.seq_len() > 0 {
            self.take_text(seg, now, out);
        }
        if !matches!(self.state, State::Closed | State::TimeWait) {
            self.transfer(now, out);
        }
    }

    /// Handles a repeated SYN, or the SYN-ACK of a simultaneous open.
    fn syn_again(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        if seg.flags.is_ack() && seg.ack == self.nxt {
            self.establish(now, out);
            self.send_ack(now, out);
        } else if !seg.flags.is_ack() {
            self.rto_at = OFF;
            self.send_syn(Some(RetransmitReason::DuplicateSyn), now, out);
        }
    }

    fn reset(&mut self, out: &mut Outputs) {
        let refused = self.state == State::SynReceived && !self.passive;
        let why = match self.state {
            _ if refused => ConnectionEnd::Refused,
            State::Closing | State::LastAck => ConnectionEnd::Closed,
            _ => ConnectionEnd::Reset,
        };
        self.end(why, out);
    }

    /// Processes the ACK field.
    fn acknowledged(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        if seg.ack == self.una {
            let repeats = seg.seq_len() == 0 && self.outstanding() > 0;
            if repeats && self.rounds.may_go_back(now) {
                self.go_back(RetransmitReason::DuplicateAcks, now, out);
            }
            return;
        }
        let fin_acked = self.is_fin_sent() && seg.ack == self.nxt;
        let octets = seg.ack.offset_from(self.una) - u32::from(fin_acked);
        self.counts.bytes_acked += u64::from(octets);
        self.una = seg.ack;
        self.retries = 0;
        self.settle_rto(now);
        self.signal_room(out);
        if !fin_acked {
            return;
        }
        match self.state {
            State::FinWait1 => {
                self.enter(State::FinWait2, out);
                self.arm_fin_wait(now);
            }
            State::Closing => self.enter_time_wait(now, out),
            State::LastAck => self.end(ConnectionEnd::Closed, out),
            _ => {}
        }
    }

    /// Processes text and FIN.
    fn take_text(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        let ahead = seg.seq.after(self.rcv_nxt);
        let over = seg.seq_end().at_or_before(self.rcv_nxt);
        if ahead || over || self.has_peer_closed() {
            // A gap, or old data: an ACK says what is expected.
            self.counts.duplicates_received += u32::from(over && seg.len > 0);
            self.send_ack(now, out);
            return;
        }
        let known = self.rcv_nxt.offset_from(seg.seq);
        let text = seg.len.saturating_sub(known);
        self.rcv_nxt = seg.seq_end();
        if text > 0 {
            if self.app_closed {
                // Text after the application has closed: RFC 9293 section 3.6.1.
                let reset = Segment {
                    flags: Flags::RST,
                    ..seg.refusal().unwrap_or_default()
                };
                self.emit(reset, None, out);
                self.end(ConnectionEnd::Reset, out);
                return;
            }
            self.unread += u64::from(text);
            self.counts.bytes_received += u64::from(text);
            if seg.tag.conn != self.conn {
                self.counts.old_duplicate_bytes += u64::from(text);
            }
            out.signals.push(Signal::Readable(self.unread));
            let wait = if text >= 2 * self.mss {
                now
            } else {
                now.saturating_add(self.params.delayed_ack)
            };
            self.ack_at = self.ack_at.min(wait);
        }
        if seg.flags.is_fin() {
            self.peer_closes(now, out);
        }
    }

    fn has_peer_closed(&self) -> bool {
        matches!(
            self.state,
            State::CloseWait | State::Closing | State::LastAck | State::TimeWait
        )
    }

    fn peer_closes(&mut self, now: SimTime, out: &mut Outputs) {
        // The ACK is sent together with our FIN if the application closes at once.
        self.ack_at = now;
        out.signals.push(Signal::PeerClosed);
        match self.state {
            State::Established => self.enter(State::CloseWait, out),
            State::FinWait1 => self.enter(State::Closing, out),
            State::FinWait2 => self.enter_time_wait(now, out),
            _ => {}
        }
    }
}
