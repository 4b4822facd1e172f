//! Detects a run that makes no progress: it handles event after event, but simulated time stands
//! still.
//!
//! Every link has a delay, so a packet cannot go round a loop in zero time; a host that keeps
//! setting its timer to now can. The check is made between batches and adds no cost per event.

use crate::simulation_error::SimulationError;
use crate::time::{SimDuration, SimTime};

/// Counts events since simulated time last advanced by [`StallGuard::STEP`].
#[derive(Debug)]
pub(crate) struct StallGuard {
    most: u64,
    since: SimTime,
    events: u64,
}

impl StallGuard {
    /// Time must advance by this much within the largest number of events.
    const STEP: SimDuration = SimDuration::from_micros(1);

    pub(crate) fn new(most: u64) -> StallGuard {
        StallGuard {
            most,
            since: SimTime::ZERO,
            events: 0,
        }
    }

    /// Checks a run that is at `now` after `events` events.
    pub(crate) fn check(&mut self, now: SimTime, events: u64) -> Result<(), SimulationError> {
        if now.since(self.since) >= StallGuard::STEP {
            (self.since, self.events) = (now, events);
        }
        let events = events - self.events;
        if events <= self.most {
            return Ok(());
        }
        let since = self.since;
        Err(SimulationError::NoProgress { since, events })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_events_are_fine_while_time_advances() {
        let mut guard = StallGuard::new(10);
        let at = |ns: u64| SimTime::from_ps(ns * 1000);
        for (ns, events, fine) in [
            (0, 10, true),
            (999, 10, true),
            (1000, 20, true),
            (1500, 30, true),
        ] {
            assert_eq!(guard.check(at(ns), events).is_ok(), fine, "{ns} ns");
        }
        assert!(guard.check(at(1999), 31).is_err());
    }
}
