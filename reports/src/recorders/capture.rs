//! `packets.pcapng`: each packet once, at its sender's interface when it was sent.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use sim_core::{LossCause, NodeId, Packet, SimTime};
use tcp_model::Segment;
use tcp_model::app::http::HttpPayloads;
use tcp_model::sample::{SegmentEvent, SegmentTrace};
use tcp_model::wire::{self, WireError};

use crate::info::NodeInfo;
use crate::pcapng::PcapngWriter;
use crate::store::StoreError;

/// A packet sent at the current instant, held until the instant is over: a loss at the same
/// instant becomes its comment.
#[derive(Debug)]
struct HeldPacket {
    packet: u64,
    interface: u32,
    end: usize,
    comment: Option<String>,
}

/// Two comments in one.
fn join(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("{one}; {other}")),
        (one, other) => one.or(other),
    }
}

/// The bytes of a packet, with its payload as HTTP where that is wanted.
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

/// Writes the segments of recorded connections.
#[derive(Debug)]
pub(crate) struct Capture {
    path: PathBuf,
    writer: PcapngWriter<BufWriter<File>>,
    interface_of: Vec<u32>,
    instant: SimTime,
    held: Vec<HeldPacket>,
    bytes: Vec<u8>,
    /// Losses at the present instant of packets not yet recorded as sent.
    early: Vec<(u64, LossCause)>,
    /// What the stamps give the start of the run, nanoseconds.
    start_ns: u64,
    /// What payloads say; letters by default.
    http: Option<HttpPayloads>,
}

impl Capture {
    pub(crate) fn new(
        dir: &Path,
        nodes: &[NodeInfo],
        start_ns: u64,
        http: Option<HttpPayloads>,
    ) -> Result<Capture, StoreError> {
        let path = dir.join("packets.pcapng");
        let is_host = |n: &&NodeInfo| !n.group.is_empty();
        let names: Vec<&str> = nodes
            .iter()
            .filter(is_host)
            .map(|n| n.name.as_str())
            .collect();
        let mut next = 0;
        let interface_of = nodes.iter().map(|n| {
            let own = next;
            next += u32::from(is_host(&n));
            own
        });
        let interface_of = interface_of.collect();
        let file = File::create(&path).map_err(StoreError::io("create", &path))?;
        let writer = PcapngWriter::new(BufWriter::new(file), &names)
            .map_err(StoreError::io("write", &path))?;
        Ok(Capture {
            path,
            writer,
            interface_of,
            instant: SimTime::ZERO,
            held: Vec::new(),
            bytes: Vec::new(),
            early: Vec::new(),
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
        if time > self.instant {
            self.write_held()?;
            self.instant = time;
            self.early.clear();
        }
        match trace.event {
            SegmentEvent::Sent => self.hold(node, trace),
            SegmentEvent::Lost(cause) => {
                let lost = self.held.iter_mut().find(|h| h.packet == trace.packet);
                match lost {
                    Some(held) => {
                        let lost = Some(format!("lost: {cause}"));
                        held.comment = join(held.comment.take(), lost);
                    }
                    None => self.early.push((trace.packet, cause)),
                }
            }
            SegmentEvent::Received => {}
        }
        Ok(())
    }

    /// Packets that do not fit into IPv4's 65535 bytes have no bytes and are left out.
    fn hold(&mut self, node: NodeId, trace: &SegmentTrace) {
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
        let interface = self.interface_of.get(node.0 as usize).copied();
        if let Some(interface) = interface
            && encode(&packet, self.http.as_mut(), &mut self.bytes).is_ok()
        {
            let early = self.early.iter().find(|e| e.0 == trace.packet);
            let again = trace.retransmission.map(|r| format!("sent again: {r}"));
            let lost = early.map(|(_, cause)| format!("lost: {cause}"));
            self.held.push(HeldPacket {
                packet: trace.packet,
                interface,
                end: self.bytes.len(),
                comment: join(again, lost),
            });
        }
    }

    fn write_held(&mut self) -> Result<(), StoreError> {
        let mut start = 0;
        for held in self.held.drain(..) {
            let bytes = &self.bytes[start..held.end];
            start = held.end;
            self.writer
                .packet(
                    held.interface,
                    self.start_ns.saturating_add(self.instant.as_ns()),
                    bytes,
                    held.comment.as_deref(),
                )
                .map_err(StoreError::io("write", &self.path))?;
        }
        self.bytes.clear();
        Ok(())
    }

    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        self.write_held()?;
        let flushed = self.writer.finish();
        flushed
            .map(drop)
            .map_err(StoreError::io("write", &self.path))
    }
}
