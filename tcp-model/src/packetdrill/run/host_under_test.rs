//! The host under test, which is the simulator's own, driven by the script; and the segments it has sent.

use std::collections::VecDeque;
use std::sync::Arc;

use sim_core::SimTime;

use super::RunOptions;
use super::script_flow::{LOCAL, REMOTE, ScriptFlow};
use crate::diagnostics::ConnectionDetails;
use crate::host::{Departure, Driver, FixedNumbers, MakeTcp, SocketId};
use crate::icmp::IcmpError;
use crate::model::TcpView;
use crate::packetdrill::report::Rung;
use crate::segment::{Flags, Segment};
use crate::sockets::Sockets;
use crate::spec::{HostConfig, TraceSpec};
use crate::state::State;

/// Makes a model for a connection.
pub type Factory<'m> = MakeTcp<'m>;

/// Distance between the initial sequence numbers of consecutive connections.
const ISS_STEP: u32 = 0x0100_0000;

/// Shown in a ladder in place of an answer.
const LISTEN_QUEUE_FULL: &str = "(dropped: the accept queue is full)";
const SYN_QUEUE_FULL: &str = "(dropped: the queue of half-open connections is full)";

/// A segment that was sent and that no line of the script has expected yet.
#[derive(Debug)]
pub(super) struct PendingSegment {
    pub(super) flow: usize,
    pub(super) at: SimTime,
    pub(super) segment: Segment,
    pub(super) ttl: u8,
    pub(super) tos: u8,
    /// Sequence number 0 of an RST that belongs to no connection: not relative to anything.
    pub(super) absolute: bool,
}

/// The host, the connections known to the script, and the segments they have sent.
pub(super) struct TestHost<'m> {
    pub(super) sockets: Sockets<'m>,
    pub(super) flows: Vec<ScriptFlow>,
    pub(super) sent: VecDeque<PendingSegment>,
    pub(super) ladder: Vec<Rung>,
    next_remote_port: u16,
    /// Segments must have the boundaries written in the script.
    pub(super) strict: bool,
    /// Echoed timestamps may be values that were never sent; they are converted by distance.
    pub(super) ecr_scaled: bool,
    /// The script distinguishes connections by their ports.
    pub(super) by_ports: bool,
    /// Number of the host's connections known to the script.
    flows_known: usize,
    /// If not `by_ports`: only this connection and later ones are under test; segments of earlier ones are ignored.
    tested_from: usize,
}

impl<'m> TestHost<'m> {
    pub(super) fn new(make: &'m mut Factory<'_>, options: &RunOptions) -> TestHost<'m> {
        let config = HostConfig {
            params: Arc::new(options.params.clone()),
            apps: Vec::new(),
            trace: TraceSpec::default(),
        };
        let numbers = FixedNumbers {
            first: options.iss,
            step: ISS_STEP,
            ts_offset: options.ts_offset,
        };
        let driver = Driver::new(config, 0, vec![LOCAL], 0);
        let driver = driver.with_maker(make).with_numbers(numbers);
        let mut sockets = Sockets::new(driver, options.params.clone());
        sockets.system = options.system;
        TestHost {
            sockets,
            flows: Vec::new(),
            sent: VecDeque::new(),
            ladder: Vec::new(),
            next_remote_port: 5001,
            strict: false,
            ecr_scaled: false,
            by_ports: false,
            flows_known: 0,
            tested_from: 0,
        }
    }

    /// Makes the next connection the one under test.
    pub(super) fn test_next(&mut self) {
        self.tested_from = self.flows.len();
    }

    /// Index of the first pending segment, with these ports if given.
    pub(super) fn next_sent(&self, ports: Option<(u16, u16)>) -> Option<usize> {
        let between = |s: &PendingSegment| (s.segment.src_port, s.segment.dst_port);
        let mut all = self.sent.iter();
        all.position(|s| ports.is_none_or(|p| p == between(s)))
    }

    /// Number of segments that the script has not expected.
    pub(super) fn waiting(&self) -> usize {
        self.sent.len()
    }

    pub(super) fn pick_remote_port(&mut self) -> u16 {
        self.next_remote_port = self.next_remote_port.wrapping_add(1).max(1024);
        self.next_remote_port
    }

    /// Adds a connection of the script that the host does not know yet.
    pub(super) fn add_flow(&mut self, local_port: u16, remote_port: u16) -> usize {
        self.flows.push(ScriptFlow::new(local_port, remote_port));
        self.flows.len() - 1
    }

    /// Delivers a segment of a connection, with this time to live. If it opens a new connection at
    /// the host, the script has a new one too: the latest.
    pub(super) fn receive(&mut self, index: usize, segment: &Segment, ttl: u8) {
        let now = self.sockets.now;
        let before = self.sockets.host().stats();
        self.flows[index].note_arriving(segment, now);
        self.sockets.receive(&sim_core::Packet {
            id: 0,
            src: REMOTE,
            dst: LOCAL,
            size: segment.ipv4_len(),
            ttl,
            tos: segment.ecn.on_tos(0),
            corrupt: false,
            payload: *segment,
        });
        self.follow(index, segment);
        let after = self.sockets.host().stats();
        let full = if after.listen_overflows > before.listen_overflows {
            Some(LISTEN_QUEUE_FULL)
        } else {
            (after.listen_drops > before.listen_drops).then_some(SYN_QUEUE_FULL)
        };
        let full = full.map(|text| Rung::new(now, true, text.to_string()));
        self.ladder.extend(full);
        self.take_news();
    }

    /// Tracks a connection that the host has created for a segment, with the script's numbers.
    fn follow(&mut self, index: usize, segment: &Segment) {
        let (local, remote) = self.flows[index].ends();
        let Some(id) = self.sockets.driver().connection(local, remote) else {
            return;
        };
        let known = &mut self.flows[index];
        if known.id == Some(id) {
            return;
        }
        let mut fresh = ScriptFlow::new(known.local_port, known.remote_port);
        if known.id.is_none() {
            std::mem::swap(&mut fresh, known);
        } else {
            fresh.peer_isn = known.peer_isn;
            fresh.note_arriving(segment, self.sockets.now);
        }
        fresh.id = Some(id);
        if segment.flags.is_syn() {
            fresh.peer_isn.get_or_insert(segment.seq.0);
            self.tested_from = self.flows.len();
        }
        self.flows.push(fresh);
    }

    /// Delivers an ICMP error about a segment of a connection.
    pub(super) fn icmp(&mut self, flow: usize, error: &IcmpError) {
        self.sockets.icmp(self.flows[flow].ends(), error);
        self.take_news();
    }

    /// Runs everything that is due up to `now`.
    pub(super) fn time_out(&mut self, now: SimTime) {
        self.sockets.time_out(now);
        self.take_news();
    }

    /// Collects the connections that calls have opened, and the segments that were sent.
    pub(super) fn take_news(&mut self) {
        for (id, (local, remote)) in self.sockets.connections().skip(self.flows_known) {
            if self.flows.iter().all(|flow| flow.id != Some(id)) {
                let mut flow = ScriptFlow::new(local.port(), remote.port());
                flow.id = Some(id);
                self.flows.push(flow);
            }
            self.flows_known += 1;
        }
        while let Some(sent) = self.sockets.next_packet() {
            self.take_segment(&sent);
        }
    }

    fn take_segment(&mut self, sent: &Departure) {
        let segment = sent.packet.payload;
        let ports = (segment.src_port, segment.dst_port);
        let mut flows = self.flows.iter();
        let known = flows.rposition(|f| (f.local_port, f.remote_port) == ports);
        let index = known.unwrap_or_else(|| self.add_flow(ports.0, ports.1));
        let flow = &mut self.flows[index];
        flow.note_sent(&segment, sent.retransmission, sent.at);
        let absolute = sent.state.is_none() && segment.flags.contains(Flags::RST | Flags::ACK);
        let text = flow.shown(&segment, absolute);
        self.ladder.push(Rung::new(sent.at, false, text));
        if !self.by_ports && index < self.tested_from {
            return;
        }
        self.sent.push_back(PendingSegment {
            flow: index,
            at: sent.at,
            segment,
            ttl: sent.packet.ttl,
            tos: sent.packet.tos,
            absolute,
        });
    }

    /// The connection of a socket.
    pub(super) fn flow_of(&self, id: SocketId) -> Option<usize> {
        self.flows.iter().rposition(|f| f.id == Some(id))
    }

    pub(super) fn view(&self, flow: usize) -> Option<TcpView> {
        self.sockets.view(self.flows[flow].id?)
    }

    /// Further details that the model reports.
    pub(super) fn details(&self, flow: usize) -> ConnectionDetails {
        let id = self.flows[flow].id;
        id.map_or_else(ConnectionDetails::default, |id| self.sockets.details(id))
    }

    pub(super) fn state(&mut self, flow: usize) -> State {
        let id = self.flows[flow].id;
        id.map_or(State::Closed, |id| self.sockets.state(id))
    }
}
