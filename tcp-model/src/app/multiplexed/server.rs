//! The server's side of multiplexed connections.

use std::collections::VecDeque;
use std::sync::Arc;

use sim_core::SimTime;

use super::super::deadline::Deadline;
use super::super::draws::{DrawKey, DrawKind};
use super::super::opening::{NoDelay, Opening, OwnBuffer};
use super::super::per_socket::{CONNECTION, ConnectionStates, PerSocket};
use super::super::response_order::ResponseOrder;
use super::super::spec::ServerSpec;
use super::super::{App, AppEvent};
use crate::host::{ListenOptions, SocketCx, SocketId};
use crate::segment::ConnId;

/// Wake tokens: time to accept, to begin to read; and a service time that is over, whose place is in the bits above.
const ACCEPT: u64 = 0;
const READ: u64 = 1;
const SERVED: u64 = 2;
const SERVED_SHIFT: u32 = 8;

/// A request that is being served, or waits for a worker.
#[derive(Clone, Copy, Debug)]
struct ServedRequest {
    id: SocketId,
    index: u32,
}

/// A connection.
#[derive(Clone, Copy, Debug)]
pub(in crate::app) struct MultiplexedConnection {
    conn: ConnId,
    /// The request being received.
    index: u32,
    /// Octets read of it.
    received: u64,
    /// Octets of responses in all, and those not yet written.
    answered: u64,
    to_write: u64,
    /// Requests being served or waiting for a worker.
    in_service: u32,
    peer_closed: bool,
    closed: bool,
    deadline: Deadline,
}

/// A server of multiplexed connections, described by a [`ServerSpec`] with [`ServerSpec::multiplexed`].
#[derive(Debug)]
pub struct MultiplexedServer {
    spec: ServerSpec,
    order: Arc<ResponseOrder>,
    conns: PerSocket<MultiplexedConnection>,
    accepting: Opening,
    reading: Opening,
    next_accept: SimTime,
    accept_pending: bool,
    /// Requests in service by place, and free places.
    serving: Vec<Option<ServedRequest>>,
    free: Vec<u32>,
    /// Requests that wait for a worker.
    waiting: VecDeque<ServedRequest>,
    buffer: OwnBuffer,
    no_delay: NoDelay,
}

impl MultiplexedServer {
    /// A server as described.
    pub(in crate::app) fn new(spec: ServerSpec, order: Arc<ResponseOrder>) -> MultiplexedServer {
        MultiplexedServer {
            accepting: Opening::new(spec.accept_start, ACCEPT),
            reading: Opening::new(spec.read_start, READ),
            buffer: OwnBuffer::new(spec.receive_buffer),
            no_delay: NoDelay::default(),
            order,
            conns: PerSocket::default(),
            next_accept: SimTime::ZERO,
            accept_pending: false,
            serving: Vec::new(),
            free: Vec::new(),
            waiting: VecDeque::new(),
            spec,
        }
    }

    fn start(&mut self, socket: &mut SocketCx<'_, '_>) {
        // If the port is taken, this server has nothing to do.
        let options = ListenOptions::default();
        let _ = socket.listen_with(self.spec.port, self.spec.backlog, options);
        self.accepting.start(socket);
        self.reading.start(socket);
    }

    /// Accepts waiting connections, at once or at the given rate.
    fn accept(&mut self, socket: &mut SocketCx<'_, '_>) {
        if !self.accepting.is_open(socket) {
            return;
        }
        let Some(rate) = self.spec.accept_rate else {
            while self.accept_one(socket) {}
            return;
        };
        if self.accept_pending {
            return;
        }
        let now = socket.now();
        if now >= self.next_accept {
            if !self.accept_one(socket) {
                return;
            }
            self.next_accept = now.saturating_add(super::super::draws::seconds(1.0 / rate));
        }
        self.accept_pending = true;
        socket.wake(self.next_accept, ACCEPT);
    }

    fn accept_one(&mut self, socket: &mut SocketCx<'_, '_>) -> bool {
        let Some(id) = socket.accept(self.spec.port) else {
            return false;
        };
        let mut conn = MultiplexedConnection {
            conn: socket.conn(id).unwrap_or_default(),
            index: 0,
            received: 0,
            answered: 0,
            to_write: 0,
            in_service: 0,
            peer_closed: false,
            closed: false,
            deadline: Deadline::NONE,
        };
        self.buffer.apply(id, socket);
        self.no_delay.apply(id, socket);
        self.watch_idle(id, &mut conn, socket);
        self.conns.insert(id, conn);
        true
    }

    /// Sets the idle time-out while nothing is in progress.
    fn watch_idle(
        &self,
        id: SocketId,
        c: &mut MultiplexedConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        match self.spec.idle_timeout {
            Some(most) if c.in_service == 0 && c.to_write == 0 => {
                c.deadline.set_after(most, id, socket);
            }
            _ => c.deadline.clear(),
        }
    }

    /// Reads what has arrived, and begins to serve each request that is whole.
    fn on_readable(
        &mut self,
        id: SocketId,
        c: &mut MultiplexedConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if !self.reading.is_open(socket) {
            return;
        }
        c.received += socket.read(id, u64::MAX);
        loop {
            let exchange = self.spec.exchange_of(c.conn.class());
            let key = DrawKey::new(c.conn, c.index, socket);
            let whole = key.bytes(DrawKind::Request, exchange.request).max(1);
            if c.received < whole {
                break;
            }
            c.received -= whole;
            let request = ServedRequest { id, index: c.index };
            c.index += 1;
            c.in_service += 1;
            let busy = self.serving.len() - self.free.len();
            match self.spec.workers {
                Some(most) if busy as u64 >= u64::from(most) => self.waiting.push_back(request),
                _ => self.serve(request, c.conn, socket),
            }
        }
        self.watch_idle(id, c, socket);
        self.close_after_peer(id, c, socket);
    }

    /// Begins to serve a request.
    fn serve(&mut self, request: ServedRequest, conn: ConnId, socket: &mut SocketCx<'_, '_>) {
        let exchange = self.spec.exchange_of(conn.class());
        let key = DrawKey::new(conn, request.index, socket);
        let service = key.time(DrawKind::Service, exchange.service);
        let place = self.free.pop().unwrap_or_else(|| {
            self.serving.push(None);
            self.serving.len() as u32 - 1
        });
        self.serving[place as usize] = Some(request);
        let token = SERVED | u64::from(place) << SERVED_SHIFT;
        socket.wake(socket.now().saturating_add(service), token);
    }

    /// Handles the end of a service time: writes the response, and serves the next waiting request.
    fn on_served(&mut self, place: u32, socket: &mut SocketCx<'_, '_>) {
        let served = self.serving.get_mut(place as usize);
        let Some(request) = served.and_then(Option::take) else {
            return;
        };
        self.free.push(place);
        self.with(request.id, socket, |this, id, c, socket| {
            this.respond(id, request.index, c, socket);
        });
        // A worker also serves requests whose connection has ended in the meantime.
        if let Some(next) = self.waiting.pop_front() {
            let conn = self.conns.get(next.id).map(|c| c.conn);
            self.serve(next, conn.unwrap_or_default(), socket);
        }
    }

    fn respond(
        &mut self,
        id: SocketId,
        index: u32,
        c: &mut MultiplexedConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let exchange = self.spec.exchange_of(c.conn.class());
        let key = DrawKey::new(c.conn, index, socket);
        // A response has at least a frame header; without an octet the client could not see it.
        let response = key.bytes(DrawKind::Response, exchange.response).max(1);
        c.in_service -= 1;
        c.answered += response;
        c.to_write += response;
        self.order.add(c.conn, c.answered, index);
        self.write(id, c, socket);
    }

    fn write(
        &mut self,
        id: SocketId,
        c: &mut MultiplexedConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if c.to_write > 0 {
            c.to_write -= socket.write(id, c.to_write);
        }
        self.watch_idle(id, c, socket);
        self.close_after_peer(id, c, socket);
    }

    /// Closes after the client, once everything is answered.
    fn close_after_peer(
        &mut self,
        id: SocketId,
        c: &mut MultiplexedConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if c.peer_closed && !c.closed && c.in_service == 0 && c.to_write == 0 {
            c.closed = true;
            c.deadline.clear();
            socket.close(id);
        }
    }

    fn on_due(
        &mut self,
        id: SocketId,
        c: &mut MultiplexedConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if c.deadline.has_come(id, socket) && !c.closed {
            c.closed = true;
            socket.close(id);
        }
    }
}

impl ConnectionStates for MultiplexedServer {
    type State = MultiplexedConnection;

    fn connections(&mut self) -> &mut PerSocket<MultiplexedConnection> {
        &mut self.conns
    }
}

impl App for MultiplexedServer {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => self.start(socket),
            AppEvent::Acceptable(_) => self.accept(socket),
            AppEvent::Wake(ACCEPT) => {
                self.accept_pending = false;
                self.accept(socket);
            }
            AppEvent::Wake(READ) => {
                for id in self.conns.ids() {
                    self.with(id, socket, MultiplexedServer::on_readable);
                }
            }
            AppEvent::Wake(token) if token & CONNECTION != 0 => {
                if let Some(id) = self.conns.named(token) {
                    self.with(id, socket, MultiplexedServer::on_due);
                }
            }
            AppEvent::Wake(token) => self.on_served((token >> SERVED_SHIFT) as u32, socket),
            AppEvent::Readable(id, _) => self.with(id, socket, MultiplexedServer::on_readable),
            AppEvent::Writable(id, _) => self.with(id, socket, MultiplexedServer::write),
            AppEvent::PeerClosed(id) => {
                self.with(id, socket, |this, id, c, socket| {
                    c.peer_closed = true;
                    this.on_readable(id, c, socket);
                });
            }
            AppEvent::Ended(id, _) => {
                // The client may still read responses that are under way: it forgets their order.
                self.conns.remove(id);
            }
            AppEvent::Connected(_)
            | AppEvent::Urgent(..)
            | AppEvent::SoftError(..)
            | AppEvent::DeliveryTrouble(_) => {}
        }
    }

    fn prepare_for(&self, slot: u32) {
        self.conns.prefetch(slot);
    }
}
