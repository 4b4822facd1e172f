//! How a server handles a request: service time, response, and the close after the last response.

use sim_core::SimDuration;

use super::super::draws::{DrawKey, DrawKind};
use super::super::per_socket::ConnectionStates as _;
use super::super::spec::{CloseHow, Closer, Exchange};
use super::{ServedBy, Server, ServerConnection, ServerPhase};
use crate::host::{SocketCx, SocketId};

impl Server {
    /// The exchange on a connection.
    pub(super) fn exchange(&self, c: &ServerConnection) -> &Exchange {
        self.spec.exchange_of(c.conn.class())
    }

    /// Sets the idle time-out while a request, or the client's close, is awaited.
    pub(super) fn watch_idle(
        &self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if let Some(most) = self.spec.idle_timeout
            && matches!(c.phase, ServerPhase::Reading | ServerPhase::Waiting)
        {
            c.deadline.set_after(most, id, socket);
        }
    }

    /// Answers the requests that have arrived, until one has to be waited for.
    pub(super) fn serve(
        &mut self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        while c.phase == ServerPhase::Reading {
            let key = DrawKey::new(c.conn, c.index, socket);
            let exchange = self.exchange(c);
            let whole = key.bytes(DrawKind::Request, exchange.request).max(1);
            let need = whole.min(exchange.respond_after.unwrap_or(u64::MAX));
            if c.received < need {
                break;
            }
            c.received -= need;
            let service = key.time(DrawKind::Service, exchange.service);
            match &mut self.service {
                ServedBy::Server if service.is_zero() => {
                    c.deadline.clear();
                    self.respond(id, c, socket);
                }
                ServedBy::Server => c.wait(ServerPhase::Serving, service, id, socket),
                ServedBy::Workers(workers) => {
                    c.phase = ServerPhase::Serving;
                    c.deadline.clear();
                    if let Some(begun) = workers.submit(id, service) {
                        begun.request_wake(socket);
                    }
                }
                ServedBy::Upstreams(arrived) => {
                    c.phase = ServerPhase::Serving;
                    c.deadline.clear();
                    arrived.push_back(id);
                }
            }
        }
        self.watch_idle(id, c, socket);
        self.close_after_peer(id, c, socket);
    }

    /// Handles the end of a worker's service time: its request is served, and it takes the next
    /// waiting one.
    pub(super) fn on_served(&mut self, worker: u32, socket: &mut SocketCx<'_, '_>) {
        let ServedBy::Workers(workers) = &mut self.service else {
            return;
        };
        let (served, next) = workers.finish(worker);
        if let Some(begun) = next {
            begun.request_wake(socket);
        }
        if let Some(id) = served {
            self.with(id, socket, Server::on_response_ready);
        }
    }

    pub(super) fn on_response_ready(
        &mut self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if c.phase == ServerPhase::Serving {
            self.respond(id, c, socket);
            self.serve(id, c, socket);
        }
    }

    pub(super) fn respond(
        &mut self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let key = DrawKey::new(c.conn, c.index, socket);
        c.to_write = key.bytes(DrawKind::Response, self.exchange(c).response);
        c.phase = ServerPhase::Writing;
        self.write(id, c, socket);
    }

    pub(super) fn write(
        &mut self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if c.to_write > 0 {
            c.to_write -= socket.write(id, c.to_write);
        }
        if c.to_write > 0 {
            return;
        }
        c.index += 1;
        if c.index < self.exchange(c).requests {
            c.phase = ServerPhase::Reading;
        } else {
            self.finish(id, c, socket);
        }
    }

    /// Called when the last response has been written.
    pub(super) fn finish(
        &mut self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let exchange = self.exchange(c);
        let closer = match exchange.how {
            CloseHow::Half => Closer::Client,
            CloseHow::Fin | CloseHow::Rst => exchange.closer,
        };
        let mut after = exchange.close_after;
        match closer {
            Closer::Client => {
                c.phase = ServerPhase::Waiting;
                return;
            }
            Closer::Server => {}
            Closer::Both => {
                // The client receives the last byte half a round trip from now: both close then.
                let rtt = socket.view(id).and_then(|v| v.srtt).unwrap_or_default();
                after = SimDuration::from_ps(after.as_ps().saturating_add(rtt.as_ps() / 2));
            }
        }
        if after.is_zero() {
            self.close(id, c, socket);
        } else {
            c.wait(ServerPhase::Closing, after, id, socket);
        }
    }
}
