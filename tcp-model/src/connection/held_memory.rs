//! The memory of the data that a receiver holds, buffer by buffer, as Linux counts it.

use crate::seq::SeqNum;

/// Memory in front of the payload, for headers.
const HEADERS: u32 = 64 + 52;
/// Memory behind the payload, for bookkeeping (`skb_shared_info`).
const BOOKKEEPING: u32 = 320;
/// Its descriptor (`sk_buff`).
const DESCRIPTOR: u32 = 256;
/// Payload that does not fit in a page with those is in separate pages, counted by the octet.
const PAGE: u32 = 4096;

/// Memory of a segment with `len` octets of payload. Up to a page, sizes are powers of two.
pub(super) fn memory_of(len: u32) -> u32 {
    let whole = len + HEADERS + BOOKKEEPING;
    if whole <= PAGE {
        whole.next_power_of_two() + DESCRIPTOR
    } else {
        whole + DESCRIPTOR
    }
}

/// Room for more payload in the buffer of a segment.
pub(super) fn room_behind(len: u32) -> u32 {
    let whole = len + HEADERS + BOOKKEEPING;
    if whole <= PAGE {
        whole.next_power_of_two() - whole
    } else {
        0
    }
}

/// Memory of `payload` octets in buffers of a page each.
pub(super) fn joined(payload: u32) -> u32 {
    payload
        .div_ceil(PAGE - BOOKKEEPING)
        .saturating_mul(PAGE + DESCRIPTOR)
}

/// The memory of a receiver's data.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct HeldMemory {
    /// Memory of unread data.
    pub(super) unread: u32,
    /// Memory of data beyond a gap.
    pub(super) ahead: u32,
    /// Room in the last buffer of unread data.
    pub(super) room: u32,
    /// Room in the buffer of the latest segment beyond a gap, and where that segment ends.
    pub(super) room_ahead: u32,
    pub(super) end_ahead: SeqNum,
    /// Payload and memory of the unread data before the first sparse buffer, one whose memory is out of
    /// proportion to its payload; `None` without one.
    pub(super) before_sparse: Option<(u32, u32)>,
    /// There is a sparse buffer beyond a gap.
    pub(super) sparse_ahead: bool,
    /// Memory reserved, in pages, and not used yet.
    pub(super) reserved: u32,
}

impl HeldMemory {
    /// Total memory.
    pub(super) fn all(&self) -> u32 {
        self.unread.saturating_add(self.ahead)
    }

    /// Whether `len` octets from `start` on fit behind the latest segment beyond a gap.
    pub(super) fn fits_ahead(&self, start: SeqNum, len: u32) -> bool {
        start == self.end_ahead && len <= self.room_ahead
    }

    /// Reserves the memory of a segment and returns its amount.
    pub(super) fn reserve(&mut self, len: u32) -> u32 {
        let memory = memory_of(len);
        let missing = memory.saturating_sub(self.reserved);
        self.reserved += missing.next_multiple_of(PAGE);
        memory
    }

    pub(super) fn free(&mut self, memory: u32) {
        self.reserved = (self.reserved + memory) % PAGE;
    }

    /// Of `held` octets beyond a gap, only `left` remain there: the memory of the others, which are now in
    /// order, moves to the `unread` ones.
    pub(super) fn take_from_ahead(&mut self, held: u32, left: u32, unread: u64) {
        if self.sparse_ahead && self.before_sparse.is_none() {
            self.before_sparse = Some((unread.min(u32::MAX.into()) as u32, self.unread));
        }
        let stays = share(self.ahead, left, held);
        self.unread += self.ahead - stays;
        self.ahead = stays;
        self.room = 0;
        if left == 0 {
            self.sparse_ahead = false;
        }
    }

    /// The application has read `bytes`; `left` octets remain.
    pub(super) fn read(&mut self, bytes: u64, left: u64) {
        if left == 0 {
            self.free(self.unread);
            (self.unread, self.room, self.before_sparse) = (0, 0, None);
            return;
        }
        let taken = u64::from(self.unread) * bytes / (bytes + left).max(1);
        self.unread -= taken as u32;
        self.free(taken as u32);
        if let Some((payload, memory)) = &mut self.before_sparse {
            let rest = u64::from(*payload).saturating_sub(bytes) as u32;
            *memory = share(*memory, rest, *payload);
            *payload = rest;
        }
    }

    /// Merges sparse buffers: all from the first of them on.
    pub(super) fn join(&mut self, unread: u32, ahead: impl Iterator<Item = u32>) {
        let before = self.all();
        if self.sparse_ahead {
            self.ahead = self.ahead.min(ahead.map(joined).sum());
            (self.sparse_ahead, self.room_ahead) = (false, 0);
        }
        if let Some((payload, memory)) = self.before_sparse.take() {
            let rest = joined(unread.saturating_sub(payload));
            self.unread = self.unread.min(memory.saturating_add(rest));
            self.room = 0;
        }
        self.free(before - self.all());
    }
}

/// The share of `memory` that belongs to `part` of `whole`.
pub(super) fn share(memory: u32, part: u32, whole: u32) -> u32 {
    (u64::from(memory) * u64::from(part.min(whole)) / u64::from(whole.max(1))) as u32
}
