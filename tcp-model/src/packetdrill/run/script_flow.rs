//! A connection as the script sees it: its numbers, and the segments that have passed.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::SimTime;

use super::render;
use crate::host::SocketId;
use crate::options::{Options, TcpOption};
use crate::segment::Segment;
use crate::seq::SeqNum;

/// A connection of the run.
#[derive(Debug)]
pub(super) struct ScriptFlow {
    /// Its socket at the host; `None` before there is one.
    pub(super) id: Option<SocketId>,
    pub(super) local_port: u16,
    pub(super) remote_port: u16,
    /// The host's initial sequence number, known from its first SYN.
    iss: SeqNum,
    /// The sequence number the script writes for the host's SYN.
    pub(super) script_iss: u32,
    /// The peer's initial sequence number, known from its first SYN.
    pub(super) peer_isn: Option<u32>,
    pub(super) stamps: Stamps,
    /// Counters of the segments that have passed.
    pub(super) seen: FlowCounters,
    /// Segments sent, each once.
    sent: u64,
    /// Sent and not acknowledged: first and last sequence number, and whether SACKed.
    outstanding: Vec<(SeqNum, SeqNum, bool)>,
}

pub(super) const LOCAL: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 1);
pub(super) const REMOTE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Properties of a connection known from its segments alone.
#[derive(Debug, Default)]
pub(super) struct FlowCounters {
    pub(super) data_out: u64,
    pub(super) data_in: u64,
    pub(super) bytes_out: u64,
    pub(super) bytes_again: u64,
    pub(super) last_data_out: Option<SimTime>,
    pub(super) last_data_in: Option<SimTime>,
    pub(super) last_ack_in: Option<SimTime>,
    /// When the handshake was complete, from which times count before there are any data.
    pub(super) open_since: Option<SimTime>,
}

impl FlowCounters {
    fn note_sent(&mut self, segment: &Segment, again: bool, now: SimTime) {
        if segment.len > 0 {
            self.data_out += 1;
            self.bytes_out += u64::from(segment.len);
            self.bytes_again += if again { u64::from(segment.len) } else { 0 };
            self.last_data_out = Some(now);
        }
    }

    fn note_arriving(&mut self, segment: &Segment, now: SimTime) {
        if segment.len > 0 {
            self.data_in += u64::from(segment.wire_segments());
            self.last_data_in = Some(now);
        }
        if segment.flags.is_ack() {
            self.last_ack_in = Some(now);
            self.open_since.get_or_insert(now);
        }
    }
}

impl ScriptFlow {
    pub(super) fn new(local_port: u16, remote_port: u16) -> ScriptFlow {
        ScriptFlow {
            id: None,
            local_port,
            remote_port,
            iss: SeqNum(0),
            script_iss: 0,
            peer_isn: None,
            stamps: Stamps::default(),
            seen: FlowCounters::default(),
            sent: 0,
            outstanding: Vec::new(),
        }
    }

    /// The 4-tuple, the host's end first.
    pub(super) fn ends(&self) -> (SocketAddrV4, SocketAddrV4) {
        (
            SocketAddrV4::new(LOCAL, self.local_port),
            SocketAddrV4::new(REMOTE, self.remote_port),
        )
    }

    /// The offset of the host's sequence numbers in the script. In a SYN (`syn`) they are written as in the
    /// script's SYN, in all other segments relative to the initial one, as tcpdump shows them.
    fn base(&self, syn: bool) -> u32 {
        let written = if syn { self.script_iss } else { 0 };
        self.iss.0.wrapping_sub(written)
    }

    /// The same for the peer's, which are absolute in a SYN.
    fn peer_base(&self, syn: bool) -> u32 {
        if syn { 0 } else { self.peer_isn.unwrap_or(0) }
    }

    /// Converts a number of the script to the model's.
    pub(super) fn to_model(&self, number: u32, syn: bool) -> SeqNum {
        SeqNum(number.wrapping_add(self.base(syn)))
    }

    /// A segment of the host in the script's numbers, except for its timestamp value; `absolute` leaves
    /// its sequence number unchanged.
    pub(super) fn in_script(&self, segment: &Segment, absolute: bool) -> Segment {
        let syn = segment.flags.is_syn();
        let peer = |n: u32| n.wrapping_sub(self.peer_base(syn));
        let mut seen = *segment;
        if !absolute {
            seen.seq = SeqNum(segment.seq.0.wrapping_sub(self.base(syn)));
        }
        if segment.flags.is_ack() {
            seen.ack = SeqNum(peer(segment.ack.0));
        }
        seen.options = renumbered(&segment.options, peer, |stamps| stamps);
        seen
    }

    /// The same as text, with its timestamp value.
    pub(super) fn shown(&self, segment: &Segment, absolute: bool) -> String {
        let mut seen = self.in_script(segment, absolute);
        let stamps = |(val, ecr)| (self.stamps.to_script(val), ecr);
        seen.options = renumbered(&seen.options, |n| n, stamps);
        render::line(&seen)
    }

    /// Converts a segment of the peer from the script's numbers to those of both ends.
    ///
    /// # Errors
    /// The echoed timestamp, if no segment was sent with it; see [`Stamps::to_model`] for `scaled`.
    pub(super) fn for_model(&self, header: &Segment, scaled: bool) -> Result<Segment, u32> {
        let syn = header.flags.is_syn();
        let own = |n| self.to_model(n, syn).0;
        let mut unknown = None;
        let options = renumbered(&header.options, own, |(val, ecr)| {
            let live = self.stamps.to_model(ecr, scaled);
            unknown = unknown.or(live.is_none().then_some(ecr));
            (val, live.unwrap_or(0))
        });
        let segment = Segment {
            src_port: self.remote_port,
            dst_port: self.local_port,
            seq: SeqNum(header.seq.0.wrapping_add(self.peer_base(syn))),
            options,
            ..*header
        };
        unknown.map_or(Ok(segment), Err)
    }

    /// Counts a segment that left, as `tcp_info` does.
    pub(super) fn note_sent(&mut self, segment: &Segment, again: bool, now: SimTime) {
        self.seen.note_sent(segment, again, now);
        if segment.flags.is_syn() {
            self.iss = segment.seq;
            if segment.flags.is_ack() {
                self.peer_isn.get_or_insert((segment.ack - 1).0);
            }
        }
        if segment.seq_len() > 0 && !again {
            self.sent += 1;
            self.outstanding
                .push((segment.seq, segment.seq_end(), false));
        }
    }

    /// Counts a segment that is about to arrive.
    pub(super) fn note_arriving(&mut self, segment: &Segment, now: SimTime) {
        self.seen.note_arriving(segment, now);
        for (left, right) in segment.options.sack_blocks() {
            for (first, end, sacked) in &mut self.outstanding {
                *sacked |= first.at_or_after(left) && end.at_or_before(right);
            }
        }
    }

    /// Segments sent and not acknowledged, and segments delivered, according to ACKs and SACKs.
    pub(super) fn packets_out(&mut self, una: SeqNum) -> (u64, u64) {
        self.outstanding.retain(|(_, end, _)| end.after(una));
        let out = self.outstanding.len() as u64;
        let sacked = self.outstanding.iter().filter(|(_, _, s)| *s).count();
        (out, self.sent - out + sacked as u64)
    }
}

/// The same options with converted numbers: edges of SACK blocks, and pairs of timestamps.
pub(super) fn renumbered(
    options: &Options,
    edge: impl Fn(u32) -> u32,
    mut stamps: impl FnMut((u32, u32)) -> (u32, u32),
) -> Options {
    let mut all = Options::NONE;
    let mut walk = options.iter();
    for option in walk.by_ref().map_while(Result::ok) {
        let sack: Vec<u8>;
        let _ = all.push(match option {
            TcpOption::Timestamps(val, ecr) => {
                let (val, ecr) = stamps((val, ecr));
                TcpOption::Timestamps(val, ecr)
            }
            TcpOption::Sack(data) => {
                let edges = data.as_chunks().0.iter().map(|b| u32::from_be_bytes(*b));
                sack = edges.flat_map(|n| edge(n).to_be_bytes()).collect();
                TcpOption::Sack(&sack)
            }
            TcpOption::Eol => break,
            other => other,
        });
    }
    let rest = [all.as_bytes(), walk.rest()].concat();
    Options::from_bytes(&rest).unwrap_or(all)
}

/// Timestamps of the model in the script's numbers.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    /// The first pair: the script's and the model's.
    pub(super) first: Option<(u32, u32)>,
    known: BTreeMap<u32, u32>,
}

impl Stamps {
    /// Notes that the script writes `script` for the timestamp `live`.
    pub(super) fn learn(&mut self, script: u32, live: u32) {
        self.first.get_or_insert((script, live));
        self.known.insert(script, live);
    }

    /// Converts an echoed timestamp of the script to the model's; `None` if no segment was sent with it.
    /// Zero means no echo. With `scaled`, a value that was not sent is converted by its distance from
    /// the first one sent.
    pub(super) fn to_model(&self, script: u32, scaled: bool) -> Option<u32> {
        let distant = |(s, l): (u32, u32)| l.wrapping_add(script.wrapping_sub(s));
        let known = self.known.get(&script).copied();
        let known = known.or_else(|| (script == 0).then_some(0));
        known.or_else(|| self.first.filter(|_| scaled).map(distant))
    }

    /// Converts a timestamp of the model to the script's.
    pub(super) fn to_script(&self, live: u32) -> u32 {
        match self.first {
            Some((s, l)) => s.wrapping_add(live.wrapping_sub(l)),
            None => live,
        }
    }
}
