//! Loss recovery: which data are lost, which are still in the network, and what to retransmit.
//!
//! One mechanism serves fast recovery with SACK (RFC 6675), without (NewReno, RFC 6582) and the time after
//! a retransmission time-out (RFC 5681 section 3.1): octets below `lost_edge` that are not SACKed and lie
//! at or above `rtx_nxt` are lost and not yet retransmitted; other outstanding octets that are not SACKed
//! are in the pipe. The cases differ only in how `lost_edge` is found.
//!
//! With RACK (RFC 8985) the marks in [`SentLog`] determine lost data instead, including lost
//! retransmissions.
//!
//! Without RACK, lost retransmissions are not detected and end in a time-out.

use sim_core::{SimDuration, SimTime};

use crate::seq::SeqNum;

mod episode;
mod prr;
mod scoreboard;
mod sent;

pub use episode::{Episode, Undo, UndoCause};
pub use prr::{Progress, Prr};
pub use scoreboard::Scoreboard;
pub use sent::{Delivered, Probe, SentLog};

/// Maximum number of blocks in a segment's options.
const MOST_BLOCKS: usize = 4;

/// The phase of loss recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Phase {
    /// No recovery; duplicate ACKs are being counted.
    #[default]
    Open,
    /// Fast recovery, until `recover` is acknowledged.
    Fast,
    /// After a time-out, until `recover` is acknowledged.
    Loss,
}

/// The state of loss recovery.
#[derive(Clone, Debug, Hash, Default)]
pub struct Recovery {
    phase: Phase,
    /// SND.NXT when recovery began.
    recover: SeqNum,
    /// Everything lost below this has been retransmitted.
    rtx_nxt: SeqNum,
    /// Octets below this that are not SACKed are lost.
    lost_edge: SeqNum,
    /// Duplicate ACKs; without SACK each stands for one segment that left the network.
    dup_acks: u32,
    /// Data SACKed by the peer; allocated on its first SACK.
    board: Option<Box<Scoreboard>>,
    /// State that not every connection needs.
    books: Option<Box<Books>>,
    /// Whether losses are found by RACK.
    rack: bool,
}

/// The log of segments sent, and the latest reduction.
#[derive(Clone, Debug, Hash, Default)]
struct Books {
    /// Send times of outstanding data, for RACK and tail loss probes.
    log: Option<SentLog>,
    /// The latest reduction of the window, if any.
    episode: Option<Box<Episode>>,
}

/// The part of the send sequence space that recovery needs.
#[derive(Clone, Copy, Debug)]
pub struct Outstanding {
    /// SND.UNA.
    pub una: SeqNum,
    /// SND.NXT.
    pub nxt: SeqNum,
    /// Payload bytes of a full segment.
    pub mss: u32,
    /// Number of duplicate ACKs that indicate a loss.
    pub threshold: u32,
}

/// Outstanding octets by status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Left the network: SACKed, or inferred from duplicate ACKs.
    pub left: u32,
    /// Lost, whether retransmitted or not.
    pub lost: u32,
    /// Retransmitted.
    pub retransmitted: u32,
}

impl Outstanding {
    #[inline]
    fn flight(&self) -> u32 {
        self.nxt.offset_from(self.una)
    }
}

impl Recovery {
    /// The phase.
    #[inline]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Bytes allocated separately.
    pub(crate) fn heap_bytes(&self) -> usize {
        let board = self.board.as_ref().map_or(0, |board| board.memory_bytes());
        let books = self.books.as_deref().map_or(0, size_of_val);
        let episode = self.episode().map_or(0, size_of_val);
        board + books + episode + self.log().map_or(0, |log| log.memory_bytes())
    }

    /// Duplicate ACKs counted.
    pub fn dup_acks(&self) -> u32 {
        self.dup_acks
    }

    /// Starts the log of sent data; `rack`: use it to find losses; `rtt`: the round trip of the handshake,
    /// the minimum so far.
    pub fn keep_log(
        &mut self,
        una: SeqNum,
        rack: bool,
        now: SimTime,
        rtt: impl FnOnce() -> Option<SimDuration>,
    ) {
        let books = self.books.get_or_insert_default();
        let new = || SentLog::new(una, rtt(), now);
        books.log.get_or_insert_with(new);
        self.rack = rack;
    }

    /// Whether the peer has reported segments beyond a gap.
    pub fn has_sacks(&self) -> bool {
        self.board.is_some()
    }

    /// The log, if one is kept.
    #[inline]
    pub fn log(&self) -> Option<&SentLog> {
        self.books.as_ref()?.log.as_ref()
    }

    /// The same, mutable.
    pub fn log_mut(&mut self) -> Option<&mut SentLog> {
        self.books.as_mut()?.log.as_mut()
    }

    /// Whether losses are found by RACK.
    pub fn uses_rack(&self) -> bool {
        self.rack
    }

    /// The latest reduction of the window, if there was one.
    pub fn episode(&self) -> Option<&Episode> {
        self.books.as_ref()?.episode.as_deref()
    }

    /// The same, mutable; created if necessary.
    pub fn episode_mut(&mut self) -> &mut Episode {
        let books = self.books.get_or_insert_default();
        books.episode.get_or_insert_default()
    }

    /// The congestion window of a reduction, where PRR governs it: in fast recovery, and for a round trip
    /// after an ECN echo.
    #[inline]
    pub fn window(&self) -> Option<u64> {
        Some(self.episode()?.prr.as_ref()?.window())
    }

    /// PRR of the reduction under way, if it governs it.
    #[inline]
    pub fn prr_mut(&mut self) -> Option<&mut Prr> {
        self.books.as_mut()?.episode.as_mut()?.prr.as_mut()
    }

    /// The window is being reduced for an ECN echo, and nothing is lost.
    #[inline]
    pub fn is_easing(&self) -> bool {
        self.phase == Phase::Open && self.episode().is_some_and(|e| e.prr.is_some())
    }

    /// The reduction for an ECN echo is complete.
    pub fn end_easing(&mut self) {
        if self.is_easing() {
            self.episode_mut().prr = None;
        }
    }

    /// Notes a segment sent in recovery; for a retransmission `again` has its timestamp, if any.
    pub fn note_sent(&mut self, octets: u32, again: Option<Option<u32>>) {
        let Some(episode) = self.books.as_mut().and_then(|b| b.episode.as_mut()) else {
            return;
        };
        if let Some(prr) = &mut episode.prr {
            prr.on_sent(octets.into());
        }
        if let (Some(timestamp), Some(undo)) = (again, &mut episode.undo) {
            undo.on_resent(timestamp);
        }
    }

    /// SND.NXT when recovery began.
    pub fn recover(&self) -> SeqNum {
        self.recover
    }

    /// F-RTO step 2b: recovery after the time-out lasts until all data now outstanding are acknowledged;
    /// new data are sent first, and nothing is retransmitted until the next ACK.
    pub fn probe_timeout(&mut self, nxt: SeqNum) {
        self.recover = nxt;
        self.episode_mut().hold = true;
    }

    /// Whether everything retransmitted is below `seq`.
    pub fn sent_all_again_below(&self, seq: SeqNum) -> bool {
        self.rtx_nxt.at_or_before(seq)
    }

    /// Whether retransmitted data may still be outstanding.
    pub fn resent_is_out(&self, una: SeqNum) -> bool {
        match self.log() {
            Some(log) => log.resent() > 0,
            None => self.phase != Phase::Open && self.rtx_nxt.after(una),
        }
    }

    /// Clears loss marks: the data are in flight after all.
    pub fn forget_losses(&mut self, una: SeqNum) {
        if self.phase == Phase::Fast
            && let Some(log) = self.log_mut()
        {
            log.note_reordering();
        }
        self.phase = Phase::Open;
        self.dup_acks = 0;
        self.lost_edge = una;
        if let Some(log) = self.log_mut() {
            log.forget_losses();
        }
        if let Some(books) = &mut self.books
            && let Some(episode) = &mut books.episode
        {
            episode.end();
        }
    }

    /// True when no loss is suspected: there are no duplicate ACKs and no SACKed data.
    #[inline]
    pub fn is_calm(&self) -> bool {
        self.phase == Phase::Open && self.dup_acks == 0 && self.board.is_none()
    }

    /// Calm, without a log or an earlier reduction: acknowledgements without SACK do not matter to
    /// recovery.
    #[inline]
    pub fn is_untouched(&self) -> bool {
        self.is_calm() && self.books.is_none()
    }

    /// Notes a new segment up to `end`.
    pub fn on_sent(&mut self, end: SeqNum, now: SimTime) {
        if let Some(log) = self.log_mut() {
            log.on_sent(end, now);
        }
    }

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

    /// Octets that RACK considers lost and that have not been retransmitted since.
    pub fn rack_lost(&self) -> u32 {
        match self.log() {
            Some(log) if self.rack => log.lost(),
            _ => 0,
        }
    }

    /// Octets estimated to be in the network: RFC 6675's pipe.
    #[inline]
    pub fn pipe(&self, out: &Outstanding) -> u32 {
        if self.is_calm() {
            out.flight()
        } else {
            self.disturbed_pipe(*out)
        }
    }

    /// The same if there are duplicate ACKs, SACKed or lost data.
    #[inline(never)]
    fn disturbed_pipe(&self, out: Outstanding) -> u32 {
        let lost = match self.phase {
            Phase::Open => 0,
            _ => self.lost_unsent(&out),
        };
        out.flight()
            .saturating_sub(self.left_network(&out))
            .saturating_sub(lost)
    }

    /// Octets known or inferred to have arrived without being acknowledged.
    #[inline]
    pub fn arrived(&self, out: &Outstanding) -> u32 {
        if self.is_calm() {
            return 0;
        }
        self.left_network(out)
    }

    /// Octets that are lost and not retransmitted.
    pub fn lost(&self, out: &Outstanding) -> u32 {
        match self.phase {
            Phase::Open => self.rack_lost(),
            _ => self.lost_unsent(out),
        }
    }

    /// Octets that have left the network without being acknowledged: SACKed, or inferred from duplicate
    /// ACKs.
    fn left_network(&self, out: &Outstanding) -> u32 {
        match &self.board {
            Some(board) => board.octets(),
            None => {
                let most = out.flight().saturating_sub(out.mss);
                self.dup_acks.saturating_mul(out.mss).min(most)
            }
        }
    }

    fn lost_unsent(&self, out: &Outstanding) -> u32 {
        if self.rack {
            return self.rack_lost();
        }
        let from = self.rtx_nxt.max(out.una);
        if !from.before(self.lost_edge) {
            return 0;
        }
        let all = self.lost_edge.offset_from(from);
        all - self
            .board
            .as_ref()
            .map_or(0, |b| b.octets_between(from, self.lost_edge))
    }

    /// The outstanding octets by status.
    pub fn census(&self, out: &Outstanding) -> Census {
        let sent_again = match self.phase {
            Phase::Open => 0,
            _ => {
                let until = self.rtx_nxt.max(out.una);
                let all = until.offset_from(out.una);
                all - self
                    .board
                    .as_ref()
                    .map_or(0, |b| b.octets_between(out.una, until))
            }
        };
        let lost = match self.phase {
            Phase::Open => 0,
            _ => self.lost_unsent(out) + sent_again,
        };
        Census {
            left: self.left_network(out),
            lost,
            retransmitted: sent_again,
        }
    }

    /// The next run of lost octets to retransmit.
    pub fn next_hole(&self, out: &Outstanding) -> Option<(SeqNum, SeqNum)> {
        if self.phase == Phase::Open || self.episode().is_some_and(|e| e.hold) {
            return None;
        }
        if self.rack {
            return self.log()?.first_lost();
        }
        let from = self.rtx_nxt.max(out.una);
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
    fn log_sack(
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
            if let Some(log) = self.books.as_mut().and_then(|b| b.log.as_mut()) {
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
            Phase::Open => {
                // RFC 6675 section 5 step 2: by count, or by the SACK blocks.
                self.dup_acks >= out.threshold
                    || self.board.as_ref().is_some_and(|b| {
                        b.lost_edge(out.mss, out.threshold)
                            .is_some_and(|e| e.after(out.una))
                    })
            }
            Phase::Fast if self.is_held(out.una) => {
                self.dup_acks = 0;
                false
            }
            Phase::Fast => {
                self.find_lost_edge(out);
                false
            }
            Phase::Loss => false,
        }
    }

    /// Whether a loss signal may start a new recovery: not for losses of the last one (RFC 6582 section 3.2
    /// step 2). With SACK, new losses can be distinguished from echoes of old ones. `ever`: there has been
    /// a recovery.
    pub fn may_enter(&self, out: &Outstanding, ever: bool) -> bool {
        !ever || self.board.is_some() || out.una.after(self.recover)
    }

    /// Starts fast recovery: the first outstanding segment is lost.
    pub fn enter_fast(&mut self, out: &Outstanding) {
        self.phase = Phase::Fast;
        self.recover = out.nxt;
        self.rtx_nxt = out.una;
        self.lost_edge = (out.una + out.mss).min(out.nxt);
        self.find_lost_edge(out);
    }

    fn find_lost_edge(&mut self, out: &Outstanding) {
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
        if let Some(books) = &mut self.books
            && let Some(episode) = &mut books.episode
        {
            episode.end();
        }
        self.phase = Phase::Loss;
        self.recover = out.nxt;
        self.rtx_nxt = out.una;
        self.lost_edge = out.nxt;
        self.dup_acks = 0;
    }

    /// The log's part of an acknowledgement up to `una`; before [`Recovery::on_ack`].
    #[inline]
    pub fn on_delivered(&mut self, una: SeqNum, now: SimTime) -> Option<Delivered> {
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
        self.phase == Phase::Fast && una == self.recover
    }

    #[inline(never)]
    fn take_ack(&mut self, acked: u32, sack: bool, out: &Outstanding) -> bool {
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
        let over = self.phase != Phase::Open && out.una.at_or_after(self.recover);
        match self.phase {
            Phase::Open => self.dup_acks = 0,
            _ if over => {
                self.phase = Phase::Open;
                self.dup_acks = 0;
                if let Some(books) = &mut self.books
                    && let Some(episode) = &mut books.episode
                {
                    episode.end();
                }
                if let Some(log) = self.log_mut() {
                    log.on_recovery_exit();
                }
            }
            Phase::Fast => {
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
            Phase::Loss => {}
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u32 = 1000;
    const T: SimTime = SimTime::ZERO;

    fn out(una: u32, nxt: u32) -> Outstanding {
        Outstanding {
            una: SeqNum(una),
            nxt: SeqNum(nxt),
            mss: MSS,
            threshold: 3,
        }
    }

    #[test]
    fn newreno_retransmits_the_head_and_again_on_each_partial_ack() {
        let mut r = Recovery::default();
        let o = out(0, 10_000);
        assert!(!r.on_duplicate_ack(&o) && !r.on_duplicate_ack(&o));
        assert_eq!(r.pipe(&o), 8_000); // limited transmit: RFC 3042
        assert!(r.on_duplicate_ack(&o));
        r.enter_fast(&o);
        assert_eq!(r.next_hole(&o), Some((SeqNum(0), SeqNum(1000))));
        assert_eq!(r.pipe(&o), 6_000);
        r.on_retransmitted(SeqNum(0), SeqNum(1000), T);
        assert_eq!((r.pipe(&o), r.next_hole(&o)), (7_000, None));
        let o = out(4_000, 10_000);
        assert!(!r.on_ack(4_000, false, false, &o));
        assert_eq!(r.next_hole(&o), Some((SeqNum(4000), SeqNum(5000))));
        assert!(r.on_ack(6_000, false, false, &out(10_000, 10_000)));
        assert_eq!(r.phase(), Phase::Open);
    }

    #[test]
    fn sack_shows_every_hole_that_is_lost() {
        let mut r = Recovery::default();
        let o = out(0, 10_000);
        let s = |a, b| (SeqNum(a), SeqNum(b));
        assert_eq!(
            r.on_sack([s(1000, 2000), s(3000, 6000)].into_iter(), &o, T),
            (4000, None)
        );
        assert!(r.on_duplicate_ack(&o)); // three segments SACKed above the first hole
        r.enter_fast(&o);
        assert_eq!(r.next_hole(&o), Some(s(0, 1000)));
        r.on_retransmitted(SeqNum(0), SeqNum(1000), T);
        assert_eq!(r.next_hole(&o), Some(s(2000, 3000)));
        // 10 outstanding - 4 SACKed - 1 lost and not yet retransmitted
        assert_eq!(r.pipe(&o), 5_000);
    }

    #[test]
    fn with_sack_nothing_beyond_the_last_block_is_lost() {
        let mut r = Recovery::default();
        let o = out(0, 10_000);
        r.on_sack([(SeqNum(1000), SeqNum(4000))].into_iter(), &o, T);
        assert!(r.on_duplicate_ack(&o));
        r.enter_fast(&o);
        r.on_retransmitted(SeqNum(0), SeqNum(1000), T);
        let o = out(4_000, 10_000);
        assert!(!r.on_ack(4_000, true, false, &o));
        assert_eq!((r.next_hole(&o), r.pipe(&o)), (None, 6_000));
    }

    #[test]
    fn after_a_timeout_everything_not_sacked_is_retransmitted() {
        let mut r = Recovery::default();
        let o = out(0, 5_000);
        r.on_sack([(SeqNum(2000), SeqNum(3000))].into_iter(), &o, T);
        r.enter_loss(&o, T);
        assert_eq!(r.pipe(&o), 0);
        assert_eq!(r.next_hole(&o), Some((SeqNum(0), SeqNum(2000))));
        r.on_retransmitted(SeqNum(0), SeqNum(2000), T);
        assert_eq!(r.next_hole(&o), Some((SeqNum(3000), SeqNum(5000))));
        assert_eq!(r.pipe(&o), 2_000);
    }
}
