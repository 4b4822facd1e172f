//! The server's side of multiplexed connections.

use std::sync::Arc;

use super::super::accepting::Acceptor;
use super::super::deadline::Deadline;
use super::super::draws::{DrawKey, DrawKind};
use super::super::opening::{NoDelay, Opening, OwnBuffer};
use super::super::per_socket::{CONNECTION, ConnectionStates, PerSocket};
use super::super::response_order::ResponseOrder;
use super::super::spec::ServerSpec;
use super::super::workers::{Workers, worker_of};
use super::super::{App, AppEvent};
use crate::host::{ListenOptions, SocketCx, SocketId};
use crate::segment::ConnId;

/// Wake token: time to begin to read.
const READ: u64 = 1;

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
    acceptor: Acceptor,
    reading: Opening,
    /// Without a limit, each request has a worker of its own.
    workers: Workers<ServedRequest>,
    buffer: OwnBuffer,
    no_delay: NoDelay,
}

impl MultiplexedServer {
    /// A server as described.
    pub(in crate::app) fn new(spec: ServerSpec, order: Arc<ResponseOrder>) -> MultiplexedServer {
        MultiplexedServer {
            acceptor: Acceptor::new(&spec),
            workers: Workers::new(spec.workers.unwrap_or(u32::MAX)),
            reading: Opening::new(spec.read_start, READ),
            buffer: OwnBuffer::new(spec.receive_buffer),
            no_delay: NoDelay::default(),
            order,
            conns: PerSocket::default(),
            spec,
        }
    }

    fn start(&mut self, socket: &mut SocketCx<'_, '_>) {
        self.acceptor.start(&ListenOptions::default(), socket);
        self.reading.start(socket);
    }

    /// Accepts waiting connections.
    fn accept(&mut self, socket: &mut SocketCx<'_, '_>) {
        while let Some(id) = self.acceptor.next(socket) {
            self.begin(id, socket);
            self.acceptor.accepted(socket);
        }
    }

    /// Begins to handle an accepted connection.
    fn begin(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
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
            let service = key.time(DrawKind::Service, exchange.service);
            if let Some(begun) = self.workers.submit(request, service) {
                begun.request_wake(socket);
            }
        }
        self.watch_idle(id, c, socket);
        self.close_after_peer(id, c, socket);
    }

    /// Handles the end of a worker's service time. Workers also serve requests whose connection has ended.
    fn on_served(&mut self, worker: u32, socket: &mut SocketCx<'_, '_>) {
        let (served, next) = self.workers.finish(worker);
        if let Some(begun) = next {
            begun.request_wake(socket);
        }
        if let Some(request) = served {
            self.with(request.id, socket, |this, id, c, socket| {
                this.respond(id, request.index, c, socket);
            });
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
            AppEvent::Wake(token) => {
                if let Some(worker) = worker_of(token) {
                    self.on_served(worker, socket);
                } else if self.acceptor.on_wake(token) {
                    self.accept(socket);
                }
            }
            AppEvent::Readable(id, _) => self.with(id, socket, MultiplexedServer::on_readable),
            AppEvent::Writable(id, _) => self.with(id, socket, MultiplexedServer::write),
            AppEvent::PeerClosed(id) => {
                self.with(id, socket, |this, id, c, socket| {
                    c.peer_closed = true;
                    this.on_readable(id, c, socket);
                });
            }
            AppEvent::Ended(id, _) => {
                // The client may still read responses that are under way: it ends their order.
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
