//! A recorded rate, in the format of Mahimahi (Netravali et al. 2015): a time in milliseconds for
//! each opportunity to deliver 1500 bytes; the trace repeats after the last.
//!
//! An opportunity that a packet does not use up serves the packets that wait at that instant; the
//! rest of it is wasted. A packet larger than an opportunity takes as many opportunities as it
//! needs, and is sent with the last of them. The rate of the link itself is not used.

use std::sync::Arc;

use super::{AnyRate, RateProcess};
use crate::plugin::{InvalidValue, ModelKind, ModelParameter, ModelValues, ValueKind, list_items};
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};
use crate::units::Rate;

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::needed(
        "deliveries",
        ValueKind::List,
        "times in milliseconds at which the link delivers `bytes`, in order; the last is the length of a repetition. \"@uplink.trace\" reads a file of them, as Mahimahi has it",
    ),
    ModelParameter::new(
        "bytes",
        ValueKind::Count,
        "1500",
        "bytes delivered at each time",
    ),
];

/// Rate traces as a kind of rate process.
pub(super) fn kind() -> ModelKind<AnyRate> {
    ModelKind::new(
        "trace",
        "delivers at recorded times, over and over (the format of Mahimahi)",
        PARAMETERS,
        |values: &ModelValues| {
            let times: Arc<[u64]> = times(&values.list("deliveries"))?.into();
            let bytes = values.count_within("bytes", 1..=1_000_000, "Mahimahi has 1500")?;
            Ok(Arc::new(move || {
                AnyRate::custom(Trace::new(Arc::clone(&times), bytes))
            }))
        },
    )
}

/// Reads times in milliseconds, in order; the last greater than zero.
fn times(text: &str) -> Result<Vec<u64>, InvalidValue> {
    let wrong = |problem: String, advice| InvalidValue::new("deliveries", problem, advice);
    let mut all: Vec<u64> = Vec::new();
    for item in list_items(text) {
        let ms = item.parse::<u64>().map_err(|_| {
            let problem = format!("has {item:?}, which is not a whole number of milliseconds");
            wrong(problem, "write for example [0, 5, 5, 10]")
        })?;
        if let Some(last) = all.last().filter(|last| **last > ms) {
            let problem = format!("has {ms} after {last}");
            return Err(wrong(problem, "write the times in increasing order"));
        }
        all.push(ms);
    }
    match all.last() {
        Some(last) if (1..=MOST_MS).contains(last) => Ok(all),
        Some(last) => Err(wrong(
            format!("ends with {last}, and must end with 1 to {MOST_MS}"),
            "the last time is the length of a repetition in milliseconds",
        )),
        None => Err(wrong(
            "has no time in it".to_owned(),
            "write for example [0, 5, 5, 10]",
        )),
    }
}

/// The longest trace: ten days.
const MOST_MS: u64 = 864_000_000;

#[derive(Debug)]
struct Trace {
    /// Milliseconds, in order, at least one.
    times: Arc<[u64]>,
    bytes: u64,
    /// Repetition and place of the next opportunity.
    round: u64,
    next: usize,
    /// The last opportunity used, and how many of its bytes are left.
    used_at: SimTime,
    left: u64,
}

impl Trace {
    fn new(times: Arc<[u64]>, bytes: u64) -> Trace {
        Trace {
            times,
            bytes,
            round: 0,
            next: 0,
            used_at: SimTime::ZERO,
            left: 0,
        }
    }

    fn period_ms(&self) -> u64 {
        self.times.last().copied().unwrap_or(1).max(1)
    }

    fn next_at(&self) -> SimTime {
        let ms = self.round.saturating_mul(self.period_ms()) + self.times[self.next];
        SimTime::ZERO.saturating_add(SimDuration::from_millis(1).saturating_mul(ms))
    }

    fn advance(&mut self) {
        self.next += 1;
        if self.next == self.times.len() {
            (self.round, self.next) = (self.round + 1, 0);
        }
    }

    /// Skips the opportunities before `start`.
    fn skip_to(&mut self, start: SimTime) {
        if self.next_at() >= start {
            return;
        }
        let ms = start.as_ps().div_ceil(SimDuration::from_millis(1).as_ps());
        // An opportunity at the end of a repetition may also be found at the beginning of the next.
        let round = (ms.saturating_sub(1) / self.period_ms()).max(self.round);
        let within = ms - round * self.period_ms();
        let first = self.times.partition_point(|t| *t < within);
        if (round, first) > (self.round, self.next) {
            (self.round, self.next) = (round, first);
        }
        while self.next_at() < start {
            self.advance();
        }
    }
}

impl RateProcess for Trace {
    fn end_of_transmission(
        &mut self,
        start: SimTime,
        bytes: u32,
        _: Option<Rate>,
        _: &mut Rng,
    ) -> SimTime {
        if self.used_at != start {
            self.left = 0;
        }
        let mut needs = u64::from(bytes);
        let mut end = start;
        while needs > self.left {
            needs -= self.left;
            self.skip_to(start);
            end = self.next_at();
            self.left = self.bytes;
            self.advance();
        }
        self.left -= needs;
        self.used_at = end;
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SimTime {
        SimTime::ZERO.saturating_add(SimDuration::from_millis(ms))
    }

    fn trace(times: &str) -> AnyRate {
        kind().plugin(&[("deliveries", times)]).unwrap().build()
    }

    /// Ends of transmissions of `n` packets of `bytes` bytes that all arrive at `ms`.
    fn ends(trace: &mut AnyRate, ms: u64, bytes: u32, n: usize) -> Vec<u64> {
        let mut rng = Rng::stream(1, "trace", 0);
        let mut free = at(ms);
        (0..n)
            .map(|_| {
                free = trace.end_of_transmission(free, bytes, None, &mut rng);
                free.as_ps() / 1_000_000_000
            })
            .collect()
    }

    #[test]
    fn a_full_sized_packet_leaves_at_each_opportunity_of_every_repetition() {
        let mut link = trace("0 3 3 7 10");
        let all = ends(&mut link, 0, 1500, 12);
        assert_eq!(all, [0, 3, 3, 7, 10, 10, 13, 13, 17, 20, 20, 23]);
    }

    #[test]
    fn small_packets_share_an_opportunity_and_large_ones_take_several() {
        let mut link = trace("5, 10, 20");
        assert_eq!(ends(&mut link, 0, 500, 4), [5, 5, 5, 10]);
        // 1000 bytes are left at 10, but nothing waits then: they are lost.
        assert_eq!(ends(&mut link, 11, 1500, 1), [20]);
        let mut link = trace("5, 10, 20");
        assert_eq!(ends(&mut link, 0, 4000, 2), [20, 40]);
    }

    #[test]
    fn idle_time_of_any_length_is_skipped() {
        let mut link = trace("0 400 1000");
        assert_eq!(ends(&mut link, 0, 1500, 1), [0]);
        let late = 8_640_000_000;
        assert_eq!(
            ends(&mut link, late + 1, 1500, 3),
            [late + 400, late + 1000, late + 1000]
        );
        // Exactly at an opportunity, and where two repetitions meet and there are two
        // opportunities.
        assert_eq!(
            ends(&mut link, late + 2000, 1500, 3),
            [late + 2000, late + 2000, late + 2400]
        );
    }

    #[test]
    fn an_invalid_trace_is_refused() {
        for (text, part) in [
            ("", "no time"),
            ("5 3", "increasing order"),
            ("1 x", "whole number"),
            ("0 0", "must end with 1"),
        ] {
            let error = kind()
                .plugin(&[("deliveries", text)])
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
