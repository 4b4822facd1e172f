//! Round-trip times alone, for congestion controls that need no delivery rate: a sample for every
//! segment sent only once, as in [`crate::delivery_rate`].

use sim_core::{SimDuration, SimTime};

use crate::segments_in_flight::{SegmentInFlight, SegmentsInFlight};
use crate::seq::SeqNum;

/// When the segments in flight were sent, and the smallest round trip.
#[derive(Clone, Debug, Hash, Default)]
pub(crate) struct RoundTripTimes {
    sent: SegmentsInFlight<()>,
    /// The latest sample: the smallest of an ACK.
    rtt: Option<SimDuration>,
    min_rtt: Option<SimDuration>,
}

impl RoundTripTimes {
    /// The state before anything is sent; `rtt` is the round trip of the handshake.
    pub(crate) fn new(rtt: Option<SimDuration>) -> RoundTripTimes {
        RoundTripTimes {
            min_rtt: rtt,
            ..RoundTripTimes::default()
        }
    }

    /// Notes a new segment of `octets` up to `end`.
    #[inline]
    pub(crate) fn on_sent(&mut self, end: SeqNum, octets: u32, now: SimTime) {
        self.sent.on_sent(end, octets, now, ());
    }

    /// Notes that octets `start..end` are retransmitted.
    pub(crate) fn on_resent(&mut self, start: SeqNum, end: SeqNum, now: SimTime) {
        self.sent.on_resent(start, end, now, |_| ());
    }

    /// Notes that octets below `una` are acknowledged.
    #[inline]
    pub(crate) fn on_acked(&mut self, una: SeqNum, now: SimTime) {
        let rtt = &mut self.rtt;
        self.sent.on_acked(una, |sent| sample(rtt, sent, now));
    }

    /// Notes that octets `start..end` are SACKed.
    pub(crate) fn on_sacked(&mut self, start: SeqNum, end: SeqNum, now: SimTime) {
        let rtt = &mut self.rtt;
        self.sent
            .on_sacked(start, end, |sent| sample(rtt, sent, now));
    }

    /// The ACK's round-trip time: that of the last-sent segment it delivers.
    #[inline]
    pub(crate) fn take_rtt(&mut self) -> Option<SimDuration> {
        let rtt = self.rtt.take()?;
        self.min_rtt = Some(self.min_rtt.map_or(rtt, |min| min.min(rtt)));
        Some(rtt)
    }

    /// The minimum round-trip time so far.
    #[inline]
    pub(crate) fn min_rtt(&self) -> Option<SimDuration> {
        self.min_rtt
    }

    /// Bytes allocated separately.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.sent.heap_bytes()
    }
}

/// Takes the round trip of a delivered segment, unless it is ambiguous (Karn).
#[inline]
pub(crate) fn sample<T>(rtt: &mut Option<SimDuration>, sent: &SegmentInFlight<T>, now: SimTime) {
    if !sent.resent {
        let new = now.since(sent.at);
        *rtt = Some(rtt.map_or(new, |r| r.min(new)));
    }
}
