//! A client with a pool of connections: requests arrive by themselves, and each takes a connection that
//! is idle, opens one, or waits.
//!
//! Among idle connections the one used last comes first. A connection leaves the pool when it has
//! carried its number of requests or is too old, when more are idle than may be, when it has been idle
//! for too long, and when its server closes it. A server that closes while a request is on its way
//! leaves that request without an answer, as real ones do.
//!
//! Leaves out health checks, and that a pool can keep connections ready that no request has asked for.

use std::collections::VecDeque;

use sim_core::{Rng, SimTime};

use super::arrivals::ArrivalClock;
use super::deadline::Deadline;
use super::draws::{Key, What};
use super::per_socket::{CONNECTION, PerSocket};
use super::retrying::Retrying;
use super::spec::{ClientSpec, PoolSpec};
use super::{App, AppEvent};
use crate::host::{ConnectOptions, SocketCx, SocketId};
use crate::model::End;
use crate::sample::{
    Ending, PoolClose, PoolLevels, PoolSample, RequestDone, RequestUnanswered, RequestsWaiting,
    TcpSample,
};
use crate::segment::ConnId;

/// Wake token: the next request.
const ARRIVAL: u64 = 0;
/// Wake token: another attempt of a request, whose number stands above these bits.
const ATTEMPT: u64 = 2;
const ATTEMPT_SHIFT: u32 = 8;

/// A request that wants a connection.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// When it came.
    since: SimTime,
    attempt: u32,
}

/// What a connection of the pool does.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// It is being opened for a request.
    Connecting(Wanted),
    /// It carries one.
    Busy(Wanted),
    /// It waits for one.
    Idle,
}

#[derive(Clone, Copy, Debug)]
struct Conn {
    conn: ConnId,
    phase: Phase,
    /// The request being made, or the next, from 0.
    index: u32,
    opened: SimTime,
    /// When the present request was sent.
    began: SimTime,
    to_write: u64,
    to_read: u64,
    deadline: Deadline,
}

/// The application made of a [`ClientSpec`] with a pool.
#[derive(Debug)]
pub struct PoolClient {
    spec: ClientSpec,
    pool: PoolSpec,
    clock: ArrivalClock,
    rng: Rng,
    /// Requests begun, and connects of all.
    begun: u64,
    turn: u64,
    retrying: Retrying,
    conns: PerSocket<Conn>,
    open: u32,
    /// Idle connections, the one used last at the end.
    idle: Vec<SocketId>,
    waiting: VecDeque<Wanted>,
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
            reported: PoolLevels::default(),
            pool,
            spec,
        }
    }

    /// Asks to be woken for the next request.
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

    /// A request wants a connection.
    fn submit(&mut self, wanted: Wanted, socket: &mut SocketCx<'_, '_>) {
        while let Some(id) = self.idle.pop() {
            let Some(why) = self.worn_out(id, socket) else {
                self.send(id, wanted, socket);
                return;
            };
            self.discard(id, why, socket);
        }
        if self.open < self.pool.max {
            self.connect(wanted, socket);
        } else {
            self.waiting.push_back(wanted);
        }
    }

    /// Why the connection takes no further request; `None` when it may.
    fn worn_out(&self, id: SocketId, socket: &SocketCx<'_, '_>) -> Option<PoolClose> {
        let c = self.conns.get(id)?;
        let age = socket.now().since(c.opened);
        if self.pool.max_requests.is_some_and(|most| c.index >= most) {
            Some(PoolClose::Requests)
        } else if self.pool.max_lifetime.is_some_and(|most| age >= most) {
            Some(PoolClose::Lifetime)
        } else {
            None
        }
    }

    fn connect(&mut self, wanted: Wanted, socket: &mut SocketCx<'_, '_>) {
        let servers = self.spec.remotes.len();
        let (local, remote) = super::client::pair(self.turn, self.spec.locals.len(), servers);
        let Some(remote) = self.spec.remotes.get(remote) else {
            return; // no server at all
        };
        self.turn += 1;
        let options = ConnectOptions {
            local: self.spec.locals.get(local).copied(),
            bind_first: self.spec.bind_first,
            class: self.spec.class,
            ..ConnectOptions::default()
        };
        let Ok(id) = socket.connect_with(remote, options) else {
            self.failed(wanted, socket);
            return;
        };
        let now = socket.now();
        let mut c = Conn {
            conn: socket.conn(id).unwrap_or_default(),
            phase: Phase::Connecting(wanted),
            index: 0,
            opened: now,
            began: now,
            to_write: 0,
            to_read: 0,
            deadline: Deadline::NONE,
        };
        if let Some(most) = self.spec.exchange.connect_timeout {
            c.deadline.set(now.saturating_add(most), id, socket);
        }
        self.open += 1;
        self.conns.insert(id, c);
        socket.record(TcpSample::Pool(PoolSample::Opened));
    }

    /// Sends a request on a connection that is free.
    fn send(&mut self, id: SocketId, wanted: Wanted, socket: &mut SocketCx<'_, '_>) {
        let Some(mut c) = self.conns.get(id) else {
            self.submit(wanted, socket);
            return;
        };
        let exchange = &self.spec.exchange;
        let key = Key {
            seed: socket.seed(),
            conn: c.conn,
            index: c.index,
        };
        c.phase = Phase::Busy(wanted);
        c.began = socket.now();
        socket.record(TcpSample::Pool(PoolSample::Sent {
            waited: c.began.since(wanted.since),
            reused: c.index > 0,
        }));
        c.to_write = key.bytes(What::Request, exchange.request).max(1);
        c.to_read = key.bytes(What::Response, exchange.response);
        match exchange.request_timeout {
            Some(most) => c.deadline.set(c.began.saturating_add(most), id, socket),
            None => c.deadline.clear(),
        }
        c.to_write -= socket.write(id, c.to_write);
        self.conns.insert(id, c);
        self.advance(id, socket);
    }

    /// Ends the request of a connection, if it has its whole response.
    fn advance(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let Some(mut c) = self.conns.get(id) else {
            return;
        };
        let Phase::Busy(wanted) = c.phase else {
            return;
        };
        if c.to_write > 0 || c.to_read > 0 {
            return;
        }
        let key = Key {
            seed: socket.seed(),
            conn: c.conn,
            index: c.index,
        };
        socket.record(TcpSample::Request(RequestDone {
            conn: c.conn,
            index: c.index,
            latency: socket.now().since(c.began),
            with_connect: socket.now().since(wanted.since),
            answered: key.bytes(What::Response, self.spec.exchange.response) > 0,
        }));
        c.index += 1;
        c.phase = Phase::Idle;
        c.deadline.clear();
        self.conns.insert(id, c);
        self.release(id, socket);
    }

    /// A connection is free: for a request that waits, for one to come, or no more.
    fn release(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(why) = self.worn_out(id, socket) {
            self.discard(id, why, socket);
            self.serve_waiting(socket);
            return;
        }
        if let Some(next) = self.waiting.pop_front() {
            self.send(id, next, socket);
            return;
        }
        if self.idle.len() as u64 >= u64::from(self.pool.idle) {
            self.discard(id, PoolClose::Surplus, socket);
            return;
        }
        self.idle.push(id);
        if let (Some(most), Some(mut c)) = (self.pool.idle_timeout, self.conns.get(id)) {
            c.deadline
                .set(socket.now().saturating_add(most), id, socket);
            self.conns.insert(id, c);
        }
    }

    /// Opens connections for requests that wait, as far as there may be more.
    fn serve_waiting(&mut self, socket: &mut SocketCx<'_, '_>) {
        while self.open < self.pool.max
            && let Some(next) = self.waiting.pop_front()
        {
            self.connect(next, socket);
        }
    }

    /// Closes a connection and knows it no more.
    fn discard(&mut self, id: SocketId, why: PoolClose, socket: &mut SocketCx<'_, '_>) {
        if self.conns.remove(id).is_some() {
            self.open -= 1;
            socket.close(id);
            socket.record(TcpSample::Pool(PoolSample::Closed(why)));
        }
    }

    /// A request has failed on its connection, or without one.
    fn failed(&mut self, wanted: Wanted, socket: &mut SocketCx<'_, '_>) {
        if let Some(wait) = self
            .retrying
            .next_wait(wanted.attempt, &mut self.rng, socket)
        {
            let token = ATTEMPT | u64::from(wanted.attempt + 1) << ATTEMPT_SHIFT;
            socket.wake(socket.now().saturating_add(wait), token);
        }
    }

    /// A connection is of no use any more; what it carried has no answer.
    fn lose(&mut self, id: SocketId, ending: Ending, socket: &mut SocketCx<'_, '_>) {
        let Some(c) = self.conns.get(id) else {
            return;
        };
        record_unanswered(&c, ending, socket);
        if self.has_raced(&c, ending, socket) {
            socket.record(TcpSample::Pool(PoolSample::Raced));
        }
        let why = match (ending, c.phase) {
            (Ending::GivenUp, Phase::Idle) => PoolClose::Idle,
            (Ending::GivenUp, _) => PoolClose::GivenUp,
            _ => PoolClose::Peer,
        };
        self.discard(id, why, socket);
        match c.phase {
            Phase::Connecting(wanted) | Phase::Busy(wanted) => self.failed(wanted, socket),
            Phase::Idle => self.idle.retain(|other| *other != id),
        }
        self.serve_waiting(socket);
    }

    /// A request was sent on a kept connection that its server was about to close: a proxy would answer
    /// 502 for it.
    fn has_raced(&self, c: &Conn, ending: Ending, socket: &SocketCx<'_, '_>) -> bool {
        let over = matches!(ending, Ending::Connection(End::Closed | End::Reset));
        let key = Key {
            seed: socket.seed(),
            conn: c.conn,
            index: c.index,
        };
        let whole = key.bytes(What::Response, self.spec.exchange.response);
        over && c.index > 0 && matches!(c.phase, Phase::Busy(_)) && c.to_read == whole
    }

    /// Records how the numbers of the pool have changed since they were recorded last.
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
        if let Some(Conn {
            phase: Phase::Connecting(wanted),
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
                let since = socket.now();
                self.submit(Wanted { since, attempt: 0 }, socket);
                self.await_arrival(socket);
            }
            AppEvent::Wake(token) if token & 0xff == ATTEMPT && token & CONNECTION == 0 => {
                let (since, attempt) = (socket.now(), (token >> ATTEMPT_SHIFT) as u32);
                self.submit(Wanted { since, attempt }, socket);
            }
            AppEvent::Wake(named) if named & CONNECTION != 0 => {
                if let Some(id) = self.conns.named(named) {
                    self.on_due(id, socket);
                }
            }
            AppEvent::Connected(id) => self.on_connected(id, socket),
            AppEvent::Readable(id, _) => self.on_readable(id, socket),
            AppEvent::Writable(id, _) => self.on_writable(id, socket),
            AppEvent::PeerClosed(id) => {
                self.lose(id, Ending::Connection(End::Closed), socket);
            }
            AppEvent::Ended(id, end) => self.lose(id, Ending::Connection(end), socket),
            AppEvent::Wake(_)
            | AppEvent::Acceptable(_)
            | AppEvent::Urgent(..)
            | AppEvent::SoftError(..)
            | AppEvent::DeliveryTrouble(_) => {}
        }
    }
}

fn record_unanswered(c: &Conn, ending: Ending, socket: &mut SocketCx<'_, '_>) {
    if let Phase::Busy(_) = c.phase {
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
