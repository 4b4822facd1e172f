//! The send times of outstanding segments, and loss detection by time: RACK (RFC 8985 section 6).
//!
//! A segment is lost when one sent sufficiently later has been delivered. That finds lost
//! retransmissions too, which counting duplicate ACKs cannot.
//!
//! In simulations many segments are sent at one instant, in answer to different ACKs. On real hosts these take
//! time one after the other, so the order of the ACKs that released them stands for it: each has a
//! [turn](LoggedSegment::turn).
//!
//! Simplification: a segment whose parts are reported by two SACKs counts as not SACKed.

mod boundaries;
mod rack;

use std::collections::VecDeque;

use sim_core::{SimDuration, SimTime};

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
struct LoggedSegment {
    at: SimTime,
    end: SeqNum,
    /// The turn of the log when it was last sent: it advances with each delivery, so that segments released by a
    /// later ACK have a later one. Compared only between segments sent at the same time, of which fewer than
    /// 32,768 turns apart.
    turn: u16,
    marks: u8,
}

const _: () = assert!(size_of::<LoggedSegment>() == 16);

impl LoggedSegment {
    /// RFC 8985 section 6.2, `RACK_sent_after`: sent later, or at the same time with a higher sequence number.
    fn sent_after(&self, other: &LoggedSegment) -> bool {
        if self.at != other.at {
            return self.at > other.at;
        }
        match self.turn.wrapping_sub(other.turn) as i16 {
            0 => self.end.after(other.end),
            turns => turns > 0,
        }
    }

    fn is(&self, marks: u8) -> bool {
        self.marks & marks != 0
    }
}

/// What an acknowledgement delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveredSegments {
    /// When the first of the segments was sent, if none was retransmitted (Karn).
    pub first_sent: Option<SimTime>,
    /// Segments acknowledged.
    pub segments: u32,
    /// One of them had been retransmitted.
    pub resent: bool,
}

/// The delivered segment sent last.
#[derive(Clone, Copy, Debug, Hash)]
struct NewestDelivered {
    segment: LoggedSegment,
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
    segments: VecDeque<LoggedSegment>,
    una: SeqNum,
    /// Round trip of the last segment that the ACK being processed acknowledges, of those without a SACK block.
    acked_rtt: Option<SimDuration>,
    /// `una` before the latest ACK that advanced it.
    una_before: SeqNum,
    /// Octets marked lost.
    lost: u32,
    /// Segments marked SACKED.
    sacked: u32,
    /// Segments marked RESENT.
    resent: u32,
    /// Segments marked MISSED.
    missed: u32,
    newest: Option<NewestDelivered>,
    /// Advances with each delivery.
    turn: u16,
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
        self.segments.capacity() * size_of::<LoggedSegment>()
    }

    /// An empty log at `una`; `rtt` is the round trip of the handshake.
    pub fn new(una: SeqNum, rtt: Option<SimDuration>, now: SimTime) -> SentLog {
        SentLog {
            segments: VecDeque::with_capacity(4),
            una,
            acked_rtt: None,
            una_before: una,
            lost: 0,
            sacked: 0,
            resent: 0,
            missed: 0,
            newest: None,
            turn: 0,
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
        let new = LoggedSegment {
            at: now,
            end,
            turn: self.turn,
            marks: 0,
        };
        self.segments.push_back(new);
    }

    /// Notes that octets `start..end` were retransmitted.
    pub fn on_resent(&mut self, start: SeqNum, end: SeqNum, now: SimTime) {
        let mut i = self.segments.partition_point(|s| s.end.at_or_before(start));
        while i < self.segments.len() && self.start(i).before(end) {
            if self.segments[i].end.after(end) {
                // The rest of the segment did not fit and keeps its state, and its end.
                let whole = self.segments[i];
                let first = LoggedSegment {
                    end,
                    marks: whole.marks & !(PUSHED | ENDED),
                    ..whole
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
            (segment.at, segment.turn) = (now, self.turn);
            i += 1;
        }
    }

    /// Removes everything below `una`, which is acknowledged.
    pub fn on_ack(&mut self, una: SeqNum, now: SimTime) -> DeliveredSegments {
        let mut delivered = DeliveredSegments::default();
        self.latest_rtt = None;
        self.una_before = self.una;
        self.acked_rtt = None;
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
                self.acked_rtt = self.deliver(segment, start, now).or(self.acked_rtt);
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

    /// Ends the processing of an ACK's blocks. Linux processes them first: the round trip of what the ACK itself
    /// acknowledges is then the latest.
    pub fn end_sack(&mut self) {
        if let (Some(rtt), Some(newest)) = (self.acked_rtt.take(), &mut self.newest) {
            newest.rtt = rtt;
        }
    }

    /// Marks the first outstanding segment as lost.
    pub fn lose_first(&mut self) {
        let length = self
            .segments
            .front()
            .map_or(0, |s| s.end.offset_from(self.una));
        if let Some(first) = self.segments.front_mut() {
            self.lost += if first.is(LOST) { 0 } else { length };
            self.missed += u32::from(!first.is(MISSED));
            first.marks |= LOST | MISSED;
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

    /// The first segment that is lost and not retransmitted.
    pub fn first_lost(&self) -> Option<(SeqNum, SeqNum)> {
        if self.lost == 0 {
            return None;
        }
        let i = self.segments.iter().position(|s| s.is(LOST))?;
        Some((self.start(i), self.segments[i].end))
    }
}

#[cfg(test)]
mod tests;
