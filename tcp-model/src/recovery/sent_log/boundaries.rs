//! Where segments begin and end in the log: how they were cut when they were first sent, so that
//! they can be retransmitted in the same way.

use super::{ENDED, JOINED, LOST, PUSHED, SACKED, SentLog};
use crate::seq::SeqNum;

impl SentLog {
    /// Marks the last segment as sent in one burst with the previous one.
    pub fn join_last(&mut self) {
        if let Some(last) = self.segments.back_mut() {
            last.marks |= JOINED;
        }
    }

    /// Marks the end of the last segment as pushed by the application.
    pub fn push_last(&mut self) {
        if let Some(last) = self.segments.back_mut() {
            last.marks |= PUSHED;
        }
    }

    /// Marks the last segment as the end of a record (`MSG_EOR`).
    pub fn end_last(&mut self) {
        if let Some(last) = self.segments.back_mut() {
            last.marks |= ENDED;
        }
    }

    /// Whether the application pushed the end of a segment that lies entirely in `start..end`.
    pub fn was_pushed(&self, start: SeqNum, end: SeqNum) -> bool {
        let first = self.segments.partition_point(|s| s.end.at_or_before(start));
        let all = self.segments.range(first..);
        let mut inside = all.take_while(|s| s.end.at_or_before(end));
        inside.any(|s| s.is(PUSHED))
    }

    /// How many lost segments from `start` on were sent in one burst, at most `most`; the rest of the burst
    /// becomes a separate one.
    pub fn lost_together(&mut self, start: SeqNum, most: u32) -> u32 {
        let first = self.segments.partition_point(|s| s.end.at_or_before(start));
        let mut count = 1;
        while let Some(next) = self.segments.get_mut(first + count as usize) {
            if !next.is(LOST) || !next.is(JOINED) {
                break;
            }
            if count >= most {
                next.marks &= !JOINED;
                break;
            }
            count += 1;
        }
        count
    }

    /// The end of the segments from `start` on, at least one, that are not SACKed and fit together in
    /// `most` octets.
    pub fn joined_end(&self, start: SeqNum, most: u32) -> Option<SeqNum> {
        let first = self.segments.partition_point(|s| s.end.at_or_before(start));
        let mut rest = self.segments.range(first..);
        let first = rest.next()?;
        let (mut end, mut ended) = (first.end, first.is(ENDED));
        for segment in rest {
            if ended || segment.is(SACKED) || segment.end.offset_from(start) > most {
                break;
            }
            (end, ended) = (segment.end, segment.is(ENDED));
        }
        Some(end)
    }
}
