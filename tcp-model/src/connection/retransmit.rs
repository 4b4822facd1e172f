//! Retransmission of lost data: what is sent again, in segments of which length, and why.

use sim_core::SimTime;

use super::Connection;
use super::bursts::SendBurst;
use crate::model::Outputs;
use crate::recovery::RecoveryPhase;
use crate::resend_rule::RetransmitReason;
use crate::seq::SeqNum;

impl Connection {
    /// Retransmits lost octets as the window allows; with `forced`, the first segment regardless of the
    /// window, for that reason.
    pub(super) fn retransmit_holes(
        &mut self,
        mut forced: Option<RetransmitReason>,
        now: SimTime,
        out: &mut Outputs,
    ) {
        let mut burst = SendBurst::default();
        loop {
            let outstanding = self.outstanding();
            let Some((start, end)) = self.recovery.next_hole(&outstanding) else {
                return;
            };
            let end = self.joined_end(start, end);
            let end = self.end_in_record(start, end);
            let len = self.length_to_resend(start, end);
            let pipe = u64::from(self.recovery.pipe(&outstanding));
            // The window counts text: a FIN on a full segment needs no extra room. On Linux a segment
            // retransmitted after a time-out counts as a full one, however small.
            let whole = self.params.linux_cwnd && self.recovery.phase() == RecoveryPhase::Loss;
            let room = if whole {
                self.snd.mss
            } else {
                len.min(self.snd.mss)
            };
            let needed = pipe + u64::from(room);
            let paced = burst.is_over() && self.waits_for_pace(now);
            if forced.is_none() && (needed > self.window() || paced) {
                return;
            }
            if burst.is_over() {
                burst = match self.params.tso {
                    true => self.next_lost_burst(start, pipe),
                    false => self.next_quantum(),
                };
            }
            let why = Some(self.reason_of_hole(forced.take()));
            let sent = self.send_range(start, len, why, now, out);
            burst.advance(out);
            self.recovery
                .on_retransmitted(start, start + sent.max(1), now);
            if start == self.snd.una && self.params.linux_rto {
                self.restart_rto_for_head(now);
            }
        }
    }

    /// The end of a retransmitted small segment after merging following ones, as far as they fit whole in
    /// one segment and in the peer's window (Linux `tcp_retrans_try_collapse`).
    pub(super) fn joined_end(&self, start: SeqNum, end: SeqNum) -> SeqNum {
        let most = self.snd.mss.min(self.snd.wnd);
        match self.recovery.log() {
            Some(log) if self.params.join_retransmissions && end.offset_from(start) < most => log
                .joined_end(start, most)
                .map_or(end, |joined| joined.max(end)),
            _ => end,
        }
    }

    /// Octets of a hole to put in one segment; a FIN goes with the last text even if that is a full
    /// segment.
    pub(super) fn length_to_resend(&self, start: SeqNum, end: SeqNum) -> u32 {
        let hole = end.offset_from(start);
        let with_fin = self.snd.fin_sent && hole == self.snd.mss + 1 && end == self.snd.nxt;
        if with_fin {
            return hole;
        }
        hole.min(self.snd.mss)
    }

    /// The reason for retransmitting the next hole.
    pub(super) fn reason_of_hole(&mut self, forced: Option<RetransmitReason>) -> RetransmitReason {
        if self.recovery.phase() == RecoveryPhase::Loss {
            let why = self.loss_reason;
            if why == RetransmitReason::Timeout {
                self.loss_reason = RetransmitReason::AfterTimeout;
            }
            let frto = self.recovery.episode().is_some_and(|e| e.frto_failed);
            return match why {
                RetransmitReason::AfterTimeout if frto => RetransmitReason::Frto,
                _ => why,
            };
        }
        let begins = self
            .recovery
            .prr_mut()
            .is_some_and(|prr| prr.sent_nothing());
        let forced = match begins {
            true => Some(RetransmitReason::DuplicateAcks),
            false => forced,
        };
        match (self.recovery.uses_rack(), self.recovery.has_sacks()) {
            (true, _) => RetransmitReason::Rack,
            (_, true) => RetransmitReason::Sack,
            _ if self.loss_reason == RetransmitReason::DuplicateAcks => {
                self.loss_reason = RetransmitReason::PartialAck;
                RetransmitReason::DuplicateAcks
            }
            _ => forced.unwrap_or(RetransmitReason::PartialAck),
        }
    }

    /// Marks everything outstanding and not SACKed as lost, for a reason other than ACKs.
    pub(super) fn enter_loss(&mut self, why: RetransmitReason, now: SimTime) {
        let (lost, untold) = (self.lost_so_far(), self.lost_untold());
        self.recovery.enter_loss(&self.outstanding(), now);
        self.count_lost(lost);
        self.note_lost_without_ack(untold);
        self.recovered_before = true;
        self.loss_reason = why;
    }
}
