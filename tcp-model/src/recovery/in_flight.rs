//! How many octets are in flight, have arrived, or are lost.

use super::{Outstanding, OutstandingCounts, Recovery, RecoveryPhase};

impl Recovery {
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
    pub(super) fn disturbed_pipe(&self, out: Outstanding) -> u32 {
        let lost = match self.phase {
            RecoveryPhase::Open => 0,
            _ => self.lost_unsent(&out),
        };
        self.pipe_without(&out, lost)
    }

    /// The same with `lost` octets lost and not retransmitted.
    pub fn pipe_without(&self, out: &Outstanding, lost: u32) -> u32 {
        out.flight()
            .saturating_sub(self.left_network(out))
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
            RecoveryPhase::Open => self.rack_lost(),
            _ => self.lost_unsent(out),
        }
    }

    /// Octets that have left the network without being acknowledged: SACKed, or inferred from duplicate
    /// ACKs.
    pub(super) fn left_network(&self, out: &Outstanding) -> u32 {
        match &self.board {
            Some(board) => board.octets(),
            None => {
                let most = out.flight().saturating_sub(out.mss);
                self.dup_acks.saturating_mul(out.mss).min(most)
            }
        }
    }

    pub(super) fn lost_unsent(&self, out: &Outstanding) -> u32 {
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

    /// Octets that RACK considers lost and that have not been retransmitted since.
    pub fn rack_lost(&self) -> u32 {
        match self.log() {
            Some(log) if self.rack => log.lost(),
            _ => 0,
        }
    }

    /// The outstanding octets by status.
    pub fn census(&self, out: &Outstanding) -> OutstandingCounts {
        let sent_again = match self.phase {
            RecoveryPhase::Open => 0,
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
            RecoveryPhase::Open => 0,
            _ => self.lost_unsent(out) + sent_again,
        };
        OutstandingCounts {
            left: self.left_network(out),
            lost,
            retransmitted: sent_again,
        }
    }
}
