//! Segments of a connection: header, options, acknowledgements, window probes.

use sim_core::SimTime;

use super::Connection;
use super::spaces::Hold;
use crate::model::Outputs;
use crate::options::Options;
use crate::resend_rule::RetransmitReason;
use crate::segment::{Flags, Segment, Tag};
use crate::seq::SeqNum;
use crate::transmit::Transmit;

impl Connection {
    /// Builds a segment without text: ports, acknowledgement, window, options.
    pub(super) fn header(&mut self, flags: Flags, seq: SeqNum, now: SimTime) -> Segment {
        let offer = self.offer();
        let field = (offer >> self.rcv.shift).min(0xffff);
        let edge = self.rcv.nxt + (field << self.rcv.shift);
        self.rcv.edge = self.rcv.edge.max(edge);
        self.rcv.freed = 0;
        let mut segment = Segment {
            src_port: self.local_port,
            dst_port: self.remote_port,
            seq,
            ack: self.rcv.nxt,
            flags: flags | self.ecn_echo(),
            window: self.rcv.window_field(),
            tag: Tag {
                conn: self.conn,
                offset: 0,
                traced: self.traced,
                ..Tag::default()
            },
            ..Segment::default()
        };
        if self.rcv.ts_ok {
            let (val, ecr) = (self.ts_now(now), self.rcv.ts_recent);
            segment.options.set_timestamps_only(val, ecr);
        }
        if self.rcv.ahead.is_some() {
            self.push_sack(&mut segment.options);
        }
        segment
    }

    /// Adds as many SACK blocks as fit beside the timestamps: first a duplicate to report once (RFC
    /// 2883 section 4), then the most recent blocks (RFC 2018 section 4).
    pub(super) fn push_sack(&mut self, options: &mut Options) {
        let most = self.most_sack_blocks(options.room());
        let Some(ahead) = &mut self.rcv.ahead else {
            return;
        };
        if !self.rcv.sack_ok {
            return;
        }
        let mut blocks = [(SeqNum(0), SeqNum(0)); 4];
        let mut n = 0;
        let duplicate = ahead.take_duplicate();
        let fin = self.params.sack_covers_fin;
        let nxt = self.rcv.nxt;
        let beyond = |block: &(SeqNum, SeqNum)| fin && block.0.after(nxt);
        let with_fin = ahead.blocks_with_fin().filter(beyond);
        let without = ahead.blocks().filter(|_| !fin);
        let all = duplicate.into_iter().chain(with_fin).chain(without);
        for (place, block) in blocks[..most].iter_mut().zip(all) {
            *place = block;
            n += 1;
        }
        options.push_sack(&blocks[..n]);
        if ahead.is_empty() {
            self.rcv.ahead = None;
        }
    }

    /// Sends a segment. All segments except the first SYN and some RSTs carry an acknowledgement.
    #[inline(always)]
    pub(super) fn emit(
        &mut self,
        mut segment: Segment,
        why: Option<RetransmitReason>,
        out: &mut Outputs,
    ) {
        segment.tag.again = why;
        if self.rare.is_some() {
            self.add_feedback(&mut segment);
        }
        self.counts.segments_sent += 1;
        self.counts.retransmissions += u32::from(why.is_some());
        if segment.flags.is_ack() {
            self.timers.ack = SimTime::MAX;
            self.rcv.acked = self.rcv.nxt;
            if self.rcv.adaptive.is_some() {
                self.note_ack_sent();
            }
        }
        out.segments.push(Transmit {
            segment,
            retransmission: why,
            challenge: false,
        });
    }

    pub(super) fn send_ack(&mut self, now: SimTime, out: &mut Outputs) {
        let segment = self.header(Flags::ACK, self.acceptable_seq(), now);
        self.emit(segment, None, out);
    }

    /// The sequence number of a segment without text: SND.NXT, or the edge of the peer's window, which the
    /// peer accepts, if SND.NXT is beyond it (the window shrank, or an octet was sent as a probe).
    pub(super) fn acceptable_seq(&self) -> SeqNum {
        self.snd.nxt.min(self.snd.una + self.snd.wnd)
    }

    /// Probes a closed window (RFC 9293 section 3.8.6.1); if the window is only too small for a useful
    /// segment, sends what fits.
    pub(super) fn send_window_probe(&mut self, now: SimTime, out: &mut Outputs) {
        let usable = self.snd.usable_window();
        if usable > 0 && self.snd.flight() == 0 {
            let len = self.snd.unsent().min(u64::from(self.snd.mss.min(usable))) as u32;
            let fin = self.snd.fin_queued && u64::from(len) == self.snd.unsent() && usable > len;
            self.snd.hold = Hold::Probe;
            self.send_range(self.snd.nxt, len + u32::from(fin), None, now, out);
            self.snd.hold = Hold::Usual;
            self.arm_rto(now);
        } else if self.snd.probing {
            self.send_range(
                self.snd.una,
                1,
                Some(RetransmitReason::WindowProbe),
                now,
                out,
            );
        } else if self.params.probe_with_octet && self.snd.flight() == 0 {
            self.snd.probing = true;
            self.send_range(self.snd.nxt, 1, None, now, out);
            self.snd.timed = None;
        } else {
            let segment = self.header(Flags::ACK, self.snd.una - 1, now);
            self.emit(segment, None, out);
        }
    }
}
