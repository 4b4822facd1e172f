//! Reno's window rules, RFC 5681; with [`crate::recovery`] they make NewReno (RFC 6582).

use std::num::NonZeroU32;

use sim_core::SimTime;

use super::{
    AckEvent, AfterIdle, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent,
    ConnectionStart, SpuriousCongestion,
};
use crate::recovery::RecoveryPhase;

/// `newreno`.
pub(super) static ALGORITHM: Algorithm = Algorithm {
    name: "newreno",
    aliases: &["reno"],
    doc: "slow start, then a segment more each round trip, and half after a loss",
    source: "RFC 5681, RFC 6582",
    version: 1,
    parameters: &[],
    make: |_, context| AnyCc::NewReno(NewReno::new(context.slow_start_limit)),
};

/// Slow start, congestion avoidance, and halving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NewReno {
    cwnd: u64,
    /// `u64::MAX` before the first congestion.
    ssthresh: u64,
    /// Bytes acknowledged in congestion avoidance since the window last grew.
    credit: u64,
    mss: NonZeroU32,
    /// Maximum number of segments by which one ACK may increase the window in slow start (L of RFC
    /// 3465), if that is limited.
    slow_start_limit: u16,
    limited: bool,
}

impl NewReno {
    /// A controller; `slow_start_limit` is L of RFC 3465, `None` for no limit (Linux).
    pub fn new(slow_start_limit: Option<u32>) -> NewReno {
        NewReno {
            cwnd: 0,
            ssthresh: u64::MAX,
            credit: 0,
            mss: NonZeroU32::MIN,
            slow_start_limit: slow_start_limit.map_or(0, |l| l.min(u16::MAX.into()) as u16),
            limited: slow_start_limit.is_some(),
        }
    }

    /// [`CongestionControl::on_ack`] with the relevant fields of the ACK: payload bytes newly acknowledged, the phase
    /// before it, and whether the window limited the sender.
    #[inline]
    pub(crate) fn on_acked(&mut self, acked: u64, phase: RecoveryPhase, cwnd_limited: bool) {
        if phase == RecoveryPhase::Fast || acked == 0 {
            return;
        }
        if !cwnd_limited {
            return; // RFC 9293 section 3.8.2 by way of RFC 7661: an unused window proves nothing
        }
        let mss = u64::from(self.mss.get());
        let mut acked = acked;
        if self.cwnd < self.ssthresh {
            let mut opens = acked;
            if self.limited {
                opens = acked.min(u64::from(self.slow_start_limit) * mss);
            }
            let grown = (self.cwnd + opens).min(self.ssthresh.max(self.cwnd + 1));
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
}

impl CongestionControl for NewReno {
    fn cwnd(&self) -> u64 {
        self.cwnd
    }

    fn ssthresh(&self) -> Option<u64> {
        (self.ssthresh != u64::MAX).then_some(self.ssthresh)
    }

    fn needs_measurements(&self) -> bool {
        false
    }

    fn on_start(&mut self, start: &ConnectionStart) {
        self.mss = NonZeroU32::new(start.mss).unwrap_or(NonZeroU32::MIN);
        self.cwnd = start.initial_window;
    }

    fn on_ack(&mut self, ack: &AckEvent) {
        self.on_acked(ack.acked, ack.phase, ack.cwnd_limited);
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let mss = u64::from(self.mss.get());
        let CongestionEvent {
            cause, in_flight, ..
        } = *event;
        // RFC 5681 equation 4; section 3.1: held constant when the same segment times out again.
        if cause != Congestion::RepeatedTimeout {
            let kept = match event.gentle {
                true => in_flight / 5 * 4, // RFC 8511 section 3.1
                false => in_flight / 2,
            };
            let kept = if event.whole { kept - kept % mss } else { kept };
            self.ssthresh = kept.max(2 * mss);
        }
        self.credit = 0;
        self.cwnd = match cause {
            // RFC 3168 section 6.1.2: "essentially the same as" for a loss.
            Congestion::Loss | Congestion::Ecn => self.ssthresh,
            Congestion::Timeout | Congestion::RepeatedTimeout => mss, // the loss window
        };
    }

    fn on_mss(&mut self, mss: u32) {
        let (old, new) = (u64::from(self.mss.get()), u64::from(mss.max(1)));
        self.cwnd = self.cwnd * new / old;
        if self.ssthresh != u64::MAX {
            self.ssthresh = (self.ssthresh * new / old).max(2 * new);
        }
        self.mss = NonZeroU32::new(mss).unwrap_or(NonZeroU32::MIN);
    }

    fn on_larger_mss(&mut self, mss: u32, window: u64) {
        self.on_mss(mss);
        self.cwnd = window;
    }

    fn on_recovery_exit(&mut self, in_flight: u64, _now: SimTime) {
        // RFC 6582 section 3.2 step 3, option 1: no burst when little is in flight.
        let mss = u64::from(self.mss.get());
        self.cwnd = self.ssthresh.min(in_flight.max(mss) + mss);
    }

    fn on_undo(&mut self, restored: &SpuriousCongestion) {
        self.cwnd = self.cwnd.max(restored.cwnd);
        self.ssthresh = self.ssthresh.max(restored.ssthresh.unwrap_or(u64::MAX));
    }

    fn on_idle(&mut self, idle: &AfterIdle) {
        self.cwnd = self.cwnd.min(idle.restart_window.unwrap_or(u64::MAX));
    }
}

// There is no room for more in a connection's slot in its host.
const _: () = assert!(size_of::<super::AnyCc>() == 32);

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u64 = 1000;

    fn ack(acked: u64) -> AckEvent {
        AckEvent::plain(SimTime::ZERO, acked)
    }

    fn congestion(cause: Congestion, in_flight: u64) -> CongestionEvent {
        CongestionEvent {
            cause,
            now: SimTime::ZERO,
            in_flight,
            pipe: in_flight,
            gentle: false,
            whole: false,
        }
    }

    fn started(limit: Option<u32>) -> NewReno {
        let mut cc = NewReno::new(limit);
        cc.on_start(&ConnectionStart {
            mss: MSS as u32,
            initial_window: 10 * MSS,
            srtt: None,
        });
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
        cc.on_congestion(&congestion(Congestion::Loss, 20 * MSS));
        assert_eq!((cc.cwnd(), cc.ssthresh()), (10 * MSS, Some(10 * MSS)));
        (0..10).for_each(|_| cc.on_ack(&ack(MSS)));
        assert_eq!(cc.cwnd(), 11 * MSS);
    }

    #[test]
    fn a_time_out_shrinks_to_the_loss_window_and_keeps_ssthresh_when_repeated() {
        let mut cc = started(None);
        cc.on_congestion(&congestion(Congestion::Timeout, 10 * MSS));
        assert_eq!((cc.cwnd(), cc.ssthresh()), (MSS, Some(5 * MSS)));
        cc.on_congestion(&congestion(Congestion::RepeatedTimeout, MSS));
        assert_eq!((cc.cwnd(), cc.ssthresh()), (MSS, Some(5 * MSS)));
        cc.on_ack(&ack(8 * MSS)); // four to the threshold, the rest counts towards avoidance
        assert_eq!(cc.cwnd(), 5 * MSS);
    }

    #[test]
    fn a_mark_costs_a_fifth_where_alternative_back_off_is_on() {
        for (gentle, cwnd) in [(false, 5 * MSS), (true, 8 * MSS)] {
            let mut cc = started(None);
            cc.on_congestion(&CongestionEvent {
                gentle,
                ..congestion(Congestion::Ecn, 10 * MSS)
            });
            assert_eq!(cc.cwnd(), cwnd);
        }
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
