//! Whether the path marks every packet with CE (RFC 9768 section 3.2.2.3): a middlebox that sets the
//! codepoint rather than a queue that is congested.
//!
//! The RFC suggests to watch the first three or four rounds. A single packet without a mark ends the test. A
//! congested queue with a step threshold can mark whole rounds as well, so the test may be wrong there.

use crate::seq::SeqNum;

/// The rounds so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ConstantMarks {
    /// Every packet acknowledged so far was marked.
    all: bool,
    /// Complete rounds.
    rounds: u32,
    /// The round ends when this is acknowledged.
    end: Option<SeqNum>,
}

impl Default for ConstantMarks {
    fn default() -> ConstantMarks {
        ConstantMarks {
            all: true,
            rounds: 0,
            end: None,
        }
    }
}

impl ConstantMarks {
    /// Notes an ACK; `all`: every packet that it acknowledges was marked.
    pub(super) fn on_ack(&mut self, all: bool) {
        self.all &= all;
    }

    /// Counts rounds by the cumulative acknowledgement `una`, with data sent up to `nxt`; true once there
    /// have been `most`, without an unmarked packet. Never for zero.
    pub(super) fn is_over(&mut self, una: SeqNum, nxt: SeqNum, most: u32) -> bool {
        if !self.all || self.rounds >= most {
            return false;
        }
        // The first round is the flight that was under way before the first ACK.
        if una.before(*self.end.get_or_insert(nxt)) {
            return false;
        }
        self.rounds += 1;
        self.end = Some(nxt);
        self.rounds == most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After which of some rounds of ten packets the test is over; `unmarked`: the round with a packet
    /// without a mark.
    fn over_after(most: u32, unmarked: Option<u32>) -> Option<u32> {
        let mut marks = ConstantMarks::default();
        (1..=8).find(|round| {
            (0..10).any(|packet| {
                marks.on_ack(unmarked != Some(*round) || packet != 5);
                let una = SeqNum((round - 1) * 10 + packet + 1);
                // Each ACK lets another packet out, after it was processed.
                marks.is_over(una, SeqNum(round * 10 + packet), most)
            })
        })
    }

    #[test]
    fn rounds_without_an_unmarked_packet_are_counted_from_the_first() {
        assert_eq!(over_after(4, None), Some(4));
        assert_eq!(over_after(1, None), Some(1));
        assert_eq!(over_after(0, None), None, "switched off");
        assert_eq!(over_after(4, Some(2)), None);
        assert_eq!(over_after(4, Some(5)), Some(4));
    }
}
