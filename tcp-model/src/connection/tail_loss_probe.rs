//! The retransmission timer as shared by RACK-TLP (RFC 8985): it runs for a tail loss probe, for the
//! reordering window, or for the retransmission time-out.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use crate::congestion::{Congestion, CongestionControl, CongestionEvent};
use crate::model::Outputs;
use crate::recovery::{Probe, RecoveryPhase};
use crate::resend_rule::RetransmitReason;
use crate::segment::Segment;
use crate::state::State;

/// The purpose of the running retransmission timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// The retransmission time-out.
    Retransmit,
    /// A tail loss probe.
    Probe,
    /// The end of the reordering window.
    Reordering,
}

/// Margin added to probe time-outs with several segments outstanding, whose ACK is not delayed long, and to
/// the reordering window (Linux `TCP_TIMEOUT_MIN_US`).
const SLACK: SimDuration = SimDuration::from_millis(2);

impl Connection {
    /// Whether sent data are logged: RACK or tail loss probes need it.
    pub(super) fn keeps_log(&self) -> bool {
        self.params.rack || self.params.tail_loss_probe
    }

    fn probes(&self) -> bool {
        // Before the handshake is complete, the SYN-ACK may be lost instead.
        let open = self.state != State::SynReceived;
        self.params.tail_loss_probe && self.rcv.sack_ok && open
    }

    /// Restarts the probe time-out after sending new data, or the retransmission time-out unless it
    /// is running.
    pub(super) fn arm_after_sending(&mut self, now: SimTime) {
        if !self.params.tail_loss_probe || !self.probes() {
            self.arm_rto(now);
        } else {
            self.arm_probe(now);
        }
    }

    #[inline(never)]
    fn arm_probe(&mut self, now: SimTime) {
        let idle = self.timers.rto == SimTime::MAX;
        if idle || self.timers.purpose == Purpose::Probe {
            self.rearm_rto(now);
        }
        self.schedule_probe(false, now);
    }

    /// The same after an acknowledgement; stops the timer when nothing is outstanding.
    #[inline(never)]
    pub(super) fn restart_transmit_timer(&mut self, now: SimTime) {
        self.timers.retries = 0;
        if self.snd.flight() == 0 || self.snd.probing {
            self.timers.rto = SimTime::MAX;
        } else if !self.probes() {
            self.timers.rto = SimTime::MAX;
            self.arm_rto(now);
        } else if !self.schedule_probe(true, now) {
            self.rearm_rto(now);
        }
    }

    /// Arms the retransmission time-out; if the timer ran for a shorter one, this expires when it
    /// would have otherwise.
    fn rearm_rto(&mut self, now: SimTime) {
        let running = self.timers.rto != SimTime::MAX;
        let wait = if running && self.timers.purpose != Purpose::Retransmit {
            self.until_rto(now)
        } else {
            self.rtt.rto()
        };
        self.timers.rto = self.expiry(now, wait);
        self.timers.purpose = Purpose::Retransmit;
        if self.timers.retries == 0 {
            self.timers.first_sent = now;
        }
    }

    /// Restarts the time-out when the first outstanding segment is retransmitted, as RFC 6675 section 6
    /// allows and Linux does; not during the reordering window.
    pub(super) fn restart_rto_for_head(&mut self, now: SimTime) {
        let running = self.timers.rto != SimTime::MAX;
        if running && self.timers.purpose == Purpose::Reordering {
            return;
        }
        self.timers.rto = self.expiry(now, self.rto_within_limit(now));
        self.timers.purpose = Purpose::Retransmit;
    }

    /// Restarts the time-out if a SACK gave an RTT sample longer than the age of the first outstanding
    /// segment, i.e. it reports data sent before that (Linux `tcp_clean_rtx_queue`).
    pub(super) fn restart_rto_for_sack(&mut self, rtt: Option<SimDuration>, now: SimTime) {
        let head = self.recovery.log().and_then(|log| log.head_sent());
        if let (true, Some(rtt), Some(head)) = (self.params.linux_rto, rtt, head)
            && rtt > now.since(head)
        {
            self.rearm_rto(now);
        }
    }

    /// The peer seems to have dropped SACKed data: waits half a round trip to be sure (Linux
    /// `tcp_check_sack_reneging`).
    pub(super) fn wait_for_reneged(&mut self, now: SimTime) {
        let half = self.rtt.srtt().unwrap_or_default() / 2;
        self.timers.rto = self.expiry(now, half.max(SimDuration::from_millis(10)));
        self.timers.purpose = Purpose::Retransmit;
        (self.timers.retries, self.timers.first_sent) = (0, now);
    }

    /// Time until the first outstanding segment times out.
    fn until_rto(&self, now: SimTime) -> SimDuration {
        let sent = self.recovery.log().and_then(|log| log.head_sent());
        let due = sent.unwrap_or(now).saturating_add(self.rtt.rto());
        due.since(now)
    }

    /// RFC 8985 section 7.2: PTO = 2 SRTT, and time for a delayed ACK when a single segment is outstanding;
    /// never beyond the retransmission time-out. Only while no loss is suspected.
    ///
    /// Deviation: as on Linux, the allowance for a delayed ACK is the minimum time-out.
    fn schedule_probe(&mut self, advancing: bool, now: SimTime) -> bool {
        let Some(log) = self.recovery.log() else {
            return false;
        };
        if !self.probes() || log.is_empty() || !self.recovery.is_calm() {
            return false;
        }
        let wait = match self.rtt.srtt() {
            None => self.params.initial_rto,
            Some(srtt) if log.len() == 1 => srtt * 2 + self.params.min_rto,
            Some(srtt) => srtt * 2 + SLACK,
        };
        let before = if advancing {
            self.rtt.rto()
        } else {
            self.until_rto(now)
        };
        let timers = self.params.timers;
        let mut wait = timers.round_up(wait);
        if before > SimDuration::ZERO {
            wait = wait.min(timers.round_up(before));
        }
        self.timers.rto = self.expiry(now, wait);
        self.timers.purpose = Purpose::Probe;
        true
    }

    /// RFC 8985 section 7.3: sends a new segment if there is one and the peer's window allows, otherwise
    /// the last one again; after one probe comes the retransmission time-out.
    pub(super) fn on_probe_timeout(&mut self, now: SimTime, out: &mut Outputs) {
        let under_way = self.recovery.log().is_none_or(|log| log.probe.is_some());
        if !under_way {
            let resent = !self.send_one_more(now, out);
            if resent {
                self.resend_tail(now, out);
            }
            let end = self.snd.nxt;
            if let Some(log) = self.recovery.log_mut() {
                log.probe = Some(Probe { end, resent });
            }
        }
        self.timers.rto = SimTime::MAX;
        self.rearm_rto(now);
    }

    fn resend_tail(&mut self, now: SimTime, out: &mut Outputs) {
        let Some((start, end)) = self.recovery.log().and_then(|log| log.tail()) else {
            return;
        };
        let why = Some(RetransmitReason::TailLossProbe);
        let sent = self.send_range(start, end.offset_from(start), why, now, out);
        self.recovery.on_retransmitted(start, start + sent, now);
    }

    /// RFC 8985 section 7.4: judges the probe by an acknowledgement. A loss repaired only by the probe is
    /// congestion too.
    #[inline(always)]
    pub(super) fn judge_probe(
        &mut self,
        seg: &Segment,
        advanced: bool,
        sacked: bool,
        now: SimTime,
    ) {
        if let Some(probe) = self.recovery.log().and_then(|log| log.probe) {
            self.judge_outstanding_probe(probe, seg, advanced || sacked, now);
        }
    }

    /// `news`: the acknowledgement is for new data, or reports data beyond a gap.
    #[inline(never)]
    fn judge_outstanding_probe(&mut self, probe: Probe, seg: &Segment, news: bool, now: SimTime) {
        if seg.ack.before(probe.end) {
            return;
        }
        let duplicate = self.reports_duplicate(seg);
        if probe.resent && !duplicate {
            if seg.ack == probe.end && (news || seg.seq_len() > 0) {
                return; // whether the original came through is not known yet
            }
            if seg.ack.after(probe.end) {
                let in_flight = self.flight_size();
                let pipe = self.pipe();
                self.cc.on_congestion(&CongestionEvent {
                    cause: Congestion::Loss,
                    now,
                    in_flight,
                    pipe,
                    gentle: false,
                    whole: self.params.linux_cwnd,
                });
                self.note_reduction();
                self.leave_recovery(RecoveryPhase::Fast, now);
            }
        }
        if let Some(log) = self.recovery.log_mut() {
            log.probe = None;
        }
    }

    /// A D-SACK (RFC 2883): the first block lies below the acknowledgement, or inside the second.
    pub(super) fn reports_duplicate(&self, seg: &Segment) -> bool {
        if !self.rcv.sack_ok {
            return false;
        }
        let mut blocks = seg.options.sack_blocks();
        let Some((start, end)) = blocks.next() else {
            return false;
        };
        let inside = |(s, e): (crate::seq::SeqNum, crate::seq::SeqNum)| {
            start.at_or_after(s) && end.at_or_before(e)
        };
        start.before(seg.ack) || blocks.next().is_some_and(inside)
    }

    /// RACK after a delivery: detects losses and sets the time of the next check.
    #[inline]
    pub(super) fn look_for_losses(&mut self, now: SimTime, out: &mut Outputs) {
        if self.recovery.log().is_some() {
            self.look_into_log(now, out);
        }
    }

    #[inline(never)]
    fn look_into_log(&mut self, now: SimTime, out: &mut Outputs) {
        let advanced = self.recovery.uses_rack()
            && self
                .recovery
                .log_mut()
                .is_some_and(|log| log.take_advanced());
        if advanced && let Some(wait) = self.find_losses(now, out) {
            self.timers.rto = self.expiry(now, wait + SLACK);
            self.timers.purpose = Purpose::Reordering;
        }
        // On Linux, data found lost in one recovery that are still outstanding start the next.
        let missed = self.recovery.log().is_some_and(|log| log.missed() > 0);
        if missed && self.params.linux_cwnd && self.recovery.phase() == RecoveryPhase::Open {
            self.begin_recovery(now, out);
        }
    }

    fn find_losses(&mut self, now: SimTime, out: &mut Outputs) -> Option<SimDuration> {
        let (threshold, srtt) = (self.params.dup_ack_threshold, self.rtt.srtt());
        let lost = self.lost_so_far();
        let wait = self.recovery.find_losses(threshold, srtt, now);
        self.count_lost(lost);
        if self.recovery.rack_lost() > 0 && self.recovery.phase() == RecoveryPhase::Open {
            self.begin_recovery(now, out);
        }
        wait
    }

    /// Handles the end of the reordering window.
    pub(super) fn on_reordering_timeout(&mut self, now: SimTime, out: &mut Outputs) {
        self.timers.rto = SimTime::MAX;
        let untold = self.lost_untold();
        self.find_losses(now, out);
        self.note_lost_without_ack(untold);
        self.begin_reduction();
        self.transmit(now, out);
        if self.timers.rto == SimTime::MAX && self.snd.flight() > 0 {
            self.rearm_rto(now);
        }
    }
}
