//! The start of fast recovery, and how PRR reduces the window in it.

use sim_core::SimTime;

use super::Connection;
use super::measure::BeforeAck;
use crate::congestion::{Congestion, CongestionControl, CongestionEvent};
use crate::model::Outputs;
use crate::recovery::{Prr, PrrAck};
use crate::resend_rule::RetransmitReason;

impl Connection {
    /// FlightSize for the reaction to loss. While recovery sends new data past SACKed data, outstanding
    /// data exceed the window; the window is then the load on the path. Linux always uses the window.
    pub(super) fn flight_size(&self) -> u64 {
        if self.params.linux_cwnd {
            return self.cc.cwnd();
        }
        u64::from(self.snd.flight()).min(self.cc.cwnd())
    }

    /// Counts a duplicate ACK; `tell` passes it to the congestion control before recovery begins.
    #[inline]
    pub(super) fn on_duplicate_ack(
        &mut self,
        now: SimTime,
        out: &mut Outputs,
        tell: impl FnOnce(&mut Connection),
    ) {
        let outstanding = self.outstanding();
        let lost = self.lost_so_far();
        let loss = self.recovery.on_duplicate_ack(&outstanding);
        self.count_lost(lost);
        tell(self);
        if !self.recovery.uses_rack()
            && loss
            && self.recovery.may_enter(&outstanding, self.recovered_before)
        {
            self.begin_recovery(now, out);
        }
    }

    /// Starts fast recovery after a loss.
    pub(super) fn begin_recovery(&mut self, now: SimTime, out: &mut Outputs) {
        if self.params.mtu_probing > 0 && self.forgives_mtu_probe() {
            return;
        }
        let outstanding = self.outstanding();
        let reduces_already = self.recovery.is_reducing_for_ecn();
        // RFC 5681 section 3.2 steps 2 and 3
        let in_flight = self.flight_size();
        let lost = self.lost_so_far();
        self.remember_window();
        self.recovery.enter_fast(&outstanding);
        self.count_lost(lost);
        self.recovered_before = true;
        self.counts.fast_recoveries += 1;
        if reduces_already {
            return; // RFC 3168 section 6.1.2: once per window of data, for marks and losses together
        }
        self.note_reduction();
        let pipe = self.pipe();
        self.cc.on_congestion(&CongestionEvent {
            cause: Congestion::Loss,
            now,
            in_flight,
            pipe,
            gentle: false,
            whole: self.params.linux_cwnd,
        });
        if self.cc.governs_recovery() {
            // The control has not yet set the window for what the ACK shows.
            self.loss_reason = RetransmitReason::DuplicateAcks;
            return;
        }
        if self.params.prr {
            let ssthresh = self.cc.ssthresh().unwrap_or(u64::MAX);
            let window = pipe + u64::from(self.snd.mss);
            self.recovery.episode_mut().prr = Some(Prr::new(in_flight, ssthresh, window));
        } else {
            self.retransmit_holes(Some(RetransmitReason::DuplicateAcks), now, out);
        }
    }

    /// Starts a PRR reduction when a timer began recovery: no ACK allows sending, so the first segment may
    /// leave.
    pub(super) fn begin_reduction(&mut self) {
        let outstanding = self.outstanding();
        let (in_flight, mss) = (self.recovery.pipe(&outstanding), self.snd.mss);
        if let Some(prr) = self.recovery.prr_mut()
            && prr.has_not_begun()
        {
            prr.on_ack(&PrrAck {
                delivered: mss.into(),
                in_flight: in_flight.into(),
                safe: false,
                mss: mss.into(),
            });
        }
    }

    /// Applies PRR once an ACK in fast recovery is processed; `acked`: payload bytes.
    #[inline(always)]
    pub(super) fn reduce_in_proportion(&mut self, acked: u64, before: &BeforeAck) {
        if self.recovery.prr_mut().is_some() {
            self.reduce_by_prr(acked, before);
        }
    }

    #[inline(never)]
    pub(super) fn reduce_by_prr(&mut self, acked: u64, before: &BeforeAck) {
        let outstanding = self.outstanding();
        let delivered = self.newly_arrived(acked, before);
        let lost = self.recovery.lost(&outstanding);
        let progress = PrrAck {
            delivered,
            in_flight: self.recovery.pipe(&outstanding).into(),
            safe: acked > 0 && lost <= before.lost,
            mss: self.snd.mss.into(),
        };
        if let Some(prr) = self.recovery.prr_mut() {
            prr.on_ack(&progress);
        }
        if self.reduction_is_over() {
            self.recovery.end_ecn_reduction();
        }
    }
}
