//! The segments in flight with what was known when each was sent, and which of them ACKs and SACKs deliver.
//!
//! Simplification: a segment whose parts are reported by two SACKs counts as delivered when it is
//! acknowledged.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use sim_core::SimTime;

use crate::seq::SeqNum;

/// A segment in flight.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct SegmentInFlight<T> {
    pub(crate) end: SeqNum,
    pub(crate) octets: u32,
    /// When it was sent last.
    pub(crate) at: SimTime,
    pub(crate) resent: bool,
    done: DoneRun,
    /// What else was known then.
    pub(crate) known: T,
}

impl<T> SegmentInFlight<T> {
    /// Its first octet.
    fn start(&self) -> SeqNum {
        self.end - self.octets
    }
}

/// How many consecutive segments from this one on are known to be delivered by SACKs; 0 if this one is not.
/// Lets repeated SACK blocks be skipped.
#[derive(Clone, Copy, Debug, Default)]
struct DoneRun(u32);

impl Hash for DoneRun {
    /// Hashes only whether it was delivered; the rest is a shortcut.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.0 > 0).hash(hasher);
    }
}

/// A SACK block that has been processed.
#[derive(Clone, Copy, Debug, Default)]
struct SackBlock {
    start: SeqNum,
    end: SeqNum,
    /// The numbers of its first whole segment and of the first one beyond it.
    first: u64,
    next: u64,
}

/// The latest SACK blocks, which most ACKs repeat; one of them has usually grown.
#[derive(Clone, Copy, Debug, Default)]
struct RecentBlocks {
    blocks: [SackBlock; 4],
    /// The index of the oldest of them.
    oldest: u8,
    /// Segments that are no longer in flight: the number of the first one that is.
    gone: u64,
}

impl RecentBlocks {
    /// The block that begins at `start`.
    fn find(&mut self, start: SeqNum) -> Option<&mut SackBlock> {
        let mut blocks = self.blocks.iter_mut();
        blocks.find(|b| b.start == start && b.start != b.end)
    }

    fn remember(&mut self, block: SackBlock) {
        match self.find(block.start) {
            Some(known) => *known = block,
            None => {
                self.blocks[usize::from(self.oldest)] = block;
                self.oldest = (self.oldest + 1) % 4;
            }
        }
    }

    /// Forgets blocks that are no longer above `una`: their numbers may come to mean other octets.
    fn forget_below(&mut self, una: SeqNum) {
        for block in &mut self.blocks {
            if block.start.at_or_before(una) {
                *block = SackBlock::default();
            }
        }
    }
}

/// Segments in flight, in order of sequence number.
#[derive(Clone, Debug)]
pub(crate) struct SegmentsInFlight<T> {
    /// A ring, so that those of many connections stay in the caches.
    all: VecDeque<SegmentInFlight<T>>,
    latest: RecentBlocks,
}

impl<T> Default for SegmentsInFlight<T> {
    fn default() -> Self {
        SegmentsInFlight {
            all: VecDeque::new(),
            latest: RecentBlocks::default(),
        }
    }
}

impl<T: Hash> Hash for SegmentsInFlight<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.all.hash(hasher);
    }
}

impl<T: Copy> SegmentsInFlight<T> {
    /// Notes a new segment of `octets` up to `end`.
    #[inline]
    pub(crate) fn on_sent(&mut self, end: SeqNum, octets: u32, at: SimTime, known: T) {
        self.all.push_back(SegmentInFlight {
            end,
            octets,
            at,
            resent: false,
            done: DoneRun(0),
            known,
        });
    }

    /// Whether nothing is outstanding.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Notes that octets `start..end` are retransmitted at `at`: what is known of their segments is
    /// computed again, from their length.
    pub(crate) fn on_resent(
        &mut self,
        start: SeqNum,
        end: SeqNum,
        at: SimTime,
        known: impl Fn(u32) -> T,
    ) {
        let first = self.all.partition_point(|s| s.end.at_or_before(start));
        for sent in self.all.range_mut(first..) {
            if sent.start().at_or_after(end) {
                break;
            }
            if sent.done.0 == 0 {
                (sent.resent, sent.at) = (true, at);
                sent.known = known(sent.octets);
            }
        }
    }

    /// Notes that octets below `una` are acknowledged: passes those segments to `deliver` that no
    /// SACK has reported.
    #[inline]
    pub(crate) fn on_acked(&mut self, una: SeqNum, mut deliver: impl FnMut(&SegmentInFlight<T>)) {
        let before = self.latest.gone;
        while let Some(sent) = self.all.front()
            && !sent.end.after(una)
        {
            if sent.done.0 == 0 {
                deliver(sent);
            }
            self.all.pop_front();
            self.latest.gone += 1;
        }
        if self.latest.gone > before {
            self.latest.forget_below(una);
        }
    }

    /// Notes that octets `start..end` are SACKed: passes the segments that this delivers to
    /// `deliver`.
    pub(crate) fn on_sacked(
        &mut self,
        start: SeqNum,
        end: SeqNum,
        mut deliver: impl FnMut(&SegmentInFlight<T>),
    ) {
        let gone = self.latest.gone;
        let live = &mut self.all;
        let (mut first, mut i) = match self.latest.find(start) {
            Some(known) if end.at_or_before(known.end) => return,
            Some(known) => ((known.first - gone) as usize, (known.next - gone) as usize),
            None => {
                let first = live.partition_point(|s| s.end.at_or_before(start));
                (first, first)
            }
        };
        while let Some(sent) = live.get_mut(i).filter(|s| s.end.at_or_before(end)) {
            if sent.done.0 > 0 {
                i += sent.done.0 as usize;
                continue;
            }
            i += 1;
            if sent.start().at_or_after(start) {
                sent.done = DoneRun(1);
                deliver(sent);
            } else {
                first = i; // a part of it only
            }
        }
        if i > first {
            live[first].done = DoneRun((i - first) as u32);
        }
        // A block beyond the data sent says nothing about later data.
        if live.back().is_some_and(|s| end.at_or_before(s.end)) {
            self.latest.remember(SackBlock {
                start,
                end,
                first: gone + first as u64,
                next: gone + i as u64,
            });
        }
    }

    /// Bytes allocated separately.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.all.capacity() * size_of::<SegmentInFlight<T>>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every segment is delivered once: when a SACK covers it whole, or else when it is acknowledged.
    fn check(base: u32, blocks: &[(u32, u32)], acks: &[u32]) -> Result<(), TestCaseError> {
        const N: u32 = 60;
        const OCTETS: u32 = 10;
        let seq = |octet: u32| SeqNum(base) + octet;
        let mut flight = SegmentsInFlight::default();
        for i in 0..N {
            flight.on_sent(seq((i + 1) * OCTETS), OCTETS, SimTime::ZERO, i);
        }
        let (mut seen, mut una) = (vec![0; N as usize], 0);
        let mut acks = acks.iter();
        for (n, &(start, len)) in blocks.iter().enumerate() {
            let end = (start + len).min(N * OCTETS);
            if start > una && start < end {
                let mut now = Vec::new();
                flight.on_sacked(seq(start), seq(end), |sent| now.push(sent.known));
                for i in now {
                    prop_assert!(i * OCTETS >= start && (i + 1) * OCTETS <= end);
                    seen[i as usize] += 1;
                }
                for i in start.div_ceil(OCTETS)..end / OCTETS {
                    prop_assert_eq!(seen[i as usize], 1, "{} in block {}", i, n);
                }
            }
            if n % 5 == 4 {
                una = una.max(*acks.next().unwrap_or(&0));
                flight.on_acked(seq(una), |sent| seen[sent.known as usize] += 1);
                let acknowledged = (una / OCTETS) as usize;
                prop_assert!(seen[..acknowledged].iter().all(|n| *n == 1));
            }
        }
        flight.on_acked(seq(N * OCTETS), |sent| seen[sent.known as usize] += 1);
        prop_assert!(seen.iter().all(|n| *n == 1), "{:?}", seen);
        Ok(())
    }

    proptest! {
        #[test]
        fn every_segment_is_delivered_once(
            base in any::<u32>(),
            blocks in prop::collection::vec((0u32..60, 1u32..30), 1..60),
            acks in prop::collection::vec(0u32..600, 12),
        ) {
            // Blocks that grow and repeat, at and beside the borders of segments.
            let blocks: Vec<_> = blocks.iter().map(|(s, l)| (s * 10 + s % 3, l * 5)).collect();
            check(base, &blocks, &acks)?;
        }
    }

    #[test]
    fn a_segment_sent_again_is_as_new() {
        let mut flight = SegmentsInFlight::default();
        let ms = |n| SimTime::ZERO + sim_core::SimDuration::from_millis(n);
        for i in 1..=3 {
            flight.on_sent(SeqNum(10 * i), 10, ms(0), 0);
        }
        flight.on_sacked(SeqNum(10), SeqNum(20), |_| {});
        flight.on_resent(SeqNum(0), SeqNum(20), ms(5), |octets| octets + 1);
        let mut all = Vec::new();
        flight.on_acked(SeqNum(30), |s| all.push((s.end.0, s.at, s.resent, s.known)));
        let as_new = (10, ms(5), true, 11);
        assert_eq!(all, [as_new, (30, ms(0), false, 0)], "20 had arrived");
    }
}
