//! The three-way handshake: LISTEN, SYN-SENT, and the options agreed on
//! (RFC 9293 sections 3.5, 3.10.7.2, 3.10.7.3; RFC 7323; RFC 2018).

use sim_core::SimTime;

use super::Connection;
use super::text::AckNeed;
use crate::congestion::{CongestionControl, ConnectionStart};
use crate::model::{ConnectionEnd, Outputs, Signal};
use crate::options::Options;
use crate::resend_rule::RetransmitReason;
use crate::segment::{Flags, Segment, Tag};
use crate::seq::SeqNum;
use crate::state::State;
use crate::state_machine::StateMachine as _;
use crate::syn_options::SynOptions;
use crate::transmit::Transmit;

use super::segment_arrives::whole_seconds;

impl Connection {
    /// Sends a SYN, or a SYN-ACK in SYN-RECEIVED; `why` is set for a retransmission.
    pub(super) fn send_syn(
        &mut self,
        why: Option<RetransmitReason>,
        now: SimTime,
        out: &mut Outputs,
    ) {
        let again = why.is_some();
        let answers = self.state != State::SynSent;
        let flags = if answers { Flags::SYN_ACK } else { Flags::SYN };
        let flags = flags | self.ecn_setup(answers, again);
        let window = self.syn_window();
        if answers {
            self.rcv.edge = self.rcv.edge.max(self.rcv.nxt + window);
            self.rcv.acked = self.rcv.nxt;
        }
        let mut options = self.syn_options(answers, now);
        let len = if again || self.rare.is_none() {
            0
        } else {
            self.add_fast_open(answers, &mut options)
        };
        let segment = Segment {
            src_port: self.local_port,
            dst_port: self.remote_port,
            seq: self.snd.iss,
            ack: if answers { self.rcv.nxt } else { SeqNum(0) },
            flags,
            window: window.min(0xffff) as u16,
            options,
            len,
            tag: Tag {
                conn: self.conn,
                offset: 0,
                traced: self.traced,
                ..Tag::default()
            },
            ..Segment::default()
        };
        if !again {
            self.snd.nxt = self.snd.iss + 1 + len;
            self.snd.timed = Some((self.snd.iss + 1, now));
        }
        self.emit(segment, why, out);
        self.arm_rto(now);
    }

    /// The window a SYN or SYN-ACK offers. Linux accepts more than the field can express if its buffer is
    /// larger.
    fn syn_window(&self) -> u32 {
        let stamps = self.passive && self.rcv.ts_ok;
        self.params.first_window(if stamps { 12 } else { 0 })
    }

    /// The options of this SYN; an answer only offers what the peer offered.
    fn syn_options(&self, answers: bool, now: SimTime) -> Options {
        let p = &self.params;
        let offer = |wanted: bool, agreed: bool| if answers { agreed } else { wanted };
        let echo = if answers { self.rcv.ts_recent } else { 0 };
        let offer = SynOptions {
            mss: self.offered_mss(),
            sack: offer(p.sack, self.rcv.sack_ok),
            timestamps: offer(p.timestamps, self.rcv.ts_ok).then(|| (self.ts_now(now), echo)),
            window_shift: offer(p.window_scaling, self.rcv.shift_agreed).then(|| p.window_shift()),
        };
        offer.write(p.syn_layout)
    }

    /// The MSS to offer: limited by the path MTU, if known to be smaller than the interface's (Linux
    /// `tcp_advertise_mss`).
    fn offered_mss(&self) -> u16 {
        let headers = self.params.ip_version.header_len() as u16 + 20;
        self.params.mss().min(self.mtu().saturating_sub(headers))
    }

    /// Adopts the peer's SYN.
    fn take_syn(&mut self, seg: &Segment) {
        self.take_ecn_setup(seg);
        self.rcv.peer = seg.tag.conn;
        self.take_offer(seg.seq, &SynOptions::read(&seg.options, &self.params));
    }

    /// Adopts the peer's initial sequence number and options.
    pub(super) fn take_offer(&mut self, irs: SeqNum, offer: &SynOptions) {
        self.rcv.irs = irs;
        self.rcv.nxt = irs + 1;
        self.rcv.acked = irs;
        self.rcv.sack_ok = offer.sack;
        if let Some((val, _)) = offer.timestamps {
            self.rcv.ts_ok = true;
            self.rcv.ts_recent = val;
        }
        if let Some(shift) = offer.window_shift {
            self.snd.shift = shift;
            self.rcv.shift = self.params.window_shift();
            self.rcv.shift_agreed = true;
            // A buffer below one step of the window field could only ever be offered as 0.
            self.rcv.buffer = self.rcv.buffer.max(2 << self.rcv.shift);
        }
        // MUST-16 and RFC 6691: the smaller of both, minus the options in every segment.
        let option_bytes = if self.rcv.ts_ok { 12 } else { 0 };
        let effective = u32::from(offer.mss)
            .max(self.params.min_mss)
            .min(u32::from(self.params.mss().max(64)));
        self.snd.mss = effective - option_bytes;
        self.rcv.mss = self.snd.mss;
        if self.params.freebsd_window {
            let segments = self.rcv.buffer.div_ceil(effective);
            self.rcv.buffer = segments.saturating_mul(effective);
        }
        if let Some(rare) = &mut self.rare {
            rare.peer_mss = offer.mss;
            self.fit_mss();
        }
        if self.params.mtu_probing > 0 {
            self.rare().peer_mss = offer.mss;
            self.start_mtu_search();
        }
        // The window that the SYN offers, whose field is unscaled.
        self.rcv.edge = self.rcv.nxt + self.syn_window();
    }

    /// RFC 9293 section 3.10.7.2.
    ///
    /// Deviation: text and FIN on a SYN, here and in SYN-SENT, are not queued for ESTABLISHED; since they
    /// are not acknowledged, they will be retransmitted.
    #[inline(never)]
    pub(super) fn listen_arrives(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        if seg.flags.is_rst() {
            return;
        }
        if seg.flags.is_ack() {
            self.refuse(seg, out);
            return;
        }
        if seg.flags.is_syn() {
            if seg.flags.is_fin() && self.params.drop_syn_fin {
                return;
            }
            self.take_syn(seg);
            self.rcv.ts_recent_at = whole_seconds(now);
            self.snd.wnd = u32::from(seg.window);
            self.snd.max_wnd = self.snd.wnd;
            self.enter(State::SynReceived, out);
            if self.rare.is_some() && self.accept_early(seg) {
                self.open_early(seg, now, out);
            } else {
                self.send_syn(None, now, out);
            }
        }
    }

    /// RFC 9293 section 3.10.7.3.
    #[inline(never)]
    pub(super) fn syn_sent_arrives(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        let acceptable =
            seg.flags.is_ack() && seg.ack.after(self.snd.iss) && seg.ack.at_or_before(self.snd.nxt);
        // first: "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset (unless the RST bit is set)"
        if seg.flags.is_ack() && !acceptable {
            if !seg.flags.is_rst() {
                self.refuse(seg, out);
            }
            return;
        }
        // second: the RST bit
        if seg.flags.is_rst() {
            if acceptable {
                self.end(ConnectionEnd::Refused, out);
            }
            return;
        }
        // fourth: the SYN bit
        if !seg.flags.is_syn() {
            return;
        }
        self.take_syn(seg);
        self.rcv.ts_recent_at = whole_seconds(now);
        if !acceptable {
            // Simultaneous open (MUST-10): answer with SYN-ACK from SYN-RECEIVED.
            self.snd.wnd = u32::from(seg.window);
            self.snd.max_wnd = self.snd.wnd;
            self.timers.rto = SimTime::MAX;
            self.enter(State::SynReceived, out);
            self.send_syn(Some(RetransmitReason::SimultaneousOpen), now, out);
            return;
        }
        self.snd.wl1 = seg.seq;
        // Data that the application has written meanwhile and the peer has not refused.
        let unsent = self.snd.unsent() > 0;
        let refused = self.rare.is_some() && !self.on_fast_open_answer(seg, out);
        let writes = unsent && !refused;
        self.establish(seg, now, out);
        let waits = self.rare.as_ref().is_some_and(|r| r.interactive) && !writes && !refused;
        if writes || waits {
            self.expect_own_data(now);
        }
        let text = Segment {
            seq: seg.seq + 1,
            flags: seg.flags.without(Flags::SYN),
            ..*seg
        };
        let need = self.on_text(&text, now, out);
        if self.state == State::Closed {
            return; // text arrived for an application that has closed, which ended the connection
        }
        let delayed = waits && need == AckNeed::None && self.state == State::Established;
        if refused && self.resend_refused(now, out) {
            self.transmit(now, out);
        } else if !(delayed && self.hold_ack(now)) {
            self.reply(need.max(AckNeed::Now), now, out);
        }
    }

    /// Our SYN is acknowledged: data may flow.
    #[inline(never)]
    pub(super) fn establish(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        let early = self.is_open_early();
        self.snd.acked = u64::from(seg.ack.offset_from(self.snd.iss + 1));
        self.counts.bytes_acked = self.snd.acked;
        self.snd.una = seg.ack;
        self.take_first_ack(seg, now);
        self.restart_rto(now);
        self.enter(State::Established, out);
        if !early {
            out.signals.push(Signal::Connected);
        }
        self.touch_keepalive(now);
        if self.snd.fin_queued {
            self.leave_for_close(out);
        }
    }

    /// The same when the application has already closed: handles only the acknowledgement of the SYN.
    #[cold]
    pub(super) fn complete_closed(&mut self, seg: &Segment, now: SimTime) {
        self.rare().closed_early = false;
        self.snd.una = self.snd.iss + 1;
        self.take_first_ack(seg, now);
        self.restart_rto(now);
    }

    /// Sets window, round-trip time and congestion window when the SYN is acknowledged.
    fn take_first_ack(&mut self, seg: &Segment, now: SimTime) {
        let shift = if seg.flags.is_syn() {
            0
        } else {
            self.snd.shift
        };
        self.snd.wnd = u32::from(seg.window) << shift;
        self.snd.max_wnd = self.snd.wnd;
        (self.snd.wl1, self.snd.wl2) = (seg.seq, seg.ack);
        self.recovery.on_delivered(seg.ack, now); // sent early, with Fast Open
        self.take_rtt(seg, now);
        if self.snd.syn_retransmissions > 0 {
            self.rtt.after_syn_loss();
            self.forgive_spurious_syn(seg);
        }
        if !self.is_open_early() {
            self.start_congestion_control();
        }
    }

    /// If the peer echoes the timestamp of the first SYN, the retransmission was spurious (Linux
    /// `tcp_try_undo_spurious_syn`; only with `syn_losses_forgiven`).
    #[cold]
    fn forgive_spurious_syn(&mut self, seg: &Segment) {
        if self.params.syn_losses_forgiven == 0 || !self.rcv.ts_ok {
            return;
        }
        let first = self.ts_now(self.timers.first_sent);
        if seg
            .options
            .timestamps()
            .is_some_and(|(_, echo)| echo == first)
        {
            self.snd.syn_retransmissions = 0;
        }
    }

    /// RFC 5681 section 3.1 and RFC 6928: one segment if the SYN or SYN-ACK was lost more often than
    /// `syn_losses_forgiven`.
    pub(super) fn start_congestion_control(&mut self) {
        let lost = u32::from(self.snd.syn_retransmissions);
        let segments = if lost > self.params.syn_losses_forgiven {
            1
        } else {
            self.params.initial_window
        };
        let mss = u64::from(self.snd.mss);
        self.cc.on_start(&ConnectionStart {
            mss: self.snd.mss,
            initial_window: u64::from(segments.max(1)) * mss,
            srtt: self.rtt.srtt(),
        });
        self.start_measuring();
    }

    /// Sends `<SEQ=SEG.ACK><CTL=RST>` for an ACK of something never sent.
    #[cold]
    pub(super) fn refuse(&mut self, seg: &Segment, out: &mut Outputs) {
        let segment = Segment {
            src_port: self.local_port,
            dst_port: self.remote_port,
            seq: seg.ack,
            flags: Flags::RST,
            tag: Tag {
                conn: self.conn,
                offset: 0,
                traced: self.traced,
                ..Tag::default()
            },
            ..Segment::default()
        };
        self.counts.segments_sent += 1;
        out.segments.push(Transmit::new(segment));
    }
}
