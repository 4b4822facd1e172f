//! The send and receive sequence spaces (RFC 9293 section 3.3.1) with the buffers behind them.

use sim_core::SimTime;

use super::adaptive::Adaptive;
use crate::params::TcpParams;
use crate::reassembly::Reassembly;
use crate::segment::ConnId;
use crate::seq::SeqNum;

/// What a call says of less than a full segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(super) enum Hold {
    /// Nagle and cork decide.
    #[default]
    Usual,
    /// More will follow: it waits (`MSG_MORE`).
    More,
    /// It goes, whatever Nagle and cork say (`TCP_NODELAY` when it is set).
    Push,
    /// A probe takes it along.
    Probe,
}

/// Variables of the sending direction. Stream offsets are 64 bits and count payload from 0.
#[derive(Clone, Debug, Hash)]
pub(super) struct SendSpace {
    pub(super) iss: SeqNum,
    pub(super) una: SeqNum,
    pub(super) nxt: SeqNum,
    /// Peer's window in bytes.
    pub(super) wnd: u32,
    /// Largest window the peer ever offered (RFC 9293 section 3.8.6.2.1, Max(SND.WND)).
    pub(super) max_wnd: u32,
    pub(super) wl1: SeqNum,
    pub(super) wl2: SeqNum,
    /// Payload of a full segment: Eff.snd.MSS less the timestamps option.
    pub(super) mss: u32,
    /// End of the last small segment sent, for Minshall's rule.
    pub(super) small_end: SeqNum,
    /// Stream offset of SND.UNA.
    pub(super) acked: u64,
    /// Stream offset after the last octet written.
    pub(super) written: u64,
    /// Stream offset after the last pushed octet.
    pub(super) pushed: u64,
    /// Stream offset after the last urgent octet; 0 for none.
    pub(super) urgent: u64,
    /// The segment being timed: sequence number that acknowledges it, and when it was sent.
    pub(super) timed: Option<(SeqNum, SimTime)>,
    /// When the last segment with data left; in TIME-WAIT, which sends none, when that began.
    pub(super) last_sent: SimTime,
    /// Shift count of the peer's window field.
    pub(super) shift: u8,
    /// While a call is being carried out.
    pub(super) hold: Hold,
    pub(super) fin_queued: bool,
    pub(super) fin_sent: bool,
    /// A write did not fit; the application waits to hear of room.
    pub(super) blocked: bool,
    /// Times that our SYN or SYN-ACK was sent again because its timer expired; stops at 255.
    pub(super) syn_retransmissions: u8,
    /// The congestion window held back data when last looked at.
    pub(super) cwnd_limited: bool,
    /// Most octets in flight in the round that ends when `usage_end` is acknowledged
    /// (`linux_cwnd`).
    pub(super) most_out: u32,
    pub(super) usage_end: SeqNum,
    /// Data in flight are window probes: the persist timer looks after them.
    pub(super) probing: bool,
}

impl SendSpace {
    pub(super) fn new(iss: SeqNum) -> SendSpace {
        SendSpace {
            iss,
            una: iss,
            nxt: iss,
            wnd: 0,
            max_wnd: 0,
            wl1: SeqNum(0),
            wl2: SeqNum(0),
            mss: 536,
            small_end: iss,
            acked: 0,
            written: 0,
            pushed: 0,
            urgent: 0,
            timed: None,
            last_sent: SimTime::ZERO,
            shift: 0,
            hold: Hold::Usual,
            fin_queued: false,
            fin_sent: false,
            blocked: false,
            syn_retransmissions: 0,
            cwnd_limited: false,
            most_out: 0,
            usage_end: iss,
            probing: false,
        }
    }

    /// Sequence number of the payload octet at SND.UNA.
    fn base(&self) -> SeqNum {
        if self.una == self.iss && self.acked == 0 {
            self.iss + 1
        } else {
            self.una
        }
    }

    /// Sequence number of a stream offset not below `acked`.
    pub(super) fn seq_of(&self, offset: u64) -> SeqNum {
        self.base() + (offset - self.acked) as u32
    }

    /// Stream offset of a sequence number not below SND.UNA.
    pub(super) fn offset_of(&self, seq: SeqNum) -> u64 {
        self.acked + u64::from(seq.offset_from(self.base()))
    }

    /// Sequence number after all that was written: the FIN's, once closed.
    pub(super) fn data_end(&self) -> SeqNum {
        self.seq_of(self.written)
    }

    /// Octets of sequence space in flight.
    pub(super) fn flight(&self) -> u32 {
        self.nxt.offset_from(self.una)
    }

    /// Octets written and never sent.
    pub(super) fn unsent(&self) -> u64 {
        if self.fin_sent {
            return 0;
        }
        if self.nxt == self.iss {
            return self.written; // not even the SYN has left
        }
        self.written - self.offset_of(self.nxt)
    }

    /// Octets beyond SND.NXT that the peer's window admits; zero when it shrank below SND.NXT
    /// (MUST-34).
    pub(super) fn usable_window(&self) -> u32 {
        let edge = self.una + self.wnd;
        if self.nxt.before(edge) {
            edge.offset_from(self.nxt)
        } else {
            0
        }
    }
}

/// Variables of the receiving direction.
#[derive(Clone, Debug, Hash)]
pub(super) struct ReceiveSpace {
    pub(super) irs: SeqNum,
    pub(super) nxt: SeqNum,
    /// Right edge of the window offered: never moves left (SHLD-14).
    pub(super) edge: SeqNum,
    /// RCV.NXT when the last ACK left.
    pub(super) acked: SeqNum,
    /// Buffer size, bytes.
    pub(super) buffer: u32,
    /// Payload of a full segment from the peer.
    pub(super) mss: u32,
    /// In-order octets the application has not read.
    pub(super) unread: u64,
    /// Of these, octets not yet signalled: held for a PSH.
    pub(super) held: u64,
    /// Octets read since the window was last told.
    pub(super) freed: u32,
    /// Octets ahead of a gap.
    pub(super) ahead: Option<Box<Reassembly>>,
    /// What an adaptive receiver has learnt.
    pub(super) adaptive: Option<Box<Adaptive>>,
    /// Urgent pointer as a sequence number, while it lies beyond what was read.
    pub(super) urgent: Option<SeqNum>,
    /// TS.Recent of RFC 7323, and when it was last confirmed, in seconds since the start.
    pub(super) ts_recent: u32,
    pub(super) ts_recent_at: u32,
    /// Identity of the connection whose SYN was accepted.
    pub(super) peer: ConnId,
    /// ACKs still to be sent at once.
    pub(super) quick_acks: u32,
    /// When the last ACK answered an unacceptable segment; `SimTime::MAX` before the first.
    pub(super) challenged: SimTime,
    /// Shift count of own window field.
    pub(super) shift: u8,
    pub(super) shift_agreed: bool,
    pub(super) ts_ok: bool,
    pub(super) sack_ok: bool,
    pub(super) fin_received: bool,
}

impl ReceiveSpace {
    pub(super) fn new(params: &TcpParams) -> ReceiveSpace {
        ReceiveSpace {
            irs: SeqNum(0),
            nxt: SeqNum(0),
            edge: SeqNum(0),
            acked: SeqNum(0),
            buffer: params.first_buffer(),
            mss: 536,
            unread: 0,
            held: 0,
            freed: 0,
            ahead: None,
            adaptive: None,
            urgent: None,
            ts_recent: 0,
            ts_recent_at: 0,
            peer: ConnId(0),
            quick_acks: params.quick_acks,
            challenged: SimTime::MAX,
            shift: 0,
            shift_agreed: false,
            ts_ok: false,
            sack_ok: false,
            fin_received: false,
        }
    }

    /// RCV.WND: what has been offered and not used.
    pub(super) fn window(&self) -> u32 {
        if self.nxt.before(self.edge) {
            self.edge.offset_from(self.nxt)
        } else {
            0
        }
    }

    /// The window to offer now: silly-window avoidance of RFC 9293 section 3.8.6.2.2 (MUST-39).
    pub(super) fn window_to_offer(&self) -> u32 {
        let offered = self.window();
        let free = u64::from(self.buffer).saturating_sub(self.unread) as u32;
        let gain = free.saturating_sub(offered);
        if gain > 0 && gain >= (self.buffer / 2).min(self.mss) {
            free
        } else {
            offered
        }
    }

    /// The window that FreeBSD offers: what is free, unless that is less than a segment and a quarter
    /// of the buffer; never less than was offered.
    pub(super) fn all_that_is_free(&self) -> u32 {
        let free = u64::from(self.buffer).saturating_sub(self.unread) as u32;
        let little = free < self.buffer / 4 && free < self.mss;
        self.window().max(if little { 0 } else { free })
    }

    /// The window has opened so far that FreeBSD announces it: by two segments and a quarter of the
    /// buffer, with little offered or a small buffer by two segments, in any case by half of the buffer.
    pub(super) fn opens_as_freebsd_tells(&self) -> bool {
        let (offered, free) = (self.window(), self.all_that_is_free());
        let (more, buffer) = (free - offered, self.buffer);
        let worth_it = more >= buffer / 4 || free <= buffer / 8 || buffer <= 8 * self.mss;
        let shown = free >> self.shift != offered >> self.shift;
        shown && (more >= buffer / 2 || (more >= 2 * self.mss && worth_it))
    }

    /// The window field for the current offer.
    pub(super) fn window_field(&self) -> u16 {
        (self.window() >> self.shift).min(0xffff) as u16
    }

    /// Octets the application may read.
    pub(super) fn readable(&self) -> u64 {
        self.unread - self.held
    }

    /// Octets from the next one to read to the end of the urgent data, while that is ahead
    /// (MUST-33).
    pub(super) fn urgent_ahead(&self) -> Option<u32> {
        let next = self.nxt - self.fin_received as u32 - self.unread as u32;
        let pointer = self.urgent?;
        pointer.after(next).then(|| pointer.offset_from(next))
    }
}
