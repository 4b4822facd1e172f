//! Entries of a middlebox with a time-out each.
//!
//! Postponing a time-out costs a single write: an entry is in the list of deadlines at its deadline
//! or earlier, and is put back if its turn comes too early.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use sim_core::SimTime;

#[derive(Debug)]
struct FlowSlot<T> {
    value: Option<T>,
    deadline: SimTime,
    /// The earliest place of the entry in the list of deadlines; `MAX` for none.
    queued: SimTime,
    /// Distinguishes the uses of the slot.
    serial: u32,
}

/// A table of entries by place. It allocates only when there are more entries than ever before.
#[derive(Debug)]
pub(super) struct FlowTable<T> {
    slots: Vec<FlowSlot<T>>,
    free: Vec<u32>,
    /// (deadline, place, serial).
    deadlines: BinaryHeap<Reverse<(SimTime, u32, u32)>>,
    len: u32,
}

impl<T> Default for FlowTable<T> {
    fn default() -> Self {
        FlowTable {
            slots: Vec::new(),
            free: Vec::new(),
            deadlines: BinaryHeap::new(),
            len: 0,
        }
    }
}

impl<T> FlowTable<T> {
    /// The number of entries.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// Adds an entry; returns its place.
    pub(super) fn insert(&mut self, value: T, deadline: SimTime) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(FlowSlot {
                value: None,
                deadline,
                queued: SimTime::MAX,
                serial: 0,
            });
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[place as usize];
        slot.value = Some(value);
        slot.serial = slot.serial.wrapping_add(1);
        slot.queued = SimTime::MAX;
        self.len += 1;
        self.set_deadline(place, deadline);
        place
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.slots.get_mut(place as usize)?.value.as_mut()
    }

    /// Sets the time at which an entry times out.
    pub(super) fn set_deadline(&mut self, place: u32, at: SimTime) {
        let Some(slot) = self.slots.get_mut(place as usize) else {
            return;
        };
        slot.deadline = at;
        if at < slot.queued {
            slot.queued = at;
            self.deadlines.push(Reverse((at, place, slot.serial)));
        }
    }

    /// Removes an entry and returns it.
    pub(super) fn remove(&mut self, place: u32) -> Option<T> {
        let value = self.slots.get_mut(place as usize)?.value.take()?;
        self.free.push(place);
        self.len -= 1;
        Some(value)
    }

    /// Removes and returns an entry that has timed out, if there is one.
    pub(super) fn pop_expired(&mut self, now: SimTime) -> Option<T> {
        while let Some(&Reverse((at, place, serial))) = self.deadlines.peek() {
            if at > now {
                return None;
            }
            self.deadlines.pop();
            let slot = &mut self.slots[place as usize];
            if slot.value.is_none() || (slot.serial, slot.queued) != (serial, at) {
                continue;
            }
            if slot.deadline > now {
                slot.queued = slot.deadline;
                self.deadlines.push(Reverse((slot.deadline, place, serial)));
                continue;
            }
            return self.remove(place);
        }
        None
    }

    /// When the next entry times out, or earlier.
    pub(super) fn next_deadline(&self) -> Option<SimTime> {
        self.deadlines.peek().map(|Reverse((at, ..))| *at)
    }

    /// The entries, in the order of their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let all = self.slots.iter().zip(0u32..);
        all.filter_map(|(slot, place)| Some((place, slot.value.as_ref()?)))
    }

    /// Forgets all entries.
    pub(super) fn clear(&mut self) {
        *self = FlowTable::default();
    }
}

#[cfg(test)]
mod tests {
    use sim_core::SimDuration;

    use super::*;

    fn s(n: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(n)
    }

    #[test]
    fn entries_expire_at_their_last_deadline_and_slots_are_reused() {
        let mut table = FlowTable::default();
        let a = table.insert('a', s(5));
        let b = table.insert('b', s(6));
        table.set_deadline(a, s(9));
        table.set_deadline(b, s(3));
        assert_eq!(
            (table.pop_expired(s(2)), table.next_deadline()),
            (None, Some(s(3)))
        );
        assert_eq!(table.pop_expired(s(3)), Some('b'));
        assert_eq!(table.pop_expired(s(8)), None);
        assert_eq!(table.insert('c', s(20)), b);
        assert_eq!(table.pop_expired(s(9)), Some('a'));
        assert_eq!((table.pop_expired(s(19)), table.len()), (None, 1));
        assert_eq!(table.remove(b), Some('c'));
        assert_eq!((table.pop_expired(s(99)), table.len()), (None, 0));
    }
}
