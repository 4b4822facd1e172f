//! Segments the script puts in: from its numbers to the model's, and to whom they go.

use super::constants::LISTEN_QUEUE_FULL;
use super::{Runner, Step, differs, render, unsupported};
use crate::model::Input;
use crate::options::{Options, TcpOption};
use crate::packetdrill::ast::{OptionSpec, Packet};
use crate::packetdrill::report::Rung;
use crate::segment::{ConnId, Ecn, Segment, Tag};
use crate::seq::SeqNum;
use crate::state::State;
use crate::time_wait::TimeWaitAction;

use super::flow::Flow;

/// Identity of the peer that the script plays: not the model's own, so that octets sent by it are
/// not taken for another incarnation's. The same for all of them.
const PEER: ConnId = ConnId(u64::MAX);

impl Runner<'_, '_> {
    pub(super) fn inject(&mut self, packet: &Packet) -> Step<()> {
        let named = self.with_cookies(packet)?;
        let packet = named.as_ref().unwrap_or(packet);
        let index = self.flow_for(packet);
        let flow = &mut self.stack.flows[index];
        if packet.flags.is_syn() && flow.state() == State::SynSent {
            flow.peer_isn.get_or_insert(packet.seq);
        }
        let segment = build(packet, &self.stack.flows[index])?;
        let options = packet.options.as_deref().unwrap_or_default();
        let text = render::line(&segment, packet.seq, packet.ack.unwrap_or(0), options);
        let text = render::marked(segment.ecn, text);
        self.stack.ladder.push(Rung::new(self.now, true, text));
        self.deliver(index, &segment);
        self.settle();
        self.poke()
    }

    /// The connection a segment belongs to: that of its ports, else the latest; a SYN opens a new
    /// one where the latest is over.
    fn flow_for(&mut self, packet: &Packet) -> usize {
        if let Some((remote, local)) = packet.ports {
            let mut flows = self.stack.flows.iter();
            let found = flows.rposition(|f| f.remote_port == remote && f.local_port == local);
            return found.unwrap_or_else(|| self.stack.add_vacant(local, remote));
        }
        let fresh = packet.flags.is_syn() && !packet.flags.is_ack();
        match self.stack.flows.last() {
            Some(flow) if !(fresh && flow.model.is_some() && flow.state() == State::Closed) => {
                self.stack.flows.len() - 1
            }
            _ => {
                let local = self.sockets.default_destination();
                let remote = self.stack.pick_remote_port();
                self.stack.add_vacant(local, remote)
            }
        }
    }

    fn deliver(&mut self, index: usize, segment: &Segment) {
        let flow = &mut self.stack.flows[index];
        let listener = self.sockets.listener(flow.local_port);
        let opens = segment.flags.is_syn() && !segment.flags.is_ack() && !segment.flags.is_rst();
        if flow.state() == State::Closed {
            match listener {
                Some(listener) if opens => self.open_passive(index, listener, segment, None),
                Some(listener) if self.brings_cookie(index, listener, segment) => {}
                // RFC 9293 section 3.10.7.2, fourth: what is neither RST, ACK nor SYN is dropped.
                Some(_) if !segment.flags.is_ack() => {}
                _ => self.stack.answer_for_nobody(index, segment, self.now),
            }
            return;
        }
        let entry = flow.model.as_ref().and_then(|m| m.time_wait());
        if let (Some(entry), true) = (entry, opens) {
            let action = entry.segment_arrives(segment, &flow.params);
            if let TimeWaitAction::NewIncarnation { iss_after } = action {
                match listener {
                    Some(listener) => {
                        flow.model = None;
                        self.open_passive(index, listener, segment, Some(iss_after));
                    }
                    None => self.stack.answer_in_time_wait(index, &entry, self.now),
                }
                return;
            }
        }
        if let (State::SynReceived, Some(listener)) = (flow.state(), flow.listener)
            && segment.flags.is_ack()
            && !segment.flags.is_rst()
            && self.sockets.is_full(listener)
        {
            self.note(LISTEN_QUEUE_FULL);
            if self.sockets.all[listener].params.abort_on_overflow {
                self.stack.answer_for_nobody(index, segment, self.now);
                self.stack.flows[index].model = None;
            }
            return;
        }
        flow.note_arriving(segment, self.now);
        self.stack.step(index, Input::Segment(segment), self.now);
    }

    /// A listener gets a SYN. The connection takes the place of what was there.
    fn open_passive(
        &mut self,
        index: usize,
        listener: usize,
        segment: &Segment,
        iss: Option<SeqNum>,
    ) {
        if self.sockets.is_full(listener) {
            self.note(LISTEN_QUEUE_FULL);
            return;
        }
        if iss.is_none() && self.has_no_place(index, listener, segment) {
            return;
        }
        let (local, remote, peer_isn) = {
            let flow = &self.stack.flows[index];
            (flow.local_port, flow.remote_port, flow.peer_isn)
        };
        let params = self.sockets.all[listener].params.clone();
        let index = self.stack.add(local, remote, &params, iss);
        let flow = &mut self.stack.flows[index];
        flow.listener = Some(listener);
        flow.peer_isn = peer_isn.or(Some(segment.seq.0));
        flow.note_arriving(segment, self.now);
        let fast = self.fast_listen(listener);
        let listen = fast.as_ref().map_or(Input::Listen, Input::ListenWith);
        self.stack.step(index, listen, self.now);
        self.stack.step(index, Input::Segment(segment), self.now);
    }

    pub(super) fn note(&mut self, text: &str) {
        let rung = Rung::new(self.now, true, text.to_string());
        self.stack.ladder.push(rung);
    }
}

/// The segment a line describes. The peer's numbers are the script's; acknowledgements, SACK
/// blocks and echoed timestamps are turned into the model's.
fn build(packet: &Packet, flow: &Flow) -> Step<Segment> {
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
            OptionSpec::Timestamps { val, ecr } => {
                TcpOption::Timestamps(*val, flow.stamps.to_model(*ecr))
            }
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
        ack: if packet.flags.is_ack() {
            flow.to_model(packet.ack.unwrap_or(0), syn)
        } else {
            SeqNum(0)
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
