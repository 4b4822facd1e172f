//! The latest reduction of the window, and PRR while it governs one.

use super::{Episode, Prr, Recovery, RecoveryPhase};
use crate::seq::SeqNum;

impl Recovery {
    /// The latest reduction of the window, if there was one.
    pub fn episode(&self) -> Option<&Episode> {
        self.history.as_ref()?.episode.as_deref()
    }

    /// The same, mutable; created if necessary.
    pub fn episode_mut(&mut self) -> &mut Episode {
        let history = self.history.get_or_insert_default();
        history.episode.get_or_insert_default()
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
        self.history.as_mut()?.episode.as_mut()?.prr.as_mut()
    }

    /// Whether the window is being reduced for an ECN echo, with nothing lost.
    #[inline]
    pub fn is_reducing_for_ecn(&self) -> bool {
        self.phase == RecoveryPhase::Open && self.episode().is_some_and(|e| e.prr.is_some())
    }

    /// Ends the reduction for an ECN echo.
    pub fn end_ecn_reduction(&mut self) {
        if self.is_reducing_for_ecn() {
            self.episode_mut().prr = None;
        }
    }

    /// Notes a segment sent in recovery; for a retransmission `again` has its timestamp, if any.
    pub fn note_sent(&mut self, octets: u32, again: Option<Option<u32>>) {
        let Some(episode) = self.history.as_mut().and_then(|b| b.episode.as_mut()) else {
            return;
        };
        if let Some(prr) = &mut episode.prr {
            prr.on_sent(octets.into());
        }
        if let (Some(timestamp), Some(undo)) = (again, &mut episode.undo) {
            undo.on_resent(timestamp);
        }
    }

    /// F-RTO step 2b: recovery after the time-out lasts until all data now outstanding are acknowledged;
    /// new data are sent first, and nothing is retransmitted until the next ACK.
    pub fn probe_timeout(&mut self, nxt: SeqNum) {
        self.recover = nxt;
        self.episode_mut().hold = true;
    }
}
