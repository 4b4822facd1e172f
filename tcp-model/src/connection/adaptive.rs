//! What Linux's receiver learns from arriving data: their pace, segment size and memory use.
//! [`super::delayed_ack`] and [`super::receive_window`] use it.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use super::held_memory::{HeldMemory, memory_of};
use crate::params::TcpParams;
use crate::segment::Segment;
use crate::seq::SeqNum;

/// The receiver's estimates; allocated when the first data arrive.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Adaptive {
    /// Estimated time between segments, which is the delay of an ACK (`icsk_ack.ato`).
    pub(super) ato: SimDuration,
    /// When data last arrived, in ticks.
    pub(super) last_data: SimTime,
    /// When the delayed ACK is due, before rounding to the timer wheel.
    pub(super) due: SimTime,
    /// Estimated payload of the peer's full segments.
    pub(super) mss: u32,
    /// Size of the last smaller segment.
    pub(super) last_size: u32,
    /// ACKs still to be sent at once.
    pub(super) quick: u32,
    /// Interactive (pingpong) mode: data flow in both directions in turn, and a reply will carry the ACK.
    pub(super) interactive: bool,
    /// An ACK is pending.
    pub(super) scheduled: bool,
    /// Duplicate ACKs held back, those sent for the current gap, and where the gap starts.
    pub(super) compressed: u32,
    pub(super) duplicates: u8,
    pub(super) gap_start: Option<SeqNum>,
    /// The data to be acknowledged include a small or pushed segment, or more than one.
    pub(super) pushed: bool,
    pub(super) pushed_twice: bool,
    /// Bytes of payload per 256 bytes of memory.
    pub(super) ratio: u8,
    /// Receive buffer, in bytes of memory.
    pub(super) buffer: u32,
    /// The part in use.
    pub(super) held: HeldMemory,
    /// A segment was just dropped because memory was exhausted: the next ACK closes the window.
    pub(super) squeezed: bool,
    /// Upper bound of the window and of `ssthresh` below.
    pub(super) clamp: u32,
    /// The clamp that needs no further adjustment of `ssthresh`.
    pub(super) known_clamp: u32,
    pub(super) ssthresh: u32,
    /// Most bytes read in a round trip.
    pub(super) space: u32,
    /// Where and when the current round trip of the reader started.
    pub(super) space_start: SeqNum,
    pub(super) space_since: SimTime,
    /// Round-trip time as seen by the receiver, and the echo that gave the last sample.
    pub(super) rtt: SimDuration,
    pub(super) last_echo: u32,
}

/// Linux's guess at the peer's segment size before any arrived (`TCP_MSS_DEFAULT`).
const FIRST_GUESS: u32 = 536;
/// Lower bound of the estimate (`TCP_MIN_MSS`).
pub(super) const LEAST_MSS: u32 = 88;

impl Adaptive {
    /// `mss`: announced payload of the peer's full segments; `offered`: the window offered so far, and the
    /// largest that the field can express.
    fn new(
        params: &TcpParams,
        mss: u32,
        (offered, most_offered): (u32, u32),
        copied: SeqNum,
        now: SimTime,
    ) -> Adaptive {
        let buffer = params.initial_buffer();
        // Half of the buffer's memory, minus a segment.
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
            held: HeldMemory::default(),
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
    /// Learns from a segment of which `len` octets arrived in order.
    #[inline(never)]
    pub(super) fn learn(&mut self, len: u32, seg: &Segment, now: SimTime) {
        if !self.params.adaptive_receiver {
            return;
        }
        let unread = self.rcv.unread;
        let adaptive = self.adaptive_with(unread.saturating_sub(len.into()), now);
        adaptive.scheduled = true;
        let own_buffer = adaptive.hold(len);
        let size = match seg.joined {
            0 => len,
            size => len.min(size.into()),
        };
        self.measure_segment(size, seg.flags.is_psh());
        if let (true, Some(adaptive)) = (own_buffer, &mut self.rcv.adaptive) {
            adaptive.note_sparse(len, unread);
        }
        let echo = seg.options.timestamps().map(|(_, echo)| echo);
        self.measure_round_trip(len, echo, unread > len.into(), now);
        self.measure_pace(now);
        if len >= 128 {
            self.grow_window(len);
        }
    }

    /// The announced MSS, minus the timestamps that every segment carries (Linux `advmss`).
    pub(super) fn advertised_mss(&self) -> u32 {
        let option_bytes = if self.rcv.ts_ok { 12 } else { 0 };
        u32::from(self.params.mss()).saturating_sub(option_bytes)
    }

    /// The receiver's estimates so far; created if necessary.
    pub(super) fn adaptive(&mut self, now: SimTime) -> &mut Adaptive {
        self.adaptive_with(self.rcv.unread, now)
    }

    /// The same; `uncounted`: unread octets that arrived under other parameters, before memory was counted;
    /// those beyond a gap are counted here.
    #[inline]
    fn adaptive_with(&mut self, uncounted: u64, now: SimTime) -> &mut Adaptive {
        let known = self.rcv.adaptive.take();
        let known = known.unwrap_or_else(|| {
            let mut guess = Box::new(self.first_guess(now));
            if uncounted > 0 {
                guess.hold(uncounted.min(u32::MAX.into()) as u32);
            }
            if let Some(ahead) = self.rcv.ahead.as_ref().filter(|ahead| ahead.octets() > 0) {
                guess.held.ahead = memory_of(ahead.octets());
            }
            guess
        });
        self.rcv.adaptive.insert(known)
    }

    /// The initial estimates, before any data have arrived.
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

    /// Linux `tcp_measure_rcv_mss`: the largest segment seen, or a smaller one seen twice.
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
            // A full segment with PSH may be the end of the peer's message.
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
