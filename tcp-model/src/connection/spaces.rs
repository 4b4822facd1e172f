//! The send and receive sequence spaces (RFC 9293 section 3.3.1) with the buffers behind them.

use sim_core::SimTime;

use super::adaptive::Adaptive;
use crate::params::TcpParams;
use crate::reassembly::Reassembly;
use crate::segment::ConnId;
use crate::seq::SeqNum;

/// Why the sender stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendStop {
    NothingToSend,
    CongestionWindow,
    /// The peer's window is closed, or too small for a useful segment.
    PeerWindow,
    /// Nagle.
    SmallInFlight,
    /// Pacing: it is too early.
    Pace,
    /// A probe for the path MTU waits until more has been acknowledged.
    MtuProbe,
}

/// How a call treats a partial segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(super) enum Hold {
    /// Nagle and cork decide.
    #[default]
    Usual,
    /// Hold it: more will follow (`MSG_MORE`).
    More,
    /// Send it despite Nagle and cork (when `TCP_NODELAY` is set).
    Push,
    /// Send it with a probe.
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
    /// Payload of a full segment: Eff.snd.MSS minus the timestamps option.
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
    /// When the last segment with data was sent; in TIME-WAIT, when that started.
    pub(super) last_sent: SimTime,
    /// Shift count of the peer's window field.
    pub(super) shift: u8,
    /// Set while a call is processed.
    pub(super) hold: Hold,
    pub(super) fin_queued: bool,
    pub(super) fin_sent: bool,
    /// A write did not fit; the application waits for room.
    pub(super) blocked: bool,
    /// Number of time-outs of our SYN or SYN-ACK; saturates at 255.
    pub(super) syn_retransmissions: u8,
    /// The congestion window limited sending at the last check.
    pub(super) cwnd_limited: bool,
    /// Maximum octets in flight in the round that ends when `usage_end` is acknowledged (`linux_cwnd`).
    pub(super) most_out: u32,
    pub(super) usage_end: SeqNum,
    /// The data in flight are window probes, handled by the persist timer.
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

    /// Sequence number after all written data: that of the FIN, once closed.
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

    /// Octets beyond SND.NXT allowed by the peer's window; zero if it shrank below SND.NXT (MUST-34).
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
    /// Octets read since the window was last announced.
    pub(super) freed: u32,
    /// Octets beyond a gap.
    pub(super) ahead: Option<Box<Reassembly>>,
    /// An adaptive receiver's estimates.
    pub(super) adaptive: Option<Box<Adaptive>>,
    /// Urgent pointer as a sequence number, while it is beyond the data read.
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
    /// Shift count of our window field.
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

    /// RCV.WND: the window offered and not yet used.
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

    /// The window that FreeBSD offers: the free space, unless that is less than a segment and a quarter of
    /// the buffer; never less than already offered.
    #[inline(never)]
    pub(super) fn all_that_is_free(&self) -> u32 {
        let free = u64::from(self.buffer).saturating_sub(self.unread) as u32;
        let little = free < self.buffer / 4 && free < self.mss;
        self.window().max(if little { 0 } else { free })
    }

    /// Whether the window has opened enough for FreeBSD to announce it: by two segments and a quarter of
    /// the buffer; by two segments if little is offered or the buffer is small; in any case by half of the
    /// buffer.
    #[inline(never)]
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

    /// Octets from the next unread one to the end of the urgent data, if that is ahead (MUST-33).
    pub(super) fn urgent_ahead(&self) -> Option<u32> {
        let next = self.nxt - self.fin_received as u32 - self.unread as u32;
        let pointer = self.urgent?;
        pointer.after(next).then(|| pointer.offset_from(next))
    }
}
