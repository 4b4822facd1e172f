//! Active and passive opens, and accepting.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::SimDuration;

use super::arrive::is_unicast;
use super::bound::{BindId, Reuse};
use super::cx::HostEnv;
use super::endpoint::{NO_LISTENER, SocketId};
use super::fast_open::FastOpenCache;
use super::four_tuple::{FourTuple, Owner};
use super::listener::{ListenOptions, Listener, ListenerId};
use super::stack::Stack;
use crate::app::AppEvent;
use crate::errno::{self, Errno};
use crate::fast_open::{CookieKey, FastListen};
use crate::model::{Input, OpenContext, SendCall, TcpModel};
use crate::options::{Options, TcpOption};
use crate::params::{TcpParams, TwReuse};
use crate::sample::{ConnectOutcome, OpenResult, Side, StateChange, TcpSample};
use crate::segment::{ConnId, Flags, Segment, Tag};
use crate::seq::SeqNum;
use crate::state::State;

/// Why connect failed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// All local ports towards the destination are in use (EADDRNOTAVAIL).
    #[error("no local port is free")]
    AddrNotAvailable,
    /// The local port asked for is in use towards the destination (Linux: EADDRNOTAVAIL).
    #[error("the local port is in use towards this destination")]
    AddrInUse,
    /// The local address is not one of the host's.
    #[error("{0} is not an address of this host")]
    NotLocal(Ipv4Addr),
    /// The remote address is a broadcast or multicast address (RFC 9293 MUST-46).
    #[error("{0} is not the address of a single host")]
    NotUnicast(Ipv4Addr),
}

impl ConnectError {
    /// The error that `connect` returns on Linux.
    pub const fn errno(self) -> Errno {
        match self {
            ConnectError::AddrNotAvailable
            | ConnectError::AddrInUse
            | ConnectError::NotLocal(_) => errno::EADDRNOTAVAIL,
            ConnectError::NotUnicast(_) => errno::ENETUNREACH,
        }
    }
}

/// How to connect, beyond the remote end.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// The local address; by default the host's first.
    pub local: Option<Ipv4Addr>,
    /// The local port; by default the host chooses one.
    pub port: Option<u16>,
    /// A previously bound address and port; `local` and `port` are then ignored.
    pub bound: Option<BindId>,
    /// How its port is shared, if it is not bound.
    pub reuse: Reuse,
    /// Bind to the address and a port before considering the destination, as Linux does without
    /// `IP_BIND_ADDRESS_NO_PORT`: the port must be free towards all destinations, including TIME-WAIT. Only
    /// if the host chooses the port.
    pub bind_first: bool,
    /// Parameters, if different from the host's.
    pub params: Option<Arc<TcpParams>>,
    /// Delay the SYN until there are data to send with it (Linux `TCP_FASTOPEN_CONNECT`), if the parameters
    /// allow Fast Open.
    pub fast_open: bool,
    /// A number below 128 carried to the other end in the connection's identity: which of several workloads
    /// on one server port it belongs to.
    pub class: u8,
}

/// The port is in use by another socket (EADDRINUSE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("port {0} is in use by another socket")]
pub struct ListenError(pub u16);

/// The local end chosen for an active open.
pub(super) struct LocalEnd {
    pub(super) port: u16,
    pub(super) holds_port: bool,
}

impl Stack {
    /// Active OPEN. The attempt gets an identity and is recorded, successful or not.
    #[inline(never)]
    pub(super) fn connect(
        &mut self,
        app: u16,
        options: ConnectOptions,
        remote: SocketAddrV4,
        cx: &mut impl HostEnv,
    ) -> Result<SocketId, ConnectError> {
        if !is_unicast(*remote.ip()) {
            return Err(ConnectError::NotUnicast(*remote.ip()));
        }
        let params = options.params.unwrap_or_else(|| self.params.clone());
        let defers = options.fast_open && params.fast_open & TcpParams::FAST_OPEN_CLIENT != 0;
        let (mut local, mut port, mut reuse) = (options.local, options.port, options.reuse);
        if let Some(bind) = options.bound.and_then(|id| self.binds.get(id)) {
            (local, port, reuse) = (bind.address, Some(bind.port), bind.reuse);
        }
        let address = match local {
            Some(address) if !self.addresses.contains(&address) => {
                return Err(ConnectError::NotLocal(address));
            }
            Some(address) => address,
            None => self
                .addresses
                .first()
                .copied()
                .unwrap_or(Ipv4Addr::UNSPECIFIED),
        };
        let conn = ConnId::new(self.node, self.serial).with_class(options.class);
        let traced = self.serial < self.trace.segments;
        self.serial += 1;
        let end = match port {
            Some(port) => self.take_port(conn, address, port, remote, cx),
            None => self.find_port(conn, address, remote, options.bind_first, cx),
        };
        let end = end.inspect_err(|_| {
            cx.record(TcpSample::Outcome(ConnectOutcome {
                conn,
                result: OpenResult::AddrNotAvailable,
                latency: SimDuration::ZERO,
            }));
        })?;
        let flow = FourTuple::from_parts(address, end.port, *remote.ip(), remote.port());
        let (isn, ts_offset) = self.numbers(flow, cx.now());
        // Without reuse the allocator guarantees that the 4-tuple is free.
        let old = match self.params.tw_reuse {
            TwReuse::Loopback if !self.is_loopback(flow) => None,
            TwReuse::Off => None,
            TwReuse::On | TwReuse::Loopback => self.find(flow),
        };
        let iss = match old {
            Some(Owner::TimeWait(place)) => {
                // Linux tcp_twsk_unique: beyond any window of the old incarnation.
                self.stats.time_wait_reused += 1;
                let old = self.end_time_wait(place, cx);
                self.arm_time_wait_timer(cx);
                old.time_wait(0).snd_nxt + 65_537
            }
            _ => isn,
        };
        let context = OpenContext {
            params,
            conn,
            traced,
            local: flow.local(),
            remote,
            iss,
            ts_offset,
        };
        let slot = self.add_endpoint(context, Side::Active, app, NO_LISTENER, end.holds_port, cx);
        let id = self.endpoints.id(slot);
        if let Some(endpoint) = self.endpoints.get_mut(slot) {
            endpoint.reuse = reuse.bits();
            endpoint.deferred = defers;
        }
        if !defers {
            self.step(slot, Input::Connect, cx);
        }
        Ok(id)
    }

    /// Sends a SYN with any source address, without creating a connection.
    pub(super) fn send_spoofed_syn(
        &mut self,
        source: SocketAddrV4,
        remote: SocketAddrV4,
        isn: u32,
        cx: &mut impl HostEnv,
    ) {
        let mut options = Options::NONE;
        // The list is empty, so there is room.
        let _ = options.push(TcpOption::Mss(self.params.mss()));
        let syn = Segment {
            src_port: source.port(),
            dst_port: remote.port(),
            seq: SeqNum(isn),
            flags: Flags::SYN,
            window: u16::MAX,
            options,
            tag: Tag {
                conn: ConnId::new(self.node, self.serial),
                ..Tag::default()
            },
            ..Segment::EMPTY
        };
        self.serial += 1;
        self.send(FourTuple::new(source, remote), &syn, None, cx);
    }

    /// The first write of a deferred connect: sends the SYN with as much data as fits. Returns the bytes
    /// accepted.
    #[cold]
    pub(super) fn connect_with_data(
        &mut self,
        slot: u32,
        data: SendCall,
        cx: &mut impl HostEnv,
    ) -> u64 {
        let Some(endpoint) = self.endpoints.get_mut(slot) else {
            return 0;
        };
        endpoint.deferred = false;
        let server = *endpoint.flow.remote().ip();
        let params = endpoint.own.as_ref().unwrap_or(&self.params);
        let call = FastOpenCache::connect(self.fast_open.as_deref(), server, data, params);
        self.step(slot, Input::ConnectWith(&call), cx);
        let queued = self.endpoints.get(slot).map(|e| e.tcp.view().send_queue);
        queued.unwrap_or(0).min(data.bytes)
    }

    /// What a client must present to open a connection with data on its SYN.
    #[cold]
    pub(super) fn fast_listen(&self, listener: usize, flow: FourTuple) -> FastListen {
        let (client, server) = (*flow.remote().ip(), *flow.local().ip());
        let listening = &self.listeners[listener];
        let params = listening.params(&self.params);
        let of_host = self.fast_open.as_deref().and_then(FastOpenCache::key);
        let key = listening.fast_open_key.or(of_host);
        let key = key.unwrap_or_else(|| CookieKey::new(self.secret.derive("fast open")));
        FastListen {
            expected: key.cookie(params.ip_version, client, server),
            cookie_not_required: params.fast_open & TcpParams::FAST_OPEN_SERVER_NO_COOKIE != 0,
        }
    }

    /// True for a connection of the host with itself. Linux checks for 127/8 addresses or the loopback
    /// device.
    pub(super) fn is_loopback(&self, flow: FourTuple) -> bool {
        self.addresses.contains(flow.remote().ip())
    }

    /// Passive OPEN: on a bound port, or on all addresses.
    pub(super) fn listen(
        &mut self,
        app: u16,
        port: u16,
        backlog: u32,
        options: ListenOptions,
        cx: &mut impl HostEnv,
    ) -> Result<ListenerId, ListenError> {
        let id = match options.bound {
            Some(id) => id,
            None => self.bind_to_listen(port).map_err(|_| ListenError(port))?,
        };
        if !self.may_listen(id) {
            if options.bound.is_none() {
                self.unbind(id);
            }
            return Err(ListenError(port));
        }
        let place = self.listeners.iter().position(|l| l.bind().is_none());
        let at = place.unwrap_or(self.listeners.len());
        let (Some(bind), true) = (self.binds.get_mut(id), at < usize::from(NO_LISTENER)) else {
            return Err(ListenError(port));
        };
        bind.listens = true;
        let (port, reuse) = (bind.port, bind.reuse);
        let listener = Listener::new(port, (id, reuse), app, backlog, options, &self.params);
        match place {
            Some(place) => self.listeners[place] = listener,
            None => self.listeners.push(listener),
        }
        cx.record(TcpSample::State(StateChange {
            conn: self.listener_conn(port),
            side: Side::Passive,
            from: State::Closed,
            to: State::Listen,
        }));
        Ok(ListenerId(at as u16))
    }

    /// Accepts the next established connection of a listener; its earlier events are reported at once.
    pub(super) fn accept(
        &mut self,
        app: u16,
        listener: usize,
        cx: &mut impl HostEnv,
    ) -> Option<SocketId> {
        if self.listeners.get(listener)?.app != app {
            return None;
        }
        while let Some(id) = self.listeners[listener].pop() {
            let Some(slot) = self.endpoints.live(id) else {
                continue; // it ended in the queue
            };
            let Some(endpoint) = self.endpoints.get_mut(slot) else {
                continue;
            };
            if endpoint.end.is_some() && !self.keeps_ended {
                continue;
            }
            endpoint.has_app = true;
            let readable = endpoint.tcp.view().readable;
            if readable > 0 {
                let event = AppEvent::Readable(id, readable);
                cx.scratch().events.push_back((app, event));
            }
            if endpoint.peer_closed {
                cx.scratch()
                    .events
                    .push_back((app, AppEvent::PeerClosed(id)));
            }
            return Some(id);
        }
        None
    }
}
