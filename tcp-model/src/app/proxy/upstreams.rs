//! The upstream side of a proxy: its servers, the connections to them, and the requests in progress.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddrV4;

use sim_core::SimTime;

use super::super::AppEvent;
use super::super::breaker::Breaker;
use super::super::per_socket::{CONNECTION, PerSocket};
use super::super::pool_levels::RecordedLevels;
use super::super::pooled_connection::{PooledConnection, PooledPhase};
use super::super::spec::UpstreamSpec;
use super::health::{CheckConnection, Health, checked_of};
use crate::host::{SocketCx, SocketId};
use crate::model::ConnectionEnd;
use crate::sample::{Ending, PoolLevels, ProxySample, TcpSample};

/// A request of a client, on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForwardedRequest {
    /// The client's connection.
    pub(super) client: SocketId,
    /// When it had arrived.
    pub(super) since: SimTime,
    /// When the present try, or the wait for it, began.
    pub(super) try_since: SimTime,
    /// Tries begun.
    pub(super) tries: u32,
    /// The upstream server of the last try, by number.
    pub(super) last: Option<usize>,
}

impl ForwardedRequest {
    /// A request that has just arrived on a client's connection.
    pub(super) fn new(client: SocketId, since: SimTime) -> ForwardedRequest {
        ForwardedRequest {
            client,
            since,
            try_since: since,
            tries: 0,
            last: None,
        }
    }
}

/// A connection to an upstream server.
#[derive(Clone, Copy, Debug)]
pub(super) struct UpstreamConnection {
    /// The server by number.
    pub(super) server: usize,
    pub(super) carried: PooledConnection<ForwardedRequest>,
}

/// An upstream server.
#[derive(Debug)]
pub(super) struct UpstreamServer {
    pub(super) address: SocketAddrV4,
    /// Its idle connections, the one used last at the end.
    pub(super) idle: Vec<SocketId>,
    /// Its connections, without those of health checks.
    pub(super) open: u32,
    /// Connects so far: local addresses take turns.
    pub(super) turn: usize,
    pub(super) breaker: Option<Breaker>,
    pub(super) health: Option<Health>,
}

impl UpstreamServer {
    /// Whether requests may be sent to it.
    pub(super) fn is_usable(&self, now: SimTime) -> bool {
        self.health.as_ref().is_none_or(Health::is_up)
            && self.breaker.as_ref().is_none_or(|b| b.admits(now))
    }
}

/// The upstream side of a proxy.
#[derive(Debug)]
pub(super) struct Upstreams {
    pub(super) spec: UpstreamSpec,
    pub(super) servers: Vec<UpstreamServer>,
    /// The server whose turn it is.
    pub(super) turn: usize,
    pub(super) conns: PerSocket<UpstreamConnection>,
    /// The connections of health checks.
    pub(super) checks: PerSocket<CheckConnection>,
    pub(super) waiting: VecDeque<ForwardedRequest>,
    /// Clients that have left although their requests are in progress.
    pub(super) gone: HashSet<SocketId, rustc_hash::FxBuildHasher>,
    /// Connections whose request may be answered.
    pub(super) advanced: VecDeque<SocketId>,
    /// Requests that are done: the client's connection, and whether there is an answer for it.
    pub(super) results: VecDeque<(SocketId, bool)>,
    /// Requests neither answered nor refused.
    pub(super) pending: u64,
    /// Connections to all servers, and the idle ones among them.
    pub(super) open: i32,
    pub(super) idle: i32,
    recorded: RecordedLevels,
}

impl Upstreams {
    pub(super) fn new(spec: UpstreamSpec) -> Upstreams {
        let server = |address| UpstreamServer {
            address,
            idle: Vec::new(),
            open: 0,
            turn: 0,
            breaker: spec.breaker.map(Breaker::new),
            health: spec.health.map(|_| Health::default()),
        };
        Upstreams {
            servers: spec.servers.iter().map(server).collect(),
            turn: 0,
            conns: PerSocket::default(),
            checks: PerSocket::default(),
            waiting: VecDeque::new(),
            gone: HashSet::default(),
            advanced: VecDeque::new(),
            results: VecDeque::new(),
            pending: 0,
            open: 0,
            idle: 0,
            recorded: RecordedLevels::default(),
            spec,
        }
    }

    /// Takes a request that is done.
    pub(super) fn next_result(&mut self) -> Option<(SocketId, bool)> {
        self.results.pop_front()
    }

    /// Whether a connection is one to an upstream server.
    pub(super) fn owns(&self, id: SocketId) -> bool {
        self.conns.get(id).is_some() || self.checks.get(id).is_some()
    }

    /// Whether a wake is for the upstream side.
    pub(super) fn is_own_wake(&self, token: u64) -> bool {
        match token & CONNECTION {
            0 => checked_of(token).is_some(),
            _ => self.conns.named(token).is_some() || self.checks.named(token).is_some(),
        }
    }

    pub(super) fn on_wake(&mut self, token: u64, socket: &mut SocketCx<'_, '_>) {
        if token & CONNECTION == 0 {
            if let Some(server) = checked_of(token) {
                self.check(server, socket);
            }
        } else if let Some(id) = self.conns.named(token)
            && let Some(mut c) = self.conns.get(id)
        {
            let due = c.carried.deadline.has_come(id, socket);
            self.conns.insert(id, c);
            if due {
                self.lose(id, Ending::GivenUp, socket);
            }
        } else if let Some(id) = self.checks.named(token)
            && let Some(mut c) = self.checks.get(id)
        {
            let due = c.deadline.has_come(id, socket);
            self.checks.insert(id, c);
            if due {
                self.end_check(id, false, socket);
            }
        }
    }

    /// Notes that a client has left while its request is in progress.
    pub(super) fn on_client_gone(&mut self, client: SocketId) {
        self.gone.insert(client);
    }

    /// Handles an event of a connection to an upstream server.
    pub(super) fn on_event(
        &mut self,
        id: SocketId,
        event: AppEvent,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if self.checks.get(id).is_some() {
            match event {
                AppEvent::Connected(_) => self.end_check(id, true, socket),
                AppEvent::PeerClosed(_) | AppEvent::Ended(..) => self.end_check(id, false, socket),
                _ => {}
            }
            return;
        }
        let Some(mut c) = self.conns.get(id) else {
            return;
        };
        match event {
            AppEvent::Connected(_) => {
                if let PooledPhase::Connecting(request) = c.carried.phase {
                    self.send(id, request, socket);
                }
            }
            AppEvent::Readable(..) => {
                c.carried.on_readable(id, socket);
                self.conns.insert(id, c);
                self.advanced.push_back(id);
            }
            AppEvent::Writable(..) => {
                c.carried.on_writable(id, socket);
                self.conns.insert(id, c);
                self.advanced.push_back(id);
            }
            AppEvent::PeerClosed(_) => {
                self.lose(id, Ending::Connection(ConnectionEnd::Closed), socket);
            }
            AppEvent::Ended(_, end) => self.lose(id, Ending::Connection(end), socket),
            _ => {}
        }
    }

    /// Records how the levels of the pool have changed since the last record.
    pub(super) fn record_levels(&mut self, socket: &mut SocketCx<'_, '_>) {
        let now = PoolLevels {
            open: self.open,
            idle: self.idle,
            waiting: self.waiting.len() as i32,
        };
        self.recorded.record(now, socket);
    }

    /// Records the requests in progress when the run ends or the host goes down.
    pub(super) fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        if self.pending > 0 {
            let now = socket.now();
            let waits = self.waiting.iter().map(|r| now.since(r.try_since));
            socket.record(TcpSample::Proxy(ProxySample::Pending {
                requests: self.pending,
                waiting: self.waiting.len() as u64,
                longest: waits.max().unwrap_or_default(),
            }));
        }
        if by == Ending::Crash {
            self.recorded.record(PoolLevels::default(), socket);
        }
    }

    pub(super) fn prepare_for(&self, slot: u32) {
        self.conns.prefetch(slot);
    }
}
