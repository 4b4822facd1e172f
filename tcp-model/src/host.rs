//! A TCP host: connections, listeners, TIME-WAIT, ports, and the applications on top.
//!
//! ```text
//!  packet ──► 4-tuple ──► connection ─┬─► segments ──► network
//!                    ├──► TIME-WAIT   ├─► news ──────► application ──► calls
//!                    ├──► listener    └─► records
//!                    └──► nobody: RST
//! ```
//!
//! Like its connections, the host is sans-IO: packets, calls and timers go in, packets, events and records
//! come out, and the environment provides the time. [`TcpHost`] is a node of the engine; [`Driver`] runs
//! the same host for tests, conformance scripts and networks outside the simulator.
//!
//! Leaves out ICMP in simulations: nothing in the network generates it. Connections do process ICMP errors
//! from [`Driver::icmp`].

mod any_tcp;
mod arrive;
mod binds;
mod bound;
mod challenges;
mod chunked;
mod cookies;
mod cx;
mod driver;
mod endpoint;
mod fast_open;
mod four_tuple;
mod half_open;
mod isn;
mod listener;
mod local_port;
mod look_ahead;
mod open;
mod outbox;
mod record;
mod recycle;
mod retire;
mod roles;
mod scratch;
mod sending;
mod simulation;
mod slot_table;
mod socket;
mod socket_list;
mod stack;
mod stats;
mod step;
mod time_wait_arrivals;
mod time_wait_table;
mod timetable;
mod tracer;

use std::collections::BTreeMap;

use sim_core::rng::mix;
use sim_core::{Cx, Host, Loss, Packet, PacketFilter, Upcoming};

use crate::app::spec::HostConfig;
use crate::app::{AnyApp, App, AppEvent};
use crate::drop_rules::DropFilter;
use crate::model::TcpModel as _;
use crate::sample::{ConnectionCounts, Ending, SegmentEvent, TcpSample};
use crate::segment::{Ecn, Packed, Segment};
use crate::state::State;
pub use any_tcp::AnyTcp;
pub use binds::{BindError, BindOptions};
pub use bound::{BindId, Reuse};
use cx::HostEnv;
pub use cx::MakeTcp;
pub use driver::{Driver, Inspection};
pub use endpoint::SocketId;
pub use isn::FixedNumbers;
pub use listener::{ListenOptions, ListenerId};
pub use open::{ConnectError, ConnectOptions, ListenError};
pub use outbox::Departure;
pub use roles::Pause;
use roles::RareHostState;
use scratch::Scratch;
pub use simulation::TcpSimulation;
pub use socket::SocketCx;
pub use socket_list::SocketLine;
pub use stack::ModelFactory;
use stack::{Stack, Timer};
pub use stats::{HostCounter, HostStats, MemoryReport, StateMemory};
pub use timetable::check as check_without_segments;

/// A TCP host with its applications.
#[derive(Debug)]
pub struct TcpHost {
    stack: Stack,
    apps: Vec<AnyApp>,
    /// State that few hosts need.
    extra: Option<Box<RareHostState>>,
}

impl TcpHost {
    /// Creates a host from its configuration.
    pub fn new(config: HostConfig) -> TcpHost {
        TcpHost {
            stack: Stack::new(config.params, config.trace),
            apps: config.apps.into_iter().map(AnyApp::new).collect(),
            extra: None,
        }
    }

    /// Uses `factory` to create the TCP of every connection.
    #[must_use]
    pub fn with_model(mut self, factory: ModelFactory) -> TcpHost {
        self.stack.factory = Some(factory);
        self
    }

    /// Adds an application after the existing ones.
    #[must_use]
    pub fn with_app(mut self, app: Box<dyn App>) -> TcpHost {
        self.apps.push(AnyApp::Custom(app));
        self
    }

    /// Whether its connections and applications are those of this crate, as its [`HostConfig`]
    /// describes them.
    pub fn is_as_described(&self) -> bool {
        let own = |app: &AnyApp| matches!(app, AnyApp::Custom(_));
        self.stack.factory.is_none() && !self.apps.iter().any(own)
    }

    /// Its counters so far.
    pub fn stats(&self) -> HostStats {
        self.stack.stats()
    }

    /// Memory of its tables.
    pub fn memory(&self) -> MemoryReport {
        self.stack.memory()
    }

    /// Memory of existing connections and TIME-WAIT entries, by state.
    pub fn memory_by_state(&self) -> BTreeMap<State, StateMemory> {
        self.stack.memory_by_state()
    }

    /// Number of existing connections, without TIME-WAIT entries.
    pub fn connections(&self) -> u32 {
        self.stack.endpoints.len()
    }

    /// The counters of all existing connections, summed.
    pub fn counts(&self) -> ConnectionCounts {
        let mut sum = ConnectionCounts::default();
        for endpoint in self.stack.endpoints.iter() {
            sum += endpoint.tcp.view().counts;
        }
        sum
    }

    /// Connections with data to send to a peer whose window is closed.
    pub fn blocked_by_window(&self) -> u64 {
        let endpoints = self.stack.endpoints.iter();
        let blocked = endpoints.filter(|endpoint| {
            let is_closed = endpoint.state.is_synchronized() && endpoint.tcp.view().snd_wnd == 0;
            is_closed
                && endpoint
                    .tcp
                    .details()
                    .unsent
                    .is_some_and(|unsent| unsent > 0)
        });
        blocked.count() as u64
    }

    /// Number of TIME-WAIT entries.
    pub fn time_waits(&self) -> u32 {
        self.stack.time_waits.len()
    }

    #[inline]
    fn tell(&mut self, app: u16, event: AppEvent, cx: &mut impl HostEnv) {
        if let Some(extra) = &mut self.extra
            && extra.holds(app, event, cx.now())
        {
            return;
        }
        match self.apps.get_mut(usize::from(app)) {
            Some(to) => {
                let stack = &mut self.stack;
                cx.with_host_cx(|mut cx| {
                    let cx = cx.reborrow();
                    to.on_event(event, &mut SocketCx { stack, cx, app });
                });
            }
            None => cx.tell_caller(event),
        }
    }

    /// Delivers events until there are none, removes ended connections and sets the timers of the others.
    fn finish(&mut self, cx: &mut impl HostEnv) {
        loop {
            while let Some((app, event)) = cx.scratch().events.pop_front() {
                self.tell(app, event, cx);
            }
            if cx.scratch().finished.is_empty() || !self.stack.retire_finished(cx) {
                break;
            }
        }
        self.stack.arm_stepped(cx);
    }

    fn start(&mut self, cx: &mut impl HostEnv) {
        self.stack.start(cx);
        self.start_apps(cx);
    }

    fn start_apps(&mut self, cx: &mut impl HostEnv) {
        for app in 0..self.apps.len() {
            self.tell(app as u16, AppEvent::Start, cx);
        }
        self.finish(cx);
    }

    /// Lets applications record what is unfinished.
    fn cut_off(&mut self, by: Ending, cx: &mut impl HostEnv) {
        for (i, to) in self.apps.iter_mut().enumerate() {
            let (stack, app) = (&mut self.stack, i as u16);
            cx.with_host_cx(|mut cx| {
                let cx = cx.reborrow();
                to.on_cut_off(by, &mut SocketCx { stack, cx, app });
            });
        }
    }

    #[inline(always)]
    fn packet_arrives(&mut self, packet: &Packet<Segment>, cx: &mut impl HostEnv) {
        self.stack.on_packet(packet, cx);
        self.finish(cx);
    }

    /// Receives a packet at a host that is also a middlebox.
    #[inline(never)]
    fn on_packet_of_middlebox(&mut self, packet: Packet<Packed>, cx: &mut Cx<'_, TcpHost>) {
        if let Some(packet) = self.past_middlebox(packet, cx) {
            let mut unpacked = unpacked_header(&packet);
            unpack(packet, &mut unpacked, cx);
            self.packet_arrives(&unpacked, cx);
        }
    }

    fn timer_fires(&mut self, token: u64, cx: &mut impl HostEnv) {
        match Timer::from_token(token) {
            Timer::Connection(slot) => {
                let place = self.stack.endpoints.slot_mut(slot);
                if place.is_some_and(|place| place.timer.fire(token, cx)) {
                    self.stack.time_out(slot, cx);
                }
            }
            Timer::TimeWait => {
                if self.stack.time_wait_timer.fire(token, cx) {
                    self.stack.expire_time_waits(cx);
                }
            }
            Timer::App(app, token) => self.tell(app, AppEvent::Wake(token), cx),
            Timer::Node(_) => {}
        }
        self.finish(cx);
    }
}

/// A packet with the header of this one and an empty segment.
#[inline(always)]
fn unpacked_header(packet: &Packet<Packed>) -> Packet<Segment> {
    Packet {
        id: packet.id,
        src: packet.src,
        dst: packet.dst,
        size: packet.size,
        ttl: packet.ttl,
        tos: packet.tos,
        corrupt: packet.corrupt,
        payload: Segment::EMPTY,
    }
}

/// Unpacks the segment in its place: copying data just written would stall.
#[inline(always)]
fn unpack(packet: Packet<Packed>, to: &mut Packet<Segment>, cx: &mut Cx<'_, TcpHost>) {
    let boxes = &mut cx.scratch().boxes;
    packet.payload.unpack(packet.size, &mut to.payload, boxes);
    // The network may have changed the ECN field.
    to.payload.ecn = Ecn::from_tos(packet.tos);
}

impl Host for TcpHost {
    type Payload = Packed;
    type Sample = TcpSample;
    type Scratch = Scratch;

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        self.start_middlebox(cx);
        self.schedule_pauses(cx);
        self.start(cx);
    }

    fn on_packet(&mut self, packet: Packet<Packed>, cx: &mut Cx<'_, Self>) {
        if self.extra.is_some() {
            self.on_packet_of_middlebox(packet, cx);
            return;
        }
        let mut unpacked = unpacked_header(&packet);
        unpack(packet, &mut unpacked, cx);
        self.packet_arrives(&unpacked, cx);
    }

    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        match Timer::from_token(token) {
            Timer::Node(token) => self.node_wakes(token, cx),
            _ => self.timer_fires(token, cx),
        }
    }

    fn on_transit(&mut self, packet: Packet<Packed>, cx: &mut Cx<'_, Self>) {
        if let Some(packet) = self.past_middlebox(packet, cx) {
            cx.pass_on(packet);
        }
    }

    fn on_crash(&mut self, cx: &mut Cx<'_, Self>) {
        self.crash(cx);
    }

    fn on_boot(&mut self, cx: &mut Cx<'_, Self>) {
        self.boot(cx);
    }

    fn on_end(&mut self, cx: &mut Cx<'_, Self>) {
        self.cut_off(Ending::RunEnd, cx);
        self.stack.summarize_all(cx);
    }

    fn look_ahead(&self, what: Upcoming<'_, Self>) -> Option<u64> {
        self.prepare_for(what)
    }

    fn flow(packet: &Packet<Packed>) -> u64 {
        let (src, dst) = packet.payload.ports();
        let ports = u64::from(src) << 16 | u64::from(dst);
        let ends = u64::from(u32::from(packet.src)) << 32 | u64::from(u32::from(packet.dst));
        mix(mix(ends) ^ ports)
    }

    #[inline(always)]
    fn reuse(sample: TcpSample, scratch: &mut Scratch) {
        scratch.reuse(sample);
    }

    fn packet_filter(rules: &[String]) -> Option<Box<dyn PacketFilter<Packed>>> {
        let rules = rules.iter().filter_map(|text| text.parse().ok());
        Some(Box::new(DropFilter::new(rules.collect())))
    }

    fn lost(packet: &Packet<Packed>, loss: Loss) -> Option<TcpSample> {
        packet.payload.is_recorded().then(|| {
            let lost = SegmentEvent::Lost(loss.cause);
            let mut segment = packet.payload.segment(packet.size);
            segment.ecn = Ecn::from_tos(packet.tos);
            let packet = packet.with(segment);
            TcpSample::Segment(Box::new(record::trace_of(&packet, lost, None)))
        })
    }
}

#[cfg(test)]
mod tests;
