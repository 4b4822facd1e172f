//! A server: accepts connections, reads requests, answers them.

mod answer;
mod forward;

use std::collections::VecDeque;

use sim_core::SimDuration;

use super::accepting::Acceptor;
use super::deadline::Deadline;
use super::opening::{Opening, OwnBuffer};
use super::per_socket::{CONNECTION, ConnectionStates, PerSocket};
use super::spec::{CloseHow, Closer, ServerSpec};
use super::workers::{Workers, worker_of};
use super::{App, AppEvent};
use crate::host::{ListenOptions, SocketCx, SocketId};
use crate::segment::ConnId;

/// Wake token: time to begin to read.
const READ: u64 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerPhase {
    /// A request is awaited.
    Reading,
    /// Until the response is ready, including the wait for a worker.
    Serving,
    /// The response does not fit the send buffer.
    Writing,
    /// Until the server's close.
    Closing,
    /// All requests are answered; the client closes first.
    Waiting,
    /// The client has closed, until the server's close.
    Lingering,
    /// Closed.
    Done,
}

/// A connection of the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerConnection {
    conn: ConnId,
    /// The request being answered.
    index: u32,
    phase: ServerPhase,
    /// Bytes read of requests not yet answered.
    received: u64,
    to_write: u64,
    peer_closed: bool,
    /// When the phase ends.
    deadline: Deadline,
}

/// Who serves the requests that have arrived.
#[derive(Debug)]
pub(super) enum ServedBy {
    /// The server: each request takes its service time.
    Server,
    /// Its workers.
    Workers(Box<Workers<SocketId>>),
    /// The upstream servers of a proxy: the connections whose requests wait to be forwarded.
    Upstreams(VecDeque<SocketId>),
}

/// The application described by a [`ServerSpec`].
#[derive(Debug)]
pub struct Server {
    spec: ServerSpec,
    conns: PerSocket<ServerConnection>,
    acceptor: Acceptor,
    reading: Opening,
    pub(super) service: ServedBy,
    buffer: OwnBuffer,
}

impl Server {
    /// Its description.
    pub(crate) fn spec(&self) -> &ServerSpec {
        &self.spec
    }

    /// A server as described.
    pub fn new(spec: ServerSpec) -> Server {
        Server {
            conns: PerSocket::default(),
            acceptor: Acceptor::new(&spec),
            reading: Opening::new(spec.read_start, READ),
            service: match spec.workers {
                Some(most) => ServedBy::Workers(Box::new(Workers::new(most))),
                None => ServedBy::Server,
            },
            buffer: OwnBuffer::new(spec.receive_buffer),
            spec,
        }
    }

    fn start(&mut self, socket: &mut SocketCx<'_, '_>) {
        let mut exchanges = std::iter::once(&self.spec.exchange).chain(&self.spec.others);
        let options = ListenOptions {
            fast_open: if exchanges.any(|e| e.fast_open) {
                self.spec.backlog
            } else {
                0
            },
            ..ListenOptions::default()
        };
        self.acceptor.start(&options, socket);
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
        let mut conn = ServerConnection {
            conn: socket.conn(id).unwrap_or_default(),
            index: 0,
            phase: ServerPhase::Reading,
            received: 0,
            to_write: 0,
            peer_closed: false,
            deadline: Deadline::NONE,
        };
        self.buffer.apply(id, socket);
        if self.exchange(&conn).requests == 0 {
            self.finish(id, &mut conn, socket);
        }
        self.watch_idle(id, &mut conn, socket);
        self.conns.insert(id, conn);
    }

    fn close(&mut self, id: SocketId, c: &mut ServerConnection, socket: &mut SocketCx<'_, '_>) {
        let exchange = self.exchange(c);
        let first = c.phase != ServerPhase::Lingering && exchange.closer != Closer::Client;
        c.phase = ServerPhase::Done;
        if first && exchange.how == CloseHow::Rst {
            socket.abort(id);
        } else {
            socket.close(id);
        }
    }

    /// Closes after the client, unless something is still to be answered.
    fn close_after_peer(
        &mut self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let idle = matches!(c.phase, ServerPhase::Reading | ServerPhase::Waiting);
        if !c.peer_closed || !idle {
            return;
        }
        let linger = self.exchange(c).linger;
        if linger.is_zero() {
            c.phase = ServerPhase::Lingering;
            self.close(id, c, socket);
        } else {
            c.wait(ServerPhase::Lingering, linger, id, socket);
        }
    }

    fn on_readable(
        &mut self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if !self.reading.is_open(socket) {
            return;
        }
        let most = match self.exchange(c).respond_after {
            None => u64::MAX,
            Some(need) if c.phase == ServerPhase::Reading => need.saturating_sub(c.received),
            Some(_) => 0,
        };
        c.received += socket.read(id, most);
        self.serve(id, c, socket);
    }

    /// Reads from all connections, once the time to begin has come.
    fn read_all(&mut self, socket: &mut SocketCx<'_, '_>) {
        for id in self.conns.ids() {
            self.with(id, socket, Server::on_readable);
        }
    }

    fn on_writable(
        &mut self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if c.phase == ServerPhase::Writing {
            self.write(id, c, socket);
            self.serve(id, c, socket);
        }
    }

    fn on_peer_closed(
        &mut self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        c.peer_closed = true;
        if self.reading.is_open(socket) {
            self.serve(id, c, socket);
        }
    }

    fn on_due(&mut self, id: SocketId, c: &mut ServerConnection, socket: &mut SocketCx<'_, '_>) {
        if !c.deadline.has_come(id, socket) {
            return;
        }
        match c.phase {
            ServerPhase::Serving => self.on_response_ready(id, c, socket),
            ServerPhase::Closing | ServerPhase::Lingering => self.close(id, c, socket),
            ServerPhase::Reading | ServerPhase::Waiting => {
                c.phase = ServerPhase::Done;
                socket.close(id);
            }
            ServerPhase::Writing | ServerPhase::Done => {}
        }
    }
}

impl ServerConnection {
    /// Begins a phase that ends after `time`.
    fn wait(
        &mut self,
        phase: ServerPhase,
        time: SimDuration,
        id: SocketId,
        socket: &mut SocketCx<'_, '_>,
    ) {
        self.phase = phase;
        self.deadline.set_after(time, id, socket);
    }
}

impl ConnectionStates for Server {
    type State = ServerConnection;

    fn connections(&mut self) -> &mut PerSocket<ServerConnection> {
        &mut self.conns
    }
}

impl App for Server {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => self.start(socket),
            AppEvent::Acceptable(_) => self.accept(socket),
            AppEvent::Wake(READ) => self.read_all(socket),
            AppEvent::Wake(named) if named & CONNECTION != 0 => {
                if let Some(id) = self.conns.named(named) {
                    self.with(id, socket, Server::on_due);
                }
            }
            AppEvent::Readable(id, _) => self.with(id, socket, Server::on_readable),
            AppEvent::Writable(id, _) => self.with(id, socket, Server::on_writable),
            AppEvent::PeerClosed(id) => self.with(id, socket, Server::on_peer_closed),
            AppEvent::Ended(id, _) => {
                self.conns.remove(id);
            }
            AppEvent::Wake(token) => {
                if let Some(worker) = worker_of(token) {
                    self.on_served(worker, socket);
                } else if self.acceptor.on_wake(token) {
                    self.accept(socket);
                }
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

    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        self.conns.prefetch_named(token)
    }
}
