//! A client with a pool of connections: requests arrive independently, and each takes an idle connection,
//! opens one, or waits.
//!
//! Among idle connections, the most recently used one is taken first. A connection leaves the pool
//! when it has carried its maximum number of requests, is too old, has been idle for too long,
//! exceeds the maximum number of idle connections, or is closed by its server. A request in flight
//! when the server closes stays unanswered, as with real servers.
//!
//! When the circuit breaker of a server opens, its idle connections are closed, and those that carry a request are
//! closed after it.
//!
//! Leaves out health checks, and connections that a pool opens in advance.

mod requests;

use std::collections::VecDeque;

use sim_core::Rng;

use super::breaker::Breakers;
use super::client_arrivals::ClientArrivals;
use super::origins::wanted_now;
use super::pending_request::{PendingRequest, record_waiting};
use super::per_socket::PerSocket;
use super::pool_levels::RecordedLevels;
use super::pooled_connection::{PooledConnection, PooledPhase};
use super::retrying::{Attempt, Retrying};
use super::spec::{ClientSpec, PoolSpec};
use super::{App, AppEvent};
use crate::host::{SocketCx, SocketId};
use crate::model::ConnectionEnd;
use crate::sample::{Ending, PoolLevels, RequestUnanswered, TcpSample};

/// Wake token: the next request.
const ARRIVAL: u64 = 0;

/// The application described by a [`ClientSpec`] with a pool.
#[derive(Debug)]
pub struct PoolClient {
    spec: ClientSpec,
    pool: PoolSpec,
    arrivals: ClientArrivals,
    rng: Rng,
    turn: u64,
    retrying: Retrying,
    conns: PerSocket<PooledConnection<PendingRequest>>,
    open: u32,
    /// Idle connections, the one used last at the end.
    idle: Vec<SocketId>,
    waiting: VecDeque<PendingRequest>,
    breakers: Option<Box<Breakers>>,
    recorded: RecordedLevels,
}

impl PoolClient {
    /// A client as described, with this pool.
    pub fn new(spec: ClientSpec, pool: PoolSpec) -> PoolClient {
        PoolClient {
            arrivals: ClientArrivals::new(&spec),
            rng: Rng::stream(0, &spec.name, 0),
            turn: 0,
            retrying: Retrying::new(spec.retries),
            conns: PerSocket::default(),
            open: 0,
            idle: Vec::new(),
            waiting: VecDeque::new(),
            breakers: Breakers::new(spec.breaker, &spec.remotes),
            recorded: RecordedLevels::default(),
            pool,
            spec,
        }
    }

    /// Requests a wake for the next request.
    fn await_arrival(&mut self, socket: &mut SocketCx<'_, '_>) {
        self.arrivals
            .await_next(ARRIVAL, &self.spec, &mut self.rng, socket);
    }

    fn levels(&self) -> PoolLevels {
        PoolLevels {
            open: self.open as i32,
            idle: self.idle.len() as i32,
            waiting: self.waiting.len() as i32,
        }
    }

    fn on_connected(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(c) = self.conns.get(id)
            && let PooledPhase::Connecting(request) = c.phase
        {
            self.send(id, request, socket);
        }
    }

    fn on_readable(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(mut c) = self.conns.get(id) {
            c.on_readable(id, socket);
            self.conns.insert(id, c);
            self.advance(id, socket);
        }
    }

    fn on_writable(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(mut c) = self.conns.get(id) {
            c.on_writable(id, socket);
            self.conns.insert(id, c);
            self.advance(id, socket);
        }
    }

    fn on_due(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let Some(mut c) = self.conns.get(id) else {
            return;
        };
        let due = c.deadline.has_come(id, socket);
        self.conns.insert(id, c);
        if due {
            self.lose(id, Ending::GivenUp, socket);
        }
    }

    fn react(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                self.rng = socket.rng(&self.spec.name);
                self.await_arrival(socket);
            }
            AppEvent::Wake(ARRIVAL) => {
                self.arrivals.begin();
                self.retrying.begin();
                let wanted = wanted_now(&self.spec, socket);
                let attempt = Attempt { number: 0, wanted };
                self.submit(PendingRequest::new(attempt, socket), socket);
                self.await_arrival(socket);
            }
            AppEvent::Wake(token) => {
                if let Some(attempt) = self.retrying.due(token) {
                    self.submit(PendingRequest::new(attempt, socket), socket);
                } else if let Some(id) = self.conns.named(token) {
                    self.on_due(id, socket);
                }
            }
            AppEvent::Connected(id) => self.on_connected(id, socket),
            AppEvent::Readable(id, _) => self.on_readable(id, socket),
            AppEvent::Writable(id, _) => self.on_writable(id, socket),
            AppEvent::PeerClosed(id) => {
                self.lose(id, Ending::Connection(ConnectionEnd::Closed), socket);
            }
            AppEvent::Ended(id, end) => self.lose(id, Ending::Connection(end), socket),
            AppEvent::Acceptable(_)
            | AppEvent::Urgent(..)
            | AppEvent::SoftError(..)
            | AppEvent::DeliveryTrouble(_) => {}
        }
    }
}

fn record_unanswered(
    c: &PooledConnection<PendingRequest>,
    ending: Ending,
    socket: &mut SocketCx<'_, '_>,
) {
    if let PooledPhase::Busy(_) = c.phase {
        socket.record(TcpSample::Unanswered(RequestUnanswered {
            conn: c.conn,
            index: c.index,
            waited: socket.now().since(c.began),
            ending,
        }));
    }
}

impl App for PoolClient {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        self.react(event, socket);
        self.recorded.record(self.levels(), socket);
    }

    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        for c in self.conns.iter() {
            record_unanswered(c, by, socket);
            if let Some(request) = c.request() {
                request.record_cut_off(socket);
            }
        }
        record_waiting(&self.waiting, by, socket);
        self.retrying.on_cut_off(socket);
        if by == Ending::Crash {
            self.recorded.record(PoolLevels::default(), socket);
        }
    }

    fn prepare_for(&self, slot: u32) {
        self.conns.prefetch(slot);
    }

    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        self.conns.prefetch_named(token)
    }
}
