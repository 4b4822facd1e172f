//! The memory of the data that a receiver holds, buffer by buffer, as Linux counts it.

use crate::seq::SeqNum;

/// In front of the payload: room for headers.
const HEADERS: u32 = 64 + 52;
/// The buffer's own bookkeeping, behind it (`skb_shared_info`).
const BOOKKEEPING: u32 = 320;
/// Its descriptor (`sk_buff`).
const DESCRIPTOR: u32 = 256;
/// What does not fit a page beside them lies in pages of its own, which count by the octet.
const PAGE: u32 = 4096;

/// Memory that a segment with so much payload takes. Up to a page, sizes are powers of two.
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

/// Memory of so much payload in buffers of a page each.
pub(super) fn joined(payload: u32) -> u32 {
    payload
        .div_ceil(PAGE - BOOKKEEPING)
        .saturating_mul(PAGE + DESCRIPTOR)
}

/// The memory of what a receiver holds.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Held {
    /// Of unread data.
    pub(super) unread: u32,
    /// Of data ahead of a gap.
    pub(super) ahead: u32,
    /// Room in the last buffer of unread data.
    pub(super) room: u32,
    /// Room in the buffer of the segment that came last ahead of a gap, and where that ends.
    pub(super) room_ahead: u32,
    pub(super) end_ahead: SeqNum,
    /// Payload and memory of the unread data before the first buffer that takes more memory than its
    /// payload is good for; `None` where there is no such buffer.
    pub(super) before_sparse: Option<(u32, u32)>,
    /// There is such a buffer ahead of a gap.
    pub(super) sparse_ahead: bool,
    /// Memory reserved, in pages, and not used yet.
    pub(super) reserved: u32,
}

impl Held {
    /// All of it.
    pub(super) fn all(&self) -> u32 {
        self.unread.saturating_add(self.ahead)
    }

    /// Reserves the memory of a segment, and says how much that is.
    pub(super) fn reserve(&mut self, len: u32) -> u32 {
        let memory = memory_of(len);
        let missing = memory.saturating_sub(self.reserved);
        self.reserved += missing.next_multiple_of(PAGE);
        memory
    }

    pub(super) fn free(&mut self, memory: u32) {
        self.reserved = (self.reserved + memory) % PAGE;
    }

    /// Of `held` octets ahead of a gap, `left` still are: the others have come into order behind `unread`
    /// ones, and their memory with them.
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

    /// The application took `bytes`, and `left` octets remain.
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

    /// Buffers with little in them are put together: all from the first of them on.
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

/// The part of `memory` that `part` of `whole` has.
pub(super) fn share(memory: u32, part: u32, whole: u32) -> u32 {
    (u64::from(memory) * u64::from(part.min(whole)) / u64::from(whole.max(1))) as u32
}
