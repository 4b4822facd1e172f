//! Segments the script puts in: from its numbers to the model's, and to whom they go.

use super::{Runner, Step, differs, invalid, render, unsupported};
use crate::options::{Options, TcpOption};
use crate::packetdrill::ast::{OptionSpec, Packet};
use crate::packetdrill::report::Rung;
use crate::segment::{ConnId, Ecn, Segment, Tag};
use crate::seq::SeqNum;
use crate::state::State;

use super::flow::Flow;

/// Identity of the peer that the script plays: not the model's own, so that octets sent by it are
/// not taken for another incarnation's. The same for all of them.
const PEER: ConnId = ConnId(u64::MAX);

impl Runner<'_, '_> {
    pub(super) fn inject(&mut self, packet: &Packet) -> Step<()> {
        let named = self.with_cookies(packet)?;
        let packet = named.as_ref().unwrap_or(packet);
        let index = self.flow_for(packet);
        let state = self.host.state(index);
        let flow = &mut self.host.flows[index];
        if packet.flags.is_syn() && state == State::SynSent {
            flow.peer_isn.get_or_insert(packet.seq);
        }
        let mut segment = build(packet, flow, self.host.ecr_scaled)?;
        if segment.len > self.joined.into() {
            segment.joined = self.joined;
        }
        let options = packet.options.as_deref().unwrap_or_default();
        let text = render::line(&segment, packet.seq, packet.ack.unwrap_or(0), options);
        let text = render::marked(segment.ecn, text);
        self.host.ladder.push(Rung::new(self.host.now, true, text));
        self.host.receive(index, &segment);
        self.poke()
    }

    /// The connection a segment belongs to: that of its ports, else the latest; a SYN opens a new
    /// one where the latest is over.
    fn flow_for(&mut self, packet: &Packet) -> usize {
        if let Some((remote, local)) = packet.ports {
            let mut flows = self.host.flows.iter();
            let found = flows.rposition(|f| f.remote_port == remote && f.local_port == local);
            return found.unwrap_or_else(|| self.host.add_flow(local, remote));
        }
        let fresh = packet.flags.is_syn() && !packet.flags.is_ack();
        let latest = self.host.flows.len().checked_sub(1);
        let latest = latest.filter(|&latest| {
            let known = self.host.flows[latest].id.is_some();
            !(fresh && known && self.host.state(latest) == State::Closed)
        });
        latest.unwrap_or_else(|| {
            let local = self.sockets.default_destination();
            let remote = self.host.pick_remote_port();
            self.host.test_next();
            self.host.add_flow(local, remote)
        })
    }
}

/// The segment a line describes. The peer's numbers are the script's; acknowledgements, SACK
/// blocks and echoed timestamps are turned into the model's.
fn build(packet: &Packet, flow: &Flow, scaled: bool) -> Step<Segment> {
    let mut options = Options::NONE;
    let syn = packet.flags.is_syn();
    for spec in packet.options.as_deref().unwrap_or_default() {
        let sack: Vec<u8>;
        let option = match spec {
            OptionSpec::Mss(mss) => TcpOption::Mss(*mss),
            OptionSpec::WindowScale(shift) => TcpOption::WindowScale(*shift),
            OptionSpec::SackPermitted => TcpOption::SackPermitted,
            OptionSpec::Nop => TcpOption::Nop,
            OptionSpec::Eol => TcpOption::Eol,
            OptionSpec::Timestamps { val, ecr } => match flow.stamps.to_model(*ecr, scaled) {
                Some(live) => TcpOption::Timestamps(*val, live),
                None => {
                    return invalid(format!(
                        "no segment was sent with the timestamp that 'ecr {ecr}' echoes"
                    ));
                }
            },
            OptionSpec::Sack(blocks) => {
                let edges = blocks.iter().flat_map(|(left, right)| [left, right]);
                sack = edges
                    .flat_map(|n| flow.to_model(*n, syn).0.to_be_bytes())
                    .collect();
                TcpOption::Sack(&sack)
            }
            OptionSpec::Other(kind, data) => TcpOption::Unknown(*kind, data),
            OptionSpec::NamedCookie { name, .. } => {
                return unsupported(format!("the symbol {name}"));
            }
        };
        if options.push(option).is_err() {
            return differs("TCP options", "at most 40 bytes", "more");
        }
    }
    Ok(Segment {
        src_port: flow.remote_port,
        dst_port: flow.local_port,
        seq: flow.peer_to_model(packet.seq, syn),
        // Without the flag the field means nothing, but it is there.
        ack: match packet.ack {
            Some(ack) => flow.to_model(ack, syn),
            None if packet.flags.is_ack() => flow.to_model(0, syn),
            None => SeqNum(0),
        },
        flags: packet.flags,
        window: packet.window.unwrap_or(0),
        urgent: packet.urgent.unwrap_or(0),
        options,
        ecn: match (packet.ip.ecn, packet.ip.tos) {
            (Some(ecn), _) => ecn.codepoint(),
            (None, Some(tos)) => Ecn::from_tos(tos),
            (None, None) => Ecn::NotEct,
        },
        len: packet.len,
        tag: Tag {
            conn: PEER,
            ..Tag::default()
        },
        ..Segment::default()
    })
}
