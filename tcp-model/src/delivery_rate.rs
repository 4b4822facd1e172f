//! Delivery-rate samples, draft-ietf-ccwg-bbr section 4.5.2 (draft-cheng-iccrg-delivery-rate-estimation).
//!
//! Each segment is stamped with the amount delivered when it was sent. When it is delivered, the sample is
//! the amount delivered since, divided by the longer of the time to send that much and the time to have it
//! acknowledged.

use sim_core::{Rate, SimDuration, SimTime};

use crate::round_trip_times::sample;
use crate::segments_in_flight::{SegmentInFlight, SegmentsInFlight};
use crate::seq::SeqNum;

/// A delivery-rate sample (draft-ietf-ccwg-bbr section 4.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSample {
    /// Bytes delivered within `interval`.
    pub delivered: u64,
    /// The interval: the longer of sending and acknowledging.
    pub interval: SimDuration,
    /// Bytes the connection had delivered when the newest delivered segment was sent: once this passes an
    /// earlier `total`, a round trip has passed.
    pub prior_delivered: u64,
    /// Bytes the connection has delivered.
    pub total: u64,
    /// The application, not the network, may have limited the rate.
    pub app_limited: bool,
    /// Bytes in flight when the newest delivered segment was sent, including itself.
    pub in_flight_at_send: u64,
}

impl RateSample {
    /// The rate; `None` below one bit per second.
    pub fn rate(&self) -> Option<Rate> {
        let ps = u128::from(self.interval.as_ps().max(1));
        let bits = u128::from(self.delivered) * 8 * 1_000_000_000_000 / ps;
        Rate::from_bps(u64::try_from(bits).unwrap_or(u64::MAX))
    }
}

/// The state of the connection when a segment was sent.
#[derive(Clone, Copy, Debug, Hash)]
struct SendStamp {
    /// P.delivered.
    delivered: u64,
    /// P.delivered_time.
    delivered_at: SimTime,
    /// P.first_send_time.
    first_sent: SimTime,
    in_flight: u32,
    app_limited: bool,
}

/// There is one for each segment in flight.
const _: () = assert!(size_of::<SegmentInFlight<SendStamp>>() == 56);

/// Stamps of the segments in flight, and the connection's counters.
#[derive(Clone, Debug, Hash, Default)]
pub struct DeliveryRate {
    stamps: SegmentsInFlight<SendStamp>,
    counts: DeliveryCounts,
    min_rtt: Option<SimDuration>,
    /// The latest sample: bytes, and the interval of their delivery.
    latest: Option<(u64, SimDuration)>,
}

/// The connection's counters.
#[derive(Clone, Debug, Hash, Default)]
struct DeliveryCounts {
    /// C.delivered, octets.
    delivered: u64,
    /// C.delivered_time.
    delivered_at: SimTime,
    /// C.first_send_time.
    first_sent: SimTime,
    /// C.app_limited: until this much is delivered, the application may limit the rate; 0: not.
    app_limited: u64,
    /// Newest segment delivered by the ACK being processed.
    newest: Option<SegmentInFlight<SendStamp>>,
    /// Round trip of the newest of those sent only once.
    rtt: Option<SimDuration>,
}

impl DeliveryCounts {
    /// The stamp of a segment of `octets`, with `in_flight` octets before it.
    fn stamp(&self, octets: u32, in_flight: u64) -> SendStamp {
        SendStamp {
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent: self.first_sent,
            in_flight: (in_flight + u64::from(octets)).min(u32::MAX.into()) as u32,
            app_limited: self.app_limited > 0,
        }
    }

    #[inline]
    fn deliver(&mut self, sent: &SegmentInFlight<SendStamp>, now: SimTime) {
        self.delivered += u64::from(sent.octets);
        self.delivered_at = now;
        sample(&mut self.rtt, sent, now);
        let newer = self
            .newest
            .as_ref()
            .is_none_or(|n| sent.at > n.at || (sent.at == n.at && sent.end.after(n.end)));
        if newer {
            self.newest = Some(*sent);
            self.first_sent = sent.at;
        }
    }
}

impl DeliveryRate {
    /// The state before anything is sent; `rtt` is the round trip of the handshake.
    pub fn new(rtt: Option<SimDuration>) -> DeliveryRate {
        DeliveryRate {
            min_rtt: rtt,
            ..DeliveryRate::default()
        }
    }

    /// Notes a new segment of `octets` up to `end`, with `in_flight` octets before it.
    pub fn on_sent(&mut self, end: SeqNum, octets: u32, in_flight: u64, now: SimTime) {
        if self.stamps.is_empty() {
            self.counts.first_sent = now;
            self.counts.delivered_at = now;
        }
        let stamp = self.counts.stamp(octets, in_flight);
        self.stamps.on_sent(end, octets, now, stamp);
    }

    /// Notes that octets `start..end` are retransmitted.
    pub fn on_resent(&mut self, start: SeqNum, end: SeqNum, in_flight: u64, now: SimTime) {
        let counts = &self.counts;
        let stamp = |octets| counts.stamp(octets, in_flight);
        self.stamps.on_resent(start, end, now, stamp);
    }

    /// Notes that octets below `una` are acknowledged.
    pub fn on_acked(&mut self, una: SeqNum, now: SimTime) {
        let counts = &mut self.counts;
        self.stamps.on_acked(una, |sent| counts.deliver(sent, now));
    }

    /// Notes that octets `start..end` are SACKed.
    pub fn on_sacked(&mut self, start: SeqNum, end: SeqNum, now: SimTime) {
        let counts = &mut self.counts;
        self.stamps
            .on_sacked(start, end, |sent| counts.deliver(sent, now));
    }

    /// The sample of an ACK, after all its deliveries; `None` if it delivered nothing, or too quickly to be
    /// meaningful.
    pub fn take_sample(&mut self) -> Option<RateSample> {
        let counts = &mut self.counts;
        if counts.app_limited > 0 && counts.delivered > counts.app_limited {
            counts.app_limited = 0;
        }
        let newest = counts.newest.take()?;
        let stamp = newest.known;
        let sending = newest.at.since(stamp.first_sent);
        let acking = counts.delivered_at.since(stamp.delivered_at);
        let interval = sending.max(acking);
        // Faster than the minimum round trip: a retransmission was mistaken for its original.
        if interval.is_zero() || self.min_rtt.is_some_and(|min| interval < min) {
            return None;
        }
        let delivered = counts.delivered - stamp.delivered;
        self.latest = Some((delivered, interval));
        Some(RateSample {
            delivered,
            interval,
            prior_delivered: stamp.delivered,
            total: counts.delivered,
            app_limited: stamp.app_limited,
            in_flight_at_send: stamp.in_flight.into(),
        })
    }

    /// The ACK's round-trip time: that of the last-sent segment it delivers.
    pub fn take_rtt(&mut self) -> Option<SimDuration> {
        let rtt = self.counts.rtt.take()?;
        self.min_rtt = Some(self.min_rtt.map_or(rtt, |min| min.min(rtt)));
        Some(rtt)
    }

    /// Bytes delivered so far.
    pub fn delivered(&self) -> u64 {
        self.counts.delivered
    }

    /// The rate of the latest sample.
    pub fn latest_rate(&self) -> Option<Rate> {
        let (bytes, interval) = self.latest?;
        let ps = u128::from(interval.as_ps().max(1));
        let bits = u128::from(bytes) * 8 * 1_000_000_000_000 / ps;
        Rate::from_bps(u64::try_from(bits).unwrap_or(u64::MAX))
    }

    /// The minimum round-trip time so far.
    pub fn min_rtt(&self) -> Option<SimDuration> {
        self.min_rtt
    }

    /// True if another [`DeliveryRate::on_app_limited`] with nothing in flight would have no effect.
    #[inline]
    pub fn knows_pause(&self) -> bool {
        self.counts.app_limited == self.counts.delivered.max(1)
    }

    /// Notes that the application has nothing to send although the window is not full: data now in
    /// flight may be delivered below the path's rate.
    pub fn on_app_limited(&mut self, in_flight: u64) {
        self.counts.app_limited = (self.counts.delivered + in_flight).max(1);
    }

    /// Bytes allocated separately.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.stamps.heap_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u32 = 1000;

    fn ms(n: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_millis(n)
    }

    /// Ten segments at once, acknowledged after 100 ms, one per millisecond.
    fn train() -> DeliveryRate {
        let mut rate = DeliveryRate::default();
        for i in 0..10 {
            rate.on_sent(SeqNum((i + 1) * MSS), MSS, (i * MSS).into(), ms(0));
        }
        rate
    }

    #[test]
    fn a_sample_spans_what_was_delivered_since_the_segment_was_sent() {
        let mut rate = train();
        for i in 0..10 {
            rate.on_acked(SeqNum((i + 1) * MSS), ms(100 + u64::from(i)));
            assert_eq!(
                rate.take_rtt(),
                Some(SimDuration::from_millis(100 + u64::from(i)))
            );
            let sample = rate.take_sample().expect("delivered");
            assert_eq!(sample.delivered, u64::from((i + 1) * MSS));
            assert_eq!(
                sample.interval,
                SimDuration::from_millis(100 + u64::from(i))
            );
            // Another at each acknowledgement.
            let end = SeqNum((i + 11) * MSS);
            rate.on_sent(end, MSS, 9000, ms(100 + u64::from(i)));
        }
        // The second round: one segment a millisecond, ten of them in ten milliseconds.
        for i in 0..10 {
            rate.on_acked(SeqNum((i + 11) * MSS), ms(200 + u64::from(i)));
        }
        let sample = rate.take_sample().expect("delivered");
        // Since the ACK that released the last one, ten segments were delivered in 100 ms; but they were
        // sent over 109 ms, starting with the first train.
        assert_eq!(sample.delivered, u64::from(10 * MSS));
        assert_eq!(sample.interval, SimDuration::from_millis(109));
        assert_eq!(sample.rate().map(Rate::as_bps), Some(80_000_000 / 109));
        assert_eq!((sample.total, sample.in_flight_at_send), (20_000, 10_000));
        assert_eq!(rate.min_rtt(), Some(SimDuration::from_millis(100)));
    }

    #[test]
    fn the_longer_of_sending_and_acknowledging_counts() {
        // Sent over 90 ms, acknowledged all at once: ACKs were compressed.
        let mut rate = DeliveryRate::default();
        for i in 0..10 {
            let at = ms(10 * u64::from(i));
            rate.on_sent(SeqNum((i + 1) * MSS), MSS, (i * MSS).into(), at);
        }
        rate.on_acked(SeqNum(MSS), ms(95));
        rate.take_sample();
        rate.on_acked(SeqNum(10 * MSS), ms(96));
        let sample = rate.take_sample().expect("delivered");
        // C.first_send_time was 0 when the last was sent.
        assert_eq!(sample.interval, SimDuration::from_millis(96));
        assert_eq!(sample.delivered, 10_000);
    }

    #[test]
    fn sacked_octets_are_delivered_once_and_resent_ones_give_no_round_trip() {
        let mut rate = train();
        rate.on_sacked(SeqNum(2000), SeqNum(4000), ms(100));
        assert!(rate.take_rtt().is_some());
        let sample = rate.take_sample().expect("delivered");
        assert_eq!((sample.delivered, sample.total), (2000, 2000));
        rate.on_sacked(SeqNum(2000), SeqNum(4000), ms(101));
        assert_eq!(rate.take_sample(), None, "nothing new");
        rate.on_resent(SeqNum(0), SeqNum(2000), 8000, ms(101));
        rate.on_acked(SeqNum(4000), ms(205));
        assert_eq!(rate.take_rtt(), None, "Karn");
        let sample = rate.take_sample().expect("delivered");
        assert_eq!((sample.prior_delivered, sample.total), (2000, 4000));
    }

    #[test]
    fn the_interval_of_the_first_data_after_a_pause_begins_when_they_are_sent() {
        let mut rate = DeliveryRate::new(None);
        for pause in [5000, 60_000] {
            let end = SeqNum((pause * 10) as u32);
            rate.on_sent(end, MSS, MSS.into(), ms(pause)); // also if the caller has counted it
            rate.on_acked(end, ms(pause + 100));
            let sample = rate.take_sample().expect("delivered");
            assert_eq!(sample.interval, SimDuration::from_millis(100), "{pause}");
        }
    }

    #[test]
    fn data_in_flight_when_the_application_pauses_are_marked() {
        let mut rate = train();
        rate.on_app_limited(10_000);
        rate.on_sent(SeqNum(11 * MSS), MSS, 10_000, ms(1));
        rate.on_acked(SeqNum(10 * MSS), ms(100));
        assert!(!rate.take_sample().expect("delivered").app_limited);
        rate.on_acked(SeqNum(11 * MSS), ms(101));
        assert!(rate.take_sample().expect("delivered").app_limited);
        rate.on_sent(SeqNum(12 * MSS), MSS, 0, ms(101));
        rate.on_acked(SeqNum(12 * MSS), ms(201));
        assert!(!rate.take_sample().expect("delivered").app_limited);
    }
}
