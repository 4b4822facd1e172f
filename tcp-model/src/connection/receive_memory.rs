//! The memory of received data, as counted by Linux, and what happens when it is exhausted.
//!
//! A segment takes a buffer with its bookkeeping (`truesize`), unless it fits behind the data of the
//! previous one. Memory never exceeds the receive buffer: a buffer that may grow does so; otherwise the
//! window stays small, sparse buffers are merged, data farthest beyond a gap are discarded, and if that is
//! not enough, the segment is dropped and the window closed (`tcp_prune_queue`). The check is skipped while
//! segments arrive in order and fit in memory already reserved (`sk_forward_alloc`).
//!
//! Leaves out memory pressure on the whole host, differences between network cards and drivers in buffer
//! size, reservations for sending, and the size of individual queued buffers: data read or discarded take
//! an average share.

use super::Connection;
use super::adaptive::Adaptive;
use super::held_memory::{memory_of, room_behind, share};
use crate::seq::SeqNum;

impl Adaptive {
    /// Queues `len` octets in order; true if they have their own buffer.
    pub(super) fn hold(&mut self, len: u32) -> bool {
        let held = &mut self.held;
        let memory = held.reserve(len);
        if len <= held.room {
            held.room -= len;
            return false;
        }
        held.unread += memory;
        held.reserved -= memory;
        held.room = room_behind(len);
        true
    }

    /// Of `unread` octets the last `len` have their own buffer: notes whether it is sparse.
    pub(super) fn note_sparse(&mut self, len: u32, unread: u64) {
        if self.held.before_sparse.is_none() && self.window_of(memory_of(len)) > len {
            let before = unread.saturating_sub(len.into()).min(u32::MAX.into());
            let memory = self.held.unread.saturating_sub(memory_of(len));
            self.held.before_sparse = Some((before as u32, memory));
        }
    }

    /// Queues `start..end` beyond a gap: in the room behind the data before them, if they fit, or in a buffer
    /// of their own.
    fn hold_ahead(&mut self, start: SeqNum, end: SeqNum) {
        let len = end.offset_from(start);
        let held = &mut self.held;
        let memory = held.reserve(len);
        if held.fits_ahead(start, len) {
            held.room_ahead -= len;
        } else {
            held.ahead += memory;
            held.reserved -= memory;
            held.room_ahead = room_behind(len);
        }
        held.end_ahead = end;
        if self.window_of(memory_of(len)) > len {
            self.held.sparse_ahead = true;
        }
    }
}

impl Connection {
    /// Counts `start..end`, new data beyond a gap, and opens the window (Linux `tcp_data_queue_ofo`: before the
    /// data's own buffer is charged, so that a queue emptied by the application leaves room for growth).
    /// Without SACK the window must not change, otherwise the ACK is not a duplicate.
    pub(super) fn hold_ahead(&mut self, start: SeqNum, end: SeqNum) {
        let len = end.offset_from(start);
        let Some(a) = &mut self.rcv.adaptive else {
            return;
        };
        let joins = a.held.fits_ahead(start, len);
        if joins {
            a.hold_ahead(start, end);
        }
        if self.rcv.sack_ok {
            self.grow_window(len);
        }
        if let (false, Some(a)) = (joins, &mut self.rcv.adaptive) {
            a.hold_ahead(start, end);
        }
    }

    /// True if there is memory for a segment at `seq`, possibly after freeing some (Linux
    /// `tcp_try_rmem_schedule`).
    pub(super) fn makes_room(&mut self, seq: SeqNum) -> bool {
        match &self.rcv.adaptive {
            Some(a) if a.held.all() > a.buffer => self.prune(seq),
            _ => true,
        }
    }

    /// Linux `tcp_prune_queue`.
    #[cold]
    fn prune(&mut self, seq: SeqNum) -> bool {
        let (advertised, largest) = (self.advertised_mss(), self.params.receive_buffer);
        let unread = self.rcv.unread.min(u32::MAX.into()) as u32;
        let Some(a) = &mut self.rcv.adaptive else {
            return true;
        };
        // tcp_clamp_window
        a.quick = 0;
        a.buffer = a.buffer.max(a.held.all().min(largest));
        if a.held.all() <= a.buffer {
            return true;
        }
        a.ssthresh = a.clamp.min(2 * advertised);
        let ahead = self.rcv.ahead.as_deref();
        a.held
            .join(unread, ahead.into_iter().flat_map(|ahead| ahead.lengths()));
        // tcp_prune_ofo_queue: an eighth of the buffer at a time
        let (excess, eighth) = (|a: &Adaptive| a.held.all() > a.buffer, a.buffer / 8);
        while excess(a)
            && let Some(ahead) = &mut self.rcv.ahead
        {
            let (octets, memory) = (ahead.octets(), a.held.ahead.max(1));
            let enough = share(octets, eighth, memory).max(1);
            let gone = ahead.drop_highest(enough, a.mss, seq);
            if gone == 0 {
                break;
            }
            let before = a.held.ahead;
            a.held.ahead = share(before, octets - gone, octets);
            a.held.free(before - a.held.ahead);
            a.held.room_ahead = 0;
        }
        !excess(a)
    }

    /// Whether a segment that arrived in order is dropped because unread data fill the memory; the window
    /// is then closed at once. If nothing is unread, it is accepted in any case.
    #[inline(never)]
    pub(super) fn drops_for_memory(&mut self, seq: SeqNum, len: u32) -> bool {
        let plain = self.rcv.ahead.is_none();
        let reserved = |a: &Adaptive| a.held.reserved >= memory_of(len);
        if (plain && self.rcv.adaptive.as_deref().is_some_and(reserved))
            || self.makes_room(seq)
            || self.rcv.unread == 0
        {
            return false;
        }
        if let Some(a) = &mut self.rcv.adaptive {
            a.squeezed = true;
        }
        true
    }

    /// The application has read `bytes` of `unread`; `left` remain.
    pub(super) fn free_memory(&mut self, bytes: u64, left: u64) {
        if let Some(a) = &mut self.rcv.adaptive {
            a.held.read(bytes, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::held_memory::HeldMemory;
    use super::*;

    #[test]
    fn buffers_are_powers_of_two_up_to_a_page() {
        for (len, memory, room) in [
            (10, 768, 66),
            (100, 1280, 488),
            (588, 1280, 0),
            (1000, 2304, 612),
            (1460, 2304, 152),
            (3660, 4352, 0),
            (9000, 9692, 0),
        ] {
            assert_eq!((memory_of(len), room_behind(len)), (memory, room), "{len}");
        }
    }

    #[test]
    fn read_data_free_their_share() {
        let mut held = HeldMemory {
            unread: 2304 * 4,
            before_sparse: Some((2000, 4608)),
            ..HeldMemory::default()
        };
        held.read(1000, 3000);
        assert_eq!(
            (held.unread, held.before_sparse),
            (6912, Some((1000, 2304)))
        );
        held.read(2000, 1000);
        assert_eq!((held.unread, held.before_sparse), (2304, Some((0, 0))));
        held.read(1000, 0);
        assert_eq!((held.all(), held.before_sparse), (0, None));
    }

    #[test]
    fn buffers_are_merged_from_the_first_sparse_one_on() {
        let mut held = HeldMemory {
            unread: 10 * 2304 + 10 * 1280,
            before_sparse: Some((10_000, 10 * 2304)),
            ..HeldMemory::default()
        };
        held.join(11_000, std::iter::empty());
        assert_eq!(held.unread, 10 * 2304 + 4352);
        held.join(11_000, std::iter::empty());
        assert_eq!(held.unread, 10 * 2304 + 4352, "dense ones stay");
    }
}
