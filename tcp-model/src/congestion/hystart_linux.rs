//! HyStart of Linux's CUBIC (Ha and Rhee, "Taming the elephants: new TCP slow start", 2011): slow start ends at
//! once when the round-trip time rises, or when the ACKs of a round arrive in a train longer than half of the
//! minimum round-trip time.
//!
//! Leaves out the adjustment of the train length for paced senders.

use sim_core::{SimDuration, SimTime};

use super::{AckEvent, RoundTrips};

/// Samples needed to evaluate a round, after the first.
const SAMPLES: u32 = 8;
/// Bounds of the threshold for a rise, and its share of the minimum round-trip time.
const LEAST_RISE: SimDuration = SimDuration::from_millis(4);
const MOST_RISE: SimDuration = SimDuration::from_millis(16);
const SHARE: u64 = 8;
/// ACKs closer than this belong to a train.
const GAP: SimDuration = SimDuration::from_millis(2);
/// Below this window, in segments, slow start continues.
const LOW_WINDOW: f64 = 16.0;

/// The rounds of slow start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LinuxHyStart {
    found: bool,
    rounds: RoundTrips,
    began: SimTime,
    last_ack: SimTime,
    smallest: Option<SimDuration>,
    of_round: Option<SimDuration>,
    samples: u32,
}

impl LinuxHyStart {
    /// Starts over, since slow start begins again after a time-out.
    pub(super) fn reset(&mut self) {
        *self = LinuxHyStart {
            smallest: self.smallest,
            ..LinuxHyStart::default()
        };
    }

    /// Processes an ACK of new data in slow start with this window in segments; true when slow
    /// start is over.
    pub(super) fn on_ack(&mut self, ack: &AckEvent, window: f64) -> bool {
        if self.rounds.on_ack(ack) {
            (self.began, self.last_ack) = (ack.now, ack.now);
            (self.of_round, self.samples) = (None, 0);
        }
        let Some(rtt) = ack.rtt else {
            return false;
        };
        let smallest = self.smallest.map_or(rtt, |s| s.min(rtt));
        self.smallest = Some(smallest);
        if self.found || window < LOW_WINDOW {
            return false;
        }
        if ack.now.since(self.last_ack) <= GAP {
            self.last_ack = ack.now;
            self.found = ack.now.since(self.began) > smallest / 2;
        }
        let of_round = self.of_round.map_or(rtt, |r| r.min(rtt));
        self.of_round = Some(of_round);
        if self.samples < SAMPLES {
            self.samples += 1;
        } else {
            let rise = (smallest / SHARE).clamp(LEAST_RISE, MOST_RISE);
            self.found |= of_round > smallest + rise;
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A round of 20 ACKs this far apart with this round-trip time; the one that ends slow start.
    fn round(h: &mut LinuxHyStart, number: u64, gap_us: u64, rtt_ms: u64) -> Option<u64> {
        let start = SimTime::ZERO + SimDuration::from_millis(1000 * number);
        (0..20).find(|i| {
            let ack = AckEvent {
                rtt: Some(SimDuration::from_millis(rtt_ms)),
                una: 20 * number + i + 1,
                nxt: 20 * (number + 1) + i + 1,
                ..AckEvent::plain(start + SimDuration::from_micros(i * gap_us), 1)
            };
            h.on_ack(&ack, 20.0)
        })
    }

    #[test]
    fn a_rise_ends_slow_start_at_the_ninth_sample() {
        for (rtt, ends) in [(112, None), (113, Some(8))] {
            let mut h = LinuxHyStart::default();
            assert_eq!(round(&mut h, 0, 10, 100), None);
            assert_eq!(round(&mut h, 1, 10, rtt), ends, "{rtt}");
        }
    }

    #[test]
    fn a_train_longer_than_half_a_round_trip_ends_it() {
        // ACKs 1.5 ms apart: half of 20 ms has passed after 7 of them. Gaps of 3 ms make no train.
        for (gap, ends) in [(1500, Some(7)), (3000, None)] {
            let mut h = LinuxHyStart::default();
            assert_eq!(round(&mut h, 0, gap, 20), ends, "{gap}");
        }
    }

    #[test]
    fn a_small_window_goes_on() {
        let mut h = LinuxHyStart::default();
        let ack = |i: u64| AckEvent {
            rtt: Some(SimDuration::from_millis(20 + 10 * i)),
            una: i + 1,
            nxt: 100,
            ..AckEvent::plain(SimTime::ZERO, 1)
        };
        assert!((0..20).all(|i| !h.on_ack(&ack(i), 15.9)));
    }
}
