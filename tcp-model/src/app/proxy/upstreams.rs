//! The upstream side of a proxy: its servers, the connections to them, and the requests in progress.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddrV4;

use sim_core::SimTime;

use super::super::AppEvent;
use super::super::breaker::Breaker;
use super::super::deadline::Deadline;
use super::super::per_socket::{CONNECTION, PerSocket};
use super::super::spec::UpstreamSpec;
use super::health::{Health, checked_of};
use crate::host::{SocketCx, SocketId};
use crate::sample::{Ending, PoolLevels, PoolSample, ProxySample, TcpSample, TryFailure};
use crate::segment::ConnId;

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

/// What a connection to an upstream server is doing.
#[derive(Clone, Copy, Debug)]
pub(super) enum UpstreamPhase {
    /// It is being opened for a request.
    Connecting(ForwardedRequest),
    /// It carries one.
    Busy(ForwardedRequest),
    /// It waits for one.
    Idle,
    /// It is a health check.
    Checking,
}

/// A connection to an upstream server.
#[derive(Clone, Copy, Debug)]
pub(super) struct UpstreamConnection {
    pub(super) conn: ConnId,
    /// The server by number.
    pub(super) server: usize,
    pub(super) phase: UpstreamPhase,
    /// The request being made, or the next, from 0.
    pub(super) index: u32,
    pub(super) opened: SimTime,
    pub(super) to_write: u64,
    pub(super) to_read: u64,
    /// A byte of the response has arrived.
    pub(super) answering: bool,
    pub(super) deadline: Deadline,
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
    pub(super) waiting: VecDeque<ForwardedRequest>,
    /// Clients that have left although their requests are in progress.
    pub(super) gone: HashSet<SocketId, rustc_hash::FxBuildHasher>,
    /// Requests that are done: the client's connection, and whether there is an answer for it.
    pub(super) results: VecDeque<(SocketId, bool)>,
    /// Requests neither answered nor refused.
    pub(super) pending: u64,
    /// Connections to all servers, and the idle ones among them.
    pub(super) open: i32,
    pub(super) idle: i32,
    /// The levels as last recorded.
    reported: PoolLevels,
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
            waiting: VecDeque::new(),
            gone: HashSet::default(),
            results: VecDeque::new(),
            pending: 0,
            open: 0,
            idle: 0,
            reported: PoolLevels::default(),
            spec,
        }
    }

    /// Takes a request that is done.
    pub(super) fn next_result(&mut self) -> Option<(SocketId, bool)> {
        self.results.pop_front()
    }

    /// Whether a connection is one to an upstream server.
    pub(super) fn owns(&self, id: SocketId) -> bool {
        self.conns.get(id).is_some()
    }

    /// Whether a wake is for the upstream side.
    pub(super) fn is_own_wake(&self, token: u64) -> bool {
        match token & CONNECTION {
            0 => checked_of(token).is_some(),
            _ => self.conns.named(token).is_some(),
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
            let due = c.deadline.has_come(id, socket);
            self.conns.insert(id, c);
            if due {
                self.lose(id, Ending::GivenUp, socket);
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
        match event {
            AppEvent::Connected(_) => self.on_connected(id, socket),
            AppEvent::Readable(..) => {
                let got = socket.read(id, u64::MAX);
                if let Some(mut c) = self.conns.get(id) {
                    c.to_read = c.to_read.saturating_sub(got);
                    c.answering |= got > 0;
                    self.conns.insert(id, c);
                    self.advance(id, socket);
                }
            }
            AppEvent::Writable(..) => {
                if let Some(mut c) = self.conns.get(id) {
                    if c.to_write > 0 {
                        c.to_write -= socket.write(id, c.to_write);
                    }
                    self.conns.insert(id, c);
                    self.advance(id, socket);
                }
            }
            AppEvent::PeerClosed(_) => {
                let end = crate::model::ConnectionEnd::Closed;
                self.lose(id, Ending::Connection(end), socket);
            }
            AppEvent::Ended(_, end) => self.lose(id, Ending::Connection(end), socket),
            _ => {}
        }
    }

    fn on_connected(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        match self.conns.get(id).map(|c| c.phase) {
            Some(UpstreamPhase::Connecting(request)) => self.send(id, request, socket),
            Some(UpstreamPhase::Checking) => self.end_check(id, true, socket),
            _ => {}
        }
    }

    /// Why a connection that is lost counts as a failed try.
    pub(super) fn failure(ending: Ending) -> TryFailure {
        match ending {
            Ending::GivenUp => TryFailure::TimedOut,
            Ending::Connection(_) | Ending::Crash | Ending::RunEnd => TryFailure::Connection,
        }
    }

    /// Records how the levels of the pool have changed since the last record.
    pub(super) fn record_levels(&mut self, socket: &mut SocketCx<'_, '_>) {
        let now = PoolLevels {
            open: self.open,
            idle: self.idle,
            waiting: self.waiting.len() as i32,
        };
        self.record_change_to(now, socket);
    }

    fn record_change_to(&mut self, now: PoolLevels, socket: &mut SocketCx<'_, '_>) {
        if now == self.reported {
            return;
        }
        socket.record(TcpSample::Pool(PoolSample::Changed(PoolLevels {
            open: now.open - self.reported.open,
            idle: now.idle - self.reported.idle,
            waiting: now.waiting - self.reported.waiting,
        })));
        self.reported = now;
    }

    /// Records the requests in progress when the run ends or the host goes down.
    pub(super) fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        if self.pending > 0 {
            socket.record(TcpSample::Proxy(ProxySample::Pending(self.pending)));
        }
        if by == Ending::Crash {
            self.record_change_to(PoolLevels::default(), socket);
        }
    }

    pub(super) fn prepare_for(&self, slot: u32) {
        self.conns.prefetch(slot);
    }
}
