//! What acknowledgements report: SACK blocks, duplicates, progress.

use sim_core::SimTime;

use super::{DeliveredSegments, Outstanding, Recovery, RecoveryPhase};
use crate::seq::SeqNum;

/// Maximum number of blocks in a segment's options.
const MOST_BLOCKS: usize = 4;

impl Recovery {
    /// Processes SACK blocks; returns how many octets they newly report, and, with a log, when the first of
    /// those was sent.
    pub fn on_sack(
        &mut self,
        blocks: impl Iterator<Item = (SeqNum, SeqNum)>,
        out: &Outstanding,
        now: SimTime,
    ) -> (u32, Option<SimTime>) {
        // A block outside the outstanding data is stale, a D-SACK, or invalid.
        let sane = |&(start, end): &(SeqNum, SeqNum)| {
            start.before(end) && start.after(out.una) && end.at_or_before(out.nxt)
        };
        let blocks = blocks.take(MOST_BLOCKS).filter(sane);
        if self.log().is_some() {
            return self.log_sack(blocks, out.una, now);
        }
        let new = blocks.map(|(start, end)| {
            let board = self.board.get_or_insert_default();
            board.insert(start, end)
        });
        (new.sum(), None)
    }

    /// The same with a log.
    #[inline(never)]
    pub(super) fn log_sack(
        &mut self,
        blocks: impl Iterator<Item = (SeqNum, SeqNum)>,
        una: SeqNum,
        now: SimTime,
    ) -> (u32, Option<SimTime>) {
        let (mut new, mut first_sent) = (0, None);
        // The latest block comes first (RFC 2018 section 4). Processed in order of sequence, the blocks of
        // one ACK do not look like reordering.
        let mut ordered = [None; MOST_BLOCKS];
        for (place, block) in ordered.iter_mut().zip(blocks) {
            *place = Some(block);
        }
        ordered.sort_by_key(|block| block.map(|(start, _)| start.offset_from(una)));
        for (start, end) in ordered.into_iter().flatten() {
            let board = self.board.get_or_insert_default();
            if board.knows(start, end) {
                continue;
            }
            if let Some(log) = self.history.as_mut().and_then(|b| b.log.as_mut()) {
                let mut gap = board.next_gap(start, end);
                while gap.0.before(gap.1) {
                    let sent = log.on_sack(gap.0, gap.1, now);
                    first_sent = first_sent.or(sent);
                    gap = board.next_gap(gap.1, end);
                }
            }
            new += board.insert(start, end);
        }
        (new, first_sent)
    }

    /// Counts a duplicate ACK. True when it indicates a loss and recovery should begin.
    pub fn on_duplicate_ack(&mut self, out: &Outstanding) -> bool {
        self.dup_acks += 1;
        match self.phase {
            RecoveryPhase::Open => {
                // RFC 6675 section 5 step 2: by count, or by the SACK blocks.
                self.dup_acks >= out.threshold
                    || self.board.as_ref().is_some_and(|b| {
                        b.lost_edge(out.mss, out.threshold)
                            .is_some_and(|e| e.after(out.una))
                    })
            }
            RecoveryPhase::Fast if self.is_held(out.una) => {
                self.dup_acks = 0;
                false
            }
            RecoveryPhase::Fast => {
                self.find_lost_edge(out);
                false
            }
            RecoveryPhase::Loss => false,
        }
    }

    /// The log's part of an acknowledgement up to `una`; before [`Recovery::on_ack`].
    #[inline]
    pub fn on_delivered(&mut self, una: SeqNum, now: SimTime) -> Option<DeliveredSegments> {
        self.log_mut().map(|log| log.on_ack(una, now))
    }

    /// SND.UNA advanced by `acked` octets to `out.una`; `sack`: the peer reports data beyond gaps. True
    /// when recovery ends.
    ///
    /// `beyond`: without SACK, fast recovery lasts until data above `recover` are acknowledged, so that
    /// duplicate ACKs of old data do not start another (Linux).
    #[inline]
    pub fn on_ack(&mut self, acked: u32, sack: bool, beyond: bool, out: &Outstanding) -> bool {
        if self.is_calm() {
            return false;
        }
        if beyond && !sack && self.is_held(out.una) {
            (self.dup_acks, self.rtx_nxt, self.lost_edge) = (0, out.una, out.una);
            return false;
        }
        self.take_ack(acked, sack, out)
    }

    /// True when everything outstanding at the start of fast recovery is acknowledged, but nothing above
    /// it.
    pub fn is_held(&self, una: SeqNum) -> bool {
        self.phase == RecoveryPhase::Fast && una == self.recover
    }

    #[inline(never)]
    pub(super) fn take_ack(&mut self, acked: u32, sack: bool, out: &Outstanding) -> bool {
        if let Some(board) = &mut self.board {
            let reneged = board.acknowledge(out.una);
            if reneged && !self.rack {
                board.clear(); // RACK waits a little: see `has_reneged`
            }
            if board.is_empty() {
                self.board = None;
                if let Some(log) = self.log_mut() {
                    log.forget_sacks();
                }
            }
        }
        let over = self.phase != RecoveryPhase::Open && out.una.at_or_after(self.recover);
        match self.phase {
            RecoveryPhase::Open => self.dup_acks = 0,
            _ if over => {
                self.phase = RecoveryPhase::Open;
                self.dup_acks = 0;
                if let Some(history) = &mut self.history
                    && let Some(episode) = &mut history.episode
                {
                    episode.end();
                }
                if let Some(log) = self.log_mut() {
                    log.on_recovery_exit();
                }
            }
            RecoveryPhase::Fast => {
                // A partial ACK: the segment at the new SND.UNA is lost too (RFC 6582 section 3.2 step 3);
                // the segments before it are no longer outstanding.
                if !sack {
                    let segments = acked.div_ceil(out.mss.max(1));
                    self.dup_acks = self.dup_acks.saturating_sub(segments.saturating_sub(1));
                    self.rtx_nxt = out.una;
                }
                if sack && self.board.is_none() {
                    self.dup_acks = 0; // they were about data acknowledged by now
                }
                // With SACK only below SACKed data (RFC 6675 section 4, NextSeg 1 and 3): beyond them
                // nothing indicates a loss.
                if !sack || self.board.is_some() {
                    self.lost_edge = self.lost_edge.max((out.una + out.mss).min(out.nxt));
                }
                self.find_lost_edge(out);
            }
            RecoveryPhase::Loss => {
                if sack && self.board.is_none() {
                    self.dup_acks = 0; // likewise: they would count as data that have left the network
                }
            }
        }
        over
    }
}
