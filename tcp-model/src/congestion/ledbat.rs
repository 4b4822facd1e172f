//! LEDBAT (RFC 6817): a scavenger that adds at most `target` of queueing delay, and yields to
//! other flows.
//!
//! Deviation: the queueing delay is that of the round trip, since the sender does not know the one-way delay;
//! queues on the return path also count. Leaves out slow start, which the RFC does not require.

use std::collections::VecDeque;

use sim_core::{SimDuration, SimTime};

use super::window::{CongestionWindow, window_methods};
use super::{
    AckEvent, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent, ControlParameter,
};

/// `ledbat`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "ledbat",
    aliases: &[],
    doc: "keeps the queueing delay at a target and gives way to all other traffic; for background \
          transfers",
    source: "RFC 6817",
    version: 1,
    parameters: &[
        ControlParameter::time(
            "target",
            (0.001, 0.1),
            0.1,
            "queueing delay to aim at; the RFC allows at most 100 ms",
        ),
        ControlParameter::number(
            "gain",
            (0.01, 1.0),
            1.0,
            "segments by which the window opens in a round trip without any queue",
        ),
        ControlParameter::count(
            "base_history",
            (2, 60),
            10,
            "minutes for which the smallest delay is remembered",
        ),
        ControlParameter::count(
            "current_filter",
            (1, 64),
            4,
            "newest samples of which the smallest is the delay now",
        ),
        ControlParameter::number(
            "allowed_increase",
            (1.0, 100.0),
            1.0,
            "segments by which the window may exceed what is in flight",
        ),
    ],
    make: |control, _| AnyCc::own(Ledbat::new(control)),
};

/// MIN_CWND, segments.
const LEAST: f64 = 2.0;
const MINUTE: SimDuration = SimDuration::from_secs(60);

/// The smallest delay of the last minutes, and of the last samples.
#[derive(Clone, Debug)]
pub(super) struct DelayHistory {
    /// The smallest of each minute, the oldest first, and when the last of them began.
    minutes: VecDeque<SimDuration>,
    minute: SimTime,
    history: usize,
    newest: VecDeque<SimDuration>,
    filter: usize,
}

impl DelayHistory {
    /// Remembers `history` minutes and `filter` samples.
    pub(super) fn new(history: u32, filter: u32) -> DelayHistory {
        let (history, filter) = (history.max(1) as usize, filter.max(1) as usize);
        DelayHistory {
            minutes: VecDeque::with_capacity(history),
            minute: SimTime::ZERO,
            history,
            newest: VecDeque::with_capacity(filter),
            filter,
        }
    }

    /// Adds a sample (RFC 6817 section 3.4.2).
    pub(super) fn on_sample(&mut self, rtt: SimDuration, now: SimTime) {
        if self.newest.len() == self.filter {
            self.newest.pop_front();
        }
        self.newest.push_back(rtt);
        match self.minutes.back_mut() {
            Some(last) if now.since(self.minute) < MINUTE => *last = rtt.min(*last),
            _ => {
                if self.minutes.len() == self.history {
                    self.minutes.pop_front();
                }
                self.minutes.push_back(rtt);
                self.minute = now;
            }
        }
    }

    /// The smallest delay remembered.
    pub(super) fn base(&self) -> Option<SimDuration> {
        self.minutes.iter().min().copied()
    }

    /// The current queueing delay.
    pub(super) fn queueing(&self) -> Option<SimDuration> {
        let now = self.newest.iter().min()?;
        Some(now.saturating_sub(self.base()?))
    }
}

#[derive(Clone, Debug)]
struct Ledbat {
    window: CongestionWindow,
    target: f64,
    gain: f64,
    allowed_increase: f64,
    delays: DelayHistory,
}

impl Ledbat {
    fn new(control: &super::Control) -> Ledbat {
        Ledbat {
            window: CongestionWindow::new(),
            target: control.get("target"),
            gain: control.get("gain"),
            allowed_increase: control.get("allowed_increase"),
            delays: DelayHistory::new(
                control.count("base_history"),
                control.count("current_filter"),
            ),
        }
    }
}

impl CongestionControl for Ledbat {
    window_methods!(with idle);

    fn on_ack(&mut self, ack: &AckEvent) {
        if let Some(rtt) = ack.rtt {
            self.delays.on_sample(rtt, ack.now);
        }
        let Some(queueing) = self.delays.queueing() else {
            return;
        };
        if ack.acked == 0 || ack.phase != crate::recovery::RecoveryPhase::Open {
            return;
        }
        let off_target = (self.target - queueing.as_secs_f64()) / self.target;
        let cwnd = self.window.segments();
        let acked = ack.acked as f64 / self.window.mss();
        let flight = ack.prior_in_flight as f64 / self.window.mss();
        let wanted = cwnd + self.gain * off_target * acked / cwnd;
        // A window that is not full keeps its size.
        let most = (flight + self.allowed_increase).max(cwnd);
        self.window.set(wanted.min(most).max(LEAST));
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let cwnd = self.window.segments();
        match event.cause {
            Congestion::Loss | Congestion::Ecn => {
                self.window.reduce(event, cwnd.min((cwnd / 2.0).max(LEAST)));
            }
            Congestion::Timeout | Congestion::RepeatedTimeout => self.window.reduce_by(event, 0.5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lose, round, started};
    use super::*;

    #[test]
    fn the_window_opens_by_what_the_delay_leaves_of_the_target() {
        // Base 100 ms, target 100 ms. No queue: a segment a round trip; 50 ms: half; 100 ms: none;
        // 150 ms: half a segment less.
        for (rtt, change) in [(100, 1.0), (150, 0.5), (200, 0.0), (250, -0.5)] {
            let mut cc = started(&ALGORITHM, 20);
            round(&mut cc, 100, 20);
            round(&mut cc, rtt, 20); // the filter forgets the smaller delay
            let before = cc.cwnd() as f64;
            round(&mut cc, rtt, 20);
            let by = (cc.cwnd() as f64 - before) / 1000.0;
            assert!((by - change).abs() < 0.05, "{rtt}: {by}");
        }
    }

    #[test]
    fn a_loss_halves_down_to_two_segments() {
        let mut cc = started(&ALGORITHM, 20);
        for expected in [10_000, 5000, 2500, 2000, 2000] {
            lose(&mut cc, 20);
            assert_eq!(cc.cwnd(), expected);
        }
    }

    #[test]
    fn the_base_is_forgotten_after_its_minutes() {
        let ms = SimDuration::from_millis;
        let mut d = DelayHistory::new(2, 1);
        let at = |s| SimTime::ZERO + SimDuration::from_secs(s);
        for (s, rtt, base) in [(0, 50, 50), (30, 80, 50), (61, 90, 50), (130, 95, 90)] {
            d.on_sample(ms(rtt), at(s));
            assert_eq!(d.base(), Some(ms(base)), "{s}");
        }
        assert_eq!(d.queueing(), Some(ms(5)));
    }
}
