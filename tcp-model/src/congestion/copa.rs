//! Copa: aims at a rate that is inversely proportional to the queueing delay (Arun and Balakrishnan,
//! "Copa: practical delay-based congestion control for the Internet", NSDI 2018).
//!
//! Deviation: the smallest round-trip time of the last half round trip is kept in two parts of a quarter each,
//! so the span is between a quarter and a half.

use sim_core::{Rate, SimDuration, SimTime};

use super::window::{CongestionWindow, window_methods};
use super::{
    AckEvent, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent, ControlParameter,
    RoundTrips,
};
use crate::recovery::RecoveryPhase;

/// `copa`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "copa",
    aliases: &[],
    doc: "aims at a rate inversely proportional to the queueing delay, and competes like Reno where \
          others keep the queue full",
    source: "Arun and Balakrishnan 2018",
    version: 1,
    parameters: &[
        ControlParameter::number(
            "delta",
            (0.004, 10.0),
            0.5,
            "weight of delay: about 1/delta segments wait in the queue",
        ),
        ControlParameter::switch(
            "competitive",
            true,
            "lower delta where the queue never empties, as others fill it",
        ),
    ],
    make: |control, _| {
        AnyCc::own(Copa::new(
            control.get("delta"),
            control.is_on("competitive"),
        ))
    },
};

/// How long the smallest round trip is remembered.
const MIN_RTT_MEMORY: SimDuration = SimDuration::from_secs(10);
/// Minimum window, segments.
const LEAST: f64 = 2.0;
/// Round trips in one direction before the velocity grows.
const PATIENCE: u32 = 3;
/// Round trips within which the queue must empty (section 2.2).
const EMPTY_WITHIN: usize = 5;

/// The smallest or largest sample of the last one to two spans.
#[derive(Clone, Copy, Debug, Default)]
struct WindowedExtreme {
    before: Option<SimDuration>,
    now: Option<SimDuration>,
    since: SimTime,
}

impl WindowedExtreme {
    fn on_sample(
        &mut self,
        sample: SimDuration,
        span: SimDuration,
        time: SimTime,
        pick: fn(SimDuration, SimDuration) -> SimDuration,
    ) {
        if time.since(self.since) >= span {
            self.before = self.now.take();
            self.since = time;
        }
        self.now = Some(self.now.map_or(sample, |n| pick(n, sample)));
    }

    fn get(&self, pick: fn(SimDuration, SimDuration) -> SimDuration) -> Option<SimDuration> {
        match (self.before, self.now) {
            (Some(a), Some(b)) => Some(pick(a, b)),
            (a, b) => a.or(b),
        }
    }
}

#[derive(Clone, Debug)]
struct Copa {
    window: CongestionWindow,
    default_delta: f64,
    delta: f64,
    competitive: bool,
    slow_start: bool,
    rounds: RoundTrips,
    standing: WindowedExtreme,
    min: WindowedExtreme,
    /// Smallest and largest samples of the current round trip, and the largest of the last ones.
    round: Option<(SimDuration, SimDuration)>,
    largest: [SimDuration; EMPTY_WITHIN],
    /// Round trips since the queue was last nearly empty.
    full_rounds: u32,
    /// v, the direction, and the number of round trips in that direction.
    velocity: f64,
    up: bool,
    same: u32,
    /// The window at the beginning of the round trip.
    start: f64,
    srtt: Option<SimDuration>,
}

impl Copa {
    fn new(delta: f64, competitive: bool) -> Copa {
        Copa {
            window: CongestionWindow::new(),
            default_delta: delta,
            delta,
            competitive,
            slow_start: true,
            rounds: RoundTrips::default(),
            standing: WindowedExtreme::default(),
            min: WindowedExtreme::default(),
            round: None,
            largest: [SimDuration::ZERO; EMPTY_WITHIN],
            full_rounds: 0,
            velocity: 1.0,
            up: true,
            same: 0,
            start: 0.0,
            srtt: None,
        }
    }

    fn measure(&mut self, ack: &AckEvent) {
        self.srtt = ack.srtt.or(self.srtt);
        let Some(rtt) = ack.rtt else {
            return;
        };
        let quarter = self.srtt.unwrap_or(rtt) / 4;
        self.standing
            .on_sample(rtt, quarter, ack.now, SimDuration::min);
        self.min
            .on_sample(rtt, MIN_RTT_MEMORY / 2, ack.now, SimDuration::min);
        self.round = Some(match self.round {
            Some((low, high)) => (low.min(rtt), high.max(rtt)),
            None => (rtt, rtt),
        });
    }

    /// Queueing delay, and the standing round-trip time, in seconds.
    fn delay(&self) -> Option<(f64, f64)> {
        let standing = self.standing.get(SimDuration::min)?;
        let min = self.min.get(SimDuration::min)?;
        Some((
            standing.saturating_sub(min).as_secs_f64(),
            standing.as_secs_f64(),
        ))
    }

    /// At the end of a round trip, updates the velocity and whether other flows fill the queue.
    fn next_round(&mut self) {
        let cwnd = self.window.segments();
        let up = cwnd >= self.start;
        if up == self.up {
            self.same += 1;
            if self.same >= PATIENCE {
                // The paper's bound: at most the window itself in a round trip.
                self.velocity = (self.velocity * 2.0).min(cwnd * self.delta).max(1.0);
            }
        } else {
            (self.up, self.same, self.velocity) = (up, 0, 1.0);
        }
        self.start = cwnd;
        let (Some((low, high)), Some(min)) = (self.round.take(), self.min.get(SimDuration::min))
        else {
            return;
        };
        self.largest.rotate_right(1);
        self.largest[0] = high;
        let largest = self.largest.iter().max().copied().unwrap_or(high);
        let nearly_empty = low.saturating_sub(min) <= largest.saturating_sub(min) / 10;
        self.full_rounds = if nearly_empty {
            0
        } else {
            self.full_rounds + 1
        };
        self.compete();
    }

    /// Section 2.2: 1/delta grows by one a round trip while others fill the queue.
    fn compete(&mut self) {
        if self.competitive && self.full_rounds >= EMPTY_WITHIN as u32 {
            self.delta = 1.0 / (1.0 / self.delta + 1.0);
        } else {
            self.delta = self.default_delta;
        }
    }
}

impl CongestionControl for Copa {
    window_methods!(with idle);

    fn pacing_rate(&self) -> Option<Rate> {
        let (_, standing) = self.delay()?;
        let bits = 2.0 * self.window.bytes() as f64 * 8.0 / standing.max(1e-9);
        Rate::from_bps(bits as u64)
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        self.measure(ack);
        let over = self.rounds.on_ack(ack);
        if over && !self.slow_start {
            self.next_round();
        }
        let Some((queueing, standing)) = self.delay() else {
            return;
        };
        if ack.acked == 0 || ack.phase == RecoveryPhase::Fast {
            return;
        }
        let cwnd = self.window.segments();
        let below = cwnd / standing.max(1e-9) <= 1.0 / (self.delta * queueing.max(1e-9));
        let acked = ack.acked as f64 / self.window.mss();
        if self.slow_start {
            if below && self.window.in_slow_start() {
                if ack.cwnd_limited {
                    self.window.open_to_threshold(acked * self.window.mss());
                }
                return;
            }
            self.slow_start = false;
            self.window.end_slow_start();
            self.start = cwnd;
        }
        let step = self.velocity * acked / (self.delta * cwnd);
        if !below {
            self.window.set((cwnd - step).max(LEAST));
        } else if ack.cwnd_limited {
            self.window.set(cwnd + step.min(acked));
        }
        if below != self.up && self.velocity > 1.0 {
            (self.up, self.same, self.velocity) = (below, 0, 1.0);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let timeout = matches!(
            event.cause,
            Congestion::Timeout | Congestion::RepeatedTimeout
        );
        let competing = self.delta < self.default_delta;
        if competing {
            self.delta = (2.0 * self.delta).min(self.default_delta);
        }
        // Losses say nothing about the queue in the default mode.
        let share = if timeout || competing { 0.5 } else { 1.0 };
        self.slow_start &= timeout;
        let cwnd = self.window.segments();
        self.window.reduce(event, cwnd * share);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn it_grows_below_the_target_rate_and_shrinks_above_it() {
        // delta = 1/2: two segments should wait. 40 segments; at 101 ms 0.4 wait, at 125 ms 8.
        for (rtt, grows) in [(101, true), (125, false)] {
            let mut cc = started(&ALGORITHM, 40);
            round(&mut cc, 100, 40);
            lose(&mut cc, 40); // ends slow start
            round(&mut cc, 100, 40);
            round(&mut cc, rtt, 40);
            let before = cc.cwnd();
            round(&mut cc, rtt, 40);
            assert_eq!(cc.cwnd() > before, grows, "{rtt}: {before} {}", cc.cwnd());
            // v / (delta * cwnd) a segment acknowledged: two a round trip at first.
            let by = cc.cwnd().abs_diff(before);
            assert!((1500..=8500).contains(&by), "{rtt}: {by}");
        }
    }

    #[test]
    fn slow_start_ends_when_the_rate_exceeds_the_target() {
        let mut cc = started(&ALGORITHM, 10);
        round(&mut cc, 100, 10);
        assert_eq!(cc.cwnd(), 20_000);
        round(&mut cc, 150, 20); // a third of the window waits: more than two segments
        assert!(cc.cwnd() < 30_000, "{}", cc.cwnd());
    }

    #[test]
    fn where_the_queue_never_empties_it_competes() {
        let mut copa = Copa::new(0.5, true);
        for n in 1..=3 {
            copa.full_rounds = 5;
            copa.compete();
            let waiting = 2.0 + f64::from(n);
            assert!((1.0 / copa.delta - waiting).abs() < 1e-9);
        }
        copa.full_rounds = 0;
        copa.compete();
        assert_eq!(copa.delta, 0.5);
    }
}
