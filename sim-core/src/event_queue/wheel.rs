//! An exact hierarchical timing wheel: events come out in their total order.
//!
//! ```text
//!   front: run (sorted), late (heap)  |  levels 0 … 10, 64 slots each, unsorted
//!   all times <= covered              |  all times > covered
//! ```
//!
//! Level `k` holds the times that agree with `base` in all base-64 digits above the `k`-th, in
//! slots by that digit. When the front is empty, the first slot in use is taken: a crowded slot is
//! split over the levels below, a slot with few events is sorted and becomes the front. So the tick
//! adapts to the density of events, and a gap of hours costs as much as a gap of a picosecond.
//!
//! An event pushed into the time span of the front is inserted into the run or, if the run is long, into the
//! heap beside it; if that grows too large, the front goes back into the wheel.
//!
//! Slots are chains of chunks, so that pushes write and splits read sequentially: a set larger than
//! the caches costs bandwidth, not a miss per event. The wheel is from Varghese and Lauck (1987);
//! splitting on demand is from the ladder queue of Tang, Goh and Thng (2005).

mod chunks;

use super::{EventQueue, HeapQueue};
use crate::event::Event;
use crate::time::SimTime;
use chunks::{CHUNK, Chunks, EMPTY, WheelSlot};

/// Bits of a digit.
const BITS: u32 = 6;
/// Slots of a level.
const SLOTS: usize = 1 << BITS;
/// Levels that cover 64 bits.
const LEVELS: usize = 64usize.div_ceil(BITS as usize);
/// A slot of at most this many events is sorted instead of split.
const FEW: usize = 32;
/// Slots with few events are taken together until the run has this many: where events are sparse, a
/// slot has only one or two.
const ENOUGH: usize = 8;
/// New events are inserted into a run shorter than this.
const SHORT: usize = 48;
/// Events at the end of the run that are searched linearly for the place of a new one.
const NEAR: usize = 16;
/// Number of events beside the sorted run above which the front may go back into the wheel.
const LATE: usize = 64;
/// Least number of events to show in advance, if the wheel has that many.
const AHEAD: usize = 24;
/// A timing wheel with a sorted front: `O(1)` push and pop.
#[derive(Debug)]
pub struct WheelQueue {
    /// Events up to `covered`, last first.
    run: Vec<Event>,
    /// Events up to `covered` that were pushed after the run was sorted.
    late: HeapQueue,
    /// Size of `late` beyond which the front goes back into the wheel.
    late_limit: usize,
    /// Every event of the wheel is later than this.
    covered: u64,
    /// The time relative to which levels are counted; no event of the wheel is earlier.
    base: u64,
    /// Bit `k`: level `k` is in use.
    levels: u32,
    /// Bit `i` of `used[k]`: slot `i` of level `k` is in use.
    used: [u64; LEVELS],
    slots: Box<[WheelSlot]>,
    chunks: Chunks,
    len: usize,
    /// Bit `i` of `shown[k]`: the events of slot `i` of level `k` have been shown.
    shown: [u64; LEVELS],
    /// Approximate number of events in those slots.
    shown_len: usize,
    /// The run has not been shown.
    is_new: bool,
}

impl Default for WheelQueue {
    fn default() -> Self {
        WheelQueue {
            run: Vec::with_capacity(SHORT),
            late: HeapQueue::with_capacity(2 * LATE),
            late_limit: LATE,
            covered: 0,
            base: 0,
            levels: 0,
            used: [0; LEVELS],
            slots: vec![EMPTY; LEVELS * SLOTS].into_boxed_slice(),
            chunks: Chunks::default(),
            len: 0,
            shown: [0; LEVELS],
            shown_len: 0,
            is_new: false,
        }
    }
}

impl WheelQueue {
    /// Puts an event later than `covered` into its slot.
    #[inline(always)]
    fn place(&mut self, event: Event) {
        let time = event.time.as_ps();
        let level = (((time ^ self.base) | 1).ilog2() / BITS) as usize;
        let digit = (time >> (level as u32 * BITS)) as usize % SLOTS;
        self.levels |= 1 << level;
        self.used[level] |= 1 << digit;
        let slot = &mut self.slots[level * SLOTS + digit];
        let at = slot.len as usize % CHUNK;
        if at == 0 {
            slot.chunk = self.chunks.take(slot.chunk);
        }
        slot.len += 1;
        self.chunks.events[slot.chunk as usize][at] = event;
    }

    /// Fills the empty front with the first events of the wheel, unless they are later than `last`.
    fn advance(&mut self, last: u64) -> bool {
        self.is_new = false;
        while self.levels != 0 {
            let level = self.levels.trailing_zeros();
            let used = &mut self.used[level as usize];
            let digit = used.trailing_zeros();
            let above = u64::MAX.checked_shl((level + 1) * BITS).unwrap_or(0);
            let start = self.base & above | u64::from(digit) << (level * BITS);
            let slot = &mut self.slots[level as usize * SLOTS + digit as usize];
            let (is_few, taken) = (slot.len as usize <= FEW, self.run.len());
            if start > last || (taken > 0 && !is_few) {
                break;
            }
            *used &= *used - 1;
            self.levels ^= u32::from(*used == 0) << level;
            self.base = start;
            let slot = std::mem::replace(slot, EMPTY);
            let shown = &mut self.shown[level as usize];
            let is_new = *shown >> digit & 1 == 0;
            if !is_new {
                *shown ^= 1 << digit;
                self.shown_len = self.shown_len.saturating_sub(slot.len as usize);
            }
            if level > 0 && !is_few {
                self.covered = self.covered.max(start.saturating_sub(1));
                self.split(slot);
                continue;
            }
            self.is_new |= is_new;
            self.take(slot);
            if self.run.len() >= ENOUGH {
                break;
            }
        }
        if self.run.is_empty() {
            return false;
        }
        self.sort();
        true
    }

    /// Spreads the events of a slot, which begins at `base`, over lower levels.
    fn split(&mut self, slot: WheelSlot) {
        let (mut chunk, mut len) = (slot.chunk, slot.len as usize);
        while len > 0 {
            let count = (len - 1) % CHUNK + 1;
            self.chunks.prefetch(self.chunks.next[chunk as usize]);
            (0..count).for_each(|i| self.place(self.chunks.events[chunk as usize][i]));
            chunk = self.chunks.give_back(chunk);
            len -= count;
        }
    }

    /// Adds the events of a slot to the run, roughly latest first.
    #[inline]
    fn take(&mut self, slot: WheelSlot) {
        let (mut chunk, mut len) = (slot.chunk, slot.len as usize);
        while len > 0 {
            let count = (len - 1) % CHUNK + 1;
            let events = &self.chunks.events[chunk as usize][..count];
            self.run.extend_from_slice(events);
            chunk = self.chunks.give_back(chunk);
            len -= count;
        }
    }

    /// Puts the new run in order.
    #[inline]
    fn sort(&mut self) {
        if self.run.len() > FEW {
            self.run
                .sort_unstable_by_key(|e| std::cmp::Reverse(e.key_bits()));
        } else {
            self.run.reverse();
            self.insertion_sort();
        }
        self.covered = self.run[0].time.as_ps();
    }

    /// Sorts a short run, most of which is already in order.
    #[inline]
    fn insertion_sort(&mut self) {
        for next in 1..self.run.len() {
            let event = self.run[next];
            let key = event.key_bits();
            let mut at = next;
            while at > 0 && self.run[at - 1].key_bits() < key {
                self.run[at] = self.run[at - 1];
                at -= 1;
            }
            self.run[at] = event;
        }
    }

    /// Adds an event to the front: to the run if that is short, otherwise to the heap.
    #[inline]
    fn push_late(&mut self, event: Event) {
        if self.run.len() < SHORT {
            // Most belong near the end: an event usually causes others that are due soon.
            let key = event.key_bits();
            let end = self.run.len();
            let near = end.saturating_sub(NEAR);
            if near > 0 && self.run[near - 1].key_bits() < key {
                let at = self.run[..near].partition_point(|e| e.key_bits() > key);
                self.run.insert(at, event);
            } else {
                let mut at = end;
                self.run.push(event);
                while at > 0 && self.run[at - 1].key_bits() < key {
                    self.run[at] = self.run[at - 1];
                    at -= 1;
                }
                self.run[at] = event;
            }
            return;
        }
        self.late.push(event);
        if self.late.len() > self.late_limit && self.late.len() > self.run.len() {
            self.put_front_back();
        }
    }

    /// Puts the front back into the wheel, except for events before `base`.
    #[cold]
    fn put_front_back(&mut self) {
        self.covered = self.base.saturating_sub(1);
        let mut front = std::mem::take(&mut self.run);
        self.late.drain_into(&mut front);
        for event in front.drain(..) {
            if event.time.as_ps() <= self.covered {
                self.late.push(event);
            } else {
                self.place(event);
            }
        }
        self.run = front;
        self.late_limit = LATE.max(2 * self.late.len());
    }

    /// Shows the events of the next slots, until enough are shown or a crowded slot is next.
    fn show_slots(&mut self, show: &mut dyn FnMut(&Event)) {
        let mut levels = self.levels;
        while levels != 0 {
            let level = levels.trailing_zeros() as usize;
            levels &= levels - 1;
            let mut hidden = self.used[level] & !self.shown[level];
            while hidden != 0 {
                let digit = hidden.trailing_zeros() as usize;
                hidden &= hidden - 1;
                let slot = self.slots[level * SLOTS + digit];
                if slot.len as usize > FEW || self.run.len() + self.shown_len >= AHEAD {
                    return;
                }
                self.shown[level] |= 1 << digit;
                self.shown_len += slot.len as usize;
                self.chunks.each(slot, show);
            }
        }
    }

    /// Returns true if the smallest event is in the front and not after `last`.
    #[inline]
    fn has_front(&mut self, last: u64) -> bool {
        !self.run.is_empty() || self.late.first().is_some() || self.advance(last)
    }
}

impl EventQueue for WheelQueue {
    #[inline(always)]
    fn push(&mut self, event: Event) {
        self.len += 1;
        if event.time.as_ps() > self.covered {
            self.place(event);
        } else {
            self.push_late(event);
        }
    }

    #[inline]
    fn next_time(&mut self) -> Option<SimTime> {
        if !self.has_front(u64::MAX) {
            return None;
        }
        let late = self.late.first().map(|e| e.time);
        let run = self.run.last().map(|e| e.time);
        [run, late].into_iter().flatten().min()
    }

    #[inline(always)]
    fn pop_before(&mut self, horizon: SimTime) -> Option<Event> {
        if !self.has_front(horizon.as_ps().checked_sub(1)?) {
            return None;
        }
        let run = self.run.last();
        let event = match self.late.first() {
            Some(late) if run.is_none_or(|run| late < run) => {
                if late.time >= horizon {
                    return None;
                }
                self.late.pop()
            }
            _ => {
                if run?.time >= horizon {
                    return None;
                }
                self.run.pop()
            }
        };
        self.len -= 1;
        event
    }

    #[inline]
    fn show_upcoming(&mut self, show: &mut dyn FnMut(&Event)) {
        if std::mem::take(&mut self.is_new) {
            self.run.iter().rev().for_each(&mut *show);
        }
        if self.run.len() + self.shown_len < AHEAD {
            self.show_slots(show);
        }
    }

    fn len(&self) -> usize {
        self.len
    }
}
