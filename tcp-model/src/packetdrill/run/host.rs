//! The host under test: the simulator's own, driven by the script, and what left it.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::SimTime;

use super::RunOptions;
use super::chrono::Limit;
use super::constants::{self, Errno, LISTEN_QUEUE_FULL, SYN_QUEUE_FULL};
use super::flow::Flow;
use crate::app::AppEvent;
use crate::diagnostics::Details;
use crate::host::{
    ConnectError, ConnectOptions, Departure, Driver, FixedNumbers, Inspection, MakeTcp, SocketCx,
    SocketId,
};
use crate::icmp::IcmpError;
use crate::model::{End, TcpModel, TcpView};
use crate::packetdrill::report::Rung;
use crate::params::TcpParams;
use crate::segment::{Flags, Segment};
use crate::spec::{HostConfig, TraceSpec};
use crate::state::State;

/// Makes a model for a connection.
pub type Factory<'m> = MakeTcp<'m>;

pub(super) const LOCAL: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 1);
pub(super) const REMOTE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Distance of the initial sequence numbers of one connection and the next.
const ISS_STEP: u32 = 0x0100_0000;

/// A segment that left and waits for a line of the script that expects it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) flow: usize,
    pub(super) at: SimTime,
    pub(super) segment: Segment,
    pub(super) ttl: u8,
    pub(super) tos: u8,
    /// Sequence number 0 of an RST that belongs to no connection: not relative to anything.
    pub(super) absolute: bool,
}

/// The host, the connections the script knows of, and what they sent.
pub(super) struct TestHost<'m> {
    driver: Driver<'m>,
    pub(super) now: SimTime,
    pub(super) flows: Vec<Flow>,
    pub(super) sent: VecDeque<Sent>,
    pub(super) ladder: Vec<Rung>,
    next_remote_port: u16,
    /// Segments must be cut as the script has them.
    pub(super) strict: bool,
    /// Echoed timestamps may lie anywhere, by their distance from those sent.
    pub(super) ecr_scaled: bool,
    /// The script tells connections apart by their ports.
    pub(super) by_ports: bool,
    /// Otherwise only this one is under test, and later ones: what those before send is passed over.
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
        TestHost {
            driver: Driver::new(config, 0, vec![LOCAL], 0)
                .with_maker(make)
                .with_numbers(numbers)
                .keeping_ended(),
            now: SimTime::ZERO,
            flows: Vec::new(),
            sent: VecDeque::new(),
            ladder: Vec::new(),
            next_remote_port: 5001,
            strict: false,
            ecr_scaled: false,
            by_ports: false,
            tested_from: 0,
        }
    }

    /// The next connection is the one under test.
    pub(super) fn test_next(&mut self) {
        self.tested_from = self.flows.len();
    }

    /// New parameters of the host, and of sockets to come.
    pub(super) fn set_params(&mut self, params: &TcpParams) {
        self.driver.set_params(&Arc::new(params.clone()));
    }

    pub(super) fn driver(&mut self) -> &mut Driver<'m> {
        &mut self.driver
    }

    /// Place of the first segment that waits, of those between these ports.
    pub(super) fn next_sent(&self, ports: Option<(u16, u16)>) -> Option<usize> {
        let between = |s: &Sent| (s.segment.src_port, s.segment.dst_port);
        let mut all = self.sent.iter();
        all.position(|s| ports.is_none_or(|p| p == between(s)))
    }

    /// Segments nobody has asked for.
    pub(super) fn waiting(&self) -> usize {
        self.sent.len()
    }

    pub(super) fn pick_remote_port(&mut self) -> u16 {
        self.next_remote_port = self.next_remote_port.wrapping_add(1).max(1024);
        self.next_remote_port
    }

    /// A connection of the script's that the host knows nothing of yet.
    pub(super) fn add_flow(&mut self, local_port: u16, remote_port: u16) -> usize {
        self.flows.push(Flow::new(local_port, remote_port));
        self.flows.len() - 1
    }

    /// Makes calls on the host's sockets.
    pub(super) fn call<R>(&mut self, calls: impl FnOnce(&mut SocketCx<'_, '_>) -> R) -> R {
        let result = self.driver.call(self.now, calls);
        self.take_news();
        result
    }

    /// The same on the socket of a connection; nothing without one.
    pub(super) fn on_socket<R: Default>(
        &mut self,
        flow: usize,
        calls: impl FnOnce(&mut SocketCx<'_, '_>, SocketId) -> R,
    ) -> R {
        match self.flows[flow].id {
            Some(id) => self.call(|socket| calls(socket, id)),
            None => R::default(),
        }
    }

    /// Opens a connection to a port of the script's.
    pub(super) fn connect(
        &mut self,
        remote_port: u16,
        options: ConnectOptions,
    ) -> Result<usize, ConnectError> {
        let remote = SocketAddrV4::new(REMOTE, remote_port);
        let (id, local_port) = self.driver.call(self.now, |host| {
            let id = host.connect_with(remote, options)?;
            let ends = host.ends(id);
            Ok((id, ends.map_or(0, |(local, _)| local.port())))
        })?;
        let flow = self.add_flow(local_port, remote_port);
        self.flows[flow].id = Some(id);
        self.take_news();
        Ok(flow)
    }

    /// The segment of a connection arrives. One that the host makes of it is a new one of the
    /// script's, too: the last.
    pub(super) fn receive(&mut self, index: usize, segment: &Segment) {
        let now = self.now;
        let before = self.driver.host().stats();
        self.flows[index].note_arriving(segment, now);
        let tos = segment.ecn.on_tos(0);
        self.driver.receive(
            now,
            &sim_core::Packet {
                id: 0,
                src: REMOTE,
                dst: LOCAL,
                size: segment.ipv4_len(),
                ttl: 64,
                tos,
                corrupt: false,
                payload: *segment,
            },
        );
        self.follow(index, segment);
        let after = self.driver.host().stats();
        if after.listen_overflows > before.listen_overflows {
            self.note(LISTEN_QUEUE_FULL);
        } else if after.listen_drops > before.listen_drops {
            self.note(SYN_QUEUE_FULL);
        }
        self.take_news();
    }

    /// The host has made a connection of the segment: the script's numbers go over to it.
    fn follow(&mut self, index: usize, segment: &Segment) {
        let known = &mut self.flows[index];
        let (local, remote) = known.ends();
        let Some(id) = self.driver.connection(local, remote) else {
            return;
        };
        if known.id == Some(id) {
            return;
        }
        let mut fresh = Flow::new(known.local_port, known.remote_port);
        if known.id.is_none() {
            std::mem::swap(&mut fresh, known);
        } else {
            fresh.peer_isn = known.peer_isn;
            fresh.note_arriving(segment, self.now);
        }
        fresh.id = Some(id);
        if segment.flags.is_syn() {
            fresh.peer_isn.get_or_insert(segment.seq.0);
            self.tested_from = self.flows.len();
        }
        self.flows.push(fresh);
    }

    /// An ICMP error about a segment of a connection arrives.
    pub(super) fn icmp(&mut self, flow: usize, error: &IcmpError) {
        let ends = self.flows[flow].ends();
        self.driver.icmp(self.now, ends, error);
        self.take_news();
    }

    /// When the host wants to be called next.
    pub(super) fn next_timeout(&self) -> Option<SimTime> {
        self.driver.next_timeout()
    }

    /// Lets everything happen that is due.
    pub(super) fn time_out(&mut self) {
        self.driver.time_out(self.now);
        self.take_news();
    }

    /// Takes the segments that left and the events of the connections.
    fn take_news(&mut self) {
        while let Some(sent) = self.driver.next_packet() {
            self.take_segment(&sent);
        }
        while let Some(event) = self.driver.next_event() {
            if let Some(flow) = socket_of(&event).and_then(|id| self.flow_of(id)) {
                let flow = &mut self.flows[flow];
                flow.edges += 1;
                flow.starved &= !matches!(event, AppEvent::Writable(..));
                if let (AppEvent::SoftError(_, kind), true) = (event, flow.reports_errors) {
                    flow.soft_error = Some(Errno(kind.errno().0));
                }
            }
        }
        self.time_latest();
    }

    /// What holds up the latest connection from now on.
    fn time_latest(&mut self) {
        let now = self.now;
        let Some(latest) = self.flows.len().checked_sub(1) else {
            return;
        };
        let starved = self.flows[latest].starved;
        let limit = match self.view(latest) {
            Some(view) if !self.is_over(latest) => Limit::of(&view, &self.details(latest), starved),
            _ => Limit::Idle,
        };
        let acked = self.view(latest).map_or(0, |view| view.counts.bytes_acked);
        let flow = &mut self.flows[latest];
        flow.stamping.acknowledge(acked, now);
        flow.chrono.turn(limit, now);
    }

    /// A write came short: its application waits for room.
    pub(super) fn starve(&mut self, flow: usize) {
        self.flows[flow].starved = true;
        self.time_latest();
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
        self.sent.push_back(Sent {
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

    /// A line in the ladder that is no segment.
    fn note(&mut self, text: &str) {
        self.ladder
            .push(Rung::new(self.now, true, text.to_string()));
    }

    pub(super) fn inspect(&self, flow: usize) -> Option<Inspection<'_>> {
        self.driver.inspect(self.flows[flow].id?)
    }

    pub(super) fn view(&self, flow: usize) -> Option<TcpView> {
        self.inspect(flow).map(|found| found.tcp.view())
    }

    /// What else the model tells.
    pub(super) fn details(&self, flow: usize) -> Details {
        let found = self.inspect(flow);
        found.map_or_else(Details::default, |found| found.tcp.details())
    }

    pub(super) fn state(&mut self, flow: usize) -> State {
        let state = self.view(flow).map_or(State::Closed, |view| view.state);
        let (local, remote) = self.flows[flow].ends();
        let kept = self.inspect(flow).is_some_and(|found| found.kept);
        // The host's table knows how long TIME-WAIT lasts.
        if kept && !self.driver.is_time_wait(local, remote) {
            return State::Closed;
        }
        state
    }

    /// Nothing more will happen to the connection, as its application sees it.
    pub(super) fn is_over(&self, flow: usize) -> bool {
        let found = self.inspect(flow);
        found.is_none_or(|found| found.end.is_some())
    }

    pub(super) fn peer_closed(&self, flow: usize) -> bool {
        let found = self.inspect(flow);
        found.is_some_and(|found| found.peer_closed)
    }

    pub(super) fn is_connected(&self, flow: usize) -> bool {
        let found = self.inspect(flow);
        found.is_some_and(|found| found.connected)
    }

    /// The SYN of the connection waits for the first data.
    pub(super) fn is_deferred(&self, flow: usize) -> bool {
        let found = self.inspect(flow);
        found.is_some_and(|found| found.deferred)
    }

    /// The error the next call will hear of.
    pub(super) fn error(&self, flow: usize) -> Option<Errno> {
        if let Some(error) = self.flows[flow].soft_error {
            return Some(error);
        }
        let found = self.inspect(flow)?;
        let error = match found.end? {
            End::Refused => constants::ECONNREFUSED,
            End::Reset if !found.connected => constants::ECONNREFUSED,
            End::Reset if found.peer_closed => constants::EPIPE,
            End::Reset => constants::ECONNRESET,
            End::TimedOut | End::FinWaitExpired => constants::ETIMEDOUT,
            End::Unreachable(kind) => Errno(kind.errno().0),
            End::Closed | End::Aborted => return None,
        };
        (!self.flows[flow].error_told).then_some(error)
    }

    /// The same; it is reported once.
    pub(super) fn take_error(&mut self, flow: usize) -> Option<Errno> {
        if let Some(error) = self.flows[flow].soft_error.take() {
            return Some(error);
        }
        let error = self.error(flow)?;
        self.flows[flow].error_told = true;
        Some(error)
    }

    /// Bytes written so far.
    pub(super) fn written(&self, flow: usize) -> u64 {
        let view = self.view(flow);
        view.map_or(0, |v| v.counts.bytes_acked + v.send_queue)
    }

    /// Segments sent and not acknowledged, and those of them reported by SACK.
    pub(super) fn packets_out(&mut self, flow: usize) -> (u64, u64) {
        let una = self.view(flow).map(|view| view.snd_una);
        self.flows[flow].packets_out(una.unwrap_or_default())
    }
}

/// The connection an event is about.
fn socket_of(event: &AppEvent) -> Option<SocketId> {
    match *event {
        AppEvent::Start
        | AppEvent::Wake(_)
        | AppEvent::Acceptable(_)
        | AppEvent::DeliveryTrouble(_) => None,
        AppEvent::Connected(id)
        | AppEvent::Readable(id, _)
        | AppEvent::Writable(id, _)
        | AppEvent::PeerClosed(id)
        | AppEvent::Urgent(id, _)
        | AppEvent::SoftError(id, _)
        | AppEvent::Ended(id, _) => Some(id),
    }
}
