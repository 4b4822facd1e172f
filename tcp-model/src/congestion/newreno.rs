//! Reno's window rules, RFC 5681; with [`crate::recovery`] they make NewReno (RFC 6582).

use sim_core::SimTime;

use super::{AckEvent, Congestion, CongestionControl};

/// Slow start, congestion avoidance, and halving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NewReno {
    cwnd: u64,
    /// `u64::MAX` before the first congestion.
    ssthresh: u64,
    /// Bytes acknowledged in congestion avoidance since the window last grew.
    credit: u64,
    mss: u32,
    /// Most segments by which one ACK may open the window in slow start (RFC 3465's L).
    slow_start_limit: Option<u32>,
}

impl NewReno {
    /// A controller; `slow_start_limit` is L of RFC 3465, `None` for no limit (Linux).
    pub fn new(slow_start_limit: Option<u32>) -> NewReno {
        NewReno {
            cwnd: 0,
            ssthresh: u64::MAX,
            credit: 0,
            mss: 1,
            slow_start_limit,
        }
    }
}

impl CongestionControl for NewReno {
    fn cwnd(&self) -> u64 {
        self.cwnd
    }

    fn ssthresh(&self) -> Option<u64> {
        (self.ssthresh != u64::MAX).then_some(self.ssthresh)
    }

    fn on_start(&mut self, mss: u32, initial_window: u64) {
        self.mss = mss.max(1);
        self.cwnd = initial_window;
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        if !ack.cwnd_limited {
            return; // RFC 9293 section 3.8.2 by way of RFC 7661: an unused window proves nothing
        }
        let mss = u64::from(self.mss);
        let mut acked = ack.acked;
        if self.cwnd < self.ssthresh {
            let limit = self
                .slow_start_limit
                .map_or(u64::MAX, |l| u64::from(l) * mss);
            let grown = (self.cwnd + acked.min(limit)).min(self.ssthresh.max(self.cwnd + 1));
            acked = acked.saturating_sub(grown - self.cwnd);
            self.cwnd = grown;
            if self.cwnd < self.ssthresh {
                return;
            }
        }
        // RFC 5681 section 3.1: one segment per window of acknowledged bytes.
        self.credit += acked;
        if self.credit >= self.cwnd {
            self.credit -= self.cwnd;
            self.cwnd += mss;
        }
    }

    fn on_congestion(&mut self, cause: Congestion, in_flight: u64, _now: SimTime) {
        let mss = u64::from(self.mss);
        // RFC 5681 equation 4; section 3.1: held constant when the same segment times out again.
        if cause != Congestion::RepeatedTimeout {
            self.ssthresh = (in_flight / 2).max(2 * mss);
        }
        self.credit = 0;
        self.cwnd = match cause {
            // RFC 3168 section 6.1.2: "essentially the same as" for a loss.
            Congestion::Loss | Congestion::Ecn => self.ssthresh,
            Congestion::Timeout | Congestion::RepeatedTimeout => mss, // the loss window
        };
    }

    fn on_mss(&mut self, mss: u32) {
        let (old, new) = (u64::from(self.mss), u64::from(mss.max(1)));
        self.cwnd = self.cwnd * new / old;
        if self.ssthresh != u64::MAX {
            self.ssthresh = (self.ssthresh * new / old).max(2 * new);
        }
        self.mss = mss.max(1);
    }

    fn on_recovery_exit(&mut self, in_flight: u64, _now: SimTime) {
        // RFC 6582 section 3.2 step 3, option 1: no burst when little is in flight.
        let mss = u64::from(self.mss);
        self.cwnd = self.ssthresh.min(in_flight.max(mss) + mss);
    }

    fn on_idle(&mut self, restart_window: u64) {
        self.cwnd = self.cwnd.min(restart_window);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::SimDuration;

    const MSS: u64 = 1000;

    fn ack(acked: u64) -> AckEvent {
        AckEvent {
            now: SimTime::ZERO,
            acked,
            in_flight: 0,
            cwnd_limited: true,
            srtt: Some(SimDuration::from_millis(100)),
        }
    }

    fn started(limit: Option<u32>) -> NewReno {
        let mut cc = NewReno::new(limit);
        cc.on_start(MSS as u32, 10 * MSS);
        cc
    }

    #[test]
    fn slow_start_grows_by_what_is_acknowledged_up_to_its_limit() {
        for (limit, acked, cwnd) in [
            (None, 4, 14),
            (Some(1), 4, 11),
            (Some(2), 4, 12),
            (None, 1, 11),
        ] {
            let mut cc = started(limit);
            cc.on_ack(&ack(acked * MSS));
            assert_eq!(cc.cwnd(), cwnd * MSS, "{limit:?} {acked}");
        }
    }

    #[test]
    fn congestion_avoidance_adds_one_segment_a_window() {
        let mut cc = started(None);
        cc.on_congestion(Congestion::Loss, 20 * MSS, SimTime::ZERO);
        assert_eq!((cc.cwnd(), cc.ssthresh()), (10 * MSS, Some(10 * MSS)));
        (0..10).for_each(|_| cc.on_ack(&ack(MSS)));
        assert_eq!(cc.cwnd(), 11 * MSS);
    }

    #[test]
    fn a_time_out_shrinks_to_the_loss_window_and_keeps_ssthresh_when_repeated() {
        let mut cc = started(None);
        cc.on_congestion(Congestion::Timeout, 10 * MSS, SimTime::ZERO);
        assert_eq!((cc.cwnd(), cc.ssthresh()), (MSS, Some(5 * MSS)));
        cc.on_congestion(Congestion::RepeatedTimeout, MSS, SimTime::ZERO);
        assert_eq!((cc.cwnd(), cc.ssthresh()), (MSS, Some(5 * MSS)));
        cc.on_ack(&ack(8 * MSS)); // four to the threshold, the rest counts towards avoidance
        assert_eq!(cc.cwnd(), 5 * MSS);
    }

    #[test]
    fn an_unused_window_does_not_grow() {
        let mut cc = started(None);
        cc.on_ack(&AckEvent {
            cwnd_limited: false,
            ..ack(MSS)
        });
        assert_eq!(cc.cwnd(), 10 * MSS);
    }
}
