//! Spurious reductions of the window and their undo: Eifel (RFC 3522, RFC 4015), D-SACK (RFC 3708) and
//! F-RTO (RFC 5682), as combined by Linux.
//!
//! Undo restores window and threshold at once, where RFC 4015 section 3.3 would let the window grow back
//! from the data in flight. Leaves out the adaptation of the time-out to the longer round trip (RFC 4015
//! section 3.4) beyond the sample that the ACK gives.

use sim_core::SimTime;

use super::Connection;
use crate::congestion::{CongestionControl as _, SpuriousCongestion};
use crate::recovery::{RecoveryPhase, Undo, UndoCause};
use crate::segment::Segment;

impl Connection {
    /// Remembers the window before a reduction, in case that proves spurious.
    pub(super) fn remember_window(&mut self) {
        // A reduction for a congestion mark is never spurious.
        if !self.params.undo || self.is_reacting() {
            if let Some(undo) = self.recovery.episode().map(|e| e.undo)
                && undo.is_some()
            {
                self.recovery.episode_mut().undo = None;
            }
            return;
        }
        let probe = self.recovery.log().and_then(|log| log.probe);
        let resent = match self.recovery.log() {
            Some(log) if log.resent() > 0 => log.resent(),
            _ => u32::from(probe.is_some_and(|p| p.resent)),
        };
        let (cwnd, ssthresh) = (self.window(), self.cc.ssthresh());
        let undo = Undo::new(self.snd.una, resent, cwnd, ssthresh);
        self.recovery.episode_mut().undo = Some(undo);
    }

    /// Notes a D-SACK: one fewer retransmission may have been needed.
    pub(super) fn note_duplicate_report(&mut self, seg: &Segment) {
        let Some((start, end)) = seg.options.sack_blocks().next() else {
            return;
        };
        let segments = end.offset_from(start).div_ceil(self.snd.mss.max(1));
        if self.recovery.episode().is_some_and(|e| e.undo.is_some())
            && let Some(undo) = &mut self.recovery.episode_mut().undo
        {
            undo.on_duplicate(end, segments);
        }
    }

    /// Judges the latest reduction by an ACK that recovery has processed: `was` is the phase before it,
    /// `advanced` whether it acknowledges new data. True when the reduction is undone.
    pub(super) fn judge_reduction(
        &mut self,
        seg: &Segment,
        was: RecoveryPhase,
        advanced: bool,
        now: SimTime,
    ) -> bool {
        let Some(undo) = self.recovery.episode().and_then(|e| e.undo) else {
            return false;
        };
        let echo = if self.rcv.ts_ok {
            seg.options.timestamps().map(|(_, echo)| echo)
        } else {
            None
        };
        let Some(cause) = undo.proof(echo) else {
            return false;
        };
        let counts = match self.recovery.phase() {
            RecoveryPhase::Open => was != RecoveryPhase::Open || cause == UndoCause::Dsack,
            // A partial ACK that arrived too early to be caused by a retransmission.
            RecoveryPhase::Fast if cause == UndoCause::Eifel => {
                advanced && !self.recovery.has_retransmissions_outstanding(self.snd.una)
            }
            RecoveryPhase::Fast => true,
            RecoveryPhase::Loss => advanced,
        };
        if counts {
            self.undo(cause, now);
        }
        counts
    }

    /// F-RTO with SACK (RFC 5682 section 3.1): judges a time-out by a later ACK. `acked`: octets
    /// newly acknowledged; `sacked`: the ACK reports data beyond a gap, or is a duplicate. True
    /// when the time-out was spurious and is undone.
    pub(super) fn judge_timeout(&mut self, acked: u32, sacked: bool, now: SimTime) -> bool {
        if self.recovery.phase() != RecoveryPhase::Loss {
            return false;
        }
        let recover = self.recovery.recover();
        let original = self.original_came(acked);
        let Some(episode) = self.recovery.episode() else {
            return false;
        };
        let (frto, undoable) = (episode.frto, episode.undo.is_some());
        self.recovery.episode_mut().hold = false;
        if !frto {
            return false;
        }
        if original && undoable {
            self.undo(UndoCause::Frto, now); // step 3b
            return true;
        }
        if self.snd.nxt.after(recover) {
            if sacked {
                self.end_frto(); // step 3a
            }
        } else if acked > 0 {
            if self.snd.unsent() > 0 && self.snd.usable_window() > 0 {
                self.recovery.probe_timeout(self.snd.nxt); // step 2b
            } else {
                self.end_frto();
            }
        }
        false
    }

    fn end_frto(&mut self) {
        let episode = self.recovery.episode_mut();
        episode.frto = false;
        episode.frto_failed = true;
    }

    /// Whether data outstanding at the time-out have arrived without being retransmitted.
    fn original_came(&mut self, acked: u32) -> bool {
        let recover = self.recovery.recover();
        match self.recovery.log_mut() {
            Some(log) => log
                .take_original()
                .is_some_and(|end| end.at_or_before(recover)),
            None => {
                acked > 0
                    && self
                        .recovery
                        .has_retransmitted_only_below(self.snd.una - acked)
            }
        }
    }

    /// Undoes the latest reduction: restores the window and clears loss marks.
    fn undo(&mut self, cause: UndoCause, now: SimTime) {
        let Some(undo) = self.recovery.episode_mut().undo.take() else {
            return;
        };
        self.recovery
            .forget_losses(self.snd.una, cause == UndoCause::Eifel);
        self.withdraw_reduction();
        self.recovery.episode_mut().undone[cause as usize] += 1;
        self.cc.on_undo(&SpuriousCongestion {
            cwnd: undo.cwnd,
            ssthresh: undo.ssthresh,
            now,
        });
    }
}
