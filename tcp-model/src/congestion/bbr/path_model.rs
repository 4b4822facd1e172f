//! BBR's model of the path: the largest delivery rate, whether the pipe is full, and ACK aggregation.

use sim_core::SimTime;

use super::Bbr;
use super::policer::PolicerEvidence;
use crate::congestion::{AckEvent, RateSample};

/// The pipe is full if the rate grows by less than this for this many round trips.
const FULL_GROWTH: f64 = 1.25;
const FULL_ROUNDS: u32 = 3;

/// Window in which ACK aggregation is measured, round trips.
const EXTRA_ROUNDS: u32 = 5;

/// The degree of ACK aggregation: bytes acknowledged in excess of the rate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AckAggregation {
    pub(super) since: SimTime,
    pub(super) acked: u64,
    /// Largest excess of two windows of round trips.
    pub(super) extra: [u64; 2],
    rounds: u32,
}

impl Bbr {
    /// `timed_out`: the losses are those of a time-out, which are known already.
    pub(super) fn take_sample(&mut self, sample: &RateSample, ack: &AckEvent, timed_out: bool) {
        self.delivered = sample.total;
        self.delivered_at = ack.now;
        if sample.prior_delivered >= self.next_round {
            self.next_round = sample.total;
            self.rounds += 1;
            self.round_start = true;
            self.conserves = false;
        }
        let rate = sample.delivered as f64 / sample.interval.as_secs_f64();
        let limited = sample.app_limited || sample.prior_delivered < self.little_until;
        self.watch_for_policer(&PolicerEvidence {
            now: ack.now,
            losses: ack.lost > 0 && !timed_out,
            limited,
        });
        if !limited || rate >= self.bandwidth.get() {
            self.bandwidth
                .update(self.window_rounds.into(), self.rounds, rate);
        }
        if self.round_start && !limited {
            self.check_full();
        }
    }

    fn check_full(&mut self) {
        if self.full {
            return;
        }
        if self.bandwidth.get() >= self.full_bandwidth * FULL_GROWTH {
            (self.full_bandwidth, self.full_rounds) = (self.bandwidth.get(), 0);
            return;
        }
        self.full_rounds += 1;
        self.full = self.full_rounds >= FULL_ROUNDS;
    }

    pub(super) fn measure_aggregation(&mut self, ack: &AckEvent) {
        if self.round_start {
            let a = &mut self.aggregation;
            a.rounds += 1;
            if a.rounds >= EXTRA_ROUNDS {
                (a.rounds, a.extra) = (0, [0, a.extra[0]]);
            }
        }
        let rate = self.path_rate();
        let a = &mut self.aggregation;
        let mut expected = rate * ack.now.since(a.since).as_secs_f64();
        if a.acked as f64 <= expected {
            (a.acked, a.since, expected) = (0, ack.now, 0.0);
        }
        a.acked += ack.delivered;
        let extra = (a.acked as f64 - expected).max(0.0) as u64;
        a.extra[0] = a.extra[0].max(extra.min(self.cwnd));
    }
}
