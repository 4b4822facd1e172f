//! `packets.pcapng`: each packet once, at its sender's interface when it was sent, with its fate as
//! a comment: the rule by which it was retransmitted, the cause of its loss, the states it led to.
//!
//! The fate of a packet is known only after it was sent. So packets are first written to a spool,
//! and at the end of the run copied to the capture, with comments and the names of all addresses.

mod spool;

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::BufWriter;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use sim_core::{LossCause, NodeId, Packet, SimTime};
use tcp_model::app::http::HttpPayloads;
use tcp_model::sample::{SegmentEvent, SegmentTrace};
use tcp_model::wire::{self, WireError};
use tcp_model::{Segment, State};

use self::spool::{Spool, SpooledPacket};
use crate::capture_filter::CaptureFilter;
use crate::info::NodeInfo;
use crate::pcapng::PcapngWriter;
use crate::store::StoreError;

/// The bytes of a packet, with HTTP as its payload if requested.
fn encode(
    packet: &Packet<Segment>,
    http: Option<&mut HttpPayloads>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    wire::encode_ipv4_with(packet, out, |payload| {
        if let Some(http) = http {
            http.fill(packet.src, packet.dst, &packet.payload, payload);
        }
    })
}

/// An end of a connection as its host identifies it: the host, and the ports and address of the
/// other end.
type EndKey = (NodeId, u16, Ipv4Addr, u16);

/// Writes the segments of recorded connections.
#[derive(Debug)]
pub(crate) struct Capture {
    path: PathBuf,
    spool: Spool,
    /// Names of hosts and their interfaces, by node.
    nodes: Vec<(String, Option<u32>)>,
    interfaces: Vec<String>,
    names: HashMap<Ipv4Addr, u32>,
    bytes: Vec<u8>,
    /// Comments on packets, beyond what their senders knew.
    comments: HashMap<u64, String>,
    /// The last state seen of each end.
    states: HashMap<EndKey, State>,
    /// Addresses that occur in packets.
    seen: BTreeSet<Ipv4Addr>,
    /// Which packets are captured.
    filter: CaptureFilter,
    /// The time stamp of the start of the run, nanoseconds.
    start_ns: u64,
    /// Payloads of HTTP; letters by default.
    http: Option<HttpPayloads>,
}

impl Capture {
    pub(crate) fn new(
        dir: &Path,
        nodes: &[NodeInfo],
        filter: CaptureFilter,
        start_ns: u64,
        http: Option<HttpPayloads>,
    ) -> Result<Capture, StoreError> {
        let mut interfaces = Vec::new();
        let mut names = HashMap::new();
        let mut places = Vec::with_capacity(nodes.len());
        for (i, node) in nodes.iter().enumerate() {
            for address in &node.addresses {
                names.insert(*address, i as u32);
            }
            let is_host = !node.group.is_empty();
            let own = is_host.then_some(interfaces.len() as u32);
            if is_host {
                interfaces.push(node.name.clone());
            }
            places.push((node.name.clone(), own));
        }
        Ok(Capture {
            path: dir.join("packets.pcapng"),
            spool: Spool::create(&dir.join("packets.spool"))?,
            nodes: places,
            interfaces,
            names,
            bytes: Vec::new(),
            comments: HashMap::new(),
            states: HashMap::new(),
            seen: BTreeSet::new(),
            filter,
            start_ns,
            http,
        })
    }

    pub(crate) fn on_segment(
        &mut self,
        time: SimTime,
        node: NodeId,
        trace: &SegmentTrace,
    ) -> Result<(), StoreError> {
        match trace.event {
            SegmentEvent::Sent => self.sent(time, node, trace),
            SegmentEvent::Lost(cause) => {
                self.lost(node, trace.packet, cause);
                Ok(())
            }
            SegmentEvent::Received => {
                let s = &trace.segment;
                self.state(node, (s.dst_port, trace.src, s.src_port), trace);
                Ok(())
            }
        }
    }

    /// Packets larger than IPv4's 65535 bytes cannot be encoded and are left out.
    fn sent(
        &mut self,
        time: SimTime,
        node: NodeId,
        trace: &SegmentTrace,
    ) -> Result<(), StoreError> {
        let packet = Packet {
            id: trace.packet,
            src: trace.src,
            dst: trace.dst,
            size: trace.segment.ipv4_len(),
            ttl: trace.ttl,
            tos: trace.tos,
            corrupt: false,
            payload: trace.segment,
        };
        let interface = self.nodes.get(node.0 as usize).and_then(|n| n.1);
        let interface = interface.filter(|_| self.filter.matches(trace));
        if let (Some(rule), Some(_)) = (trace.retransmission, interface) {
            self.say(trace.packet, &format!("sent again: {rule}"));
        }
        // States are followed over packets that are left out, too.
        let s = &trace.segment;
        self.state(node, (s.src_port, trace.dst, s.dst_port), trace);
        self.bytes.clear();
        if let Some(interface) = interface
            && encode(&packet, self.http.as_mut(), &mut self.bytes).is_ok()
        {
            self.seen.extend([trace.src, trace.dst]);
            self.spool.push(&SpooledPacket {
                id: trace.packet,
                interface,
                time_ns: self.start_ns.saturating_add(time.as_ns()),
                bytes: &self.bytes,
            })?;
        }
        Ok(())
    }

    fn lost(&mut self, node: NodeId, packet: u64, cause: LossCause) {
        let place = self.nodes.get(node.0 as usize).map(|n| n.0.clone());
        let place = place.map_or(String::new(), |name| format!(" at {name}"));
        self.say(packet, &format!("lost: {cause}{place}"));
    }

    /// Records the state of an end if it has changed.
    fn state(
        &mut self,
        node: NodeId,
        (own, peer, port): (u16, Ipv4Addr, u16),
        trace: &SegmentTrace,
    ) {
        let Some(state) = trace.state else { return };
        let key = (node, own, peer, port);
        let before = match state {
            State::Closed => self.states.remove(&key),
            _ => self.states.insert(key, state),
        };
        if before == Some(state) || (before.is_none() && state == State::Closed) {
            return;
        }
        let name = self.nodes.get(node.0 as usize).map(|n| n.0.clone());
        let text = format!("{} is now {state}", name.unwrap_or_default());
        self.say(trace.packet, &text);
    }

    /// Adds to the comment of a packet.
    fn say(&mut self, packet: u64, text: &str) {
        let comment = self.comments.entry(packet).or_default();
        if !comment.is_empty() {
            comment.push_str("; ");
        }
        comment.push_str(text);
    }

    pub(crate) fn close(self) -> Result<(), StoreError> {
        let Capture {
            path,
            spool,
            nodes,
            interfaces,
            names,
            comments,
            seen,
            ..
        } = self;
        let failed = || StoreError::io("write", &path);
        let file = File::create(&path).map_err(StoreError::io("create", &path))?;
        let interfaces: Vec<&str> = interfaces.iter().map(String::as_str).collect();
        let mut writer = PcapngWriter::new(BufWriter::new(file), &interfaces).map_err(failed())?;
        let named = seen.iter().filter_map(|address| {
            let node = nodes.get(*names.get(address)? as usize)?;
            Some((*address, node.0.as_str()))
        });
        writer.names(named).map_err(failed())?;
        spool.drain(|packet| {
            let comment = comments.get(&packet.id).map(String::as_str);
            writer
                .packet(
                    packet.interface,
                    packet.time_ns,
                    (packet.id, packet.bytes),
                    comment,
                )
                .map_err(failed())
        })?;
        writer.finish().map(drop).map_err(failed())
    }
}
