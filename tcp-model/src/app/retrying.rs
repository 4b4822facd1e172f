//! When a client tries again: back-off with jitter, and a budget.

use sim_core::{Rng, SimTime};

use super::draws::seconds;
use super::origins::record_end;
use super::per_socket::CONNECTION;
use super::spec::Retries;
use crate::host::SocketCx;
use crate::sample::{AfterFailure, ExchangeResult, RetrySample, TcpSample};

/// Wake token: another attempt, whose place is in the bits above these. Applications that retry
/// use smaller tokens for their own wakes.
const ATTEMPT: u64 = 2;
const ATTEMPT_SHIFT: u32 = 8;

/// An attempt at an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// Its number, from 0.
    pub(super) number: u32,
    /// When the exchange was wanted.
    pub(super) wanted: SimTime,
}

/// Decides about further attempts of the exchanges of a client.
#[derive(Debug)]
pub(super) struct Retrying {
    spec: Retries,
    /// Exchanges begun.
    begun: u64,
    /// Further attempts.
    made: u64,
    /// Attempts that are yet to be made, by place, and the free places.
    later: Vec<Option<Attempt>>,
    free: Vec<u32>,
}

impl Retrying {
    pub(super) fn new(spec: Retries) -> Retrying {
        Retrying {
            spec,
            begun: 0,
            made: 0,
            later: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Notes that an exchange begins.
    pub(super) fn begin(&mut self) {
        self.begun += 1;
    }

    /// Handles the failure of an attempt: requests a wake for the next one, or returns false if that
    /// was the last: the exchange has then failed. The decision is recorded for clients that may try again.
    pub(super) fn retry(
        &mut self,
        attempt: Attempt,
        rng: &mut Rng,
        socket: &mut SocketCx<'_, '_>,
    ) -> bool {
        let then = self.decide(attempt.number, rng);
        if self.spec.max > 0 {
            let attempt = attempt.number;
            socket.record(TcpSample::Retry(RetrySample::Failed { attempt, then }));
        }
        let AfterFailure::Again(wait) = then else {
            record_end(attempt.wanted, ExchangeResult::Failed, socket);
            return false;
        };
        let place = self.free.pop().unwrap_or_else(|| {
            self.later.push(None);
            self.later.len() as u32 - 1
        });
        self.later[place as usize] = Some(Attempt {
            number: attempt.number + 1,
            ..attempt
        });
        let token = ATTEMPT | u64::from(place) << ATTEMPT_SHIFT;
        socket.wake(socket.now().saturating_add(wait), token);
        true
    }

    /// Takes the attempt that a wake token is for, if it is for one.
    pub(super) fn due(&mut self, token: u64) -> Option<Attempt> {
        if token & 0xff != ATTEMPT || token & CONNECTION != 0 {
            return None;
        }
        let place = (token >> ATTEMPT_SHIFT) as usize;
        let attempt = self.later.get_mut(place)?.take()?;
        self.free.push(place as u32);
        Some(attempt)
    }

    /// Records the number of exchanges begun, and those between two attempts, when the run ends or the
    /// host goes down.
    pub(super) fn on_cut_off(&self, socket: &mut SocketCx<'_, '_>) {
        if self.spec.max > 0 {
            socket.record(TcpSample::Retry(RetrySample::Begun(self.begun)));
        }
        for attempt in self.later.iter().flatten() {
            record_end(attempt.wanted, ExchangeResult::Pending, socket);
        }
    }

    fn decide(&mut self, attempt: u32, rng: &mut Rng) -> AfterFailure {
        if attempt >= self.spec.max {
            return AfterFailure::LastAttempt;
        }
        let allowed = |budget: f64| (self.made + 1) as f64 <= budget * self.begun as f64;
        if !self.spec.budget.is_none_or(allowed) {
            return AfterFailure::NoBudget;
        }
        self.made += 1;
        let longest = self.spec.max_backoff.as_secs_f64();
        let grown = libm::pow(self.spec.factor, f64::from(attempt));
        let wait = (self.spec.backoff.as_secs_f64() * grown).min(longest);
        let drawn = if self.spec.jitter > 0.0 {
            rng.uniform()
        } else {
            0.0
        };
        AfterFailure::Again(seconds(wait * (1.0 - self.spec.jitter * drawn)))
    }
}

#[cfg(test)]
mod tests {
    use sim_core::SimDuration;

    use super::*;

    /// The wait after a failed attempt, if another follows.
    fn wait(retrying: &mut Retrying, attempt: u32, rng: &mut Rng) -> Option<SimDuration> {
        match retrying.decide(attempt, rng) {
            AfterFailure::Again(wait) => Some(wait),
            _ => None,
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut retrying = Retrying::new(Retries {
            max: 5,
            backoff: SimDuration::from_millis(100),
            max_backoff: SimDuration::from_millis(500),
            jitter: 0.0,
            ..Retries::default()
        });
        let mut rng = Rng::stream(1, "retries", 0);
        let waits: Vec<f64> = (0..6)
            .map_while(|attempt| wait(&mut retrying, attempt, &mut rng))
            .map(|wait| wait.as_secs_f64())
            .collect();
        assert_eq!(waits, [0.1, 0.2, 0.4, 0.5, 0.5]);
    }

    #[test]
    fn jitter_takes_away_its_share_at_most() {
        let mut retrying = Retrying::new(Retries {
            max: 1,
            backoff: SimDuration::from_secs(1),
            jitter: 0.25,
            ..Retries::default()
        });
        let mut rng = Rng::stream(1, "retries", 0);
        let waits: Vec<f64> = (0..2000)
            .filter_map(|_| wait(&mut retrying, 0, &mut rng))
            .map(|wait| wait.as_secs_f64())
            .collect();
        assert!(waits.iter().all(|w| (0.75..=1.0).contains(w)));
        let mean = waits.iter().sum::<f64>() / 2000.0;
        assert!((mean - 0.875).abs() < 0.01, "{mean}");
    }

    #[test]
    fn a_budget_bounds_the_attempts_of_all_exchanges_together() {
        let mut retrying = Retrying::new(Retries {
            max: 10,
            budget: Some(0.2),
            ..Retries::default()
        });
        let mut rng = Rng::stream(1, "retries", 0);
        let mut made = 0;
        for _ in 0..100 {
            retrying.begin();
            let waits = (0..10).map_while(|attempt| wait(&mut retrying, attempt, &mut rng));
            made += waits.count();
        }
        assert_eq!(made, 20);
        assert_eq!(retrying.decide(0, &mut rng), AfterFailure::NoBudget);
        assert_eq!(retrying.decide(10, &mut rng), AfterFailure::LastAttempt);
    }
}
