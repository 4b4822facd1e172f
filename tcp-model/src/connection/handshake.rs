//! The three-way handshake: LISTEN, SYN-SENT, and the options agreed on
//! (RFC 9293 sections 3.5, 3.10.7.2, 3.10.7.3; RFC 7323; RFC 2018).

use sim_core::SimTime;

use super::{Connection, ts_clock};
use crate::congestion::CongestionControl;
use crate::model::{End, Outputs, Signal};
use crate::options::{Options, TcpOption};
use crate::params::SynLayout;
use crate::segment::{Flags, Segment, Tag};
use crate::seq::SeqNum;
use crate::state::State;

/// RFC 7323 section 2.3.
const MAX_SHIFT: u8 = 14;

impl Connection {
    /// Sends SYN, or SYN-ACK in SYN-RECEIVED; `again` when it is a retransmission.
    pub(super) fn send_syn(&mut self, again: bool, now: SimTime, out: &mut Outputs) {
        let answers = self.state == State::SynReceived;
        let flags = if answers { Flags::SYN_ACK } else { Flags::SYN };
        let window = self.rcv.buffer.min(0xffff); // the field of a SYN is never scaled
        if answers {
            self.rcv.edge = self.rcv.edge.max(self.rcv.nxt + window);
            self.rcv.acked = self.rcv.nxt;
        }
        let segment = Segment {
            src_port: self.local_port,
            dst_port: self.remote_port,
            seq: self.snd.iss,
            ack: if answers { self.rcv.nxt } else { SeqNum(0) },
            flags,
            window: window as u16,
            options: self.syn_options(answers, now),
            tag: Tag {
                conn: self.conn,
                offset: 0,
                traced: self.traced,
            },
            ..Segment::default()
        };
        if !again {
            self.snd.nxt = self.snd.iss + 1;
            self.snd.timed = Some((self.snd.nxt, now));
        }
        self.emit(segment, again, out);
        self.arm_rto(now);
    }

    /// MSS, SACK-permitted, timestamps, window scale; an answer offers what the peer offered.
    fn syn_options(&self, answers: bool, now: SimTime) -> Options {
        let p = &self.params;
        let offer = |wanted: bool, agreed: bool| if answers { agreed } else { wanted };
        let echo = if answers { self.rcv.ts_recent } else { 0 };
        let stamp = ts_clock(now).wrapping_add(self.ts_offset);
        let wanted = SynOptions {
            mss: p.mss(),
            sack: offer(p.sack, self.rcv.sack_ok),
            timestamps: offer(p.timestamps, self.rcv.ts_ok).then_some((stamp, echo)),
            shift: offer(p.window_scaling, self.rcv.shift_agreed).then(|| p.window_shift()),
        };
        match p.syn_layout {
            SynLayout::Linux => wanted.as_linux(),
            SynLayout::Bsd => wanted.as_bsd(),
        }
    }

    /// Takes over what the peer's SYN says.
    fn take_syn(&mut self, seg: &Segment) {
        self.rcv.irs = seg.seq;
        self.rcv.nxt = seg.seq + 1;
        self.rcv.acked = seg.seq;
        // What the SYN offered, or will: the field of a SYN is unscaled.
        self.rcv.edge = self.rcv.nxt + self.rcv.buffer.min(0xffff);
        self.rcv.peer = seg.tag.conn;
        let (mut mss, mut scale) = (self.params.ip_version.default_mss(), None); // MUST-15
        for option in seg.options.iter().map_while(Result::ok) {
            match option {
                TcpOption::Mss(offered) => mss = offered,
                TcpOption::WindowScale(shift) => scale = Some(shift.min(MAX_SHIFT)),
                TcpOption::SackPermitted => self.rcv.sack_ok = self.params.sack,
                TcpOption::Timestamps(val, _) if self.params.timestamps => {
                    self.rcv.ts_ok = true;
                    self.rcv.ts_recent = val;
                }
                _ => {}
            }
        }
        if let (true, Some(shift)) = (self.params.window_scaling, scale) {
            self.snd.shift = shift;
            self.rcv.shift = self.params.window_shift();
            self.rcv.shift_agreed = true;
        }
        // MUST-16 and RFC 6691: the smaller of both, less the options every segment carries.
        let option_bytes = if self.rcv.ts_ok { 12 } else { 0 };
        let effective = u32::from(mss.max(64)).min(u32::from(self.params.mss().max(64)));
        self.snd.mss = effective - option_bytes;
        self.rcv.mss = self.snd.mss;
    }

    /// RFC 9293 section 3.10.7.2.
    ///
    /// Deviation: text and FIN that come with a SYN, here and in SYN-SENT, are not queued for
    /// ESTABLISHED: not being acknowledged, they come again.
    pub(super) fn listen_arrives(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        if seg.flags.is_rst() {
            return;
        }
        if seg.flags.is_ack() {
            self.refuse(seg, out);
            return;
        }
        if seg.flags.is_syn() {
            self.take_syn(seg);
            self.snd.wnd = u32::from(seg.window);
            self.snd.max_wnd = self.snd.wnd;
            self.enter(State::SynReceived, out);
            self.send_syn(false, now, out);
        }
    }

    /// RFC 9293 section 3.10.7.3.
    pub(super) fn syn_sent_arrives(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        let acceptable = seg.flags.is_ack() && seg.ack == self.snd.nxt;
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
                self.end(End::Refused, out);
            }
            return;
        }
        // fourth: the SYN bit
        if !seg.flags.is_syn() {
            return;
        }
        self.take_syn(seg);
        if !acceptable {
            // Simultaneous open (MUST-10): answer with SYN-ACK from SYN-RECEIVED.
            self.snd.wnd = u32::from(seg.window);
            self.snd.max_wnd = self.snd.wnd;
            self.timers.rto = SimTime::MAX;
            self.enter(State::SynReceived, out);
            self.send_syn(true, now, out);
            return;
        }
        self.snd.wl1 = seg.seq;
        self.establish(seg, now, out);
        let text = Segment {
            seq: seg.seq + 1,
            flags: seg.flags.without(Flags::SYN),
            ..*seg
        };
        let need = self.on_text(&text, now, out);
        self.reply(need.max(super::text::AckNeed::Now), now, out);
    }

    /// Our SYN is acknowledged: data may flow.
    pub(super) fn establish(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        self.snd.una = seg.ack;
        let shift = if seg.flags.is_syn() {
            0
        } else {
            self.snd.shift
        };
        self.snd.wnd = u32::from(seg.window) << shift;
        self.snd.max_wnd = self.snd.wnd;
        (self.snd.wl1, self.snd.wl2) = (seg.seq, seg.ack);
        self.take_rtt(seg, now);
        if self.snd.syn_retransmitted {
            self.rtt.after_syn_loss();
        }
        // RFC 5681 section 3.1 and RFC 6928: one segment when the SYN or SYN-ACK was lost.
        let segments = if self.snd.syn_retransmitted {
            1
        } else {
            self.params.initial_window
        };
        self.cc.on_start(
            self.snd.mss,
            u64::from(segments.max(1)) * u64::from(self.snd.mss),
        );
        self.restart_rto(now);
        self.enter(State::Established, out);
        out.signals.push(Signal::Connected);
        self.touch_keepalive(now);
        if self.snd.fin_queued {
            self.leave_for_close(out);
        }
    }

    /// `<SEQ=SEG.ACK><CTL=RST>`: an ACK for what was never sent.
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
            },
            ..Segment::default()
        };
        self.counts.segments_sent += 1;
        out.segments.push((segment, false));
    }
}

/// What a SYN offers.
struct SynOptions {
    mss: u16,
    sack: bool,
    timestamps: Option<(u32, u32)>,
    shift: Option<u8>,
}

impl SynOptions {
    fn as_linux(&self) -> Options {
        let mut options = Options::NONE;
        push(&mut options, TcpOption::Mss(self.mss));
        // Each of the two aligns the other; one alone takes two NOPs.
        if self.sack != self.timestamps.is_some() {
            push(&mut options, TcpOption::Nop);
            push(&mut options, TcpOption::Nop);
        }
        if self.sack {
            push(&mut options, TcpOption::SackPermitted);
        }
        if let Some((val, ecr)) = self.timestamps {
            push(&mut options, TcpOption::Timestamps(val, ecr));
        }
        if let Some(shift) = self.shift {
            push(&mut options, TcpOption::Nop);
            push(&mut options, TcpOption::WindowScale(shift));
        }
        options
    }

    /// NOPs stand where an option would not be aligned, EOL and zeros at the end.
    fn as_bsd(&self) -> Options {
        let mut options = Options::NONE;
        push(&mut options, TcpOption::Mss(self.mss));
        if let Some(shift) = self.shift {
            push(&mut options, TcpOption::Nop);
            push(&mut options, TcpOption::WindowScale(shift));
        }
        if self.sack {
            push(&mut options, TcpOption::SackPermitted);
        }
        if let Some((val, ecr)) = self.timestamps {
            while options.as_bytes().len() % 4 != 2 {
                push(&mut options, TcpOption::Nop);
            }
            push(&mut options, TcpOption::Timestamps(val, ecr));
        }
        while !options.as_bytes().len().is_multiple_of(4) {
            push(&mut options, TcpOption::Eol);
        }
        options
    }
}

fn push(options: &mut Options, option: TcpOption<'_>) {
    let fits = options.push(option);
    debug_assert!(fits.is_ok(), "a SYN's options take at most 24 bytes");
}
