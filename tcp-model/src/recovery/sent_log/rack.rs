//! Loss detection by time (RFC 8985 section 6.2), on the log of segments sent.

use sim_core::{SimDuration, SimTime};

use super::{
    LOST, LoggedSegment, MIN_RTT_MEMORY, MISSED, NewestDelivered, PERSIST, RESENT, SACKED, SentLog,
};
use crate::recovery::{Outstanding, RecoveryPhase};
use crate::seq::SeqNum;

impl SentLog {
    /// Notes that the path reorders: the latest ACK showed that a segment had wrongly been taken for lost.
    pub fn note_reordering(&mut self) {
        let order = &mut self.reordering;
        order.seen = true;
        if self.una_before.before(order.fack) {
            order.span = order.span.max(order.fack.offset_from(self.una_before));
        }
    }

    /// Sets the time of the timestamp that the next ACK echoes: segments sent from then on have
    /// later ones. `None` if it is unknown or not checked.
    pub fn set_echo_before(&mut self, time: Option<SimTime>) {
        self.echo_before = time;
    }

    /// RFC 8985 section 6.2, steps 1 to 3. Returns the round trip unless it is ambiguous.
    pub(super) fn deliver(
        &mut self,
        segment: LoggedSegment,
        start: SeqNum,
        now: SimTime,
    ) -> Option<SimDuration> {
        let rtt = now.since(segment.at);
        self.turn = self.turn.wrapping_add(1);
        // Step 2: for a segment sent twice, an ACK that echoes an older timestamp, or arrives
        // sooner than the minimum round trip, may answer the first transmission.
        let ambiguous = segment.is(RESENT)
            && (self.min_rtt.is_some_and(|(min, _)| rtt < min)
                || self.echo_before.is_some_and(|time| segment.at >= time));
        if !ambiguous {
            let newer = self.newest.is_none_or(|n| segment.sent_after(&n.segment));
            if newer {
                self.newest = Some(NewestDelivered { segment, rtt });
            } else if let Some(newest) = &mut self.newest {
                newest.rtt = rtt; // as Linux does; the RFC takes it from the newest alone
            }
            self.advanced = true;
        }
        if !segment.is(RESENT) {
            self.latest_rtt = Some(rtt);
            let stale = |(_, when): (SimDuration, SimTime)| now.since(when) > MIN_RTT_MEMORY;
            if self.min_rtt.is_none_or(|old| rtt <= old.0 || stale(old)) {
                self.min_rtt = Some((rtt, now));
            }
            self.original = Some(self.original.map_or(segment.end, |o| o.min(segment.end)));
            // Step 3: delivered out of the order of sending.
            let order = &mut self.reordering;
            if segment.end.before(order.fack) {
                order.seen = true;
                order.span = order.span.max(order.fack.offset_from(start));
            }
        }
        self.reordering.fack = self.reordering.fack.max(segment.end);
        (!ambiguous).then_some(rtt)
    }

    /// Step 4: the peer reports a duplicate, so a retransmission was spurious.
    pub fn on_duplicate_report(&mut self, out: &Outstanding) {
        if self.reordering.round.is_none_or(|r| out.una.at_or_after(r)) {
            self.reordering.round = Some(out.nxt);
            self.reordering.steps = self.reordering.steps.saturating_add(1);
            self.reordering.persist = PERSIST;
        }
    }

    /// Step 4: a recovery ends.
    pub fn on_recovery_exit(&mut self) {
        self.reordering.persist = self.reordering.persist.saturating_sub(1);
        if self.reordering.persist == 0 {
            self.reordering.steps = 1;
        }
    }

    /// Step 4, `RACK_update_reo_wnd`: how much later a delivered segment must have been sent.
    pub(super) fn window(
        &self,
        phase: RecoveryPhase,
        threshold: u32,
        srtt: Option<SimDuration>,
    ) -> SimDuration {
        if !self.reordering.seen && (phase != RecoveryPhase::Open || self.sacked >= threshold) {
            return SimDuration::ZERO;
        }
        let min = self.min_rtt.map_or(SimDuration::ZERO, |(min, _)| min);
        let window = min / 4 * u64::from(self.reordering.steps);
        window.min(srtt.unwrap_or(window))
    }

    /// Whether a delivery calls for [`SentLog::find_losses`]; clears the flag.
    pub fn take_advanced(&mut self) -> bool {
        std::mem::take(&mut self.advanced)
    }

    /// Step 5: marks lost segments; returns the time until more may be, if the reordering window is open.
    pub fn find_losses(
        &mut self,
        phase: RecoveryPhase,
        threshold: u32,
        srtt: Option<SimDuration>,
        now: SimTime,
    ) -> Option<SimDuration> {
        let newest = self.newest?;
        let patience = newest.rtt + self.window(phase, threshold, srtt);
        let mut wait = None;
        let mut start = self.una;
        for segment in &mut self.segments {
            let from = std::mem::replace(&mut start, segment.end);
            if segment.is(SACKED | LOST) {
                continue;
            }
            if !newest.segment.sent_after(segment) {
                // Without retransmissions, the order of sequence is the order of time.
                if self.resent == 0 {
                    break;
                }
                continue;
            }
            let waited = now.since(segment.at);
            if waited >= patience {
                self.missed += u32::from(!segment.is(MISSED));
                segment.marks |= LOST | MISSED;
                self.lost += segment.end.offset_from(from);
            } else {
                wait = wait.max(Some(patience.saturating_sub(waited)));
            }
        }
        wait
    }

    /// The retransmission timer expired: the first segment is lost, and those whose acknowledgement is
    /// overdue; RACK finds the others (RFC 8985 section 6.3). With `all`, all are lost.
    pub fn on_timeout(&mut self, all: bool, now: SimTime) {
        self.original = None;
        let patience = self.newest.map_or(SimDuration::ZERO, |n| n.rtt);
        let mut start = self.una;
        let mut head = true;
        for segment in &mut self.segments {
            let from = std::mem::replace(&mut start, segment.end);
            if segment.is(SACKED | LOST) {
                continue;
            }
            if std::mem::take(&mut head) || all || now.since(segment.at) >= patience {
                self.missed += u32::from(!segment.is(MISSED));
                segment.marks |= LOST | MISSED;
                self.lost += segment.end.offset_from(from);
            }
        }
    }
}
