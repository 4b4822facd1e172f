//! The client's side of multiplexed connections.
//!
//! A request takes the connection opened first that has room. A connection that has carried its maximum number of
//! requests, or is too old, takes no further ones: it does not count towards the maximum of the pool any more, and is
//! closed after its last response. A request that is given up leaves its connection alone.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use sim_core::{Rng, SimTime};

use super::super::client_arrivals::ClientArrivals;
use super::super::connecting;
use super::super::deadline::Deadline;
use super::super::draws::{DrawKey, DrawKind};
use super::super::opening::NoDelay;
use super::super::origins::wanted_now;
use super::super::pending_request::{PendingRequest, record_waiting};
use super::super::per_socket::PerSocket;
use super::super::pool_levels::RecordedLevels;
use super::super::pooled_connection::{is_close, why_lost};
use super::super::response_order::ResponseOrder;
use super::super::retrying::{Attempt, Retrying};
use super::super::spec::{ClientSpec, PoolSpec};
use super::super::{App, AppEvent};
use crate::host::{SocketCx, SocketId};
use crate::model::ConnectionEnd;
use crate::sample::{
    Ending, PoolClose, PoolLevels, PoolSample, RequestDone, RequestUnanswered, TcpSample,
};
use crate::segment::ConnId;

/// Wake tokens: the next request; and the time-out of a request, whose place is in the bits above.
const ARRIVAL: u64 = 0;
const TIME_OUT: u64 = 4;
const TIME_OUT_SHIFT: u32 = 8;

/// A request in flight.
#[derive(Clone, Copy, Debug)]
struct Stream {
    request: PendingRequest,
    id: SocketId,
    conn: ConnId,
    index: u32,
    began: SimTime,
    /// When it is given up; `MAX` for never.
    given_up: SimTime,
    /// Octets that had been read from the connection when it began.
    read_before: u64,
}

#[derive(Clone, Copy, Debug)]
struct ClientConnection {
    conn: ConnId,
    connected: bool,
    /// Why it takes no further request.
    leaves: Option<PoolClose>,
    /// Number of the next request, and of the oldest that may be in flight.
    next: u32,
    oldest: u32,
    in_flight: u32,
    to_write: u64,
    read: u64,
    opened: SimTime,
    /// Of its connect, or of its idleness.
    deadline: Deadline,
}

/// A client whose connections carry many requests at a time: a [`ClientSpec`] whose pool has several streams.
#[derive(Debug)]
pub struct MultiplexedClient {
    spec: ClientSpec,
    pool: PoolSpec,
    order: Arc<ResponseOrder>,
    arrivals: ClientArrivals,
    rng: Rng,
    turn: u64,
    retrying: Retrying,
    conns: PerSocket<ClientConnection>,
    /// The connections in the order of their opening.
    all: Vec<SocketId>,
    /// Those among them without a request in flight.
    idle: u32,
    streams: Vec<Option<Stream>>,
    free: Vec<u32>,
    places: FxHashMap<(ConnId, u32), u32>,
    waiting: VecDeque<PendingRequest>,
    no_delay: NoDelay,
    recorded: RecordedLevels,
}

impl MultiplexedClient {
    /// A client as described.
    pub(in crate::app) fn new(
        spec: ClientSpec,
        pool: PoolSpec,
        order: Arc<ResponseOrder>,
    ) -> MultiplexedClient {
        MultiplexedClient {
            arrivals: ClientArrivals::new(&spec),
            rng: Rng::stream(0, &spec.name, 0),
            turn: 0,
            retrying: Retrying::new(spec.retries),
            conns: PerSocket::default(),
            all: Vec::new(),
            idle: 0,
            streams: Vec::new(),
            free: Vec::new(),
            places: FxHashMap::default(),
            waiting: VecDeque::new(),
            no_delay: NoDelay::default(),
            recorded: RecordedLevels::default(),
            order,
            pool,
            spec,
        }
    }

    /// Requests a wake for the next request.
    fn await_arrival(&mut self, socket: &mut SocketCx<'_, '_>) {
        self.arrivals
            .await_next(ARRIVAL, &self.spec, &mut self.rng, socket);
    }

    fn submit(&mut self, attempt: Attempt, socket: &mut SocketCx<'_, '_>) {
        let request = PendingRequest::new(attempt, socket);
        self.waiting.push_back(request);
        self.serve_waiting(socket);
    }

    /// The first connection with room for a request.
    fn with_room(&mut self, socket: &mut SocketCx<'_, '_>) -> Option<SocketId> {
        let mut place = 0;
        while let Some(&id) = self.all.get(place) {
            let Some(mut c) = self.conns.get(id) else {
                self.all.remove(place);
                continue;
            };
            let age = socket.now().since(c.opened);
            if c.leaves.is_none() && self.pool.max_lifetime.is_some_and(|most| age >= most) {
                c.leaves = Some(PoolClose::Lifetime);
                self.conns.insert(id, c);
                if self.close_if_done(id, socket) {
                    continue;
                }
            }
            if c.connected && c.leaves.is_none() && c.in_flight < self.pool.streams {
                return Some(id);
            }
            place += 1;
        }
        None
    }

    /// Sends waiting requests as far as there is room, and opens connections for others.
    fn serve_waiting(&mut self, socket: &mut SocketCx<'_, '_>) {
        while !self.waiting.is_empty()
            && let Some(id) = self.with_room(socket)
            && let Some(next) = self.waiting.pop_front()
        {
            self.send(id, next, socket);
        }
        while !self.waiting.is_empty() {
            let conns = self.all.iter().filter_map(|&id| self.conns.get(id));
            let (mut usable, mut connecting) = (0, 0);
            for c in conns {
                usable += u64::from(c.leaves.is_none());
                connecting += u64::from(!c.connected);
            }
            let coming = connecting.saturating_mul(self.pool.streams.into());
            let waiting = self.waiting.len() as u64;
            if waiting <= coming || usable >= u64::from(self.pool.max) {
                return;
            }
            if !self.connect(socket)
                && let Some(failed) = self.waiting.pop_back()
            {
                self.fail(failed, socket);
            }
        }
    }

    /// Opens a connection; returns false if there is no port or no server.
    fn connect(&mut self, socket: &mut SocketCx<'_, '_>) -> bool {
        let Some((_, opened)) = connecting::connect(&self.spec, self.turn, false, socket) else {
            return false;
        };
        self.turn += 1;
        let Ok(id) = opened else {
            return false;
        };
        let mut c = ClientConnection {
            conn: socket.conn(id).unwrap_or_default(),
            connected: false,
            leaves: None,
            next: 0,
            oldest: 0,
            in_flight: 0,
            to_write: 0,
            read: 0,
            opened: socket.now(),
            deadline: Deadline::NONE,
        };
        self.order.begin(c.conn);
        self.no_delay.apply(id, socket);
        if let Some(most) = self.spec.exchange.connect_timeout {
            c.deadline.set_after(most, id, socket);
        }
        self.conns.insert(id, c);
        self.all.push(id);
        socket.record(TcpSample::Pool(PoolSample::Opened));
        true
    }

    /// Sends a request on a connection with room.
    fn send(&mut self, id: SocketId, request: PendingRequest, socket: &mut SocketCx<'_, '_>) {
        let Some(mut c) = self.conns.get(id) else {
            return;
        };
        let now = socket.now();
        let index = c.next;
        c.next += 1;
        self.idle -= u32::from(c.is_idle());
        c.in_flight += 1;
        c.deadline.clear();
        if self.pool.max_requests.is_some_and(|most| c.next >= most) {
            c.leaves = Some(PoolClose::Requests);
        }
        socket.record(TcpSample::Pool(PoolSample::Sent {
            waited: now.since(request.since),
            reused: index > 0,
        }));
        let place = self.free.pop().unwrap_or_else(|| {
            self.streams.push(None);
            self.streams.len() as u32 - 1
        });
        let most = self.spec.exchange.request_timeout;
        let given_up = most.map_or(SimTime::MAX, |most| now.saturating_add(most));
        if given_up < SimTime::MAX {
            let token = TIME_OUT | u64::from(place) << TIME_OUT_SHIFT;
            socket.wake(given_up, token);
        }
        self.streams[place as usize] = Some(Stream {
            request,
            id,
            conn: c.conn,
            index,
            began: now,
            given_up,
            read_before: c.read,
        });
        self.places.insert((c.conn, index), place);
        let key = DrawKey::new(c.conn, index, socket);
        let size = key.bytes(DrawKind::Request, self.spec.exchange.request);
        c.to_write += size.max(1);
        c.to_write -= socket.write(id, c.to_write);
        self.conns.insert(id, c);
    }

    fn on_connected(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let Some(mut c) = self.conns.get(id) else {
            return;
        };
        c.connected = true;
        self.idle += 1;
        c.deadline.clear();
        self.conns.insert(id, c);
        self.serve_waiting(socket);
        self.rest(id, socket);
    }

    fn on_writable(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(mut c) = self.conns.get(id) {
            if c.to_write > 0 {
                c.to_write -= socket.write(id, c.to_write);
            }
            self.conns.insert(id, c);
        }
    }

    fn on_readable(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let got = socket.read(id, u64::MAX);
        let Some(mut c) = self.conns.get(id) else {
            return;
        };
        c.read += got;
        self.conns.insert(id, c);
        while let Some(index) = self.order.take(c.conn, c.read) {
            if let Some(stream) = self.take_stream(c.conn, index) {
                self.complete(&stream, socket);
            }
        }
        self.serve_waiting(socket);
        self.rest(id, socket);
    }

    /// Takes a request that is in flight.
    fn take_stream(&mut self, conn: ConnId, index: u32) -> Option<Stream> {
        let place = self.places.remove(&(conn, index))?;
        let stream = self.streams.get_mut(place as usize)?.take()?;
        self.free.push(place);
        if let Some(mut c) = self.conns.get(stream.id) {
            c.in_flight -= 1;
            self.idle += u32::from(c.is_idle());
            while c.oldest < c.next && !self.places.contains_key(&(conn, c.oldest)) {
                c.oldest += 1;
            }
            self.conns.insert(stream.id, c);
        }
        Some(stream)
    }

    /// Records a request whose whole response has arrived.
    fn complete(&mut self, stream: &Stream, socket: &mut SocketCx<'_, '_>) {
        let (exchange, now) = (&self.spec.exchange, socket.now());
        let key = DrawKey::new(stream.conn, stream.index, socket);
        let ends = socket.ends(stream.id);
        socket.record(TcpSample::Request(RequestDone {
            conn: stream.conn,
            index: stream.index,
            latency: now.since(stream.began),
            with_connect: now.since(stream.request.since),
            opens: false,
            sent: key.bytes(DrawKind::Request, exchange.request).max(1),
            received: key.bytes(DrawKind::Response, exchange.response).max(1),
            server: ends.map(|(_, remote)| *remote.ip()),
        }));
        stream.request.record_done(socket);
    }

    /// Closes a connection that leaves once nothing is in flight; returns true if it did.
    fn close_if_done(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) -> bool {
        let c = self.conns.get(id).filter(|c| c.in_flight == 0);
        let Some(why) = c.and_then(|c| c.leaves) else {
            return false;
        };
        self.discard(id, why, socket);
        true
    }

    /// Handles a connection on which nothing may be in flight any more: it is closed, or idle.
    fn rest(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if self.close_if_done(id, socket) {
            self.serve_waiting(socket);
            return;
        }
        let Some(mut c) = self.conns.get(id).filter(|c| c.in_flight == 0) else {
            return;
        };
        if self.idle > self.pool.idle {
            self.discard(id, PoolClose::Surplus, socket);
        } else if let Some(most) = self.pool.idle_timeout {
            c.deadline.set_after(most, id, socket);
            self.conns.insert(id, c);
        }
    }

    fn discard(&mut self, id: SocketId, why: PoolClose, socket: &mut SocketCx<'_, '_>) {
        if let Some(c) = self.conns.remove(id) {
            self.idle -= u32::from(c.is_idle());
            self.all.retain(|other| *other != id);
            self.order.end(c.conn);
            socket.close(id);
            socket.record(TcpSample::Pool(PoolSample::Closed(why)));
        }
    }

    /// Handles the time-out of a request: it is given up alone.
    fn on_time_out(&mut self, place: usize, socket: &mut SocketCx<'_, '_>) {
        let stream = self.streams.get(place).copied().flatten();
        // Later than the time-out after a pause of the host.
        let Some(stream) = stream.filter(|s| s.given_up <= socket.now()) else {
            return;
        };
        self.take_stream(stream.conn, stream.index);
        record_unanswered(&stream, Ending::GivenUp, socket);
        self.fail(stream.request, socket);
        self.serve_waiting(socket);
        self.rest(stream.id, socket);
    }

    /// Handles a failed attempt.
    fn fail(&mut self, request: PendingRequest, socket: &mut SocketCx<'_, '_>) {
        self.retrying.retry(request.attempt, &mut self.rng, socket);
    }

    /// Drops a connection that has become useless, and fails its requests.
    fn lose(&mut self, id: SocketId, ending: Ending, socket: &mut SocketCx<'_, '_>) {
        let Some(c) = self.conns.get(id) else {
            return;
        };
        let (why, closed) = (why_lost(ending, c.is_idle()), is_close(ending));
        for index in c.oldest..c.next {
            let Some(stream) = self.take_stream(c.conn, index) else {
                continue;
            };
            record_unanswered(&stream, ending, socket);
            if closed && index > 0 && stream.read_before == c.read {
                socket.record(TcpSample::Pool(PoolSample::Raced));
            }
            self.fail(stream.request, socket);
        }
        self.discard(id, why, socket);
        if !c.connected {
            // The requests that waited for this connection.
            for _ in 0..self.pool.streams {
                let Some(request) = self.waiting.pop_front() else {
                    break;
                };
                self.fail(request, socket);
            }
        }
        self.serve_waiting(socket);
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
                self.submit(Attempt { number: 0, wanted }, socket);
                self.await_arrival(socket);
            }
            AppEvent::Wake(token) => {
                if let Some(attempt) = self.retrying.due(token) {
                    self.submit(attempt, socket);
                } else if let Some(id) = self.conns.named(token) {
                    let Some(mut c) = self.conns.get(id) else {
                        return;
                    };
                    let due = c.deadline.has_come(id, socket);
                    self.conns.insert(id, c);
                    if due {
                        self.lose(id, Ending::GivenUp, socket);
                    }
                } else if token & 0xff == TIME_OUT {
                    self.on_time_out((token >> TIME_OUT_SHIFT) as usize, socket);
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

    fn levels(&self) -> PoolLevels {
        PoolLevels {
            open: self.all.len() as i32,
            idle: self.idle as i32,
            waiting: self.waiting.len() as i32,
        }
    }
}

impl ClientConnection {
    /// Whether it is open and has no request in flight.
    fn is_idle(&self) -> bool {
        self.connected && self.in_flight == 0
    }
}

fn record_unanswered(stream: &Stream, ending: Ending, socket: &mut SocketCx<'_, '_>) {
    socket.record(TcpSample::Unanswered(RequestUnanswered {
        conn: stream.conn,
        index: stream.index,
        waited: socket.now().since(stream.began),
        ending,
    }));
}

impl App for MultiplexedClient {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        self.react(event, socket);
        self.recorded.record(self.levels(), socket);
    }

    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        for stream in self.streams.iter().flatten() {
            record_unanswered(stream, by, socket);
            stream.request.record_cut_off(socket);
        }
        record_waiting(&self.waiting, by, socket);
        self.retrying.on_cut_off(socket);
        if by == Ending::Crash {
            self.recorded.record(PoolLevels::default(), socket);
            for c in self.conns.iter() {
                self.order.end(c.conn);
            }
        }
    }

    fn prepare_for(&self, slot: u32) {
        self.conns.prefetch(slot);
    }

    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        self.conns.prefetch_named(token)
    }
}
