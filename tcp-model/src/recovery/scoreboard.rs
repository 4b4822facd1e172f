//! The data SACKed by the peer (RFC 2018, RFC 6675 section 3).

use std::cell::Cell;
use std::hash::{Hash, Hasher};

use crate::seq::SeqNum;

/// Disjoint runs of SACKed octets above SND.UNA, in order of sequence number.
#[derive(Clone, Debug, Hash, Default)]
pub struct Scoreboard {
    runs: Vec<(SeqNum, SeqNum)>,
    octets: u32,
    latest: KnownBlocks,
    counted: CountedRange,
}

/// The range that was counted last, and its SACKed octets: during a recovery the same one is asked for several times
/// for each ACK.
#[derive(Clone, Debug, Default)]
struct CountedRange(Cell<(SeqNum, SeqNum, u32)>);

impl Hash for CountedRange {
    /// Hashes nothing: it is only a shortcut.
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// The latest blocks, which most ACKs repeat.
#[derive(Clone, Copy, Debug, Default)]
struct KnownBlocks {
    blocks: [(SeqNum, SeqNum); 4],
    /// The index of the oldest of them.
    oldest: u8,
}

impl Hash for KnownBlocks {
    /// Hashes nothing: it is only a shortcut.
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Scoreboard {
    /// Whether the block was among the latest, so that all of it is known.
    #[inline]
    pub fn knows(&self, start: SeqNum, end: SeqNum) -> bool {
        self.latest.blocks.contains(&(start, end))
    }

    /// Adds a run; returns how many of its octets were new.
    pub fn insert(&mut self, start: SeqNum, end: SeqNum) -> u32 {
        if self.knows(start, end) {
            return 0;
        }
        self.counted = CountedRange::default();
        let latest = &mut self.latest;
        latest.blocks[usize::from(latest.oldest)] = (start, end);
        latest.oldest = (latest.oldest + 1) % 4;
        // Runs entirely before and entirely after stay; those in between are merged.
        let first = self.runs.partition_point(|r| r.1.before(start));
        let around = self.runs.get(first);
        if around.is_some_and(|(s, e)| s.at_or_before(start) && e.at_or_after(end)) {
            return 0;
        }
        let last = self.runs.partition_point(|r| r.0.at_or_before(end));
        let mut merged = (start, end);
        let mut known = 0;
        for &(s, e) in &self.runs[first..last] {
            merged = (merged.0.min(s), merged.1.max(e));
            known += e.offset_from(s);
        }
        if last == first + 1 {
            self.runs[first] = merged; // most often one run grows
        } else {
            self.runs.splice(first..last, [merged]);
        }
        let new = merged.1.offset_from(merged.0) - known;
        self.octets += new;
        new
    }

    /// Drops everything below the new SND.UNA. True when a run starts there: the peer has dropped SACKed
    /// data (RFC 2018 section 8).
    pub fn acknowledge(&mut self, una: SeqNum) -> bool {
        self.latest = KnownBlocks::default(); // their numbers may come to mean other octets
        self.counted = CountedRange::default();
        let gone = self.runs.partition_point(|r| r.1.at_or_before(una));
        for (s, e) in self.runs.drain(..gone) {
            self.octets -= e.offset_from(s);
        }
        match self.runs.first_mut() {
            Some(run) if run.0.at_or_before(una) => {
                self.octets -= una.offset_from(run.0);
                run.0 = una;
                true
            }
            _ => false,
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.runs.clear();
        *self = Scoreboard {
            runs: std::mem::take(&mut self.runs),
            ..Scoreboard::default()
        };
    }

    /// Bytes of memory, its own and that of its runs.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Scoreboard>() + self.runs.capacity() * size_of::<(SeqNum, SeqNum)>()
    }

    /// All SACKed octets.
    pub fn octets(&self) -> u32 {
        self.octets
    }

    /// True when nothing is SACKed.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// SACKed octets in `from..to`.
    #[inline]
    pub fn octets_between(&self, from: SeqNum, to: SeqNum) -> u32 {
        let (start, end, octets) = self.counted.0.get();
        if (start, end) == (from, to) {
            return octets;
        }
        self.count_between(from, to)
    }

    #[inline(never)]
    fn count_between(&self, from: SeqNum, to: SeqNum) -> u32 {
        let first = self.runs.partition_point(|r| r.1.at_or_before(from));
        let runs = self.runs[first..].iter().take_while(|r| r.0.before(to));
        let octets = runs.map(|&(s, e)| e.min(to).offset_from(s.max(from))).sum();
        self.counted.0.set((from, to, octets));
        octets
    }

    /// The first run of octets in `from..to` that is not SACKed; empty at `to` when there is none.
    pub fn next_gap(&self, from: SeqNum, to: SeqNum) -> (SeqNum, SeqNum) {
        let mut start = from;
        let first = self.runs.partition_point(|r| r.1.at_or_before(from));
        for &(s, e) in &self.runs[first..] {
            if s.after(start) {
                return (start, s.min(to));
            }
            start = e;
        }
        (start.min(to), to)
    }

    /// RFC 6675's IsLost for all octets at once: octets below this that are not SACKed are lost, because
    /// `threshold` runs, or more than `threshold - 1` segments, are SACKed above it.
    pub fn lost_edge(&self, mss: u32, threshold: u32) -> Option<SeqNum> {
        let (mut octets, mut runs) = (0u32, 0u32);
        for &(s, e) in self.runs.iter().rev() {
            octets += e.offset_from(s);
            runs += 1;
            if runs >= threshold || octets > (threshold.saturating_sub(1)).saturating_mul(mss) {
                return Some(s);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_stay_disjoint_ordered_and_counted(
            base in any::<u32>(),
            blocks in prop::collection::vec((0u32..200, 1u32..60), 1..40),
            una in 0u32..300,
        ) {
            let at = |n: u32| SeqNum(base) + n;
            let mut board = Scoreboard::default();
            let mut octets = [false; 300];
            for (start, len) in blocks {
                let fresh = octets[start as usize..(start + len) as usize].iter().filter(|o| !**o);
                prop_assert_eq!(board.insert(at(start), at(start + len)) as usize, fresh.count());
                octets[start as usize..(start + len) as usize].fill(true);
                let known = octets[50..150].iter().filter(|o| **o).count();
                prop_assert_eq!(board.octets_between(at(50), at(150)) as usize, known);
            }
            prop_assert!(board.runs.windows(2).all(|w| w[0].1.before(w[1].0)));
            let count = |a: usize, b: usize| octets[a..b].iter().filter(|o| **o).count() as u32;
            prop_assert_eq!(board.octets(), count(0, 300));
            prop_assert_eq!(board.octets_between(at(50), at(150)), count(50, 150));
            let (s, e) = board.next_gap(at(40), at(250));
            let expected = (40..250).find(|&i| !octets[i]).unwrap_or(250);
            prop_assert_eq!(s, at(expected as u32));
            prop_assert!((expected..e.offset_from(at(0)) as usize).all(|i| !octets[i]));
            let before = board.octets();
            prop_assert_eq!(board.acknowledge(at(una)), octets[una as usize]);
            prop_assert!(board.octets() <= before);
            prop_assert_eq!(board.octets(), count(una as usize, 300));
            let left = (50.max(una as usize)..150).filter(|&i| octets[i]).count();
            prop_assert_eq!(board.octets_between(at(50), at(150)) as usize, left);
            prop_assert!(board.runs.iter().all(|r| r.0.at_or_after(at(una))));
        }
    }
}
