//! A server: accepts connections, reads requests, answers them.

use sim_core::{SimDuration, SimTime};

use super::draws::{Key, What, seconds};
use super::per_socket::{CONNECTION, PerSocket, token};
use super::spec::{CloseHow, Closer, ServerSpec};
use super::{App, AppEvent};
use crate::host::{ListenOptions, SocketCx, SocketId};
use crate::segment::ConnId;

/// Wake token: time to accept.
const ACCEPT: u64 = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A request is awaited.
    Reading,
    /// Until the response is ready.
    Serving,
    /// The response does not fit the send buffer.
    Writing,
    /// Until the server's close.
    Closing,
    /// All is answered; the client closes first.
    Waiting,
    /// The client has closed, until the server's close.
    Lingering,
    /// Closed.
    Done,
}

/// A connection of the server.
#[derive(Clone, Copy, Debug)]
struct Conn {
    conn: ConnId,
    /// The request being answered.
    index: u32,
    phase: Phase,
    /// Bytes read of requests not yet answered.
    received: u64,
    to_write: u64,
    peer_closed: bool,
    /// When the phase ends, where a wake was asked for.
    due: SimTime,
}

/// The application made of a [`ServerSpec`].
#[derive(Debug)]
pub struct Server {
    spec: ServerSpec,
    conns: PerSocket<Conn>,
    /// With `accept_rate`: the earliest time of the next accept.
    next_accept: SimTime,
    accept_pending: bool,
}

impl Server {
    /// A server as described.
    pub fn new(spec: ServerSpec) -> Server {
        Server {
            spec,
            conns: PerSocket::default(),
            next_accept: SimTime::ZERO,
            accept_pending: false,
        }
    }

    /// Accepts what waits, at once or at the given rate.
    fn accept(&mut self, socket: &mut SocketCx<'_, '_>) {
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
            self.next_accept = now.saturating_add(seconds(1.0 / rate));
        }
        self.accept_pending = true;
        socket.wake(self.next_accept, ACCEPT);
    }

    fn accept_one(&mut self, socket: &mut SocketCx<'_, '_>) -> bool {
        let Some(id) = socket.accept(self.spec.port) else {
            return false;
        };
        let conn = Conn {
            conn: socket.conn(id).unwrap_or_default(),
            index: 0,
            phase: Phase::Reading,
            received: 0,
            to_write: 0,
            peer_closed: false,
            due: SimTime::MAX,
        };
        self.conns.insert(id, conn);
        true
    }

    fn key(&self, c: &Conn, socket: &SocketCx<'_, '_>) -> Key {
        Key {
            seed: socket.seed(),
            conn: c.conn,
            index: c.index,
        }
    }

    /// Answers requests as long as none has to be waited for.
    fn serve(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        while c.phase == Phase::Reading {
            let key = self.key(c, socket);
            let need = key.bytes(What::Request, self.spec.exchange.request).max(1);
            if c.received < need {
                break;
            }
            c.received -= need;
            let service = key.time(What::Service, self.spec.exchange.service);
            if service.is_zero() {
                self.respond(id, c, socket);
            } else {
                wait(id, c, Phase::Serving, service, socket);
            }
        }
        self.close_after_peer(id, c, socket);
    }

    fn respond(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        let key = self.key(c, socket);
        c.to_write = key.bytes(What::Response, self.spec.exchange.response);
        c.phase = Phase::Writing;
        self.write(id, c, socket);
    }

    fn write(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        if c.to_write > 0 {
            c.to_write -= socket.write(id, c.to_write);
        }
        if c.to_write > 0 {
            return;
        }
        c.index += 1;
        if c.index < self.spec.exchange.requests {
            c.phase = Phase::Reading;
        } else {
            self.finish(id, c, socket);
        }
    }

    /// The last response is written.
    fn finish(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        let exchange = &self.spec.exchange;
        let closer = match exchange.how {
            CloseHow::Half => Closer::Client,
            CloseHow::Fin | CloseHow::Rst => exchange.closer,
        };
        let mut after = exchange.close_after;
        match closer {
            Closer::Client => {
                c.phase = Phase::Waiting;
                return;
            }
            Closer::Server => {}
            Closer::Both => {
                // The client has the last byte half a round trip from now: both close then.
                let rtt = socket.view(id).and_then(|v| v.srtt).unwrap_or_default();
                after = SimDuration::from_ps(after.as_ps().saturating_add(rtt.as_ps() / 2));
            }
        }
        if after.is_zero() {
            self.close(id, c, socket);
        } else {
            wait(id, c, Phase::Closing, after, socket);
        }
    }

    fn close(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        let first = c.phase != Phase::Lingering && self.spec.exchange.closer != Closer::Client;
        c.phase = Phase::Done;
        if first && self.spec.exchange.how == CloseHow::Rst {
            socket.abort(id);
        } else {
            socket.close(id);
        }
    }

    /// Closes after the client, unless something is still to be answered.
    fn close_after_peer(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        let idle = matches!(c.phase, Phase::Reading | Phase::Waiting);
        if !c.peer_closed || !idle {
            return;
        }
        if self.spec.exchange.linger.is_zero() {
            c.phase = Phase::Lingering;
            self.close(id, c, socket);
        } else {
            wait(id, c, Phase::Lingering, self.spec.exchange.linger, socket);
        }
    }

    fn on_readable(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        c.received += socket.read(id, u64::MAX);
        self.serve(id, c, socket);
    }

    fn on_writable(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        if c.phase == Phase::Writing {
            self.write(id, c, socket);
            self.serve(id, c, socket);
        }
    }

    fn on_peer_closed(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        c.peer_closed = true;
        self.serve(id, c, socket);
    }

    fn on_due(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        if c.due != socket.now() {
            return;
        }
        c.due = SimTime::MAX;
        match c.phase {
            Phase::Serving => {
                self.respond(id, c, socket);
                self.serve(id, c, socket);
            }
            Phase::Closing | Phase::Lingering => self.close(id, c, socket),
            Phase::Reading | Phase::Writing | Phase::Waiting | Phase::Done => {}
        }
    }

    /// Lets `act` change the state of a connection.
    fn with(
        &mut self,
        id: SocketId,
        socket: &mut SocketCx<'_, '_>,
        act: impl FnOnce(&mut Server, SocketId, &mut Conn, &mut SocketCx<'_, '_>),
    ) {
        if let Some(mut c) = self.conns.get(id) {
            act(self, id, &mut c, socket);
            self.conns.insert(id, c);
        }
    }
}

fn wait(
    id: SocketId,
    c: &mut Conn,
    phase: Phase,
    time: SimDuration,
    socket: &mut SocketCx<'_, '_>,
) {
    c.phase = phase;
    c.due = socket.now().saturating_add(time);
    socket.wake(c.due, token(id));
}

impl App for Server {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                // A port that is taken leaves this server without work.
                let backlog = self.spec.backlog;
                let options = ListenOptions {
                    fast_open: if self.spec.exchange.fast_open {
                        backlog
                    } else {
                        0
                    },
                    ..ListenOptions::default()
                };
                let _ = socket.listen_with(self.spec.port, backlog, options);
            }
            AppEvent::Acceptable(_) => self.accept(socket),
            AppEvent::Wake(ACCEPT) => {
                self.accept_pending = false;
                self.accept(socket);
            }
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
            AppEvent::Wake(_)
            | AppEvent::Connected(_)
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
