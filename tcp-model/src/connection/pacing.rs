//! Pacing: the rate, and the earliest time for the next segment.

use sim_core::{Rate, SimDuration, SimTime};

use super::Connection;
use super::measure::Measure;
use crate::congestion::CongestionControl;

impl Connection {
    /// The pacing rate: the congestion control's, otherwise by the parameters with Linux's rule: a multiple
    /// of the window, or of the data in flight if larger, per round-trip time; the multiple changes at half
    /// of the slow-start threshold.
    pub(super) fn pacing_rate(&self) -> Option<Rate> {
        let own = self.cc.pacing_rate();
        let most = self.params.max_pacing_rate.map(u64::from);
        let most = most.and_then(|bytes| Rate::from_bps(bytes * 8));
        let rate = match own {
            None if self.is_paced() => self.usual_rate(),
            own => own,
        };
        match (rate, most) {
            (Some(rate), Some(most)) => Some(rate.min(most)),
            (rate, most) => rate.or(most),
        }
    }

    /// Whether the parameters enable pacing.
    pub(super) fn is_paced(&self) -> bool {
        self.params.pacing || self.params.max_pacing_rate.is_some()
    }

    /// The rate by the parameters, once there is a round-trip time.
    pub(super) fn usual_rate(&self) -> Option<Rate> {
        let srtt = u128::from(self.rtt.srtt()?.as_ps().max(1));
        let cwnd = self.window();
        let percent = match self.cc.ssthresh() {
            Some(threshold) if cwnd >= threshold / 2 => self.params.pacing_ca_ratio,
            _ => self.params.pacing_ss_ratio,
        };
        let window = u128::from(cwnd.max(self.snd.flight().into()));
        let bits = window * 8 * u128::from(percent) * 10_000_000_000 / srtt;
        Rate::from_bps(u64::try_from(bits).unwrap_or(u64::MAX))
    }

    /// True when it is too early for the next segment; the connection then wakes at the right time.
    #[inline]
    pub(super) fn waits_for_pace(&mut self, now: SimTime) -> bool {
        match self.measure_mut() {
            Some(measure) => {
                measure.waiting = measure.next_send > now;
                measure.waiting
            }
            None => false,
        }
    }

    /// When the waiting segment may leave.
    #[inline]
    pub(super) fn pace_timeout(&self) -> SimTime {
        match self.measure() {
            Some(measure) if measure.waiting => measure.next_send,
            _ => SimTime::MAX,
        }
    }

    /// True when a waiting segment may leave now.
    pub(super) fn pace_is_due(&mut self, now: SimTime) -> bool {
        let due = self.pace_timeout() <= now;
        if due && let Some(measure) = self.measure_mut() {
            measure.waiting = false;
        }
        due
    }
}

impl Measure {
    /// Sets the earliest time for the next segment once `octets` leave at `now`. The first segments of a connection
    /// are not paced (`unpaced`); a burst that began late `makes_up` for it.
    pub(super) fn pace(
        &mut self,
        octets: u32,
        rate: Option<Rate>,
        (unpaced, makes_up): (u32, bool),
        now: SimTime,
    ) {
        self.departed = self.departed.saturating_add(1);
        if self.next_send <= now {
            self.late = now.since(self.next_send);
            self.next_send = now;
        }
        let Some(rate) = rate.filter(|_| self.departed >= unpaced) else {
            return;
        };
        let spacing = rate.transmission_time(octets.into());
        let made_up = match makes_up {
            true => self.late.min(spacing / 2),
            false => SimDuration::ZERO,
        };
        self.late = self.late - made_up;
        self.next_send = self.next_send.saturating_add(spacing - made_up);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_burst_shortens_the_wait_for_the_next_by_half_at_most() {
        let us = |n: u64| SimTime::ZERO + SimDuration::from_micros(n);
        // 1000 octets take 1 ms at 8 Mbit/s.
        for (makes_up, late, next) in [
            (true, 0, 1000),
            (true, 100, 1000),
            (true, 10_000, 10_500),
            (false, 100, 1100),
            (false, 10_000, 11_000),
        ] {
            let mut measure = Measure {
                next_send: us(5000),
                ..Measure::default()
            };
            measure.pace(
                1000,
                Rate::from_bps(8_000_000),
                (0, makes_up),
                us(5000 + late),
            );
            assert_eq!(measure.next_send, us(5000 + next), "{makes_up} {late}");
        }
    }
}
