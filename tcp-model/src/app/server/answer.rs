//! What a server does with a request: work, the answer, and what follows the last one.

use sim_core::SimDuration;

use super::super::draws::{Key, What};
use super::super::spec::{CloseHow, Closer, Exchange};
use super::{Conn, Phase, Server, begin, wait};
use crate::host::{SocketCx, SocketId};

impl Server {
    /// What happens on a connection.
    pub(super) fn exchange(&self, c: &Conn) -> &Exchange {
        self.spec.exchange_of(c.conn.class())
    }

    /// Closes the connection when nothing happens for too long, where something should.
    pub(super) fn watch_idle(&self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        if let Some(most) = self.spec.idle_timeout
            && matches!(c.phase, Phase::Reading | Phase::Waiting)
        {
            let due = socket.now().saturating_add(most);
            c.deadline.set(due, id, socket);
        }
    }

    pub(super) fn key(&self, c: &Conn, socket: &SocketCx<'_, '_>) -> Key {
        Key {
            seed: socket.seed(),
            conn: c.conn,
            index: c.index,
        }
    }

    /// Answers requests as long as none has to be waited for.
    pub(super) fn serve(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        while c.phase == Phase::Reading {
            let key = self.key(c, socket);
            let exchange = self.exchange(c);
            let whole = key.bytes(What::Request, exchange.request).max(1);
            let need = whole.min(exchange.respond_after.unwrap_or(u64::MAX));
            if c.received < need {
                break;
            }
            c.received -= need;
            let service = key.time(What::Service, exchange.service);
            if let Some(workers) = &mut self.workers {
                c.phase = Phase::Serving;
                c.deadline.clear();
                begin(workers.submit(id, service), socket);
            } else if service.is_zero() {
                c.deadline.clear();
                self.respond(id, c, socket);
            } else {
                wait(id, c, Phase::Serving, service, socket);
            }
        }
        self.watch_idle(id, c, socket);
        self.close_after_peer(id, c, socket);
    }

    /// A worker is done with a request; it takes the next that waits.
    pub(super) fn on_served(&mut self, worker: u32, socket: &mut SocketCx<'_, '_>) {
        let Some(workers) = &mut self.workers else {
            return;
        };
        let (served, next) = workers.finish(worker);
        begin(next, socket);
        if let Some(id) = served {
            self.with(id, socket, Server::on_response_ready);
        }
    }

    pub(super) fn on_response_ready(
        &mut self,
        id: SocketId,
        c: &mut Conn,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if c.phase == Phase::Serving {
            self.respond(id, c, socket);
            self.serve(id, c, socket);
        }
    }

    pub(super) fn respond(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        let key = self.key(c, socket);
        c.to_write = key.bytes(What::Response, self.exchange(c).response);
        c.phase = Phase::Writing;
        self.write(id, c, socket);
    }

    pub(super) fn write(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        if c.to_write > 0 {
            c.to_write -= socket.write(id, c.to_write);
        }
        if c.to_write > 0 {
            return;
        }
        c.index += 1;
        if c.index < self.exchange(c).requests {
            c.phase = Phase::Reading;
        } else {
            self.finish(id, c, socket);
        }
    }

    /// The last response is written.
    pub(super) fn finish(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        let exchange = self.exchange(c);
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
}
