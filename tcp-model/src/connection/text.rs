//! SEGMENT ARRIVES, sixth to eighth: URG, the text, FIN (RFC 9293 section 3.10.7.4).

use sim_core::SimTime;

use super::Connection;
use crate::model::{ConnectionEnd, Outputs, Signal};
use crate::reassembly::Reassembly;
use crate::segment::Segment;
use crate::seq::SeqNum;
use crate::state::State;
use crate::state_machine::StateMachine as _;

/// How urgently an acknowledgement is needed, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AckNeed {
    /// Nothing to acknowledge.
    None,
    /// Within `delayed_ack`.
    Delayed,
    /// Soon, unless merged into another: one of many duplicate ACKs.
    Compressed,
    /// Now, on a data segment if one is sent.
    Now,
    /// Now, as a bare ACK: a duplicate ACK.
    Always,
}

impl Connection {
    /// Sixth: the urgent pointer (MUST-31, MUST-32).
    #[inline(never)]
    pub(super) fn note_urgent(&mut self, seg: &Segment, out: &mut Outputs) {
        let receiving = matches!(
            self.state,
            State::Established | State::FinWait1 | State::FinWait2
        );
        if !seg.flags.is_urg() || !receiving {
            return;
        }
        let pointer = seg.seq + u32::from(seg.urgent);
        let read_up_to = self.rcv.nxt - self.rcv.unread as u32;
        let known = self.rcv.urgent.is_some_and(|u| u.at_or_after(pointer));
        if !known && pointer.after(read_up_to) {
            self.rcv.urgent = Some(pointer);
            out.signals
                .push(Signal::Urgent(pointer.offset_from(read_up_to)));
        }
    }

    /// Processes the text and the FIN; returns which acknowledgement is needed.
    pub(super) fn on_text(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) -> AckNeed {
        if seg.flags.is_urg() {
            self.note_urgent(seg, out);
        }
        let open = matches!(
            self.state,
            State::Established | State::FinWait1 | State::FinWait2
        );
        let open = open || (self.state == State::SynReceived && self.is_open_early());
        if seg.seq_len() == 0 || !open {
            return AckNeed::None; // after the peer's FIN there is nothing new to come
        }
        let at_once = self.rare.is_some() && seg.len > 0 && self.hurries_for_marks(seg, now, out);
        if seg.seq.before(self.rcv.nxt) {
            self.note_old_text(seg);
        }
        let (start, end, fin) = self.trim(seg);
        if start.before(end) && self.is_deaf() {
            self.refuse_text(seg, now, out);
            return AckNeed::None;
        }
        let foreign = seg.tag.conn != self.rcv.peer;
        let need = if start.after(self.rcv.nxt) {
            self.keep_ahead(seg, (start, end), fin, foreign, now, out)
        } else {
            let mut need = self.take_in_order(seg, end, foreign, now, out);
            if at_once {
                need = need.max(AckNeed::Now);
            }
            if fin == Some(self.rcv.nxt) || (self.rcv.ahead.is_some() && self.held_fin_is_next()) {
                self.on_fin(need, now, out)
            } else {
                need
            }
        };
        if self.rcv.ahead.is_some() {
            self.drop_empty_ahead();
        }
        need
    }

    /// Notes the congestion mark of a segment, or its absence; true if that is to be acknowledged at once.
    #[inline(never)]
    fn hurries_for_marks(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) -> bool {
        self.speaks_ecn() && self.note_marks(seg, now, out) && self.hurry_for_mark(seg, now)
    }

    /// SHLD-3: the application has closed; tells the peer that the data are lost, and ends the connection.
    #[cold]
    fn refuse_text(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        if self.params.reset_from_segment {
            self.refuse(seg, out);
        } else {
            self.send_reset(now, out);
        }
        let why = match self.app_closed {
            true => ConnectionEnd::Aborted,
            false => ConnectionEnd::Reset, // the application still has the socket
        };
        self.end(why, out);
    }

    /// Whether a FIN that arrived beyond a gap follows what has arrived in order.
    #[inline(never)]
    fn held_fin_is_next(&self) -> bool {
        let ahead = self.rcv.ahead.as_ref();
        ahead.is_some_and(|ahead| ahead.fin_is_next(self.rcv.nxt))
    }

    #[inline(never)]
    fn drop_empty_ahead(&mut self) {
        if self.rcv.ahead.as_ref().is_some_and(|a| a.is_empty()) {
            self.rcv.ahead = None;
        }
    }

    /// Notes text below RCV.NXT, a duplicate, to be reported in the next ACK (RFC 2883 section 4).
    #[inline(never)]
    pub(super) fn note_old_text(&mut self, seg: &Segment) {
        let end = (seg.seq + seg.len).min(self.rcv.nxt);
        if seg.len > 0 && end == seg.seq + seg.len {
            self.counts.duplicates_received += 1;
            if self.rare.is_some() {
                self.note_old_octets(end);
            }
        }
        if self.params.dsack && self.rcv.sack_ok && seg.seq.before(end) {
            self.ahead().note_duplicate(seg.seq, end);
        }
    }

    /// The part of the segment inside the window: first octet, end, and the FIN's position. Without
    /// `trim_to_window`, the sequence check has accepted only segments that are taken whole.
    ///
    /// Deviation: a FIN just beyond the right edge is accepted with text that fills the window; it needs no
    /// room in the buffer.
    fn trim(&self, seg: &Segment) -> (SeqNum, SeqNum, Option<SeqNum>) {
        let end = seg.seq + seg.len;
        let whole = end.at_or_before(self.rcv.edge) || !self.params.trim_to_window;
        let most = if whole { end } else { self.rcv.edge };
        let inside = most.max(self.rcv.nxt);
        let fin = (seg.flags.is_fin() && whole && end.at_or_after(self.rcv.nxt)).then_some(end);
        (seg.seq.max(self.rcv.nxt), inside, fin)
    }

    #[inline(never)]
    fn keep_ahead(
        &mut self,
        seg: &Segment,
        (start, end): (SeqNum, SeqNum),
        fin: Option<SeqNum>,
        foreign: bool,
        now: SimTime,
        out: &mut Outputs,
    ) -> AckNeed {
        let dsack = self.params.dsack;
        if self.params.adaptive_receiver {
            self.adaptive(now);
            if !self.makes_room(start) {
                return AckNeed::None; // dropped for lack of memory
            }
            let len = end.offset_from(start);
            self.measure_segment(len, seg.flags.is_psh());
            let echo = seg.options.timestamps().map(|(_, echo)| echo);
            self.measure_round_trip(len, echo, self.rcv.unread > 0, now);
        }
        if start.before(end) {
            let place = self.flush_before_new_block(start, end, now, out);
            let new = self.ahead().insert(start, end);
            if !dsack {
                self.ahead().take_duplicate();
            }
            if let Some(place) = place {
                self.flush_with_block_at(place, now, out);
            }
            if new > 0 && self.params.adaptive_receiver {
                self.hold_ahead(start, end);
            }
            if foreign {
                self.counts.old_duplicate_bytes += u64::from(new);
            }
            if new == 0 {
                self.counts.duplicates_received += 1;
            }
            if let Some(fin) = fin {
                self.ahead().insert_fin(fin);
            }
        } else if let Some(fin) = fin {
            self.ahead().insert_fin(fin);
        }
        if self.params.adaptive_receiver {
            self.grow_buffer_beyond_gap();
        }
        self.ack_beyond_gap()
    }

    fn take_in_order(
        &mut self,
        seg: &Segment,
        end: SeqNum,
        foreign: bool,
        now: SimTime,
        out: &mut Outputs,
    ) -> AckNeed {
        let start = self.rcv.nxt;
        let push = seg.flags.is_psh();
        if !start.before(end) {
            if seg.len > 0 {
                self.enter_quick_acks();
            }
            return AckNeed::Now; // old text only, or a FIN alone
        }
        if self.params.adaptive_receiver && self.drops_for_memory(start, end.offset_from(start)) {
            return AckNeed::Now;
        }
        if foreign {
            self.counts.old_duplicate_bytes += u64::from(end.offset_from(start));
        }
        let had_gap = self.rcv.ahead.is_some() && self.fills_gap(start, end);
        self.rcv.nxt = match self.rcv.ahead {
            None => end,
            Some(_) => self.end_with_ahead(end),
        };
        let taken = u64::from(self.rcv.nxt.offset_from(start));
        self.counts.bytes_received += taken;
        self.rcv.unread += taken;
        self.rcv.held += taken;
        if self.params.grow_receive_buffer {
            self.grow_buffer(now);
        }
        if self.params.adaptive_receiver {
            self.learn(end.offset_from(start), seg, now);
        }
        let hold = self.params.hold_until_push
            && !push
            && !had_gap
            && self.rcv.held < u64::from(self.rcv.buffer / 2);
        if !hold {
            self.deliver(out);
        }
        self.ack_policy(had_gap)
    }

    /// Whether there is a gap, which the segment may fill; notes octets of it that are also held beyond the gap.
    #[inline(never)]
    fn fills_gap(&mut self, start: SeqNum, end: SeqNum) -> bool {
        let had_gap = self.rcv.ahead.as_ref().is_some_and(|a| a.has_gap());
        if had_gap && self.params.dsack {
            let ahead = self.ahead();
            if let Some((from, to)) = ahead.overlap(start, end) {
                ahead.note_duplicate_above(from, to);
            }
        }
        had_gap
    }

    /// The end of the in-order data once everything up to `end` has arrived, including data beyond a gap
    /// that is now filled.
    #[inline(never)]
    fn end_with_ahead(&mut self, end: SeqNum) -> SeqNum {
        let Some(ahead) = &mut self.rcv.ahead else {
            return end;
        };
        let held = ahead.octets();
        let end = ahead.advance(end);
        let left = ahead.octets();
        if let (true, Some(adaptive)) = (left < held, &mut self.rcv.adaptive) {
            adaptive.held.take_from_ahead(held, left, self.rcv.unread);
        }
        end
    }

    /// The data held beyond a gap.
    fn ahead(&mut self) -> &mut Reassembly {
        let most = self.params.sack_blocks;
        let new = || Box::new(Reassembly::remembering(most));
        self.rcv.ahead.get_or_insert_with(new)
    }

    /// Notifies the application of data that have arrived in order.
    fn deliver(&mut self, out: &mut Outputs) {
        if std::mem::take(&mut self.rcv.held) > 0 {
            out.signals.push(Signal::Readable(self.rcv.unread));
        }
    }

    /// RFC 9293 section 3.8.6.3, RFC 5681 section 4.2.
    fn ack_policy(&mut self, had_gap: bool) -> AckNeed {
        if self.params.adaptive_receiver {
            return self.adaptive_policy(had_gap);
        }
        let waiting = self.rcv.nxt.offset_from(self.rcv.acked);
        if self.rcv.quick_acks > 0 {
            self.rcv.quick_acks -= 1;
            return AckNeed::Now;
        }
        let enough = waiting >= self.params.ack_every.max(1).saturating_mul(self.rcv.mss);
        if had_gap || enough || self.delayed_ack_is_off() {
            AckNeed::Now
        } else {
            AckNeed::Delayed
        }
    }

    #[inline(never)]
    fn adaptive_policy(&mut self, had_gap: bool) -> AckNeed {
        let gap = had_gap && self.rcv.ahead.as_ref().is_some_and(|a| a.has_gap());
        if gap && self.adaptive_ack(false) == AckNeed::Delayed {
            self.ack_beyond_gap(); // counts among the ACKs for the next gap
        }
        self.adaptive_ack(had_gap)
    }

    /// Eighth: the FIN. "Advance RCV.NXT over the FIN, and send an acknowledgment for the FIN."
    /// `need` is that of the text before it.
    #[inline(never)]
    fn on_fin(&mut self, need: AckNeed, now: SimTime, out: &mut Outputs) -> AckNeed {
        self.rcv.nxt += 1;
        self.rcv.fin_received = true;
        if let Some(ahead) = &mut self.rcv.ahead {
            ahead.take_duplicate(); // Linux tcp_sack_reset: with the FIN nothing is left to report
        }
        let mut passive = false;
        self.deliver(out); // "FIN implies PUSH for any segment text not yet delivered"
        match self.state {
            State::Established => {
                self.enter(State::CloseWait, out);
                if self.params.adaptive_receiver {
                    // Only the answer remains, which will carry the acknowledgement.
                    self.expect_reply();
                    passive = true;
                }
            }
            // If our FIN were acknowledged, on_ack would have moved to FIN-WAIT-2.
            State::FinWait1 => self.enter(State::Closing, out),
            State::FinWait2 => self.enter_time_wait(now, out),
            _ => {}
        }
        self.touch_keepalive(now);
        self.signal_peer_closed(out);
        if passive && need != AckNeed::Always {
            self.adaptive_ack(false)
        } else {
            AckNeed::Now
        }
    }
}
