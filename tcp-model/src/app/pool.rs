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

use sim_core::{Rng, SimTime};

use super::arrivals::ArrivalClock;
use super::breaker::Breakers;
use super::deadline::Deadline;
use super::origins::{record_end, wanted_now};
use super::per_socket::PerSocket;
use super::retrying::{Attempt, Retrying};
use super::spec::{ClientSpec, PoolSpec};
use super::{App, AppEvent};
use crate::host::{SocketCx, SocketId};
use crate::model::ConnectionEnd;
use crate::sample::{
    Ending, ExchangeResult, PoolLevels, PoolSample, RequestUnanswered, RequestsWaiting, TcpSample,
};
use crate::segment::ConnId;

/// Wake token: the next request.
const ARRIVAL: u64 = 0;

/// A request that wants a connection.
#[derive(Clone, Copy, Debug)]
struct PendingRequest {
    /// When it arrived, or its present attempt began.
    since: SimTime,
    attempt: Attempt,
}

impl PendingRequest {
    /// An attempt that begins now.
    fn new(attempt: Attempt, socket: &SocketCx<'_, '_>) -> PendingRequest {
        let since = socket.now();
        PendingRequest { since, attempt }
    }
}

/// What a connection of the pool is doing.
#[derive(Clone, Copy, Debug)]
enum PooledPhase {
    /// It is being opened for a request.
    Connecting(PendingRequest),
    /// It carries one.
    Busy(PendingRequest),
    /// It waits for one.
    Idle,
}

#[derive(Clone, Copy, Debug)]
struct PooledConnection {
    conn: ConnId,
    phase: PooledPhase,
    /// The request being made, or the next, from 0.
    index: u32,
    opened: SimTime,
    /// When the current request was sent.
    began: SimTime,
    to_write: u64,
    to_read: u64,
    deadline: Deadline,
}

/// The application described by a [`ClientSpec`] with a pool.
#[derive(Debug)]
pub struct PoolClient {
    spec: ClientSpec,
    pool: PoolSpec,
    clock: ArrivalClock,
    rng: Rng,
    /// Requests begun.
    begun: u64,
    turn: u64,
    retrying: Retrying,
    conns: PerSocket<PooledConnection>,
    open: u32,
    /// Idle connections, the one used last at the end.
    idle: Vec<SocketId>,
    waiting: VecDeque<PendingRequest>,
    breakers: Option<Box<Breakers>>,
    /// The numbers as last recorded.
    reported: PoolLevels,
}

impl PoolClient {
    /// A client as described, with this pool.
    pub fn new(spec: ClientSpec, pool: PoolSpec) -> PoolClient {
        PoolClient {
            clock: ArrivalClock::new(spec.arrivals.clone(), spec.start),
            rng: Rng::stream(0, &spec.name, 0),
            begun: 0,
            turn: 0,
            retrying: Retrying::new(spec.retries),
            conns: PerSocket::default(),
            open: 0,
            idle: Vec::new(),
            waiting: VecDeque::new(),
            breakers: Breakers::new(spec.breaker, &spec.remotes),
            reported: PoolLevels::default(),
            pool,
            spec,
        }
    }

    /// Requests a wake for the next request.
    fn await_arrival(&mut self, socket: &mut SocketCx<'_, '_>) {
        while let Some(at) = self.clock.next(&mut self.rng)
            && at < self.spec.stop
            && self.spec.limit.is_none_or(|limit| self.begun < limit)
        {
            if at >= socket.now() {
                socket.wake(at, ARRIVAL);
                return;
            }
            self.begun += 1; // the host was down then
        }
    }

    /// Records how the pool's levels have changed since the last record.
    fn record_levels(&mut self, now: PoolLevels, socket: &mut SocketCx<'_, '_>) {
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

    fn levels(&self) -> PoolLevels {
        PoolLevels {
            open: self.open as i32,
            idle: self.idle.len() as i32,
            waiting: self.waiting.len() as i32,
        }
    }

    fn on_connected(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(PooledConnection {
            phase: PooledPhase::Connecting(wanted),
            ..
        }) = self.conns.get(id)
        {
            self.send(id, wanted, socket);
        }
    }

    fn on_readable(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(mut c) = self.conns.get(id) {
            let got = socket.read(id, u64::MAX);
            c.to_read = c.to_read.saturating_sub(got);
            self.conns.insert(id, c);
            self.advance(id, socket);
        }
    }

    fn on_writable(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(mut c) = self.conns.get(id) {
            if c.to_write > 0 {
                c.to_write -= socket.write(id, c.to_write);
            }
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
                self.begun += 1;
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

fn record_unanswered(c: &PooledConnection, ending: Ending, socket: &mut SocketCx<'_, '_>) {
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
        self.record_levels(self.levels(), socket);
    }

    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        for c in self.conns.iter() {
            record_unanswered(c, by, socket);
            if let PooledPhase::Connecting(wanted) | PooledPhase::Busy(wanted) = c.phase {
                record_end(wanted.attempt.wanted, ExchangeResult::Pending, socket);
            }
        }
        for waiting in &self.waiting {
            record_end(waiting.attempt.wanted, ExchangeResult::Pending, socket);
        }
        if let Some(first) = self.waiting.front() {
            socket.record(TcpSample::Waiting(RequestsWaiting {
                requests: self.waiting.len() as u64,
                longest: socket.now().since(first.since),
                ending: by,
            }));
        }
        self.retrying.on_cut_off(socket);
        if by == Ending::Crash {
            self.record_levels(PoolLevels::default(), socket);
        }
    }

    fn prepare_for(&self, slot: u32) {
        self.conns.prefetch(slot);
    }

    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        self.conns.prefetch_named(token)
    }
}
