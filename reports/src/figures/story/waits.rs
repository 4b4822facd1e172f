//! What an end waited for before it sent a segment.
//!
//! Told from times alone: of waits of the application, of Nagle's algorithm and of pacing only the sum is
//! seen.

use crate::figures::conversation::{Arrival, Conversation, SentSegment};

/// Why nothing was sent for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The other end's segment was on its way.
    RoundTrip,
    /// A timer that repeats what is not acknowledged.
    TimeOut,
    /// The ACK was held back in case that there is more to acknowledge.
    DelayedAck,
    /// The peer's window was closed.
    Window,
    /// Nothing was to be sent: the application thought, worked, or had not closed.
    Application,
    /// Data were outstanding: the application, Nagle's algorithm, or pacing.
    Sender,
}

/// How long the sender of a segment had waited, seconds, and for what; `None` where it did not wait.
pub(super) fn before(c: &Conversation, i: usize) -> Option<(f64, Cause)> {
    let s = &c.segments[i];
    let earlier = &c.segments[..i];
    let own = earlier.iter().filter(|o| o.from == s.from);
    let arrived =
        |o: &&SentSegment| matches!(o.fate, Arrival::Received(t) if o.to == s.from && t <= s.sent);
    let arrivals = earlier.iter().filter(arrived);
    let arrival = |o: &SentSegment| match o.fate {
        Arrival::Received(t) => t,
        _ => f64::NEG_INFINITY,
    };
    let last_sent = own
        .clone()
        .map(|o| o.sent)
        .fold(f64::NEG_INFINITY, f64::max);
    let last_arrival = arrivals
        .clone()
        .map(arrival)
        .fold(f64::NEG_INFINITY, f64::max);
    let timed = matches!(
        s.reason.as_str(),
        "RTO" | "SYN time-out" | "TLP" | "window probe"
    );
    let window_closed = || {
        let last = arrivals
            .clone()
            .max_by(|a, b| arrival(a).total_cmp(&arrival(b)));
        last.is_some_and(|o| o.has("ACK") && o.detail.window == 0)
    };
    let (since, cause) = if s.retransmission && timed {
        let same = own.clone().filter(|o| o.seq == s.seq);
        let since = same.map(|o| o.sent).fold(f64::NEG_INFINITY, f64::max);
        let cause = match s.reason == "window probe" {
            true => Cause::Window,
            false => Cause::TimeOut,
        };
        (since.max(last_sent.min(since)), cause)
    } else if last_arrival == s.sent {
        (last_sent, Cause::RoundTrip)
    } else if s.flags == "ACK" && s.len == 0 {
        let data = arrivals.clone().filter(|o| o.len > 0).map(arrival);
        (data.fold(f64::NEG_INFINITY, f64::max), Cause::DelayedAck)
    } else {
        let outstanding = own
            .clone()
            .any(|o| o.len > 0 && !is_acked(o, arrivals.clone()));
        let cause = match (window_closed(), outstanding) {
            (true, _) => Cause::Window,
            (false, true) => Cause::Sender,
            (false, false) => Cause::Application,
        };
        (last_arrival.max(last_sent), cause)
    };
    let waited = s.sent - since;
    (waited.is_finite() && waited > 0.0).then_some((waited, cause))
}

/// True when an ACK for all of a segment is among the arrivals.
fn is_acked<'a>(s: &SentSegment, mut arrivals: impl Iterator<Item = &'a SentSegment>) -> bool {
    let end = s.seq.wrapping_add(s.len);
    arrivals.any(|o| o.has("ACK") && o.ack.wrapping_sub(end) < 1 << 31)
}
