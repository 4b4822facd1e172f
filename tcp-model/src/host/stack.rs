//! A host without its applications: tables, timers, counters.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use sim_core::{LazyTimer, Rng, SimTime};

use super::any_tcp::AnyTcp;
use super::bound::Binds;
use super::challenges::ChallengeBudget;
use super::cx::HostEnv;
use super::endpoint::{EndpointSlot, Endpoints, SocketId};
use super::fast_open::FastOpenCache;
use super::four_tuple::{Demux, FourTuple, Owner};
use super::isn::{FixedNumbers, Secret};
use super::listener::Listener;
use super::recycle::LastStamps;
use super::stats::{HostStats, MemoryReport, StateMemory};
use super::time_wait_table::{Stay, TimeWaitEntry, TimeWaitTable, recycle_time};
use crate::app::spec::TraceSpec;
use crate::connection::Connection;
use crate::lifecycle::Lifecycle;
use crate::model::{OpenContext, TcpModel};
use crate::params::TcpParams;
use crate::ports::{Destination, PortAllocator};
use crate::sample::{StateChange, TcpSample};
use crate::segment::ConnId;
use crate::seq::SeqNum;
use crate::state::State;
use crate::ts_clock::ts_clock;

/// Creates the TCP of a connection.
pub type ModelFactory = Arc<dyn Fn(OpenContext) -> Box<dyn TcpModel> + Send + Sync>;

/// What a timer event is for: the top two bits of its token.
const KIND_SHIFT: u32 = 62;
const KIND_TIME_WAIT: u64 = 1;
const KIND_APP: u64 = 2;
const KIND_NODE: u64 = 3;
const APP_SHIFT: u32 = 48;

/// A decoded timer token.
pub(super) enum Timer {
    Connection(u32),
    TimeWait,
    App(u16, u64),
    /// A timer of the node itself.
    Node(u64),
}

impl Timer {
    pub(super) fn from_token(token: u64) -> Timer {
        match token >> KIND_SHIFT {
            KIND_TIME_WAIT => Timer::TimeWait,
            KIND_APP => {
                let app = (token >> APP_SHIFT) as u16 & 0x3fff;
                Timer::App(app, token & ((1 << APP_SHIFT) - 1))
            }
            KIND_NODE => Timer::Node(token & ((1 << KIND_SHIFT) - 1)),
            _ => Timer::Connection(token as u32),
        }
    }

    pub(super) fn token(self) -> u64 {
        match self {
            Timer::Connection(slot) => u64::from(slot),
            Timer::TimeWait => KIND_TIME_WAIT << KIND_SHIFT,
            Timer::Node(token) => KIND_NODE << KIND_SHIFT | token,
            Timer::App(app, token) => {
                let token = token & ((1 << APP_SHIFT) - 1);
                KIND_APP << KIND_SHIFT | u64::from(app & 0x3fff) << APP_SHIFT | token
            }
        }
    }
}

/// The TCP of a host.
pub(super) struct Stack {
    pub(super) params: Arc<TcpParams>,
    pub(super) trace: TraceSpec,
    pub(super) factory: Option<ModelFactory>,
    pub(super) node: u32,
    pub(super) addresses: Vec<Ipv4Addr>,
    pub(super) endpoints: Endpoints,
    pub(super) demux: Demux,
    pub(super) time_waits: TimeWaitTable,
    pub(super) time_wait_timer: LazyTimer,
    /// When TIME-WAIT entries, by place, last answered a segment without text.
    pub(super) time_wait_answers: Option<Box<FxHashMap<u32, SimTime>>>,
    /// Only with `tw_recycle`.
    pub(super) last_stamps: Option<Box<LastStamps>>,
    pub(super) listeners: Vec<Listener>,
    pub(super) binds: Binds,
    pub(super) ports: PortAllocator,
    pub(super) port_rng: Rng,
    pub(super) secret: Secret,
    /// Created on first use: few hosts use Fast Open or limit challenge ACKs.
    pub(super) fast_open: Option<Box<FastOpenCache>>,
    pub(super) challenges: Option<Box<ChallengeBudget>>,
    /// Fixed initial sequence numbers, and how many have been used.
    pub(super) fixed: Option<Box<(FixedNumbers, u32)>>,
    /// When its timestamp clock passes 2^32, if that has been set.
    pub(super) clock_wrap: Option<SimTime>,
    /// Ended connections are kept.
    pub(super) keeps_ended: bool,
    /// Connections opened actively so far.
    pub(super) serial: u32,
    pub(super) stats: HostStats,
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack")
            .field("connections", &self.endpoints.len())
            .field("time_wait", &self.time_waits.len())
            .field("listeners", &self.listeners.len())
            .finish_non_exhaustive()
    }
}

impl Stack {
    pub(super) fn new(params: Arc<TcpParams>, trace: TraceSpec) -> Stack {
        // Replaced on start, when the seed is known.
        let mut rng = Rng::stream(0, "host", 0);
        Stack {
            ports: PortAllocator::new(params.port_range, params.port_selection, 0)
                .without(&params.reserved_ports),
            params,
            trace,
            factory: None,
            node: 0,
            addresses: Vec::new(),
            endpoints: Endpoints::default(),
            demux: Demux::default(),
            time_waits: TimeWaitTable::default(),
            time_wait_timer: LazyTimer::default(),
            time_wait_answers: None,
            last_stamps: None,
            listeners: Vec::new(),
            binds: Binds::default(),
            fixed: None,
            clock_wrap: None,
            keeps_ended: false,
            secret: Secret::draw(&mut rng),
            fast_open: None,
            challenges: None,
            port_rng: rng,
            serial: 0,
            stats: HostStats::default(),
        }
    }

    /// Takes number, addresses and random streams from the environment.
    pub(super) fn start(&mut self, cx: &mut impl HostEnv) {
        self.start_as(cx.node(), cx.addresses(), |purpose| cx.rng(purpose));
    }

    /// Takes its number, addresses and random streams.
    pub(super) fn start_as(
        &mut self,
        node: u32,
        addresses: Vec<Ipv4Addr>,
        rng: impl Fn(&str) -> Rng,
    ) {
        self.node = node;
        self.addresses = addresses;
        self.secret = Secret::draw(&mut rng("isn"));
        self.port_rng = rng("ports");
        let secret = self.port_rng.next_u64();
        let params = &self.params;
        self.ports = PortAllocator::new(params.port_range, params.port_selection, secret)
            .without(&params.reserved_ports);
    }

    pub(super) fn make_tcp(&self, context: OpenContext, cx: &mut impl HostEnv) -> AnyTcp {
        if let Some(made) = cx.make_model(&context) {
            return AnyTcp::Custom(made);
        }
        let model = context.params.model;
        match (&self.factory, model.own()) {
            (Some(factory), _) => AnyTcp::Custom(factory(context)),
            (None, Some(_)) if model.is_lifecycle() => AnyTcp::Lifecycle(Lifecycle::new(context)),
            (None, Some(own)) => AnyTcp::Custom((own.make)(context)),
            (None, None) => AnyTcp::Full(Connection::new(context)),
        }
    }

    /// The owner of a 4-tuple.
    #[inline]
    pub(super) fn find(&mut self, flow: FourTuple) -> Option<Owner> {
        let (endpoints, time_waits) = (&self.endpoints, &self.time_waits);
        self.demux
            .find(flow, |owner| flow_of(endpoints, time_waits, owner))
    }

    pub(super) fn insert_flow(&mut self, flow: FourTuple, owner: Owner) {
        let (endpoints, time_waits) = (&self.endpoints, &self.time_waits);
        self.demux
            .insert(flow, owner, |owner| flow_of(endpoints, time_waits, owner));
    }

    pub(super) fn release_port(&mut self, flow: FourTuple) {
        let port = flow.local().port();
        let released = self.ports.release(destination(flow), port);
        debug_assert!(
            released || self.ports.is_reserved(port),
            "a port is released once"
        );
    }

    /// Ends a TIME-WAIT entry: records it, and frees port and 4-tuple.
    pub(super) fn end_time_wait(&mut self, place: u32, cx: &mut impl HostEnv) -> TimeWaitEntry {
        let entry = self.time_waits.remove(place);
        self.demux.remove(entry.flow(), Owner::TimeWait(place));
        if let Some(answers) = &mut self.time_wait_answers {
            answers.remove(&place);
        }
        if entry.holds_port() {
            self.release_port(entry.flow());
        }
        cx.record(TcpSample::State(StateChange {
            conn: entry.conn(),
            side: entry.side(),
            from: State::TimeWait,
            to: State::Closed,
        }));
        entry
    }

    /// Ends the entries whose time has passed.
    pub(super) fn expire_time_waits(&mut self, cx: &mut impl HostEnv) {
        let now = cx.now();
        for stay in [Stay::Full, Stay::Short] {
            while let Some((place, since)) = self.time_waits.oldest(stay) {
                if self.time_wait_expiry(stay, since) > now {
                    break;
                }
                self.stats.time_wait_expired += 1;
                self.end_time_wait(place, cx);
            }
        }
        self.arm_time_wait_timer(cx);
    }

    /// When an entry that counts from `since` expires.
    pub(super) fn time_wait_expiry(&self, stay: Stay, since: SimTime) -> SimTime {
        let time = match stay {
            Stay::Full => self.params.time_wait,
            Stay::Short => recycle_time(self.params.min_rto).min(self.params.time_wait),
        };
        self.params.timers.expiry(since, time)
    }

    pub(super) fn arm_time_wait_timer(&mut self, cx: &mut impl HostEnv) {
        // Rounding by the timer wheel keeps the order.
        let expiry = |stay| {
            let (_, since) = self.time_waits.oldest(stay)?;
            Some(self.time_wait_expiry(stay, since))
        };
        let ends = [expiry(Stay::Full), expiry(Stay::Short)];
        let deadline = ends.into_iter().flatten().min();
        self.time_wait_timer
            .set(deadline, Timer::TimeWait.token(), cx);
    }

    pub(super) fn listener_at(&self, port: u16) -> Option<usize> {
        self.listeners.iter().position(|l| l.listens_on(port))
    }

    /// The listener for a segment of this 4-tuple. Listeners that share a port (`SO_REUSEPORT`) divide the
    /// 4-tuples among themselves.
    pub(super) fn listener_for(&self, flow: FourTuple) -> Option<usize> {
        let port = flow.local().port();
        let first = self.listener_at(port)?;
        if !self.listeners[first].shares_port() {
            return Some(first);
        }
        let group =
            || (first..self.listeners.len()).filter(|&i| self.listeners[i].listens_on(port));
        let chosen = ((flow.hash() >> 32) * group().count() as u64) >> 32;
        group().nth(chosen as usize)
    }

    /// The initial sequence number of a connection, and its timestamp offset.
    pub(super) fn numbers(&mut self, flow: FourTuple, now: SimTime) -> (SeqNum, u32) {
        match &mut self.fixed {
            None => {
                let (iss, offset) = self.secret.isn_and_offset(flow, now);
                (iss, self.offset_of_clock().unwrap_or(offset))
            }
            Some(fixed) => {
                let (numbers, count) = &mut **fixed;
                let iss = numbers.first + count.wrapping_mul(numbers.step);
                *count = count.wrapping_add(1);
                (iss, numbers.ts_offset)
            }
        }
    }

    /// The timestamp offset of a 4-tuple, or that of the host's clock.
    pub(super) fn ts_offset(&self, flow: FourTuple) -> u32 {
        match &self.fixed {
            None => {
                let of_clock = self.offset_of_clock();
                of_clock.unwrap_or_else(|| self.secret.ts_offset(flow))
            }
            Some(fixed) => fixed.0.ts_offset,
        }
    }

    /// The timestamp offset of all connections, if they have the same.
    fn offset_of_clock(&self) -> Option<u32> {
        match self.clock_wrap {
            Some(at) => Some(0u32.wrapping_sub(ts_clock(at))),
            None => (!self.params.timestamp_offsets).then(|| self.secret.clock_offset()),
        }
    }

    pub(super) fn stats(&self) -> HostStats {
        HostStats {
            // Includes counts from before a crash.
            peak_time_wait: self.stats.peak_time_wait.max(self.time_waits.peak()),
            peak_connections: self.stats.peak_connections.max(self.endpoints.peak()),
            peak_ports_per_destination: self
                .stats
                .peak_ports_per_destination
                .max(self.ports.peak()),
            ports_per_destination: self.ports.port_count(),
            ..self.stats
        }
    }

    pub(super) fn memory(&self) -> MemoryReport {
        // A table that has just grown is 3/8 full with four bytes per entry, or 7/16 full with four bytes
        // plus a control byte.
        let (slot_share, demux_share) = (4 * 8_usize.div_ceil(3), 5 * 16_usize.div_ceil(7));
        MemoryReport {
            per_connection: size_of::<EndpointSlot>() + 4 + slot_share,
            per_time_wait: size_of::<TimeWaitEntry>() + demux_share,
            per_accept_queue_entry: size_of::<SocketId>(),
            per_listener: size_of::<Listener>(),
            per_destination: self.ports.bytes_per_destination(),
            connections: self.endpoints.memory_bytes(),
            time_wait: self.time_waits.memory_bytes(),
            demux: self.demux.memory_bytes(),
            ports: self.ports.memory_bytes(),
        }
    }

    /// Memory of existing connections and TIME-WAIT entries, by state.
    pub(super) fn memory_by_state(&self) -> BTreeMap<State, StateMemory> {
        let report = self.memory();
        let mut all: BTreeMap<State, StateMemory> = BTreeMap::new();
        for endpoint in self.endpoints.iter() {
            let beside = endpoint.tcp.heap_bytes() + endpoint.boxed_bytes();
            let of_state = all.entry(endpoint.state).or_default();
            of_state.add(report.per_connection + beside);
        }
        let time_waits = u64::from(self.time_waits.len());
        if time_waits > 0 {
            *all.entry(State::TimeWait).or_default() += StateMemory {
                count: time_waits,
                bytes: time_waits * report.per_time_wait as u64,
                largest: report.per_time_wait as u64,
            };
        }
        all
    }

    /// The identity of a listener in records: since it has no opener, its serial number counts down from
    /// the maximum.
    pub(super) fn listener_conn(&self, port: u16) -> ConnId {
        ConnId::new(self.node, u32::MAX - u32::from(port))
    }
}

fn flow_of(endpoints: &Endpoints, time_waits: &TimeWaitTable, owner: Owner) -> FourTuple {
    match owner {
        Owner::Connection(slot) => endpoints.get(slot).map(|e| e.flow).unwrap_or_default(),
        Owner::TimeWait(place) => time_waits.get(place).flow(),
    }
}

pub(super) fn destination(flow: FourTuple) -> Destination {
    Destination {
        local: *flow.local().ip(),
        remote: flow.remote(),
    }
}
