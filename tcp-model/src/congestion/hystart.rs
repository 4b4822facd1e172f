//! HyStart++ (RFC 9406): leaves slow start when the round-trip time rises, before packets are lost.

use sim_core::SimDuration;

use super::{AckEvent, RoundTrips};

/// Bounds of the threshold for a rise, and its share of the round-trip time (section 4.3).
const MIN_RTT_THRESH: SimDuration = SimDuration::from_millis(4);
const MAX_RTT_THRESH: SimDuration = SimDuration::from_millis(16);
const MIN_RTT_DIVISOR: u64 = 8;
/// Samples needed to evaluate a round.
const N_RTT_SAMPLE: u32 = 8;
/// Conservative slow start grows by this share.
const CSS_GROWTH_DIVISOR: u64 = 4;
/// Rounds of conservative slow start before congestion avoidance.
const CSS_ROUNDS: u32 = 5;
/// Maximum number of segments by which an ACK increases the window of a sender that does not pace.
const L: u64 = 8;

/// The phase of slow start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HyStartPhase {
    SlowStart,
    /// Conservative slow start, for this many rounds so far; the smallest round trip when it began.
    Conservative {
        rounds: u32,
        baseline: SimDuration,
    },
    Done,
}

/// The rounds of slow start and their smallest round trips.
#[derive(Clone, Copy, Debug)]
pub struct HyStart {
    mode: HyStartPhase,
    rounds: RoundTrips,
    last_min: Option<SimDuration>,
    current_min: Option<SimDuration>,
    samples: u32,
    paced: bool,
}

/// The effect of an ACK in slow start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowStartGrowth {
    /// Bytes by which the window grows.
    pub bytes: u64,
    /// Slow start is over: ssthresh becomes the window.
    pub exit: bool,
}

impl HyStart {
    /// The state at the start of a connection; `paced` senders need no limit of growth.
    pub fn new(paced: bool) -> HyStart {
        HyStart {
            mode: HyStartPhase::SlowStart,
            rounds: RoundTrips::default(),
            last_min: None,
            current_min: None,
            samples: 0,
            paced,
        }
    }

    /// Congestion ends it permanently: it applies to the first slow start only (section 4.3).
    pub fn on_congestion(&mut self) {
        self.mode = HyStartPhase::Done;
    }

    /// Whether it may still end slow start.
    pub fn is_under_way(&self) -> bool {
        self.mode != HyStartPhase::Done
    }

    /// Processes an ACK of new data in slow start.
    pub fn on_ack(&mut self, ack: &AckEvent, mss: u64) -> SlowStartGrowth {
        let limit = if self.paced { u64::MAX } else { L * mss };
        let full = ack.acked.min(limit);
        if self.mode == HyStartPhase::Done {
            return SlowStartGrowth {
                bytes: full,
                exit: false,
            };
        }
        if self.rounds.on_ack(ack) {
            self.next_round();
        }
        if let Some(rtt) = ack.rtt {
            self.current_min = Some(self.current_min.map_or(rtt, |min| min.min(rtt)));
            self.samples += 1;
        }
        self.judge();
        match self.mode {
            HyStartPhase::Conservative { rounds, .. } if rounds >= CSS_ROUNDS => {
                self.mode = HyStartPhase::Done;
                SlowStartGrowth {
                    bytes: 0,
                    exit: true,
                }
            }
            HyStartPhase::Conservative { .. } => SlowStartGrowth {
                bytes: full / CSS_GROWTH_DIVISOR,
                exit: false,
            },
            _ => SlowStartGrowth {
                bytes: full,
                exit: false,
            },
        }
    }

    fn next_round(&mut self) {
        self.last_min = self.current_min.take();
        self.samples = 0;
        if let HyStartPhase::Conservative { rounds, .. } = &mut self.mode {
            *rounds += 1;
        }
    }

    fn judge(&mut self) {
        let (Some(current), true) = (self.current_min, self.samples >= N_RTT_SAMPLE) else {
            return;
        };
        match (self.mode, self.last_min) {
            (HyStartPhase::SlowStart, Some(last)) => {
                let rise = (last / MIN_RTT_DIVISOR).clamp(MIN_RTT_THRESH, MAX_RTT_THRESH);
                if current >= last + rise {
                    self.mode = HyStartPhase::Conservative {
                        rounds: 0,
                        baseline: current,
                    };
                }
            }
            // The rise did not persist: slow start continues.
            (HyStartPhase::Conservative { baseline, .. }, _) if current < baseline => {
                self.mode = HyStartPhase::SlowStart;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::SimTime;

    const MSS: u64 = 1000;

    /// A round of `n` ACKs at this round-trip time; the growth of each.
    fn round(h: &mut HyStart, from: u64, n: u64, rtt_ms: u64) -> Vec<SlowStartGrowth> {
        let rtt = Some(SimDuration::from_millis(rtt_ms));
        let ack = |i: u64| AckEvent {
            rtt,
            una: (from + i + 1) * MSS,
            nxt: (from + n + i + 1) * MSS,
            ..AckEvent::plain(SimTime::ZERO, MSS)
        };
        (0..n).map(|i| h.on_ack(&ack(i), MSS)).collect()
    }

    #[test]
    fn a_rise_of_an_eighth_within_4_and_16_ms_begins_conservative_slow_start() {
        for (before, after, leaves) in [
            (100, 112, false), // 12.5 ms: an eighth
            (100, 113, true),
            (16, 19, false), // at least 4 ms
            (16, 20, true),
            (800, 815, false), // at most 16 ms
            (800, 816, true),
        ] {
            let mut h = HyStart::new(false);
            round(&mut h, 0, 10, before);
            let growth = round(&mut h, 10, 10, after);
            // Seven samples are not enough; the eighth decides.
            assert!(growth[..7].iter().all(|g| g.bytes == MSS));
            let now = if leaves { MSS / 4 } else { MSS };
            assert!(
                growth[7..].iter().all(|g| g.bytes == now),
                "{before} {after}"
            );
        }
    }

    #[test]
    fn five_conservative_rounds_end_slow_start_and_a_shorter_round_trip_resumes_it() {
        let mut h = HyStart::new(false);
        round(&mut h, 0, 10, 100);
        round(&mut h, 10, 10, 120);
        for n in 2..6 {
            assert!(round(&mut h, 10 * n, 10, 120).iter().all(|g| !g.exit));
        }
        let last = round(&mut h, 60, 10, 120);
        assert!(last[0].exit, "at the start of the sixth");

        let mut h = HyStart::new(false);
        round(&mut h, 0, 10, 100);
        round(&mut h, 10, 10, 120);
        let back = round(&mut h, 20, 10, 101);
        assert_eq!(back.last().map(|g| g.bytes), Some(MSS));
    }

    #[test]
    fn an_ack_opens_the_window_by_eight_segments_unless_paced() {
        let ack = AckEvent::plain(SimTime::ZERO, 20 * MSS);
        assert_eq!(HyStart::new(false).on_ack(&ack, MSS).bytes, 8 * MSS);
        assert_eq!(HyStart::new(true).on_ack(&ack, MSS).bytes, 20 * MSS);
    }
}
