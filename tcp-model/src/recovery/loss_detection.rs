//! When data count as lost: the phases of recovery, and what to retransmit in each.

use sim_core::{SimDuration, SimTime};

use super::{Outstanding, Recovery, RecoveryPhase};
use crate::seq::SeqNum;

impl Recovery {
    /// RACK: finds losses after a delivery. Returns the time until there may be more, if the reordering
    /// window is open.
    pub fn find_losses(
        &mut self,
        threshold: u32,
        srtt: Option<SimDuration>,
        now: SimTime,
    ) -> Option<SimDuration> {
        let phase = self.phase;
        self.log_mut()?.find_losses(phase, threshold, srtt, now)
    }

    /// Whether a loss signal may start a new recovery: not for losses of the last one (RFC 6582 section 3.2
    /// step 2). With SACK, new losses can be distinguished from echoes of old ones. `recovered_before`: there has been
    /// a recovery.
    pub fn may_enter(&self, out: &Outstanding, recovered_before: bool) -> bool {
        !recovered_before || self.board.is_some() || out.una.after(self.recover)
    }

    /// Starts fast recovery: the first outstanding segment is lost.
    pub fn enter_fast(&mut self, out: &Outstanding) {
        self.phase = RecoveryPhase::Fast;
        self.recover = out.nxt;
        self.rtx_nxt = out.una;
        self.lost_edge = (out.una + out.mss).min(out.nxt);
        self.find_lost_edge(out);
    }

    pub(super) fn find_lost_edge(&mut self, out: &Outstanding) {
        let edge = self
            .board
            .as_ref()
            .and_then(|b| b.lost_edge(out.mss, out.threshold));
        if let Some(edge) = edge {
            self.lost_edge = self.lost_edge.max(edge).min(out.nxt);
        }
    }

    /// True when the peer's acknowledgement ends where SACKed data begin, so that it seems to have dropped
    /// these. Linux waits before acting on it, since the ACK may be out of date.
    pub fn has_reneged(&self) -> bool {
        self.rack && self.board.is_some() && self.log().is_some_and(|log| log.head_is_sacked())
    }

    /// The retransmission timer expired: everything not SACKed is lost.
    pub fn enter_loss(&mut self, out: &Outstanding, now: SimTime) {
        let reneged = self.has_reneged();
        if reneged {
            self.board = None; // RFC 2018 section 8
        }
        if let Some(log) = self.log_mut() {
            log.probe = None; // the time-out knows more than the probe
            if reneged {
                log.forget_sacks();
            }
            log.on_timeout(reneged, now);
        }
        if let Some(history) = &mut self.history
            && let Some(episode) = &mut history.episode
        {
            episode.end();
        }
        self.phase = RecoveryPhase::Loss;
        self.recover = out.nxt;
        self.rtx_nxt = out.una;
        self.lost_edge = out.nxt;
        self.dup_acks = 0;
    }

    /// Marks the first outstanding segment, up to `end`, for retransmission for a reason other than
    /// congestion (Linux `tcp_simple_retransmit`).
    pub fn resend_first(&mut self, out: &Outstanding, end: SeqNum) {
        if let Some(log) = self.log_mut() {
            log.probe = None;
            log.lose_first();
        }
        self.phase = RecoveryPhase::Loss;
        self.recover = out.nxt;
        self.rtx_nxt = out.una;
        self.lost_edge = end;
        self.dup_acks = 0;
    }

    /// Clears loss marks: the data are in flight after all. `late`: an ACK of new data has shown that the original
    /// came late.
    pub fn forget_losses(&mut self, una: SeqNum, late: bool) {
        // As on Linux, only if the loss is refuted before everything sent until recovery is acknowledged.
        if late
            && self.phase == RecoveryPhase::Fast
            && una.before(self.recover)
            && let Some(log) = self.log_mut()
        {
            log.note_reordering();
        }
        self.phase = RecoveryPhase::Open;
        self.dup_acks = 0;
        self.lost_edge = una;
        if let Some(log) = self.log_mut() {
            log.forget_losses();
        }
        if let Some(history) = &mut self.history
            && let Some(episode) = &mut history.episode
        {
            episode.end();
        }
    }

    /// The next run of lost octets to retransmit.
    pub fn next_hole(&self, out: &Outstanding) -> Option<(SeqNum, SeqNum)> {
        if self.phase == RecoveryPhase::Open || self.episode().is_some_and(|e| e.hold) {
            return None;
        }
        if self.rack {
            return self.log()?.first_lost();
        }
        let from = self.rtx_nxt.max(out.una);
        if !from.before(self.lost_edge) {
            return None;
        }
        let (start, end) = match &self.board {
            Some(board) => board.next_gap(from, self.lost_edge),
            None => (from, self.lost_edge),
        };
        start.before(end).then_some((start, end))
    }

    /// Notes that octets `start..end` have been retransmitted.
    pub fn on_retransmitted(&mut self, start: SeqNum, end: SeqNum, now: SimTime) {
        self.rtx_nxt = self.rtx_nxt.max(end);
        if let Some(log) = self.log_mut() {
            log.on_resent(start, end, now);
        }
    }

    /// Whether everything retransmitted is below `seq`.
    pub fn has_retransmitted_only_below(&self, seq: SeqNum) -> bool {
        self.rtx_nxt.at_or_before(seq)
    }

    /// Whether retransmitted data may still be outstanding.
    pub fn has_retransmissions_outstanding(&self, una: SeqNum) -> bool {
        match self.log() {
            Some(log) => log.resent() > 0,
            None => self.phase != RecoveryPhase::Open && self.rtx_nxt.after(una),
        }
    }
}
