//! HyStart of Linux's CUBIC (Ha and Rhee, "Taming the elephants: new TCP slow start", 2011): slow start ends at
//! once when the round-trip time rises, or when the ACKs of a round arrive in a train longer than half the sum of the
//! minimum round-trip time and the time that a device may hold segments back.
//!
//! Leaves out that the train may be twice as long if the sender is paced, and that the first round after a time-out
//! begins with the time-out; here it begins with the next ACK.

use sim_core::{SimDuration, SimTime};

use super::AckEvent;

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
/// What a device may hold back: the time of four of the largest bursts at the pacing rate of slow start, twice
/// the window a round trip, at most this (`hystart_ack_delay`).
const MOST_HELD: SimDuration = SimDuration::from_millis(1);
const HELD_BYTES: f64 = 4.0 * 65536.0;

/// The rounds of slow start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LinuxHyStart {
    found: bool,
    /// Stream offset beyond which an acknowledgement begins the next round.
    end: u64,
    began: SimTime,
    last_ack: SimTime,
    of_round: Option<SimDuration>,
    samples: u32,
}

impl LinuxHyStart {
    /// Starts over, since slow start begins again after a time-out.
    pub(super) fn reset(&mut self) {
        *self = LinuxHyStart::default();
    }

    /// Processes a sample of the round-trip time in slow start with this window in bytes; `smallest` is the
    /// smallest since the start or the last time-out. True when slow start is over.
    pub(super) fn on_sample(
        &mut self,
        ack: &AckEvent,
        rtt: SimDuration,
        smallest: SimDuration,
        (window, mss): (f64, f64), // in bytes
    ) -> bool {
        if self.found {
            return false;
        }
        if ack.una > self.end {
            self.end = ack.nxt;
            (self.began, self.last_ack) = (ack.now, ack.now);
            (self.of_round, self.samples) = (None, 0);
        }
        if window < LOW_WINDOW * mss {
            return false;
        }
        if ack.now.since(self.last_ack) <= GAP {
            self.last_ack = ack.now;
            let round = ack.srtt.unwrap_or(rtt).as_secs_f64();
            let held =
                SimDuration::from_secs_f64(round * HELD_BYTES / (2.0 * window)).min(MOST_HELD);
            self.found = ack.now.since(self.began) > (smallest + held) / 2;
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
        let ms = SimDuration::from_millis;
        (0..20).find(|i| {
            let ack = AckEvent {
                una: 20 * number + i + 1,
                nxt: 20 * (number + 1) + i,
                ..AckEvent::plain(start + SimDuration::from_micros(i * gap_us), 1)
            };
            let smallest = ms(if number == 0 { rtt_ms } else { 100 });
            h.on_sample(&ack, ms(rtt_ms), smallest, (20.0 * 1000.0, 1000.0))
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
        // Half of 20 ms and of the millisecond that a device may hold: 10.5 ms, not passed after 7 ACKs 1.5 ms
        // apart. Gaps of 3 ms make no train.
        for (gap, ends) in [(1500, Some(8)), (1501, Some(7)), (3000, None)] {
            let mut h = LinuxHyStart::default();
            assert_eq!(round(&mut h, 0, gap, 20), ends, "{gap}");
        }
    }

    #[test]
    fn a_small_window_goes_on() {
        let mut h = LinuxHyStart::default();
        let ms = SimDuration::from_millis;
        let ack = |i: u64| AckEvent {
            una: i + 1,
            nxt: 100,
            ..AckEvent::plain(SimTime::ZERO, 1)
        };
        assert!((0..20).all(|i| !h.on_sample(&ack(i), ms(20 + 10 * i), ms(20), (15.9, 1.0))));
    }

    #[test]
    fn a_round_begins_with_the_first_ack_beyond_the_data_sent_at_its_start() {
        // The ACK of all ten segments of the first flight still belongs to the first round, whose train ends
        // with it, 9 ms after it began; the next one begins the second round.
        let mut h = LinuxHyStart::default();
        let ms = SimDuration::from_millis;
        let mut ack = |at_us: u64, una: u64, nxt: u64| {
            let ack = AckEvent {
                una,
                nxt,
                ..AckEvent::plain(SimTime::ZERO + SimDuration::from_micros(at_us), 1)
            };
            h.on_sample(&ack, ms(20), ms(20), (20.0, 1.0))
        };
        assert!((1..=10).all(|i| !ack(20_000 + 1000 * i, i, 9 + i)));
        assert!((11..=21).all(|i| !ack(29_500 + 1000 * i, i, 40)));
        assert!(
            ack(51_500, 22, 40),
            "more than 10.5 ms after the ACK of segment 11"
        );
    }
}
