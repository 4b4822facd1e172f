//! What an end waited for before it sent a segment.
//!
//! Inferred from times alone: of delays by the application, by Nagle's algorithm and by pacing,
//! only the sum can be seen.

use rustc_hash::FxHashMap;

use crate::figures::conversation::{Conversation, LadderSegment, SegmentFate};

/// Why nothing was sent for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The other end's segment was in flight.
    RoundTrip,
    /// A timer that retransmits unacknowledged data.
    TimeOut,
    /// The ACK was delayed in case there would be more to acknowledge.
    DelayedAck,
    /// The peer's window was closed.
    Window,
    /// There was nothing to send: the application was idle or busy, or had not closed.
    Application,
    /// Data were outstanding: the delay is due to the application, Nagle's algorithm, or pacing.
    Sender,
}

/// What is known at one end of a connection, and what will arrive there.
#[derive(Clone, Debug)]
struct KnownWaits {
    /// When it last sent anything, and when it last sent each sequence number; seconds.
    last_sent: f64,
    sent: FxHashMap<u32, f64>,
    /// The end of the data that it has sent.
    data_end: Option<u32>,
    /// Times of future arrivals, with the indices of the segments; not in order.
    ahead: Vec<(f64, usize)>,
    /// Of past arrivals: the time of the last, the time of the last with data, whether the last
    /// closed the window, and the highest acknowledgment.
    last_arrival: f64,
    last_data: f64,
    window_closed: bool,
    acked: Option<u32>,
}

impl KnownWaits {
    fn new() -> KnownWaits {
        KnownWaits {
            last_sent: f64::NEG_INFINITY,
            sent: FxHashMap::default(),
            data_end: None,
            ahead: Vec::new(),
            last_arrival: f64::NEG_INFINITY,
            last_data: f64::NEG_INFINITY,
            window_closed: false,
            acked: None,
        }
    }

    /// Processes what has arrived by `now`.
    fn arrive(&mut self, c: &Conversation, now: f64) {
        let mut due: Vec<(f64, usize)> = self.ahead.extract_if(.., |(t, _)| *t <= now).collect();
        due.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (time, place) in due {
            let s = &c.segments[place];
            if time >= self.last_arrival {
                self.last_arrival = time;
                self.window_closed = s.has("ACK") && s.detail.window == 0;
            }
            if s.len > 0 {
                self.last_data = self.last_data.max(time);
            }
            if s.has("ACK") {
                self.acked = Some(later(self.acked, s.ack));
            }
        }
    }

    fn send(&mut self, s: &LadderSegment) {
        self.last_sent = self.last_sent.max(s.sent);
        self.sent.insert(s.seq, s.sent);
        if s.len > 0 {
            self.data_end = Some(later(self.data_end, s.seq.wrapping_add(s.len)));
        }
    }

    /// Whether some of its data are not acknowledged.
    fn is_outstanding(&self) -> bool {
        let unacked = |end| {
            self.acked
                .is_none_or(|acked| later(Some(acked), end) != acked)
        };
        self.data_end.is_some_and(unacked)
    }

    /// How long it waited before sending `s`, in seconds, and for what; `None` if it did not wait.
    fn wait(&self, s: &LadderSegment) -> Option<(f64, Cause)> {
        let timed = matches!(
            s.reason.as_str(),
            "RTO" | "SYN time-out" | "TLP" | "window probe"
        );
        let (since, cause) = if s.retransmission && timed {
            let cause = match s.reason == "window probe" {
                true => Cause::Window,
                false => Cause::TimeOut,
            };
            (*self.sent.get(&s.seq)?, cause)
        } else if self.last_arrival == s.sent {
            (self.last_sent, Cause::RoundTrip)
        } else if &*s.flags == "ACK" && s.len == 0 {
            (self.last_data, Cause::DelayedAck)
        } else {
            let cause = match (self.window_closed, self.is_outstanding()) {
                (true, _) => Cause::Window,
                (false, true) => Cause::Sender,
                (false, false) => Cause::Application,
            };
            (self.last_arrival.max(self.last_sent), cause)
        };
        let waited = s.sent - since;
        (waited.is_finite() && waited > 0.0).then_some((waited, cause))
    }
}

/// The later of two sequence numbers (RFC 9293 section 3.4).
fn later(known: Option<u32>, other: u32) -> u32 {
    match known {
        Some(known) if known.wrapping_sub(other) < 1 << 31 => known,
        _ => other,
    }
}

/// For each segment how long its sender waited, in seconds, and for what.
pub(super) fn of(c: &Conversation) -> Vec<Option<(f64, Cause)>> {
    let mut ends = vec![KnownWaits::new(); c.lanes.len()];
    let mut all = Vec::with_capacity(c.segments.len());
    for (i, s) in c.segments.iter().enumerate() {
        let own = &mut ends[s.from];
        own.arrive(c, s.sent);
        all.push(own.wait(s));
        own.send(s);
        if let SegmentFate::Received(time) = s.fate {
            ends[s.to].ahead.push((time, i));
        }
    }
    all
}
