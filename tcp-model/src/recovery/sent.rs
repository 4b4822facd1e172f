//! The send times of outstanding segments, and loss detection by time: RACK (RFC 8985 section 6).
//!
//! A segment is lost when one sent sufficiently later has been delivered. That finds lost
//! retransmissions too, which counting duplicate ACKs cannot.
//!
//! Simplification: a segment whose parts are reported by two SACKs counts as not SACKed.

use std::collections::VecDeque;

use sim_core::{SimDuration, SimTime};

use super::{Outstanding, Phase};
use crate::seq::SeqNum;

/// Lost and not retransmitted since.
const LOST: u8 = 1;
/// Sent more than once.
const RESENT: u8 = 2;
/// The peer has SACKed it.
const SACKED: u8 = 4;

/// Sent in one burst with the previous segment.
const JOINED: u8 = 8;
/// Was found lost, whether retransmitted since or not.
const MISSED: u8 = 16;
/// The application pushed its end.
const PUSHED: u8 = 32;
/// It ends a record: later data are never merged with it.
const ENDED: u8 = 64;

/// A segment, from the end of the previous one to its own end.
#[derive(Clone, Copy, Debug, Hash)]
struct Sent {
    at: SimTime,
    end: SeqNum,
    marks: u8,
}

impl Sent {
    fn is(&self, marks: u8) -> bool {
        self.marks & marks != 0
    }
}

/// What an acknowledgement delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// When the first of the segments was sent, if none was retransmitted (Karn).
    pub first_sent: Option<SimTime>,
    /// Segments acknowledged.
    pub segments: u32,
    /// One of them had been retransmitted.
    pub resent: bool,
}

/// The delivered segment sent last.
#[derive(Clone, Copy, Debug, Hash)]
struct Newest {
    sent: SimTime,
    end: SeqNum,
    rtt: SimDuration,
}

/// Reordering seen on the path (RFC 8985 section 6.2 steps 3 and 4).
#[derive(Clone, Copy, Debug, Hash)]
struct Reordering {
    seen: bool,
    /// The window is this many quarters of the minimum round trip.
    steps: u8,
    /// Recoveries until the window is reset.
    persist: u8,
    /// A D-SACK counts only once a round.
    round: Option<SeqNum>,
    /// Highest sequence number delivered.
    fack: SeqNum,
    /// Maximum number of octets by which later data overtook a segment sent once.
    span: u32,
}

/// RFC 8985 section 6.2 step 4: "RACK.reo_wnd_persist = 16".
const PERSIST: u8 = 16;
/// How long the minimum round trip is remembered (Linux `tcp_min_rtt_wlen`).
const MIN_RTT_MEMORY: SimDuration = SimDuration::from_secs(300);

/// The outstanding segments in order, and the state derived from delivered ones.
#[derive(Clone, Debug, Hash)]
pub struct SentLog {
    segments: VecDeque<Sent>,
    una: SeqNum,
    /// Octets marked lost.
    lost: u32,
    /// Segments marked SACKED.
    sacked: u32,
    /// Segments marked RESENT.
    resent: u32,
    /// Segments marked MISSED.
    missed: u32,
    newest: Option<Newest>,
    /// `newest` has changed since the last search for losses.
    advanced: bool,
    min_rtt: Option<(SimDuration, SimTime)>,
    /// Round trip of the last segment that the latest ACK delivered, of those sent once.
    latest_rtt: Option<SimDuration>,
    reordering: Reordering,
    /// The pending tail loss probe.
    pub probe: Option<Probe>,
    /// Lowest end of segments sent once and delivered since the last query (F-RTO).
    original: Option<SeqNum>,
    /// The timestamp that the ACK echoes is older than what was sent from this time on.
    echo_before: Option<SimTime>,
}

/// A tail loss probe (RFC 8985 section 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// SND.NXT after it: TLP.end_seq.
    pub end: SeqNum,
    /// It repeated the last segment: TLP.is_retrans.
    pub resent: bool,
}

impl SentLog {
    /// Bytes of memory of its segments.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.segments.capacity() * size_of::<Sent>()
    }

    /// An empty log at `una`; `rtt` is the round trip of the handshake.
    pub fn new(una: SeqNum, rtt: Option<SimDuration>, now: SimTime) -> SentLog {
        SentLog {
            segments: VecDeque::with_capacity(4),
            una,
            lost: 0,
            sacked: 0,
            resent: 0,
            missed: 0,
            newest: None,
            advanced: false,
            min_rtt: rtt.map(|rtt| (rtt, now)),
            latest_rtt: None,
            reordering: Reordering {
                seen: false,
                steps: 1,
                persist: 0,
                round: None,
                fack: una,
                span: 0,
            },
            probe: None,
            original: None,
            echo_before: None,
        }
    }

    /// The ACK to be taken in next echoes a timestamp older than those of segments sent from this time on;
    /// `None` where that is not known or not looked at.
    pub fn set_echo_before(&mut self, time: Option<SimTime>) {
        self.echo_before = time;
    }

    /// Number of outstanding segments that were retransmitted.
    pub fn resent(&self) -> u32 {
        self.resent
    }

    /// Number of outstanding segments found lost, retransmitted since or not (Linux `lost_out`).
    pub fn missed(&self) -> u32 {
        self.missed
    }

    /// Lowest end of segments sent once and delivered since the last query.
    pub fn take_original(&mut self) -> Option<SeqNum> {
        self.original.take()
    }

    /// Clears loss marks.
    pub fn forget_losses(&mut self) {
        for segment in &mut self.segments {
            segment.marks &= !(LOST | MISSED);
        }
        (self.lost, self.missed) = (0, 0);
        self.advanced = true;
    }

    /// Notes that the path reorders: a loss was wrongly inferred.
    pub fn note_reordering(&mut self) {
        self.reordering.seen = true;
    }

    /// Number of outstanding segments, including SACKed ones.
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// Segments in flight if none is lost: outstanding and not SACKed.
    pub fn in_flight(&self) -> u32 {
        self.segments.len() as u32 - self.sacked
    }

    /// True when nothing is outstanding.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Octets lost and not retransmitted since.
    pub fn lost(&self) -> u32 {
        self.lost
    }

    /// Minimum round trip of the last minutes.
    pub fn min_rtt(&self) -> Option<SimDuration> {
        self.min_rtt.map(|(rtt, _)| rtt)
    }

    /// Round trip of the last segment that the latest ACK delivered, of those sent once.
    pub fn latest_rtt(&self) -> Option<SimDuration> {
        self.latest_rtt
    }

    /// Outstanding segments that are SACKed, lost (retransmitted or not), and retransmitted, as counted by
    /// Linux: SACKed ones are not counted in the others.
    pub fn census(&self) -> [u32; 3] {
        let count = |marks| {
            let others = self.segments.iter().filter(|s| !s.is(SACKED));
            others.filter(|s| s.is(marks)).count() as u32
        };
        [self.sacked, count(LOST | RESENT), count(RESENT)]
    }

    /// Maximum number of octets by which later segments overtook one: Linux's degree of reordering, times
    /// the segment size.
    pub fn reordered_by(&self) -> u32 {
        self.reordering.span
    }

    /// When the first outstanding segment was last sent.
    pub fn head_sent(&self) -> Option<SimTime> {
        self.segments.front().map(|s| s.at)
    }

    /// The last outstanding segment.
    pub fn tail(&self) -> Option<(SeqNum, SeqNum)> {
        let last = self.segments.len().checked_sub(1)?;
        Some((self.start(last), self.segments[last].end))
    }

    fn start(&self, i: usize) -> SeqNum {
        match i.checked_sub(1) {
            Some(before) => self.segments[before].end,
            None => self.una,
        }
    }

    /// Notes a new segment, up to `end`.
    pub fn on_sent(&mut self, end: SeqNum, now: SimTime) {
        let new = Sent {
            at: now,
            end,
            marks: 0,
        };
        self.segments.push_back(new);
    }

    /// Marks the last segment as sent in one burst with the previous one.
    pub fn join_last(&mut self) {
        if let Some(last) = self.segments.back_mut() {
            last.marks |= JOINED;
        }
    }

    /// Marks the end of the last segment as pushed by the application.
    pub fn push_last(&mut self) {
        if let Some(last) = self.segments.back_mut() {
            last.marks |= PUSHED;
        }
    }

    /// Marks the last segment as the end of a record (`MSG_EOR`).
    pub fn end_last(&mut self) {
        if let Some(last) = self.segments.back_mut() {
            last.marks |= ENDED;
        }
    }

    /// Whether the application pushed the end of a segment that lies entirely in `start..end`.
    pub fn was_pushed(&self, start: SeqNum, end: SeqNum) -> bool {
        let first = self.segments.partition_point(|s| s.end.at_or_before(start));
        let all = self.segments.range(first..);
        let mut inside = all.take_while(|s| s.end.at_or_before(end));
        inside.any(|s| s.is(PUSHED))
    }

    /// How many lost segments from `start` on were sent in one burst, at most `most`; the rest of the burst
    /// becomes a separate one.
    pub fn lost_together(&mut self, start: SeqNum, most: u32) -> u32 {
        let first = self.segments.partition_point(|s| s.end.at_or_before(start));
        let mut count = 1;
        while let Some(next) = self.segments.get_mut(first + count as usize) {
            if !next.is(LOST) || !next.is(JOINED) {
                break;
            }
            if count >= most {
                next.marks &= !JOINED;
                break;
            }
            count += 1;
        }
        count
    }

    /// Notes that octets `start..end` were retransmitted.
    pub fn on_resent(&mut self, start: SeqNum, end: SeqNum, now: SimTime) {
        let mut i = self.segments.partition_point(|s| s.end.at_or_before(start));
        while i < self.segments.len() && self.start(i).before(end) {
            if self.segments[i].end.after(end) {
                // The rest of the segment did not fit and keeps its state.
                let first = Sent {
                    end,
                    ..self.segments[i]
                };
                self.segments.insert(i, first);
                self.resent += u32::from(first.is(RESENT));
                self.sacked += u32::from(first.is(SACKED));
                self.missed += u32::from(first.is(MISSED));
            }
            let length = self.segments[i].end.offset_from(self.start(i));
            let segment = &mut self.segments[i];
            if segment.is(LOST) {
                segment.marks &= !LOST;
                self.lost -= length;
            }
            self.resent += u32::from(!segment.is(RESENT));
            segment.marks |= RESENT;
            segment.at = now;
            i += 1;
        }
    }

    /// Everything below `una` is acknowledged.
    pub fn on_ack(&mut self, una: SeqNum, now: SimTime) -> Delivered {
        let mut delivered = Delivered::default();
        self.latest_rtt = None;
        while let Some(&segment) = self.segments.front() {
            if segment.end.after(una) {
                break;
            }
            if segment.is(LOST) {
                self.lost -= segment.end.offset_from(self.una);
            }
            let start = std::mem::replace(&mut self.una, segment.end);
            self.segments.pop_front();
            delivered.segments += 1;
            self.sacked -= u32::from(segment.is(SACKED));
            self.resent -= u32::from(segment.is(RESENT));
            self.missed -= u32::from(segment.is(MISSED));
            delivered.resent |= segment.is(RESENT);
            if !segment.is(SACKED) {
                if !segment.is(RESENT) {
                    delivered.first_sent.get_or_insert(segment.at);
                }
                self.deliver(segment, start, now);
            }
        }
        // For a partly acknowledged segment the rest becomes a smaller one.
        if una.after(self.una) {
            if self.segments.front().is_some_and(|s| s.is(LOST)) {
                self.lost -= una.offset_from(self.una);
            }
            self.una = una;
        }
        if delivered.resent {
            delivered.first_sent = None;
        }
        delivered
    }

    /// Notes that octets `start..end` are newly SACKed. Returns when the first of the segments was sent, if
    /// it was sent once.
    pub fn on_sack(&mut self, start: SeqNum, end: SeqNum, now: SimTime) -> Option<SimTime> {
        let mut first_sent = None;
        let mut i = self.segments.partition_point(|s| s.end.at_or_before(start));
        if i < self.segments.len() && self.start(i).before(start) {
            i += 1;
        }
        while i < self.segments.len() && self.segments[i].end.at_or_before(end) {
            let start = self.start(i);
            let length = self.segments[i].end.offset_from(start);
            let segment = &mut self.segments[i];
            if !segment.is(SACKED) {
                if segment.is(LOST) {
                    segment.marks &= !LOST;
                    self.lost -= length;
                }
                self.missed -= u32::from(segment.is(MISSED));
                segment.marks = (segment.marks & !MISSED) | SACKED;
                self.sacked += 1;
                let segment = *segment;
                if !segment.is(RESENT) && first_sent.is_none() {
                    first_sent = Some(segment.at);
                }
                self.deliver(segment, start, now);
            }
            i += 1;
        }
        first_sent
    }

    /// RFC 8985 section 6.2, steps 1 to 3.
    fn deliver(&mut self, segment: Sent, start: SeqNum, now: SimTime) {
        let rtt = now.since(segment.at);
        // Step 2: of a segment sent twice, an ACK that echoes an older timestamp or comes sooner than the
        // smallest round trip may answer the first of the two.
        let ambiguous = segment.is(RESENT)
            && (self.min_rtt.is_some_and(|(min, _)| rtt < min)
                || self.echo_before.is_some_and(|time| segment.at >= time));
        if !ambiguous {
            let newer = self
                .newest
                .is_none_or(|n| sent_after(segment.at, segment.end, n.sent, n.end));
            if newer {
                self.newest = Some(Newest {
                    sent: segment.at,
                    end: segment.end,
                    rtt,
                });
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
    fn window(&self, phase: Phase, threshold: u32, srtt: Option<SimDuration>) -> SimDuration {
        if !self.reordering.seen && (phase != Phase::Open || self.sacked >= threshold) {
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
        phase: Phase,
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
            if !sent_after(newest.sent, newest.end, segment.at, segment.end) {
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

    /// Clears all SACK marks: the peer has dropped the data it had reported.
    pub fn forget_sacks(&mut self) {
        for segment in &mut self.segments {
            segment.marks &= !SACKED;
        }
        self.sacked = 0;
    }

    /// Whether the first outstanding segment is SACKed.
    pub fn head_is_sacked(&self) -> bool {
        self.segments.front().is_some_and(|s| s.is(SACKED))
    }

    /// The end of the segments from `start` on, at least one, that are not SACKed and fit together in
    /// `most` octets.
    pub fn joined_end(&self, start: SeqNum, most: u32) -> Option<SeqNum> {
        let first = self.segments.partition_point(|s| s.end.at_or_before(start));
        let mut rest = self.segments.range(first..);
        let first = rest.next()?;
        let (mut end, mut ended) = (first.end, first.is(ENDED));
        for segment in rest {
            if ended || segment.is(SACKED) || segment.end.offset_from(start) > most {
                break;
            }
            (end, ended) = (segment.end, segment.is(ENDED));
        }
        Some(end)
    }

    /// The first segment that is lost and not retransmitted.
    pub fn first_lost(&self) -> Option<(SeqNum, SeqNum)> {
        if self.lost == 0 {
            return None;
        }
        let i = self.segments.iter().position(|s| s.is(LOST))?;
        Some((self.start(i), self.segments[i].end))
    }
}

/// RFC 8985 section 6.2: sent later, or at the same time with a higher sequence number.
fn sent_after(a: SimTime, a_end: SeqNum, b: SimTime, b_end: SeqNum) -> bool {
    a > b || (a == b && a_end.after(b_end))
}

#[cfg(test)]
mod tests;
