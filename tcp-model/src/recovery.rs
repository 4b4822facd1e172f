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

mod acknowledgements;
mod episode;
mod in_flight;
mod loss_detection;
mod prr;
mod reduction;
mod scoreboard;
mod sent_log;

pub use episode::{Episode, Undo, UndoCause};
pub use prr::{Prr, PrrAck};
pub use scoreboard::Scoreboard;
pub use sent_log::{DeliveredSegments, Probe, SentLog};

/// The phase of loss recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum RecoveryPhase {
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
    phase: RecoveryPhase,
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
    history: Option<Box<RecoveryHistory>>,
    /// Whether losses are found by RACK.
    rack: bool,
}

/// The log of segments sent, and the latest reduction.
#[derive(Clone, Debug, Hash, Default)]
struct RecoveryHistory {
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
pub struct OutstandingCounts {
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
    pub fn phase(&self) -> RecoveryPhase {
        self.phase
    }

    /// Bytes allocated separately.
    pub(crate) fn heap_bytes(&self) -> usize {
        let board = self.board.as_ref().map_or(0, |board| board.memory_bytes());
        let history = self.history.as_deref().map_or(0, size_of_val);
        let episode = self.episode().map_or(0, size_of_val);
        board + history + episode + self.log().map_or(0, |log| log.memory_bytes())
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
        let history = self.history.get_or_insert_default();
        let new = || SentLog::new(una, rtt(), now);
        history.log.get_or_insert_with(new);
        self.rack = rack;
    }

    /// Whether the peer has reported segments beyond a gap.
    pub fn has_sacks(&self) -> bool {
        self.board.is_some()
    }

    /// The log, if one is kept.
    #[inline]
    pub fn log(&self) -> Option<&SentLog> {
        self.history.as_ref()?.log.as_ref()
    }

    /// The same, mutable.
    pub fn log_mut(&mut self) -> Option<&mut SentLog> {
        self.history.as_mut()?.log.as_mut()
    }

    /// Whether losses are found by RACK.
    pub fn uses_rack(&self) -> bool {
        self.rack
    }

    /// SND.NXT when recovery began.
    pub fn recover(&self) -> SeqNum {
        self.recover
    }

    /// True when no loss is suspected: there are no duplicate ACKs and no SACKed data.
    #[inline]
    pub fn is_calm(&self) -> bool {
        self.phase == RecoveryPhase::Open && self.dup_acks == 0 && self.board.is_none()
    }

    /// Calm, without a log or an earlier reduction: acknowledgements without SACK do not matter to
    /// recovery.
    #[inline]
    pub fn is_untouched(&self) -> bool {
        self.is_calm() && self.history.is_none()
    }

    /// Notes a new segment up to `end`.
    pub fn on_sent(&mut self, end: SeqNum, now: SimTime) {
        if let Some(log) = self.log_mut() {
            log.on_sent(end, now);
        }
    }
}

#[cfg(test)]
mod tests;
