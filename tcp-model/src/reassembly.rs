//! Octets that arrived beyond a gap (RFC 9293 section 3.10.7.4, SHLD-31).

use crate::seq::SeqNum;

/// A run of octets received out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ReceivedRange {
    start: SeqNum,
    end: SeqNum,
}

/// Disjoint runs beyond RCV.NXT, most recently changed first: the order in which SACK reports them (RFC
/// 2018 section 4).
#[derive(Clone, Debug, Hash, Default)]
pub(crate) struct Reassembly {
    runs: Vec<ReceivedRange>,
    /// The ranges that SACK reports, if the receiver remembers only a limited number.
    reported: Option<Reported>,
    /// Sequence number of a FIN that has arrived beyond a gap.
    fin: Option<SeqNum>,
    /// Octets that arrived twice, until reported to the peer.
    duplicate: Option<(SeqNum, SeqNum)>,
}

/// The ranges that a receiver remembers for SACK; data of displaced ranges are kept but no longer reported.
#[derive(Clone, Debug, Hash)]
struct Reported {
    most: u8,
    ranges: Vec<ReceivedRange>,
}

impl Reported {
    /// Adds `start..end` as the first range, merged with the ranges it touches.
    fn note(&mut self, start: SeqNum, end: SeqNum) {
        let mut merged = ReceivedRange { start, end };
        self.ranges.retain(|range| {
            if range.end.before(start) || range.start.after(end) {
                return true;
            }
            merged.start = merged.start.min(range.start);
            merged.end = merged.end.max(range.end);
            false
        });
        self.ranges.truncate(usize::from(self.most) - 1);
        self.ranges.insert(0, merged);
    }
}

impl Reassembly {
    /// An empty buffer; SACK reports at most `most` ranges, at least one, or all.
    pub(crate) fn remembering(most: Option<u32>) -> Reassembly {
        let reported = most.map(|most| Reported {
            most: most.clamp(1, 255) as u8,
            ranges: Vec::new(),
        });
        Reassembly {
            reported,
            ..Reassembly::default()
        }
    }

    /// Adds `start..end`. Returns the number of new octets. Of the others, the lowest run is the duplicate
    /// to report, as on Linux.
    pub(crate) fn insert(&mut self, start: SeqNum, end: SeqNum) -> u32 {
        let mut merged = ReceivedRange { start, end };
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
            merged = ReceivedRange {
                start: merged.start.min(run.start),
                end: merged.end.max(run.end),
            };
            false
        });
        self.runs.insert(0, merged);
        if let Some(reported) = &mut self.reported {
            reported.note(start, end);
        }
        self.duplicate = duplicate;
        end.offset_from(start) - known
    }

    /// Notes that octets `start..end` have arrived again; they are reported once (RFC 2883 section 4).
    pub(crate) fn note_duplicate(&mut self, start: SeqNum, end: SeqNum) {
        self.duplicate = Some((start, end));
    }

    /// The same for octets above those of the same segment that may be noted already: only the lowest range
    /// is reported.
    pub(crate) fn note_duplicate_above(&mut self, start: SeqNum, end: SeqNum) {
        self.duplicate.get_or_insert((start, end));
    }

    /// Takes the duplicate to report now.
    pub(crate) fn take_duplicate(&mut self) -> Option<(SeqNum, SeqNum)> {
        self.duplicate.take()
    }

    /// The part of `start..end` that is already held.
    pub(crate) fn overlap(&self, start: SeqNum, end: SeqNum) -> Option<(SeqNum, SeqNum)> {
        let parts = self
            .runs
            .iter()
            .map(|r| (r.start.max(start), r.end.min(end)));
        parts
            .filter(|(s, e)| s.before(*e))
            .reduce(|a, b| if b.0.before(a.0) { b } else { a })
    }

    /// Whether data are missing before those held.
    pub(crate) fn has_gap(&self) -> bool {
        !self.runs.is_empty() || self.fin.is_some()
    }

    /// The end of the highest data held.
    pub(crate) fn end(&self) -> Option<SeqNum> {
        self.runs.iter().map(|run| run.end).reduce(SeqNum::max)
    }

    /// Octets held.
    pub(crate) fn octets(&self) -> u32 {
        self.lengths().sum()
    }

    /// Bytes of memory, its own and that of its runs.
    pub(crate) fn memory_bytes(&self) -> usize {
        let reported = self.reported.as_ref().map_or(0, |r| r.ranges.capacity());
        size_of::<Reassembly>() + (self.runs.capacity() + reported) * size_of::<ReceivedRange>()
    }

    /// Remembers a FIN that occupies `seq`.
    pub(crate) fn insert_fin(&mut self, seq: SeqNum) {
        self.fin.get_or_insert(seq);
    }

    /// The end of the contiguous stream once it is complete up to `nxt`: the end of the run that `nxt`
    /// touches. Runs up to there are dropped.
    pub(crate) fn advance(&mut self, mut nxt: SeqNum) -> SeqNum {
        // After one pass another run may touch; since runs are disjoint, few passes are needed.
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
                break;
            }
        }
        if let Some(reported) = &mut self.reported {
            reported.ranges.retain(|range| range.start.after(nxt));
        }
        nxt
    }

    /// Discards the highest octets, in pieces of `piece` octets counted from the start of their run, until
    /// at least `octets` are gone, but nothing that starts before `keep`. Resets SACK, and drops a FIN
    /// beyond. Returns the number of octets discarded.
    pub(crate) fn drop_highest(&mut self, octets: u32, piece: u32, keep: SeqNum) -> u32 {
        let piece = piece.max(1);
        let mut gone = 0;
        while gone < octets {
            let last = (0..self.runs.len()).reduce(|a, b| {
                match self.runs[b].end.after(self.runs[a].end) {
                    true => b,
                    false => a,
                }
            });
            let Some(last) = last else { break };
            let ReceivedRange { start, end } = self.runs[last];
            let length = end.offset_from(start);
            let rest = (length - 1) % piece + 1;
            let from = start + (length - rest);
            if from.before(keep) {
                break;
            }
            gone += rest;
            if rest == length {
                self.runs.remove(last);
            } else {
                self.runs[last].end = from;
            }
            self.fin = self.fin.filter(|fin| fin.before(from));
        }
        if gone > 0 {
            self.duplicate = None;
            if let Some(reported) = &mut self.reported {
                reported.ranges.clear();
            }
        }
        gone
    }

    /// True when the FIN comes next at `nxt`.
    pub(crate) fn fin_is_next(&self, nxt: SeqNum) -> bool {
        self.fin == Some(nxt)
    }

    /// True when nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_gap() && self.duplicate.is_none()
    }

    /// The runs, or the remembered ranges, most recently changed first.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (SeqNum, SeqNum)> + '_ {
        let ranges = self.reported.as_ref().map_or(&self.runs, |r| &r.ranges);
        ranges.iter().map(|r| (r.start, r.end))
    }

    /// The place of the first block that `start..end` overlaps or touches.
    pub(crate) fn place(&self, start: SeqNum, end: SeqNum) -> Option<usize> {
        self.blocks()
            .position(|(from, to)| !to.before(start) && !from.after(end))
    }

    /// Moves the first block to `place`, or the one there `back` to the front.
    pub(crate) fn move_first(&mut self, place: usize, back: bool) {
        let list = match &mut self.reported {
            Some(reported) => &mut reported.ranges,
            None => &mut self.runs,
        };
        if let Some(part) = list.get_mut(..=place) {
            match back {
                true => part.rotate_right(1),
                false => part.rotate_left(1),
            }
        }
    }

    /// Lengths of all runs.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = u32> + '_ {
        self.runs.iter().map(|r| r.end.offset_from(r.start))
    }

    /// Like [`Reassembly::blocks`], but a run includes the octet of a FIN that follows it; a FIN
    /// that follows no run comes first.
    pub(crate) fn blocks_with_fin(&self) -> impl Iterator<Item = (SeqNum, SeqNum)> + '_ {
        let joined = |fin: SeqNum| self.blocks().any(|(_, end)| end == fin);
        let alone = self.fin.filter(|fin| !joined(*fin));
        let runs = self.blocks().map(|(start, end)| {
            let fin = self.fin == Some(end);
            (start, end + u32::from(fin))
        });
        alone.map(|fin| (fin, fin + 1)).into_iter().chain(runs)
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

    #[test]
    fn a_range_too_many_displaces_the_least_recently_changed_one() {
        let s = SeqNum;
        let mut r = Reassembly::remembering(Some(2));
        for start in [100, 300, 500] {
            r.insert(s(start), s(start + 100));
        }
        let blocks_of = |r: &Reassembly| r.blocks().collect::<Vec<_>>();
        assert_eq!(blocks_of(&r), [(s(500), s(600)), (s(300), s(400))]);
        // Data that touch the displaced range form a new range.
        r.insert(s(200), s(250));
        assert_eq!(blocks_of(&r), [(s(200), s(250)), (s(500), s(600))]);
        assert_eq!(r.octets(), 350, "all are held");
        assert_eq!(r.advance(s(100)), s(250));
        assert_eq!(blocks_of(&r), [(s(500), s(600))]);
    }

    #[test]
    fn the_highest_octets_are_discarded_in_pieces_but_none_before_the_new_segment() {
        let s = SeqNum;
        let mut r = Reassembly::remembering(Some(4));
        r.insert(s(100), s(200));
        r.insert(s(300), s(650));
        r.insert_fin(s(650));
        // Pieces of 100 from 300 on: the last has 50.
        assert_eq!(r.drop_highest(60, 100, s(0)), 150);
        assert_eq!((r.octets(), r.fin_is_next(s(650))), (300, false));
        assert_eq!(r.blocks().count(), 0, "SACK begins again");
        assert_eq!(r.drop_highest(1000, 100, s(350)), 100);
        assert_eq!(r.drop_highest(1000, 100, s(0)), 200);
        assert!(r.is_empty());
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
