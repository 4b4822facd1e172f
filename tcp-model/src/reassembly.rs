//! Octets that arrived ahead of a gap (RFC 9293 section 3.10.7.4, SHLD-31).

use crate::seq::SeqNum;

/// A run of octets received out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Run {
    start: SeqNum,
    end: SeqNum,
}

/// Runs beyond RCV.NXT, disjoint, the one touched last first: the order in which SACK reports them
/// (RFC 2018 section 4).
#[derive(Clone, Debug, Hash, Default)]
pub(crate) struct Reassembly {
    runs: Vec<Run>,
    /// Sequence number of the FIN, when one has arrived ahead of a gap.
    fin: Option<SeqNum>,
    /// Octets that arrived twice, until they are reported to the peer.
    duplicate: Option<(SeqNum, SeqNum)>,
}

impl Reassembly {
    /// Adds `start..end`. Returns the octets that were new. Of those that were not, the lowest run is
    /// the duplicate to report, as Linux has it.
    pub(crate) fn insert(&mut self, start: SeqNum, end: SeqNum) -> u32 {
        let mut merged = Run { start, end };
        let (mut known, mut duplicate) = (0, None);
        self.runs.retain(|run| {
            if run.end.before(start) || run.start.after(end) {
                return true;
            }
            let overlap_start = run.start.max(start);
            let overlap_end = run.end.min(end);
            if overlap_start.before(overlap_end) {
                known += overlap_end.offset_from(overlap_start);
                let first = duplicate.get_or_insert((overlap_start, overlap_end));
                if overlap_start.before(first.0) {
                    *first = (overlap_start, overlap_end);
                }
            }
            merged = Run {
                start: merged.start.min(run.start),
                end: merged.end.max(run.end),
            };
            false
        });
        self.runs.insert(0, merged);
        self.duplicate = duplicate;
        end.offset_from(start) - known
    }

    /// Octets `start..end` have arrived a second time; they are reported once (RFC 2883 section 4).
    pub(crate) fn note_duplicate(&mut self, start: SeqNum, end: SeqNum) {
        self.duplicate = Some((start, end));
    }

    /// The same for octets above those of the segment that may be noted already: the lowest range is
    /// the one reported.
    pub(crate) fn note_duplicate_above(&mut self, start: SeqNum, end: SeqNum) {
        self.duplicate.get_or_insert((start, end));
    }

    /// The duplicate that is to be reported now.
    pub(crate) fn take_duplicate(&mut self) -> Option<(SeqNum, SeqNum)> {
        self.duplicate.take()
    }

    /// The part of `start..end` that a run holds already.
    pub(crate) fn overlap(&self, start: SeqNum, end: SeqNum) -> Option<(SeqNum, SeqNum)> {
        let parts = self
            .runs
            .iter()
            .map(|r| (r.start.max(start), r.end.min(end)));
        parts
            .filter(|(s, e)| s.before(*e))
            .reduce(|a, b| if b.0.before(a.0) { b } else { a })
    }

    /// Something is missing before what is held.
    pub(crate) fn has_gap(&self) -> bool {
        !self.runs.is_empty() || self.fin.is_some()
    }

    /// Octets held.
    pub(crate) fn octets(&self) -> u32 {
        let of_run = |run: &Run| run.end.offset_from(run.start);
        self.runs.iter().map(of_run).sum()
    }

    /// Bytes of memory, its own and that of its runs.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Reassembly>() + self.runs.capacity() * size_of::<Run>()
    }

    /// Remembers a FIN that occupies `seq`.
    pub(crate) fn insert_fin(&mut self, seq: SeqNum) {
        self.fin.get_or_insert(seq);
    }

    /// Where the stream goes on when it is whole up to `nxt`: the end of the run that `nxt`
    /// touches. Runs at or before it are dropped.
    pub(crate) fn advance(&mut self, mut nxt: SeqNum) -> SeqNum {
        // One pass may leave a run that only now touches; runs are disjoint, so few passes do.
        loop {
            let before = self.runs.len();
            self.runs.retain(|run| {
                if run.start.after(nxt) {
                    return true;
                }
                nxt = nxt.max(run.end);
                false
            });
            if self.runs.len() == before {
                return nxt;
            }
        }
    }

    /// True when the FIN comes next at `nxt`.
    pub(crate) fn fin_is_next(&self, nxt: SeqNum) -> bool {
        self.fin == Some(nxt)
    }

    /// True when nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_gap() && self.duplicate.is_none()
    }

    /// The runs, last touched first.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (SeqNum, SeqNum)> + '_ {
        self.runs.iter().map(|r| (r.start, r.end))
    }

    /// The same with the octet of a FIN that follows a run, which it then covers.
    pub(crate) fn blocks_with_fin(&self) -> impl Iterator<Item = (SeqNum, SeqNum)> + '_ {
        self.blocks().map(|(start, end)| {
            let fin = self.fin == Some(end);
            (start, end + u32::from(fin))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_are_reported_most_recent_first() {
        let mut r = Reassembly::default();
        let s = SeqNum;
        assert_eq!(r.insert(s(100), s(200)), 100);
        assert_eq!(r.insert(s(300), s(400)), 100);
        assert_eq!(r.insert(s(150), s(250)), 50);
        assert_eq!(
            r.blocks().collect::<Vec<_>>(),
            [(s(100), s(250)), (s(300), s(400))]
        );
        assert_eq!(r.insert(s(250), s(300)), 50);
        assert_eq!(r.blocks().collect::<Vec<_>>(), [(s(100), s(400))]);
        assert_eq!(r.advance(s(100)), s(400));
        assert!(r.is_empty());
    }

    #[test]
    fn of_several_duplicates_the_lowest_is_reported() {
        let s = SeqNum;
        for (start, end, lowest) in [
            (701, 5501, (1001, 2001)),
            (1501, 3501, (1501, 2001)),
            (1501, 6001, (1501, 2001)),
            (1001, 4501, (1001, 2001)),
            (901, 7001, (1001, 2001)),
            (3501, 3801, (3501, 3801)),
        ] {
            let mut r = Reassembly::default();
            for queued in [1001, 5001, 3001] {
                r.insert(s(queued), s(queued + 1000));
            }
            r.insert(s(start), s(end));
            assert_eq!(
                r.take_duplicate(),
                Some((s(lowest.0), s(lowest.1))),
                "{start}:{end}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_arrival_order_makes_the_stream_whole(
            isn in any::<u32>(),
            mut cuts in prop::collection::vec(1u32..5000, 1..40),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..120),
        ) {
            cuts.push(5000);
            cuts.sort_unstable();
            let base = SeqNum(isn);
            let pieces: Vec<(u32, u32)> =
                std::iter::once(0).chain(cuts.iter().copied()).zip(cuts.iter().copied()).collect();
            let (mut r, mut nxt) = (Reassembly::default(), base);
            let random = order.iter().map(|i| *i.get(&pieces));
            for (a, b) in random.chain(pieces.iter().copied()) {
                let (start, end) = (base + a, base + b);
                let start = start.max(nxt);
                if start.before(end) {
                    if start == nxt {
                        nxt = r.advance(end);
                    } else {
                        r.insert(start, end);
                    }
                }
                prop_assert!(r.blocks().all(|(s, e)| s.after(nxt) && s.before(e)));
            }
            prop_assert_eq!(nxt, base + 5000);
            prop_assert!(!r.has_gap());
        }
    }
}
