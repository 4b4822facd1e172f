//! What Linux's receiver learns from the data that arrive: how fast they come, how large they are,
//! how much memory they take. [`super::delayed_ack`] and [`super::receive_window`] act on it.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use super::held_memory::Held;
use crate::params::TcpParams;
use crate::seq::SeqNum;

/// Made when the first data arrive.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Adaptive {
    /// Estimate of the time between segments: an ACK is delayed as long (`icsk_ack.ato`).
    pub(super) ato: SimDuration,
    /// When data last arrived, in ticks.
    pub(super) last_data: SimTime,
    /// When the delayed ACK is due, before the timer wheel.
    pub(super) due: SimTime,
    /// Payload of what seems a full segment of the peer's.
    pub(super) mss: u32,
    /// Size of the last smaller segment.
    pub(super) last_size: u32,
    /// ACKs still to be sent at once.
    pub(super) quick: u32,
    /// Data go both ways in turn: a reply will carry the ACK.
    pub(super) interactive: bool,
    /// An ACK is wanted.
    pub(super) scheduled: bool,
    /// Duplicate ACKs that wait, those sent for the gap, and where that begins.
    pub(super) compressed: u32,
    pub(super) duplicates: u8,
    pub(super) gap_start: Option<SeqNum>,
    /// A small or pushed segment is among what waits for it, or more than one.
    pub(super) pushed: bool,
    pub(super) pushed_twice: bool,
    /// Bytes of payload per 256 bytes of memory.
    pub(super) ratio: u8,
    /// Receive buffer, in bytes of memory.
    pub(super) buffer: u32,
    /// The part of it that is in use.
    pub(super) held: Held,
    /// A segment was just dropped for want of memory: the next ACK closes the window.
    pub(super) squeezed: bool,
    /// The window never exceeds this, nor the slow-start threshold below.
    pub(super) clamp: u32,
    /// The one that `ssthresh` has followed.
    pub(super) known_clamp: u32,
    pub(super) ssthresh: u32,
    /// Most bytes read in a round trip.
    pub(super) space: u32,
    /// Where and when the present round trip of the reader began.
    pub(super) space_start: SeqNum,
    pub(super) space_since: SimTime,
    /// Round-trip time as the receiver sees it, and the echo that told last.
    pub(super) rtt: SimDuration,
    pub(super) last_echo: u32,
}

/// Linux's guess at the peer's segment size before any arrived (`TCP_MSS_DEFAULT`).
const FIRST_GUESS: u32 = 536;
/// The least it is taken for (`TCP_MIN_MSS`).
pub(super) const LEAST_MSS: u32 = 88;

impl Adaptive {
    /// `mss`: payload of a full segment of the peer's, as announced; `offered`: the window that
    /// was, and the largest that the field can express.
    fn new(
        params: &TcpParams,
        mss: u32,
        (offered, most_offered): (u32, u32),
        copied: SeqNum,
        now: SimTime,
    ) -> Adaptive {
        let buffer = params.initial_buffer();
        // Half of the buffer's memory, less a segment.
        let most = buffer / 2;
        let clamp = if most > 2 * mss {
            most.saturating_sub(mss).max(2 * mss)
        } else {
            most
        };
        let clamp = clamp.min(most_offered);
        let ssthresh = offered.min(clamp);
        Adaptive {
            ato: SimDuration::ZERO,
            last_data: SimTime::ZERO,
            due: SimTime::MAX,
            mss: FIRST_GUESS.min(offered / 2).min(mss).max(LEAST_MSS),
            last_size: 0,
            quick: 0,
            interactive: params.interactive_from_start,
            scheduled: false,
            compressed: 0,
            duplicates: 0,
            gap_start: None,
            pushed: false,
            pushed_twice: false,
            ratio: 128,
            buffer,
            held: Held::default(),
            squeezed: false,
            clamp,
            known_clamp: 0,
            ssthresh,
            space: ssthresh.min(offered).min(10 * mss),
            space_start: copied,
            space_since: now,
            rtt: SimDuration::ZERO,
            last_echo: 0,
        }
    }
}

impl Connection {
    /// Data arrived in order: the receiver learns from them. `joined` is [`Segment::joined`].
    ///
    /// [`Segment::joined`]: crate::segment::Segment::joined
    pub(super) fn learn(
        &mut self,
        len: u32,
        joined: u16,
        push: bool,
        echo: Option<u32>,
        now: SimTime,
    ) {
        if !self.params.adaptive_receiver {
            return;
        }
        let unread = self.rcv.unread;
        let adaptive = self.adaptive(now);
        adaptive.scheduled = true;
        let own_buffer = adaptive.hold(len);
        let size = match joined {
            0 => len,
            size => len.min(size.into()),
        };
        self.measure_segment(size, push);
        if let (true, Some(adaptive)) = (own_buffer, &mut self.rcv.adaptive) {
            adaptive.note_sparse(len, unread);
        }
        self.measure_round_trip(len, echo, now);
        self.measure_pace(now);
        if len >= 128 {
            self.grow_window(len);
        }
    }

    /// The MSS announced, less the timestamps that every segment carries (Linux `advmss`).
    pub(super) fn advertised_mss(&self) -> u32 {
        let option_bytes = if self.rcv.ts_ok { 12 } else { 0 };
        u32::from(self.params.mss()).saturating_sub(option_bytes)
    }

    /// What the receiver has learnt so far.
    pub(super) fn adaptive(&mut self, now: SimTime) -> &mut Adaptive {
        let known = self.rcv.adaptive.take();
        let known = known.unwrap_or_else(|| Box::new(self.first_guess(now)));
        self.rcv.adaptive.insert(known)
    }

    /// What an adaptive receiver believes before any data have come.
    pub(super) fn first_guess(&self, now: SimTime) -> Adaptive {
        let offered = self.rcv.edge.offset_from(self.rcv.acked);
        let copied = self.rcv.nxt - self.rcv.unread as u32;
        let most = 0xffff << self.rcv.shift;
        Adaptive::new(
            &self.params,
            self.advertised_mss(),
            (offered, most),
            copied,
            now,
        )
    }

    /// Linux `tcp_measure_rcv_mss`: the largest segment seen, or a smaller one that comes twice.
    pub(super) fn measure_segment(&mut self, len: u32, push: bool) {
        let most = u32::from(self.params.mss());
        let header = if self.rcv.ts_ok { 32 } else { 20 };
        let Some(a) = &mut self.rcv.adaptive else {
            return;
        };
        let last = std::mem::take(&mut a.last_size);
        if len >= a.mss {
            if len != a.mss {
                a.set_ratio(len);
            }
            a.mss = len.min(most).max(1);
            // A full segment that is pushed may well be the end of what the peer had to say.
            a.pushed |= push;
            return;
        }
        let with_header = len + header;
        if with_header >= FIRST_GUESS + 20 || (with_header >= LEAST_MSS + 20 && !push) {
            a.last_size = len;
            if len == last {
                a.mss = len;
                return;
            }
        }
        a.pushed_twice |= a.pushed;
        a.pushed = true;
    }
}
