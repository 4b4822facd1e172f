//! Storage of the wheel's slots: chains of chunks.

use crate::event::{Event, EventKind, Tie};
use crate::prefetch::prefetch;
use crate::time::SimTime;

/// Number of events in a chunk.
pub(super) const CHUNK: usize = 16;

/// Initial room for chunks: a small network needs no more.
const FIRST_CHUNKS: usize = 64;

/// No chunk.
const NONE: u32 = u32::MAX;

/// The events of a span of time, unsorted.
#[derive(Clone, Copy, Debug)]
pub(super) struct WheelSlot {
    /// The chunk that is being filled; the others behind it are full.
    pub(super) chunk: u32,
    pub(super) len: u32,
}

pub(super) const EMPTY: WheelSlot = WheelSlot {
    chunk: NONE,
    len: 0,
};

/// Storage of all slots: chunks of [`CHUNK`] events, chained.
#[derive(Debug)]
pub(super) struct Chunks {
    pub(super) events: Vec<[Event; CHUNK]>,
    /// The next chunk in the same chain or in the free list.
    pub(super) next: Vec<u32>,
    free: u32,
}

impl Default for Chunks {
    fn default() -> Self {
        Chunks {
            events: Vec::with_capacity(FIRST_CHUNKS),
            next: Vec::with_capacity(FIRST_CHUNKS),
            free: NONE,
        }
    }
}

impl Chunks {
    /// Puts a chunk in front of the chain that begins with `behind`.
    #[inline]
    pub(super) fn take(&mut self, behind: u32) -> u32 {
        if self.free == NONE {
            return self.grow(behind);
        }
        let chunk = self.free;
        self.free = std::mem::replace(&mut self.next[chunk as usize], behind);
        chunk
    }

    #[cold]
    fn grow(&mut self, behind: u32) -> u32 {
        let chunk = u32::try_from(self.events.len()).expect("fewer than 2^32 chunks");
        self.events.push([VOID; CHUNK]);
        self.next.push(behind);
        chunk
    }

    /// Prefetches a chunk that will be read soon.
    #[inline]
    pub(super) fn prefetch(&self, chunk: u32) {
        if let Some(events) = self.events.get(chunk as usize) {
            prefetch(events);
            prefetch(&self.next[chunk as usize]);
        }
    }

    /// Shows the events of a slot.
    pub(super) fn each(&self, slot: WheelSlot, show: &mut dyn FnMut(&Event)) {
        let (mut chunk, mut len) = (slot.chunk, slot.len as usize);
        while len > 0 {
            let count = (len - 1) % CHUNK + 1;
            self.events[chunk as usize][..count]
                .iter()
                .for_each(&mut *show);
            chunk = self.next[chunk as usize];
            len -= count;
        }
    }

    /// Frees a chunk; returns the next one of its chain.
    #[inline]
    pub(super) fn give_back(&mut self, chunk: u32) -> u32 {
        let behind = std::mem::replace(&mut self.next[chunk as usize], self.free);
        self.free = chunk;
        behind
    }
}

/// Fills entries that hold no event.
const VOID: Event = Event {
    time: SimTime::ZERO,
    tie: Tie::FIRST,
    data: 0,
    target: 0,
    kind: EventKind::Start,
};
