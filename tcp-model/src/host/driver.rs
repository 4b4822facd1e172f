//! A host without the engine: takes inputs, returns packets and events, and says when it wants to be called
//! next.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::{Packet, SimTime};

use super::cx::{DriverCx, HostCx, MakeTcp};
use super::fast_open::FastOpenCache;
use super::four_tuple::{FourTuple, Owner};
use super::outbox::{Departure, Outbox};
use super::scratch::Scratch;
use super::{AnyTcp, FixedNumbers, ListenerId, ModelFactory, SocketCx, SocketId, TcpHost};
use crate::app::AppEvent;
use crate::app::spec::HostConfig;
use crate::fast_open::CookieKey;
use crate::icmp::IcmpError;
use crate::model::{ConnectionEnd, SendCall};
use crate::params::TcpParams;
use crate::sample::TcpSample;
use crate::segment::{Ecn, Segment};

/// The current state of a connection of a driven host.
#[derive(Clone, Copy, Debug)]
pub struct Inspection<'a> {
    /// Its TCP.
    pub tcp: &'a AnyTcp,
    /// It was established, or opened early by the data of its SYN.
    pub connected: bool,
    /// Its SYN waits for the first data.
    pub deferred: bool,
    /// The peer has closed its sending direction.
    pub peer_closed: bool,
    /// How it ended, if it has.
    pub end: Option<ConnectionEnd>,
    /// It is kept only for inspection ([`Driver::keeping_ended`]): CLOSED, or an entry in the TIME-WAIT
    /// table.
    pub kept: bool,
}

/// A [`TcpHost`] driven by its caller: a test, a script, or a network outside the simulator.
///
/// Every input carries the time, which must not go backwards. After each input, take its outputs with
/// [`Driver::next_packet`], [`Driver::next_event`] and, if needed, [`Driver::take_records`]; call
/// [`Driver::time_out`] at the time given by [`Driver::next_timeout`]. The driver acts as an additional
/// application of the host: [`Driver::call`] gives it access to the sockets, and its events concern the
/// connections and listeners it opened.
///
/// Two hosts back to back, one with a built-in server, the other driven by its caller:
///
/// ```
/// use std::net::{Ipv4Addr, SocketAddrV4};
/// use std::sync::Arc;
/// use sim_core::{SimDuration, SimTime};
/// use tcp_model::app::AppEvent;
/// use tcp_model::host::Driver;
/// use tcp_model::spec::{AppSpec, HostConfig, SinkSpec, TraceSpec};
/// use tcp_model::TcpParams;
///
/// let host = |n: u8, apps| {
///     let (params, trace) = (Arc::new(TcpParams::linux()), TraceSpec::default());
///     let config = HostConfig { params, apps, trace };
///     Driver::new(config, u32::from(n), vec![Ipv4Addr::new(10, 0, 0, n)], 1)
/// };
/// let sink = SinkSpec { port: 80, backlog: 128, read_rate: None, ..SinkSpec::default() };
/// let mut hosts = [host(1, vec![]), host(2, vec![AppSpec::Sink(sink)])];
/// let server = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 80);
/// let mut now = SimTime::ZERO;
/// let id = hosts[0].call(now, |socket| socket.connect(None, server)).unwrap();
/// let mut closed = false;
/// for _ in 0..20 {
///     // Everything takes 10 ms to the other host.
///     now = now + SimDuration::from_millis(10);
///     for from in 0..2 {
///         while let Some(sent) = hosts[from].next_packet() {
///             hosts[1 - from].receive(now, &sent.packet);
///         }
///     }
///     hosts.iter_mut().for_each(|host| host.time_out(now));
///     while let Some(event) = hosts[0].next_event() {
///         match event {
///             AppEvent::Connected(_) => hosts[0].call(now, |socket| {
///                 assert_eq!(socket.write(id, 5000), 5000);
///                 socket.shutdown(id);
///             }),
///             AppEvent::PeerClosed(_) => closed = true,
///             _ => {}
///         }
///     }
/// }
/// assert!(closed);
/// assert_eq!(hosts[0].host().time_waits(), 1);
/// ```
pub struct Driver<'m> {
    host: TcpHost,
    outbox: Outbox,
    make: Option<&'m mut MakeTcp<'m>>,
}

impl std::fmt::Debug for Driver<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (host, outbox) = (&self.host, &self.outbox);
        f.debug_struct("Driver")
            .field("host", host)
            .field("outbox", outbox)
            .finish_non_exhaustive()
    }
}

impl<'m> Driver<'m> {
    /// Creates a host with these addresses, which starts at time zero. `number` distinguishes its
    /// connections from those of other hosts, and with `seed` selects its random streams.
    pub fn new(config: HostConfig, number: u32, addresses: Vec<Ipv4Addr>, seed: u64) -> Driver<'m> {
        let mut driver = Driver {
            host: TcpHost::new(config),
            outbox: Outbox {
                now: SimTime::ZERO,
                node: number,
                seed,
                addresses,
                scratch: Scratch::default(),
                events: VecDeque::new(),
                packets: VecDeque::new(),
                records: None,
                wakes: BinaryHeap::new(),
                count: 0,
            },
            make: None,
        };
        driver.with(SimTime::ZERO, |host, cx| host.start(cx));
        driver
    }

    /// Uses `factory` to create the TCP of every connection.
    #[must_use]
    pub fn with_model(mut self, factory: ModelFactory) -> Driver<'m> {
        self.host = self.host.with_model(factory);
        self
    }

    /// The same with a factory that need not be thread-safe.
    #[must_use]
    pub fn with_maker(mut self, make: &'m mut MakeTcp<'_>) -> Driver<'m> {
        self.make = Some(make);
        self
    }

    /// Keeps the host's records from now on for [`Driver::take_records`].
    #[must_use]
    pub fn recording(mut self) -> Driver<'m> {
        self.outbox.records = Some(Vec::new());
        self
    }

    /// The host, for its counters.
    pub fn host(&self) -> &TcpHost {
        &self.host
    }

    /// The time of the last input.
    pub fn now(&self) -> SimTime {
        self.outbox.now
    }

    /// Uses the given initial sequence numbers and timestamps instead of ones derived from a secret.
    #[must_use]
    pub fn with_numbers(mut self, numbers: FixedNumbers) -> Driver<'m> {
        self.host.stack.fixed = Some(Box::new((numbers, 0)));
        self
    }

    /// Keeps ended connections, so that they can be inspected and their remaining data read.
    #[must_use]
    pub fn keeping_ended(mut self) -> Driver<'m> {
        self.host.stack.keeps_ended = true;
        self
    }

    /// Changes parameters of the host (as `sysctl` does). Existing connections keep theirs.
    pub fn set_params(&mut self, params: &Arc<TcpParams>) {
        self.host.stack.set_params(params);
    }

    /// The key of the host's Fast Open cookies (Linux `tcp_fastopen_key`).
    pub fn set_fast_open_key(&mut self, key: CookieKey) {
        let stack = &mut self.host.stack;
        stack.fast_open.get_or_insert_default().set_key(key);
    }

    /// Number of connections that can be accepted from a listener.
    pub fn acceptable(&self, id: ListenerId) -> usize {
        let listener = self.host.stack.listeners.get(usize::from(id.0));
        listener.map_or(0, |listener| listener.waiting())
    }

    /// Bytes that a SYN to this server would carry with Fast Open; zero while the host has no cookie.
    pub fn fast_open_room(&self, server: Ipv4Addr, params: &TcpParams) -> u32 {
        let cache = self.host.stack.fast_open.as_deref();
        let call = FastOpenCache::connect(cache, server, SendCall::default(), params);
        call.room(params.ip_version, params.mtu)
    }

    /// The connection of a 4-tuple, whether accepted or not; `None` for a TIME-WAIT entry.
    pub fn connection(&mut self, local: SocketAddrV4, remote: SocketAddrV4) -> Option<SocketId> {
        match self.host.stack.find(FourTuple::new(local, remote)) {
            Some(Owner::Connection(slot)) => Some(self.host.stack.endpoints.id(slot)),
            _ => None,
        }
    }

    /// Whether the 4-tuple is in TIME-WAIT.
    pub fn is_time_wait(&mut self, local: SocketAddrV4, remote: SocketAddrV4) -> bool {
        let owner = self.host.stack.find(FourTuple::new(local, remote));
        matches!(owner, Some(Owner::TimeWait(_)))
    }

    /// Inspects a connection of any application; `None` if it is gone.
    pub fn inspect(&self, id: SocketId) -> Option<Inspection<'_>> {
        let endpoints = &self.host.stack.endpoints;
        let endpoint = endpoints.get(endpoints.live(id)?)?;
        Some(Inspection {
            tcp: &endpoint.tcp,
            connected: endpoint.connected,
            deferred: endpoint.deferred,
            peer_closed: endpoint.peer_closed,
            end: endpoint.end,
            kept: endpoint.detached,
        })
    }

    /// Delivers an ICMP error about a segment of this 4-tuple at `now`.
    pub fn icmp(
        &mut self,
        now: SimTime,
        (local, remote): (SocketAddrV4, SocketAddrV4),
        error: &IcmpError,
    ) {
        let flow = FourTuple::new(local, remote);
        self.with(now, |host, cx| {
            host.stack.icmp_arrives(flow, error, cx);
            host.finish(cx);
        });
    }

    /// Delivers a packet at `now`.
    pub fn receive(&mut self, now: SimTime, packet: &Packet<Segment>) {
        let mut packet = *packet;
        packet.payload.ecn = Ecn::from_tos(packet.tos);
        self.with(now, |host, cx| host.packet_arrives(&packet, cx));
    }

    /// Makes calls on the host's sockets at `now`, as an application.
    pub fn call<R>(&mut self, now: SimTime, calls: impl FnOnce(&mut SocketCx<'_, '_>) -> R) -> R {
        self.with(now, |host, cx| {
            let app = host.apps.len() as u16;
            let result = calls(&mut SocketCx {
                stack: &mut host.stack,
                cx: HostCx::Driver(cx.reborrow()),
                app,
            });
            host.finish(cx);
            result
        })
    }

    /// When to call [`Driver::time_out`]; may be earlier than necessary.
    pub fn next_timeout(&self) -> Option<SimTime> {
        self.outbox.wakes.peek().map(|Reverse((at, ..))| *at)
    }

    /// Processes everything that is due at `now`.
    pub fn time_out(&mut self, now: SimTime) {
        while let Some(Reverse((at, _, token))) = self.outbox.wakes.peek().copied()
            && at <= now
        {
            self.outbox.wakes.pop();
            self.with(at, |host, cx| host.timer_fires(token, cx));
        }
        self.outbox.now = self.outbox.now.max(now);
    }

    /// Takes the next packet sent, in order.
    pub fn next_packet(&mut self) -> Option<Departure> {
        self.outbox.packets.pop_front()
    }

    /// Takes the next event for the driver, in order.
    pub fn next_event(&mut self) -> Option<AppEvent> {
        self.outbox.events.pop_front()
    }

    /// Takes the records since the last call, in order; none unless it is [`Driver::recording`].
    pub fn take_records(&mut self) -> Vec<(SimTime, TcpSample)> {
        self.outbox
            .records
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn with<R>(
        &mut self,
        now: SimTime,
        act: impl FnOnce(&mut TcpHost, &mut DriverCx<'_>) -> R,
    ) -> R {
        self.outbox.now = self.outbox.now.max(now);
        let mut cx = DriverCx {
            outbox: &mut self.outbox,
            make: match &mut self.make {
                Some(make) => Some(&mut **make),
                None => None,
            },
        };
        act(&mut self.host, &mut cx)
    }
}
