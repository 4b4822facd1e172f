//! Counts the losses that ACKs and timers show, for congestion controls that measure.

use super::Connection;

impl Connection {
    /// Octets lost and not yet retransmitted, taken before a step that may find more losses; see
    /// [`Connection::count_lost`].
    #[inline]
    pub(super) fn lost_so_far(&self) -> u32 {
        match self.measure() {
            Some(_) => self.recovery.lost(&self.outstanding()),
            None => 0,
        }
    }

    /// Counts octets found lost since `before`.
    #[inline]
    pub(super) fn count_lost(&mut self, before: u32) {
        if self.measure().is_none() {
            return;
        }
        let after = self.lost_so_far();
        if let Some(measure) = self.measure_mut() {
            measure.lost += u64::from(after.saturating_sub(before));
        }
    }

    /// Octets counted as lost and not yet passed to the control.
    pub(super) fn lost_untold(&self) -> u64 {
        self.measure().map_or(0, |measure| measure.lost)
    }

    /// Notes that what was counted as lost beyond `untold` was found without an ACK.
    pub(super) fn note_lost_without_ack(&mut self, untold: u64) {
        if let Some(measure) = self.measure_mut() {
            measure.lost_by_timer += measure.lost - untold;
        }
    }
}
