//! SEGMENT ARRIVES, the checks before the ACK field (RFC 9293 section 3.10.7.4, first to fourth).

use sim_core::{SimDuration, SimTime};

use super::Connection;
use super::text::AckNeed;
use crate::model::{ConnectionEnd, Outputs};
use crate::resend_rule::RetransmitReason;
use crate::segment::{Flags, Segment};
use crate::seq::SeqNum;
use crate::state::State;
use crate::state_machine::StateMachine as _;
use crate::time_wait::TimeWaitAction;

/// Seconds since the start of the run, rounded down.
pub(super) fn whole_seconds(now: SimTime) -> u32 {
    (now.as_ps() / SimDuration::from_secs(1).as_ps()) as u32
}

/// The result of the sequence check.
enum Sequence {
    Acceptable,
    /// The window is closed and the segment begins at RCV.NXT: RST, ACK and URG count, text does
    /// not (MUST-66).
    ControlOnly,
    /// Nothing new, but it ends where the last ACK did or later: its ACK counts (Linux).
    Old,
    Unacceptable,
}

impl Connection {
    #[inline(never)]
    pub(super) fn on_segment(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        self.counts.segments_received += u64::from(seg.wire_segments());
        match self.state {
            State::Closed => {}
            State::Listen => self.listen_arrives(seg, now, out),
            State::SynSent => self.syn_sent_arrives(seg, now, out),
            State::TimeWait => self.time_wait_arrives(seg, now, out),
            _ => self.segment_arrives(seg, now, out),
        }
    }

    fn segment_arrives(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        // Deviation: a SYN seen before is not treated as unacceptable; the sequence check would reject the
        // SYN-ACK of a simultaneous open (section 3.5, figure 7).
        let syn = seg.flags.is_syn() && !seg.flags.is_rst() && seg.seq == self.rcv.irs;
        if self.state == State::SynReceived && syn {
            self.syn_again(seg, now, out);
            return;
        }
        if syn && seg.flags.is_ack() {
            self.take_ecn_of_syn_ack_again(seg);
        }
        // first: sequence number, with the timestamp's veto (RFC 7323 section 5.3)
        let Some(sequence) = self.check_timestamp(seg, now, out) else {
            return;
        };
        if matches!(sequence, Sequence::Unacceptable) {
            self.on_unacceptable(seg, now, out);
            return;
        }
        // second: the RST bit
        if seg.flags.is_rst() {
            self.on_reset(seg, now, out);
            return;
        }
        // fourth: the SYN bit. RFC 5961 section 4: once synchronized, only challenged.
        if seg.flags.is_syn() {
            self.on_syn_in_window(now, out);
            return;
        }
        self.touch_keepalive(now);
        // fifth: the ACK field
        if !seg.flags.is_ack() {
            // Text for a closed window without an ACK is not acceptable.
            if matches!(sequence, Sequence::ControlOnly | Sequence::Old) {
                self.answer_unacceptable(seg, now, out);
            }
            return;
        }
        if !self.on_ack(seg, now, out) {
            return;
        }
        // sixth to eighth: URG, text, FIN
        if self.state == State::Closed {
            return;
        }
        let need = match sequence {
            Sequence::Acceptable => self.on_text(seg, now, out),
            Sequence::Old => self.take_old_text(seg),
            Sequence::ControlOnly | Sequence::Unacceptable => self.take_control(seg, out),
        };
        self.reply(need, now, out);
    }

    /// Handles a SYN in the window of a synchronized connection, or one that opens passively.
    #[cold]
    fn on_syn_in_window(&mut self, now: SimTime, out: &mut Outputs) {
        if self.state == State::SynReceived && self.passive {
            self.end(ConnectionEnd::Reset, out); // the listener goes on listening
        } else if self.params.syn_in_window_resets {
            // RFC 793: "If the SYN is in the window it is an error, send a reset"
            self.send_reset(now, out);
            self.end(ConnectionEnd::Reset, out);
        } else {
            self.challenge(now, out);
        }
    }

    /// "An acknowledgment should be sent in reply (unless the RST bit is set)".
    #[inline(never)]
    fn on_unacceptable(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        if !seg.flags.is_rst() {
            self.answer_unacceptable(seg, now, out);
        } else if self.resets_behind_fin(seg) {
            self.end_by_reset(out);
        }
    }

    /// Takes the urgent pointer, but no text, of a segment that arrives while the window is closed.
    #[inline(never)]
    fn take_control(&mut self, seg: &Segment, out: &mut Outputs) -> AckNeed {
        self.note_urgent(seg, out);
        if seg.seq_len() > 0 {
            AckNeed::Always
        } else {
            AckNeed::None
        }
    }

    /// Handles text that has arrived before: an ACK was lost or came late.
    #[inline(never)]
    fn take_old_text(&mut self, seg: &Segment) -> AckNeed {
        if seg.seq_len() == 0 || self.state == State::TimeWait {
            return AckNeed::None;
        }
        self.note_old_text(seg);
        self.enter_quick_acks();
        AckNeed::Now
    }

    /// Sends pending data, and a bare acknowledgement if no segment carried it.
    pub(super) fn reply(&mut self, need: AckNeed, now: SimTime, out: &mut Outputs) {
        if self.state == State::Closed {
            return;
        }
        if need == AckNeed::Always {
            self.send_ack(now, out);
        }
        let sent = out.segments.len();
        if self.state != State::TimeWait {
            self.transmit(now, out);
        }
        match need {
            AckNeed::Now if out.segments.len() == sent => self.send_ack(now, out),
            AckNeed::Delayed if out.segments.len() == sent => self.delay_ack(now, out),
            AckNeed::Compressed if out.segments.len() == sent => self.compress_ack(now),
            _ => {}
        }
    }

    /// Handles a SYN seen before in SYN-RECEIVED: a retransmission, or the SYN-ACK of a simultaneous open,
    /// whose ACK completes the handshake.
    #[inline(never)]
    fn syn_again(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        if !seg.flags.is_ack() {
            // Our SYN-ACK was lost or crossed the retransmission: restart the timer.
            self.snd.timed = None;
            self.timers.rto = SimTime::MAX;
            if !self.take_ecn_of_syn_again(seg) {
                self.send_reset(now, out);
                self.end(ConnectionEnd::Reset, out);
                return;
            }
            self.send_syn(Some(RetransmitReason::DuplicateSyn), now, out);
            return;
        }
        let rest = Segment {
            seq: seg.seq + 1,
            flags: seg.flags.without(Flags::SYN),
            ..*seg
        };
        if self.on_ack(&rest, now, out) {
            // The window of a SYN is not scaled.
            self.snd.wnd = u32::from(seg.window);
            self.snd.max_wnd = self.snd.wnd;
            let mut need = self.on_text(&rest, now, out);
            if self.params.adaptive_receiver {
                need = AckNeed::Always; // to Linux, its SYN is old text
                self.note_old_text(&Segment { len: 1, ..*seg });
            }
            self.reply(need, now, out);
        }
    }

    /// PAWS, then the sequence check, then TS.Recent. `None` if the segment was handled here.
    fn check_timestamp(
        &mut self,
        seg: &Segment,
        now: SimTime,
        out: &mut Outputs,
    ) -> Option<Sequence> {
        if !self.rcv.ts_ok {
            return Some(self.check_sequence(seg));
        }
        let Some((val, _)) = seg.options.timestamps() else {
            let drop = self.params.require_timestamps && !seg.flags.is_rst();
            return (!drop).then(|| self.check_sequence(seg));
        };
        let age = val.wrapping_sub(self.rcv.ts_recent) as i32;
        let newer = age >= 0 || self.ts_recent_is_void(now);
        if !newer && !seg.flags.is_rst() {
            self.answer_unacceptable(seg, now, out);
            return None;
        }
        let sequence = self.check_sequence(seg);
        // RFC 7323 section 4.3 (2): SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent.
        if newer
            && !matches!(sequence, Sequence::Unacceptable)
            && seg.seq.at_or_before(self.rcv.acked)
            && (!self.params.ts_recent_after_ack || self.ack_is_good(seg))
        {
            self.rcv.ts_recent = val;
            self.rcv.ts_recent_at = whole_seconds(now);
        }
        Some(sequence)
    }

    /// True if the segment acknowledges outstanding data, or SND.UNA again.
    fn ack_is_good(&self, seg: &Segment) -> bool {
        let within = seg.ack.at_or_after(self.snd.una) && seg.ack.at_or_before(self.snd.nxt);
        seg.flags.is_ack() && within
    }

    /// True if TS.Recent is so old that the peer's clock may have wrapped halfway since, so that it is no
    /// longer valid (RFC 7323 section 5.5).
    #[inline(never)]
    fn ts_recent_is_void(&self, now: SimTime) -> bool {
        let age = SimDuration::from_secs(1) * u64::from(whole_seconds(now) - self.rcv.ts_recent_at);
        age >= self.params.ts_recent_lifetime
    }

    /// The sequence check of RFC 9293 section 3.10.7.4.
    #[inline]
    fn check_sequence(&self, seg: &Segment) -> Sequence {
        // Fast path: a segment that starts at RCV.NXT and ends inside the window is always acceptable.
        if seg.seq == self.rcv.nxt && seg.seq_len() <= self.rcv.window() {
            return Sequence::Acceptable;
        }
        self.check_out_of_order(seg)
    }

    /// The four cases of the sequence check.
    #[inline(never)]
    fn check_out_of_order(&self, seg: &Segment) -> Sequence {
        let edge = self.rcv.nxt + self.rcv.window();
        if !self.params.trim_to_window && (seg.seq + seg.len).after(edge) {
            return self.check_right_edge(seg, edge);
        }
        let (nxt, wnd, len) = (self.rcv.nxt, self.rcv.window(), seg.seq_len());
        let inside = if len == 0 {
            // Deviation: an empty segment exactly at the right edge is accepted. It is the plain ACK of a
            // peer with a full window in flight; if both sides rejected it, they would exchange ACKs
            // endlessly.
            seg.seq.offset_from(nxt) <= wnd
        } else {
            seg.seq.in_window(nxt, wnd) || (seg.seq_end() - 1).in_window(nxt, wnd)
        };
        if inside {
            Sequence::Acceptable
        } else if wnd == 0 && seg.seq == nxt {
            // A bare FIN needs no room.
            match self.params.trim_to_window || !seg.flags.is_fin() {
                true => Sequence::ControlOnly,
                false => Sequence::Acceptable,
            }
        } else if self.params.linux_input && seg.seq_end().at_or_after(self.rcv.acked) {
            match seg.seq_end().at_or_before(nxt) && self.state != State::SynReceived {
                true => Sequence::Old,
                false => Sequence::Unacceptable,
            }
        } else {
            Sequence::Unacceptable
        }
    }

    /// A segment whose text ends beyond the window (Linux `tcp_sequence`, then `tcp_data_queue`).
    fn check_right_edge(&self, seg: &Segment, edge: SeqNum) -> Sequence {
        if seg.seq.after(edge) || self.rcv.unread > 0 {
            Sequence::Unacceptable
        } else if seg.seq == edge {
            Sequence::ControlOnly
        } else {
            Sequence::Acceptable
        }
    }

    /// RFC 5961 section 3.2: valid exactly at RCV.NXT; elsewhere in the window it is only challenged;
    /// outside, "silently drop the segment".
    #[inline(never)]
    fn on_reset(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        let known = seg.seq == self.rcv.nxt || self.resets_behind_fin(seg);
        if !known && !self.resets_behind_sack(seg) && !self.params.rst_in_window_resets {
            // Linux challenges whatever has passed its sequence check: old numbers from the last ACK on, too, and
            // the right edge.
            let inside = seg.seq.in_window(self.rcv.nxt, self.rcv.window());
            if self.params.linux_input || inside {
                self.challenge(now, out);
            }
            return;
        }
        self.end_by_reset(out);
    }

    /// On Linux an RST with the number of the peer's FIN is valid too: some systems count no octet for their
    /// FIN when they reset a connection (`tcp_reset_check`).
    fn resets_behind_fin(&self, seg: &Segment) -> bool {
        let finished = matches!(
            self.state,
            State::CloseWait | State::Closing | State::LastAck
        );
        self.params.linux_input && finished && seg.seq + 1 == self.rcv.nxt
    }

    /// On Linux an RST right behind the last SACK block is valid too: it follows the last data sent.
    fn resets_behind_sack(&self, seg: &Segment) -> bool {
        let Some(ahead) = &self.rcv.ahead else {
            return false;
        };
        let ends = ahead.blocks_with_fin().map(|(_, end)| end);
        let last = ends.reduce(|a, b| if b.after(a) { b } else { a });
        self.params.linux_input && self.rcv.sack_ok && last == Some(seg.seq)
    }

    /// Ends the connection on a valid RST.
    fn end_by_reset(&mut self, out: &mut Outputs) {
        let why = match self.state {
            State::SynReceived if !self.passive => ConnectionEnd::Refused,
            // "If the RST bit is set, enter the CLOSED state, delete the TCB, and return."
            State::Closing | State::LastAck => ConnectionEnd::Closed,
            _ => ConnectionEnd::Reset,
        };
        self.end(why, out);
    }

    /// Answers a segment outside the window with an ACK: always if it has data, so that the peer can
    /// resynchronise; empty ones are rate-limited.
    #[inline(never)]
    fn answer_unacceptable(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        self.note_old_text(seg);
        if seg.len > 0 && seg.seq.before(self.rcv.nxt) {
            self.enter_quick_acks(); // Linux tcp_send_dupack: an ACK was lost, or came late
        }
        let harmless = seg.seq_len() > 0 && !seg.flags.is_syn();
        if harmless || self.may_challenge(now) {
            self.send_ack(now, out);
        }
    }

    /// Sends a challenge ACK (RFC 5961) for an RST, SYN or ACK that may be forged; a genuine peer will
    /// confirm it in its answer.
    #[inline(never)]
    pub(super) fn challenge(&mut self, now: SimTime, out: &mut Outputs) {
        if self.may_challenge(now) {
            self.send_ack(now, out);
            if let Some(ack) = out.segments.last_mut() {
                ack.challenge = true;
            }
        }
    }

    /// RFC 5961 section 7: limits the rate.
    fn may_challenge(&mut self, now: SimTime) -> bool {
        let last = self.rcv.challenged;
        let quiet = last != SimTime::MAX && now.since(last) < self.params.challenge_ack_interval;
        if !quiet {
            self.rcv.challenged = now;
        }
        !quiet
    }

    /// Handles a segment in TIME-WAIT by the rules of the table entry.
    #[inline(never)]
    fn time_wait_arrives(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        use crate::model::TcpModel;
        let Some(entry) = self.time_wait() else {
            return;
        };
        match entry.segment_arrives(seg, &self.params) {
            TimeWaitAction::Drop => {}
            TimeWaitAction::Ack => self.answer_unacceptable(seg, now, out),
            TimeWaitAction::AckAndRestart => {
                self.timers.state = self.expiry(now, self.params.time_wait);
                self.answer_unacceptable(seg, now, out); // a FIN counts as text: it is always answered
            }
            TimeWaitAction::Restart => {
                self.timers.state = self.expiry(now, self.params.time_wait);
            }
            // The host creates the new incarnation; this one ends.
            TimeWaitAction::Kill | TimeWaitAction::NewIncarnation { .. } => self.forget(out),
        }
    }
}
