//! LEDBAT++ (draft-irtf-iccrg-ledbat-plus-plus): LEDBAT on round-trip times, with a gain that yields to standard
//! TCP, multiplicative decrease, a slow start that ends early, and regular slowdowns in which all connections
//! measure the empty path.

use sim_core::SimTime;

use super::ledbat::DelayHistory;
use super::window::{CongestionWindow, window_methods};
use super::{
    AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent, ControlParameter, RoundTrips,
};

/// `ledbat++`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "ledbat++",
    aliases: &["ledbat-plus-plus"],
    doc: "LEDBAT by round-trip times: gives way to other traffic, shares fairly with its like, and \
          slows down now and then to measure the empty path",
    source: "draft-irtf-iccrg-ledbat-plus-plus",
    version: 1,
    parameters: &[
        ControlParameter::time("target", (0.001, 1.0), 0.06, "queueing delay to aim at"),
        ControlParameter::number(
            "constant",
            (0.1, 10.0),
            1.0,
            "share of the window given up in a round trip when the delay is twice the target",
        ),
        ControlParameter::switch(
            "slowdown",
            true,
            "slow down now and then to measure the empty path",
        ),
    ],
    make: |control, _| {
        AnyCc::own(LedbatPp {
            window: CongestionWindow::new(),
            target: control.get("target"),
            constant: control.get("constant"),
            slowdown: control.is_on("slowdown").then_some(Slowdown::Ready),
            delays: DelayHistory::new(10, 4),
            rounds: RoundTrips::default(),
            floor: 0.0,
        })
    },
};

/// Minimum window, segments; also that of a slowdown.
const LEAST: f64 = 2.0;
/// The gain is at least a sixteenth.
const MOST_DIVISOR: f64 = 16.0;
/// Slow start ends at this share of the target.
const EARLY: f64 = 0.75;
/// Round trips before the first slowdown, and of the frozen window.
const ROUNDS: u64 = 2;
/// The next slowdown comes after this many times the length of the last.
const APART: u32 = 9;

/// The phase of slowdowns (section 4.4).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Slowdown {
    /// In the first slow start.
    Ready,
    /// One begins after this many round trips, or at a time.
    AfterRounds(u64),
    At(SimTime),
    /// The window is frozen until a given round trip; when that began, and the window before.
    Frozen {
        until: u64,
        since: SimTime,
        window: f64,
    },
    /// The window grows back to its earlier value.
    Growing {
        since: SimTime,
        window: f64,
    },
}

#[derive(Clone, Debug)]
struct LedbatPp {
    window: CongestionWindow,
    target: f64,
    constant: f64,
    slowdown: Option<Slowdown>,
    delays: DelayHistory,
    rounds: RoundTrips,
    /// The window is not reduced below this in the current round trip, segments.
    floor: f64,
}

impl LedbatPp {
    /// GAIN = 1 / min(16, ceil(2 * target / base)), section 4.2.
    fn gain(&self) -> f64 {
        let base = self.delays.base().map_or(self.target, |b| b.as_secs_f64());
        1.0 / libm::ceil(2.0 * self.target / base.max(1e-9)).clamp(1.0, MOST_DIVISOR)
    }

    /// The first slow start ends; slowdowns are scheduled from here.
    fn end_slow_start(&mut self) {
        self.window.end_slow_start();
        if self.slowdown == Some(Slowdown::Ready) {
            self.slowdown = Some(Slowdown::AfterRounds(self.rounds.count() + ROUNDS));
        }
    }

    /// Begins and ends slowdowns; true while the window is frozen.
    fn slow_down(&mut self, now: SimTime) -> bool {
        let (count, window) = (self.rounds.count(), self.window.segments());
        let begin = match self.slowdown {
            Some(Slowdown::AfterRounds(n)) => count >= n,
            Some(Slowdown::At(time)) => now >= time,
            _ => false,
        };
        if begin {
            let until = count + ROUNDS;
            self.slowdown = Some(Slowdown::Frozen {
                until,
                since: now,
                window,
            });
            self.window.set(LEAST);
        }
        match self.slowdown {
            Some(Slowdown::Frozen { until, .. }) if count < until => true,
            Some(Slowdown::Frozen { since, window, .. }) => {
                self.slowdown = Some(Slowdown::Growing { since, window });
                false
            }
            Some(Slowdown::Growing {
                since,
                window: before,
            }) if window >= before => {
                let wait = now.since(since) * u64::from(APART);
                self.slowdown = Some(Slowdown::At(now.saturating_add(wait)));
                false
            }
            _ => false,
        }
    }

    fn avoid_congestion(&mut self, acked: f64, queueing: f64) {
        let cwnd = self.window.segments();
        let gain = self.gain();
        let per_round = if queueing <= self.target {
            gain
        } else {
            // Section 4.2: multiplicative decrease, at most half of the window a round trip.
            gain - self.constant * cwnd * (queueing / self.target - 1.0)
        };
        let wanted = cwnd + per_round * acked / cwnd;
        self.window.set(wanted.max(self.floor).max(LEAST));
    }
}

impl CongestionControl for LedbatPp {
    window_methods!(with idle);

    fn on_ack(&mut self, ack: &AckEvent) {
        if let Some(rtt) = ack.rtt {
            self.delays.on_sample(rtt, ack.now);
        }
        if self.rounds.on_ack(ack) {
            self.floor = self.window.segments() / 2.0;
        }
        if self.slow_down(ack.now) || !CongestionWindow::may_grow(ack) {
            return;
        }
        let queueing = self.delays.queueing().map_or(0.0, |q| q.as_secs_f64());
        let mss = self.window.mss();
        let acked = ack.acked as f64 / mss;
        match self.slowdown {
            Some(Slowdown::Growing { window, .. }) => {
                let cwnd = self.window.segments();
                if queueing > EARLY * self.target {
                    self.slowdown = Some(Slowdown::Growing {
                        since: ack.now,
                        window: cwnd,
                    });
                } else {
                    self.window.set((cwnd + self.gain() * acked).min(window));
                }
            }
            _ if self.window.in_slow_start() => {
                if queueing > EARLY * self.target {
                    self.end_slow_start();
                } else {
                    self.window.open_to_threshold(self.gain() * acked * mss);
                }
            }
            _ => self.avoid_congestion(acked, queueing),
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let half = self.window.segments() / 2.0;
        self.window.reduce(event, half);
        if self.slowdown == Some(Slowdown::Ready) {
            self.slowdown = Some(Slowdown::AfterRounds(self.rounds.count() + ROUNDS));
        }
        self.floor = self.window.segments() / 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started, started_with};
    use super::*;

    #[test]
    fn the_gain_falls_with_the_round_trip() {
        // 2 * 60 ms over the base: 120 ms and more: 1; 60 ms: a half; 7 ms and less: a sixteenth.
        for (rtt, gain) in [(150, 1.0), (60, 0.5), (5, 1.0 / 16.0)] {
            let mut cc = started_with(&ALGORITHM, 40, &[("slowdown", 0.0)]);
            lose(&mut cc, 40);
            round(&mut cc, rtt, 20);
            let before = cc.cwnd() as f64;
            round(&mut cc, rtt, 20);
            let by = (cc.cwnd() as f64 - before) / 1000.0;
            assert!((by - gain).abs() < 0.05 * gain, "{rtt}: {by}");
        }
    }

    #[test]
    fn beyond_the_target_the_window_falls_in_proportion_to_it_and_by_half_at_most() {
        // Base 150 ms; 75 ms of queue are a quarter above the target, 600 ms ten times it.
        for (rtt, least, most) in [(225, 0.70, 0.85), (750, 0.49, 0.52)] {
            let mut cc = started_with(&ALGORITHM, 80, &[("slowdown", 0.0)]);
            lose(&mut cc, 80);
            round(&mut cc, 150, 40);
            round(&mut cc, 150, 40);
            round(&mut cc, rtt, 4); // the filter forgets the smaller delay
            let before = cc.cwnd() as f64;
            round(&mut cc, rtt, 40);
            let share = cc.cwnd() as f64 / before;
            assert!((least..=most).contains(&share), "{rtt}: {share}");
        }
    }

    #[test]
    fn slow_start_ends_early_and_a_slowdown_follows_two_round_trips_later() {
        let mut cc = started(&ALGORITHM, 10);
        (0..3).for_each(|_| round(&mut cc, 150, 10));
        let grown = cc.cwnd();
        assert_eq!(grown, 80_000, "the gain is one");
        round(&mut cc, 200, 10); // 50 ms of queue are more than 45
        round(&mut cc, 200, 10);
        assert!(cc.cwnd() < 2 * grown, "no doubling any more");
        (0..2).for_each(|_| round(&mut cc, 150, 10));
        assert_eq!(cc.cwnd(), 2000, "the slowdown");
    }
}
