//! A hash table of slots: finds the connection of a 4-tuple with two memory accesses, the first of which
//! can be prefetched.
//!
//! An entry is four bytes: the slot, and above it as many bits of the hash as fit. Probing is linear, but
//! wraps around within a cache line before moving to the next. The 4-tuples are stored with the
//! connections, so that a look-up reads one line of the table and then the connection itself, which is
//! needed anyway.

use sim_core::prefetch::prefetch;

/// Entries of a line.
const LINE: usize = 16;
/// Number of slots stored inline, without a table.
const FEW: usize = 2;

/// Entry that ends a search.
const EMPTY: u32 = 0;
/// Removed entry at which a search must continue.
const GRAVE: u32 = 1;
/// Set in every entry that holds a slot.
const TAKEN: u32 = 1 << 31;

/// Entries of one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct CacheLine([u32; LINE]);

/// The position of an entry, modulo the size of the table.
#[derive(Clone, Copy)]
struct TableIndex(usize);

impl TableIndex {
    #[inline(always)]
    fn next_in_line(self) -> TableIndex {
        TableIndex(self.0 & !(LINE - 1) | (self.0 + 1) & (LINE - 1))
    }

    #[inline(always)]
    fn previous_in_line(self) -> TableIndex {
        TableIndex(self.0 & !(LINE - 1) | self.0.wrapping_sub(1) & (LINE - 1))
    }
}

/// Slots by the hash of their 4-tuple. A few are stored inline, so that a host with one connection needs no
/// table.
#[derive(Debug, Default)]
pub(super) struct SlotTable {
    /// A power of two of lines, or none while there are few slots.
    lines: Vec<CacheLine>,
    few: [u32; FEW],
    len: u32,
    graves: u32,
}

impl SlotTable {
    /// The slot with this hash for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.lines.is_empty() {
            let few = self.few.iter().take(self.len as usize);
            return few.copied().find(|&slot| is_it(slot));
        }
        let (tag, mask) = (self.tag(hash), self.slot_mask());
        let is_it = |entry: u32| entry & !mask == tag && is_it(entry & mask);
        let (_, entry) = self.search(hash, |entry| entry == EMPTY || is_it(entry));
        (entry != EMPTY).then_some(entry & mask)
    }

    /// Prefetches what [`SlotTable::find`] and [`SlotTable::guess`] read first.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        if !self.lines.is_empty() {
            prefetch(self.entry(TableIndex(hash as usize)));
        }
    }

    /// A slot that probably has this hash.
    #[inline]
    pub(super) fn guess(&self, hash: u64) -> Option<u32> {
        if self.lines.is_empty() {
            return None;
        }
        let (tag, mask) = (self.tag(hash), self.slot_mask());
        let (_, entry) = self.search(hash, |entry| entry == EMPTY || entry & !mask == tag);
        (entry != EMPTY).then_some(entry & mask)
    }

    /// Adds a slot that is not in the table; `hash_of` gives the hashes of existing ones.
    pub(super) fn insert(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        let is_few = self.lines.is_empty();
        if is_few && (self.len as usize) < FEW {
            self.few[self.len as usize] = slot;
            self.len += 1;
            return;
        }
        let used = (self.len + self.graves) as usize;
        if is_few || 4 * (used + 1) > 3 * LINE * self.lines.len() || slot > self.slot_mask() {
            self.rebuild(slot, hash_of);
        }
        self.put(hash, slot);
        self.len += 1;
    }

    /// Removes a slot; false if it is not in the table.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) -> bool {
        if self.lines.is_empty() {
            let few = &mut self.few[..self.len as usize];
            let Some(at) = few.iter().position(|&other| other == slot) else {
                return false;
            };
            few[at..].rotate_left(1);
            self.len -= 1;
            return true;
        }
        let wanted = self.tag(hash) | slot;
        let (at, entry) = self.search(hash, |entry| entry == EMPTY || entry == wanted);
        if entry == EMPTY {
            return false;
        }
        if *self.entry(at.next_in_line()) == EMPTY {
            self.clear_back(at);
        } else {
            *self.entry_mut(at) = GRAVE;
            self.graves += 1;
        }
        self.len -= 1;
        true
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// Bytes of the table.
    pub(super) fn memory_bytes(&self) -> usize {
        self.lines.capacity() * size_of::<CacheLine>()
    }

    /// Makes room for one more entry, of a slot up to `slot`.
    #[cold]
    fn rebuild(&mut self, slot: u32, hash_of: impl Fn(u32) -> u64) {
        let old = std::mem::take(&mut self.lines);
        let mask = (LINE * old.len()).saturating_sub(1) as u32;
        let few = self.few;
        let slots: Box<dyn Iterator<Item = u32>> = if old.is_empty() {
            Box::new(few.into_iter().take(self.len as usize))
        } else {
            let entries = old.into_iter().flat_map(|line| line.0);
            Box::new(
                entries
                    .filter(|e| e & TAKEN != 0)
                    .map(move |e| e & !TAKEN & mask),
            )
        };
        // At most half full, and wide enough to distinguish slots.
        let highest = few.into_iter().fold(slot, u32::max) | mask;
        let least = (2 * (self.len as usize + 1)).max(highest as usize + 1);
        let lines = least.div_ceil(LINE).next_power_of_two();
        self.lines = vec![CacheLine([EMPTY; LINE]); lines];
        self.graves = 0;
        for slot in slots {
            self.put(hash_of(slot), slot);
        }
    }

    /// Empties the entry before an empty one, and the removed entries before it. No search passes through these: it
    /// would have ended at the empty entry, or, starting there and wrapping around, would have found it taken.
    #[inline]
    fn clear_back(&mut self, at: TableIndex) {
        *self.entry_mut(at) = EMPTY;
        let mut before = at.previous_in_line();
        while *self.entry(before) == GRAVE {
            *self.entry_mut(before) = EMPTY;
            self.graves -= 1;
            before = before.previous_in_line();
        }
    }

    fn put(&mut self, hash: u64, slot: u32) {
        let (at, old) = self.search(hash, |entry| entry & TAKEN == 0);
        self.graves -= u32::from(old == GRAVE);
        *self.entry_mut(at) = self.tag(hash) | slot;
    }

    /// The first entry for which `stop` holds, from the hash's position on.
    #[inline(always)]
    fn search(&self, hash: u64, stop: impl Fn(u32) -> bool) -> (TableIndex, u32) {
        let mut first = TableIndex(hash as usize);
        loop {
            let line = self.line(first);
            for i in 0..LINE {
                let at = first.0.wrapping_add(i) % LINE;
                if stop(line[at]) {
                    return (TableIndex(first.0 & !(LINE - 1) | at), line[at]);
                }
            }
            first = TableIndex(first.0.wrapping_add(LINE));
        }
    }

    #[inline(always)]
    fn line(&self, at: TableIndex) -> &[u32; LINE] {
        &self.lines[(at.0 / LINE) & (self.lines.len() - 1)].0
    }

    #[inline(always)]
    fn entry(&self, at: TableIndex) -> &u32 {
        &self.line(at)[at.0 % LINE]
    }

    #[inline(always)]
    fn entry_mut(&mut self, at: TableIndex) -> &mut u32 {
        let lines = self.lines.len();
        &mut self.lines[(at.0 / LINE) & (lines - 1)].0[at.0 % LINE]
    }

    /// The bits of an entry that hold the slot.
    #[inline(always)]
    fn slot_mask(&self) -> u32 {
        (LINE * self.lines.len() - 1) as u32 & !TAKEN
    }

    /// The bits above the slot, for a hash.
    #[inline(always)]
    fn tag(&self, hash: u64) -> u32 {
        TAKEN | (hash >> 32) as u32 & !self.slot_mask()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn hash_of(slot: u32, keys: &BTreeMap<u32, u64>) -> u64 {
        keys[&slot].wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// Inserts and removes at random, with hashes drawn from `keys` values so that they collide or not, and
    /// compares with a map.
    fn meet_a_map(seed: u64, most: u32, keys: u64) {
        let mut rng = sim_core::Rng::stream(seed, "slot table", 0);
        let mut table = SlotTable::default();
        let mut all: BTreeMap<u32, u64> = BTreeMap::new();
        for _ in 0..20 * most {
            let slot = rng.below(u64::from(most)) as u32;
            match all.get(&slot) {
                Some(_) => {
                    let hash = hash_of(slot, &all);
                    assert_eq!(table.find(hash, |s| s == slot), Some(slot));
                    assert!(table.remove(hash, slot));
                    assert_eq!(table.find(hash, |s| s == slot), None);
                    assert!(!table.remove(hash, slot));
                    all.remove(&slot);
                }
                None => {
                    all.insert(slot, rng.below(keys));
                    table.insert(hash_of(slot, &all), slot, |s| hash_of(s, &all));
                }
            }
            assert_eq!(table.len(), all.len());
        }
        for &slot in all.keys() {
            let hash = hash_of(slot, &all);
            assert_eq!(table.find(hash, |s| s == slot), Some(slot));
            table.prefetch(hash);
            assert!(table.guess(hash).is_none_or(|s| all.contains_key(&s)));
        }
        // Only entries of one line are examined, not of the whole table.
        let bound = 64 * (4 * most as usize).next_power_of_two() / LINE;
        assert!(
            table.memory_bytes() <= bound.max(64),
            "{}",
            table.memory_bytes()
        );
    }

    #[test]
    fn it_behaves_like_a_map() {
        for seed in 0..20 {
            meet_a_map(seed, 3, 1000);
            meet_a_map(seed, 40, 1000);
            meet_a_map(seed, 1000, 1 << 40);
            meet_a_map(seed, 200, 3);
        }
    }

    #[test]
    fn slots_far_beyond_the_number_of_entries_are_kept() {
        let mut table = SlotTable::default();
        let slots = [5, 70_000, 3, 1, 900_000, 2, 12];
        let hash = |slot: u32| u64::from(slot) << 32 | u64::from(slot);
        for slot in slots {
            table.insert(hash(slot), slot, hash);
        }
        for slot in slots {
            assert_eq!(table.find(hash(slot), |s| s == slot), Some(slot));
        }
    }
}
