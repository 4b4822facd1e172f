//! Limits the challenge ACKs of a host over all its connections (RFC 5961 section 7, Linux
//! `tcp_challenge_ack_limit`).

use sim_core::{SimDuration, SimTime};

/// The number of challenge ACKs sent in the current second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChallengeBudget {
    second: u64,
    sent: u32,
}

impl ChallengeBudget {
    /// True when one more may be sent; counts it.
    pub(super) fn take(&mut self, limit: u32, now: SimTime) -> bool {
        let second = now.as_ps() / SimDuration::from_secs(1).as_ps();
        if second != self.second {
            *self = ChallengeBudget { second, sent: 0 };
        }
        let free = self.sent < limit;
        self.sent += u32::from(free);
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_own_budget() {
        let at = |ms: u64| SimTime::ZERO + SimDuration::from_millis(ms);
        let mut budget = ChallengeBudget::default();
        let taken: Vec<bool> = [0, 1, 999, 1000, 1500, 1999, 5000]
            .map(|ms| budget.take(2, at(ms)))
            .to_vec();
        assert_eq!(taken, [true, true, false, true, true, false, true]);
        assert!(!budget.take(0, at(9000)));
    }
}
