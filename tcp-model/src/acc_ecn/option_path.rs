//! Whether segments with the AccECN option get through to the peer (RFC 9768 section 3.2.3.2.2): a middlebox
//! may drop options that it does not know.
//!
//! Data: a segment with the option is watched until one has been acknowledged. If it is lost, its
//! retransmission has no option, and the next new segment tries once more; if that is lost too, this end
//! stops sending the option. ACKs: data that arrive again although an ACK with the option acknowledged them
//! show that the ACK may have been dropped; this end stops after two flights in a row.
//!
//! Leaves out caching the result for other connections to the same peer.

use crate::seq::SeqNum;

/// Losses in a row after which the option is no longer sent.
const MOST_LOSSES: u8 = 2;
/// This many new segments after an acknowledgement show that the sender receives ACKs: more than it
/// may send after a time-out.
const GOING_WELL: u8 = 32;

/// The fate of the segments and ACKs that carried the option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct OptionPath {
    /// The first new data segment, or the next after a loss, should carry the option.
    due: bool,
    /// The end of the data segment being watched.
    watched: Option<SeqNum>,
    /// Data segments lost with the option, before one was acknowledged.
    lost: u8,
    /// RCV.NXT of the last ACK, if it carried the option.
    acknowledged: Option<SeqNum>,
    /// Flights of data that arrived again although such an ACK acknowledged them.
    came_again: u8,
    /// New data segments since the last of them.
    new: u8,
    blocked: bool,
}

impl OptionPath {
    /// Requests the option on the first data segment (section 3.2.3.2.1: at a client).
    pub(super) fn test_with_data(&mut self) {
        self.due = true;
    }

    /// True if the option does not get through and should not be sent.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// True if new data should carry the option even if no counter has changed.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// Notes that a segment with new data up to `end` carries the option.
    pub(super) fn on_data_sent(&mut self, end: SeqNum) {
        if std::mem::take(&mut self.due) {
            self.watched = Some(end);
        }
    }

    /// Notes that octets from `start` on are retransmitted.
    pub(super) fn on_resent(&mut self, start: SeqNum) {
        if self.watched.is_none_or(|end| start.at_or_after(end)) {
            return;
        }
        self.watched = None;
        self.lost += 1;
        self.due = self.lost < MOST_LOSSES;
        self.blocked |= !self.due;
    }

    /// Notes that octets below `ack` have arrived.
    pub(super) fn on_acked(&mut self, ack: SeqNum) {
        if self.watched.is_some_and(|end| end.at_or_before(ack)) {
            (self.watched, self.lost) = (None, 0);
        }
    }

    /// Notes that an ACK of everything below `nxt` is sent, with the option or without.
    pub(super) fn on_ack_sent(&mut self, nxt: SeqNum, with: bool) {
        self.acknowledged = with.then_some(nxt);
    }

    /// Notes that a segment with new data has arrived.
    pub(super) fn on_new_data(&mut self) {
        self.new += 1;
        if self.new == GOING_WELL {
            (self.new, self.came_again) = (0, 0);
        }
    }

    /// Notes that data up to `end` have arrived again.
    pub(super) fn on_old_data(&mut self, end: SeqNum) {
        if self.acknowledged.is_none_or(|nxt| end.after(nxt)) {
            return;
        }
        (self.acknowledged, self.new) = (None, 0);
        self.came_again += 1;
        self.blocked |= self.came_again == MOST_LOSSES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(octet: u32) -> SeqNum {
        SeqNum(octet)
    }

    #[test]
    fn two_data_segments_lost_with_the_option_end_it() {
        let mut path = OptionPath::default();
        path.test_with_data();
        path.on_data_sent(at(1000));
        assert!(!path.is_due(), "one is watched");
        path.on_resent(at(1000));
        assert!(!path.is_due(), "another segment was lost");
        path.on_resent(at(0));
        assert!(path.is_due() && !path.is_blocked(), "one more");
        path.on_data_sent(at(5000));
        path.on_acked(at(4000));
        path.on_resent(at(4000));
        assert!(path.is_blocked() && !path.is_due());
    }

    #[test]
    fn an_acknowledged_segment_with_the_option_ends_the_test() {
        let mut path = OptionPath::default();
        path.test_with_data();
        path.on_data_sent(at(1000));
        path.on_resent(at(0));
        path.on_data_sent(at(3000));
        path.on_acked(at(3000));
        path.on_data_sent(at(5000));
        path.on_resent(at(3000));
        assert!(!path.is_due() && !path.is_blocked(), "nothing is watched");
    }

    #[test]
    fn two_flights_that_come_again_end_the_option_on_acks() {
        let mut path = OptionPath::default();
        let flight = |path: &mut OptionPath, segments: u8, end: u32| {
            (0..segments).for_each(|_| path.on_new_data());
            path.on_ack_sent(at(end), true);
        };
        flight(&mut path, 10, 10_000);
        path.on_old_data(at(1000));
        path.on_old_data(at(2000));
        assert!(!path.is_blocked(), "one flight");
        path.on_ack_sent(at(10_000), false);
        path.on_old_data(at(3000));
        assert!(!path.is_blocked(), "the last ACK was bare");
        flight(&mut path, 2, 12_000);
        path.on_old_data(at(13_000));
        assert!(!path.is_blocked(), "not acknowledged yet");
        path.on_old_data(at(11_000));
        assert!(path.is_blocked());
    }

    #[test]
    fn a_sender_that_goes_on_has_received_the_acks() {
        let mut path = OptionPath::default();
        for flight in 0..10u32 {
            (0..GOING_WELL).for_each(|_| path.on_new_data());
            path.on_ack_sent(at(flight * 1000), true);
            path.on_old_data(at(flight * 1000));
        }
        assert!(!path.is_blocked());
    }
}
