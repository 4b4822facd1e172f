//! Infers what a capture does not say: when segments left and arrived, which were lost, and the
//! states of both ends.

use tcp_model::State;

use super::connection::{CapturedConnection, CapturedPacket, is_after};

/// A segment with what is inferred about it.
#[derive(Clone, Debug)]
pub(crate) struct InferredSegment {
    pub(crate) packet: CapturedPacket,
    /// Seconds; the arrival is `None` if it was lost.
    pub(crate) sent: f64,
    pub(crate) received: Option<f64>,
    /// Its sequence numbers had been sent before.
    pub(crate) again: bool,
    /// States of its ends after it was sent and after it arrived, if known.
    pub(crate) states: [Option<State>; 2],
}

/// A change of state of one end: the opener is end 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct InferredChange {
    pub(crate) time: f64,
    pub(crate) end: usize,
    pub(crate) from: State,
    pub(crate) to: State,
}

/// A connection and what is inferred about it.
#[derive(Clone, Debug)]
pub(crate) struct InferredConnection {
    pub(crate) names: [String; 2],
    pub(crate) connection: CapturedConnection,
    pub(crate) segments: Vec<InferredSegment>,
    pub(crate) changes: Vec<InferredChange>,
}

impl InferredConnection {
    /// When the last segment arrived, seconds.
    pub(crate) fn end_s(&self) -> f64 {
        let times = self.segments.iter().map(|s| s.received.unwrap_or(s.sent));
        times.fold(0.0, f64::max)
    }

    /// The number of segments that were retransmitted.
    pub(crate) fn retransmissions(&self) -> usize {
        self.segments.iter().filter(|s| s.again).count()
    }

    /// The last known state of an end.
    pub(crate) fn last_state(&self, end: usize) -> Option<State> {
        self.changes
            .iter()
            .rev()
            .find(|c| c.end == end)
            .map(|c| c.to)
    }
}

/// Infers everything that can be inferred about a connection.
pub(super) fn infer(connection: &CapturedConnection) -> InferredConnection {
    let packets = &connection.packets;
    let again = sent_again(packets);
    let lost = lost(packets, &again);
    let delays = delays(packets);
    let mut segments: Vec<InferredSegment> = Vec::with_capacity(packets.len());
    for (i, packet) in packets.iter().enumerate() {
        let (before, after) = match packet.from_opener {
            true => delays,
            false => (delays.1, delays.0),
        };
        segments.push(InferredSegment {
            packet: packet.clone(),
            sent: packet.time - before,
            received: (!lost[i]).then_some(packet.time + after),
            again: again[i],
            states: [None; 2],
        });
    }
    // Time begins when the first segment left.
    let start = segments
        .iter()
        .map(|s| s.sent)
        .fold(f64::INFINITY, f64::min)
        .min(0.0);
    for s in &mut segments {
        s.sent -= start;
        s.received = s.received.map(|t| t - start);
    }
    let changes = Machines::new(&segments).run(&mut segments);
    InferredConnection {
        names: connection.names.clone(),
        connection: connection.clone(),
        segments,
        changes,
    }
}

/// Which packets contain sequence numbers that their sender had sent before. A keep-alive probe
/// repeats the last one too, but is not a retransmission (RFC 9293 section 3.8.4).
fn sent_again(packets: &[CapturedPacket]) -> Vec<bool> {
    let mut highest: [Option<u32>; 2] = [None; 2];
    let again = packets.iter().map(|p| {
        let highest = &mut highest[usize::from(!p.from_opener)];
        if !p.takes_numbers() {
            return false;
        }
        let is_probe = p.len <= 1
            && !p.flags.is_syn()
            && !p.flags.is_fin()
            && highest.is_some_and(|h| h == p.seq.wrapping_add(1));
        let is_new = highest.is_none_or(|h| is_after(p.end(), h));
        if is_new {
            *highest = Some(p.end());
        }
        !is_new && !is_probe
    });
    again.collect()
}

/// How many packets ahead a retransmission is searched for.
const MOST_AHEAD: usize = 4096;

/// Which packets did not arrive: those that were retransmitted before anything that came back
/// acknowledged them, and ACKs of a FIN that was retransmitted after them.
fn lost(packets: &[CapturedPacket], again: &[bool]) -> Vec<bool> {
    let mut lost = vec![false; packets.len()];
    let mut repetitions = (0..packets.len()).filter(|i| again[*i]).peekable();
    for (i, p) in packets.iter().enumerate() {
        while repetitions.next_if(|k| *k <= i).is_some() {}
        if repetitions.peek().is_none_or(|k| *k > i + MOST_AHEAD) {
            continue;
        }
        let later = || packets.iter().enumerate().skip(i + 1).take(MOST_AHEAD);
        if p.takes_numbers() {
            let repeated =
                later().find(|(k, o)| again[*k] && o.from_opener == p.from_opener && covers(o, p));
            let Some((repeated, _)) = repeated else {
                continue;
            };
            let acknowledged = packets[i + 1..repeated].iter().any(|o| {
                let acks = o.flags.is_ack() && !is_after(p.end(), o.ack);
                let sacks = o
                    .options
                    .sack_blocks()
                    .any(|(from, to)| !is_after(from.0, p.seq) && !is_after(p.end(), to.0));
                o.from_opener != p.from_opener && (acks || sacks)
            });
            lost[i] = !acknowledged;
        } else if p.flags.is_ack() && !p.flags.is_rst() {
            let repeats_fin = |(k, o): (usize, &CapturedPacket)| {
                again[k]
                    && o.from_opener != p.from_opener
                    && o.flags.is_fin()
                    && !is_after(o.end(), p.ack)
            };
            lost[i] = later().any(repeats_fin);
        }
    }
    lost
}

/// Whether all sequence numbers of `other` are among those of `one`.
fn covers(one: &CapturedPacket, other: &CapturedPacket) -> bool {
    !is_after(one.seq, other.seq) && !is_after(other.end(), one.end())
}

/// Seconds from the opener to the capture point, and from there to the other end: half of the time
/// that the handshake took on each side.
fn delays(packets: &[CapturedPacket]) -> (f64, f64) {
    let answer = packets
        .iter()
        .position(|p| p.flags.is_syn() && p.flags.is_ack());
    let Some(answer) = answer else {
        return (0.0, 0.0);
    };
    let asked = packets[..answer]
        .iter()
        .rfind(|p| p.from_opener && p.flags.is_syn());
    let closed = packets[answer + 1..]
        .iter()
        .find(|p| p.from_opener && p.flags.is_ack());
    let (Some(asked), Some(closed)) = (asked, closed) else {
        return (0.0, 0.0);
    };
    let there = packets[answer].time - asked.time;
    let here = closed.time - packets[answer].time;
    (here / 2.0, there / 2.0)
}

/// An end as far as a capture shows it.
#[derive(Clone, Copy, Debug)]
struct InferredEnd {
    state: State,
    /// The number after its FIN, once it has sent one.
    fin: Option<u32>,
    /// The number after its SYN.
    syn: Option<u32>,
}

/// Times closer than this, in seconds, count as the same instant: inferred times have rounding
/// errors.
const INSTANT: f64 = 1e-7;
/// How many packets back the segments that an ACK acknowledges are searched for.
const MOST_BEHIND: usize = 256;

/// The earlier segments of the other end that segment `i` acknowledges and that were not lost.
fn acknowledged(segments: &[InferredSegment], i: usize) -> Vec<usize> {
    let p = &segments[i].packet;
    if !p.flags.is_ack() {
        return Vec::new();
    }
    let is_covered = |k: &usize| {
        let other = &segments[*k];
        other.packet.from_opener != p.from_opener
            && other.received.is_some()
            && other.packet.takes_numbers()
            && !is_after(other.packet.end(), p.ack)
    };
    (i.saturating_sub(MOST_BEHIND)..i)
        .filter(is_covered)
        .collect()
}

/// The state machines of both ends, driven by the segments they send and receive.
struct Machines {
    ends: [InferredEnd; 2],
    changes: Vec<InferredChange>,
}

impl Machines {
    /// Both ends are closed at first if the handshake is in the capture, and otherwise already
    /// open.
    fn new(segments: &[InferredSegment]) -> Machines {
        let opened = segments.iter().any(|s| s.packet.flags.is_syn());
        let state = |end: usize| match (opened, end) {
            (false, _) => State::Established,
            (true, 0) => State::Closed,
            (true, _) => State::Listen,
        };
        let end = |end: usize| InferredEnd {
            state: state(end),
            fin: None,
            syn: None,
        };
        Machines {
            ends: [end(0), end(1)],
            changes: Vec::new(),
        }
    }

    fn run(mut self, segments: &mut [InferredSegment]) -> Vec<InferredChange> {
        // Each sending and each arrival, in order of time. At the same instant an arrival comes
        // before its answer, which was captured later.
        let mut events: Vec<(f64, bool, usize)> = Vec::new();
        for (i, s) in segments.iter().enumerate() {
            events.push((s.sent, true, i));
            if let Some(received) = s.received {
                events.push((received, false, i));
            }
        }
        events.sort_by_key(|e| ((e.0 / INSTANT).round() as i64, e.2, !e.1));
        let mut has_arrived = vec![false; segments.len()];
        for (time, is_sending, i) in events {
            if is_sending {
                // Segments that it acknowledges have arrived, whatever the times say.
                for k in acknowledged(segments, i) {
                    if !std::mem::replace(&mut has_arrived[k], true) {
                        segments[k].received = Some(time);
                        self.event(segments, (time, false, k));
                    }
                }
            } else if std::mem::replace(&mut has_arrived[i], true) {
                continue;
            }
            self.event(segments, (time, is_sending, i));
        }
        self.changes
    }

    /// Handles the sending or the arrival of a segment.
    fn event(
        &mut self,
        segments: &mut [InferredSegment],
        (time, is_sending, i): (f64, bool, usize),
    ) {
        let packet = segments[i].packet.clone();
        let sender = usize::from(!packet.from_opener);
        let end = if is_sending { sender } else { 1 - sender };
        if is_sending {
            let next = self.sends(end, &packet);
            self.change(time, end, next);
        } else {
            // Its ACK is processed before its FIN, each with its own state.
            let next = self.takes_ack(end, &packet);
            self.change(time, end, next);
            let next = self.takes_fin(end, &packet);
            self.change(time, end, next);
        }
        segments[i].states[usize::from(!is_sending)] = Some(self.ends[end].state);
    }

    /// Records a change of state, if the state does change.
    fn change(&mut self, time: f64, end: usize, to: State) {
        let from = std::mem::replace(&mut self.ends[end].state, to);
        if to != from {
            self.changes.push(InferredChange {
                time,
                end,
                from,
                to,
            });
        }
    }

    /// The state of an end after it has sent a segment (RFC 9293 section 3.10.1 and 3.10.4).
    fn sends(&mut self, end: usize, p: &CapturedPacket) -> State {
        let own = &mut self.ends[end];
        if p.flags.is_rst() {
            return State::Closed;
        }
        if p.flags.is_syn() {
            own.syn = Some(p.seq.wrapping_add(1));
            return match (own.state, p.flags.is_ack()) {
                (State::Closed, false) => State::SynSent,
                (State::Closed | State::Listen | State::SynSent, true) => State::SynReceived,
                (state, _) => state,
            };
        }
        if p.flags.is_fin() {
            own.fin = Some(p.end());
            return match own.state {
                State::Established | State::SynReceived => State::FinWait1,
                State::CloseWait => State::LastAck,
                state => state,
            };
        }
        own.state
    }

    /// The state of an end after a segment has arrived, ignoring its FIN (RFC 9293 section 3.10.7).
    fn takes_ack(&self, end: usize, p: &CapturedPacket) -> State {
        let own = self.ends[end];
        if p.flags.is_rst() {
            return match own.state {
                State::Listen | State::TimeWait => own.state,
                _ => State::Closed,
            };
        }
        let acks =
            |number: Option<u32>| p.flags.is_ack() && number.is_some_and(|n| !is_after(n, p.ack));
        let mut state = match (own.state, p.flags.is_syn()) {
            (State::Closed | State::Listen, true) => State::SynReceived,
            (State::SynSent, true) if acks(own.syn) => State::Established,
            (State::SynSent, true) => State::SynReceived,
            (State::SynReceived, _) if acks(own.syn) => State::Established,
            (state, _) => state,
        };
        if acks(own.fin) {
            state = match state {
                State::FinWait1 => State::FinWait2,
                State::Closing => State::TimeWait,
                State::LastAck => State::Closed,
                state => state,
            };
        }
        state
    }

    /// The state of an end after the FIN of a segment that has arrived.
    fn takes_fin(&self, end: usize, p: &CapturedPacket) -> State {
        match (self.ends[end].state, p.flags.is_fin()) {
            (State::Established | State::SynReceived, true) => State::CloseWait,
            (State::FinWait1, true) => State::Closing,
            (State::FinWait2, true) => State::TimeWait,
            (state, _) => state,
        }
    }
}
