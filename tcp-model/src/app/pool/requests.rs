//! How a request gets a connection: an idle one, a new one, or one that it waits for in the queue.

use super::{PoolClient, record_unanswered};
use crate::app::breaker::Breakers;
use crate::app::connecting;
use crate::app::draws::{DrawKey, DrawKind};
use crate::app::pending_request::PendingRequest;
use crate::app::pooled_connection::{PooledConnection, why_lost};
use crate::host::{SocketCx, SocketId};
use crate::sample::{Ending, PoolClose, PoolSample, RequestDone, TcpSample};

impl PoolClient {
    /// Gives a request an idle connection, opens one, or lets it wait.
    pub(super) fn submit(&mut self, request: PendingRequest, socket: &mut SocketCx<'_, '_>) {
        while let Some(id) = self.idle.pop() {
            let Some(c) = self.conns.get(id) else {
                continue;
            };
            let Some(why) = c.worn_out(&self.pool, socket.now()) else {
                self.send(id, request, socket);
                return;
            };
            self.discard(id, why, socket);
        }
        if self.open < self.pool.max {
            self.connect(request, socket);
        } else {
            self.waiting.push_back(request);
        }
    }

    fn connect(&mut self, request: PendingRequest, socket: &mut SocketCx<'_, '_>) {
        let turn = match &self.breakers {
            None => self.turn,
            Some(breakers) => {
                let locals = self.spec.locals.len();
                let Some(turn) = breakers.turn(self.turn, locals, socket.now()) else {
                    Breakers::reject(socket);
                    self.failed(request, socket);
                    return;
                };
                turn
            }
        };
        let Some((server, opened)) = connecting::connect(&self.spec, turn, false, socket) else {
            return; // no server at all
        };
        self.turn = turn + 1;
        let Ok(id) = opened else {
            self.failed(request, socket);
            return;
        };
        let mut c = PooledConnection::connecting(id, request, socket);
        if let Some(most) = self.spec.exchange.connect_timeout {
            c.deadline.set_after(most, id, socket);
        }
        self.open += 1;
        self.conns.insert(id, c);
        if let Some(breakers) = &mut self.breakers {
            breakers.begin(id, server, socket);
        }
        socket.record(TcpSample::Pool(PoolSample::Opened));
    }

    /// Sends a request on a connection that is free, and then those that it takes from the queue, until a response has
    /// to be waited for.
    pub(super) fn send(
        &mut self,
        id: SocketId,
        request: PendingRequest,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let mut next = Some(request);
        while let Some(request) = next.take()
            && let Some(mut c) = self.conns.get(id)
        {
            let exchange = &self.spec.exchange;
            let limit = exchange.request_timeout;
            c.send(id, request, request.since, limit, exchange, socket);
            self.conns.insert(id, c);
            next = self.complete(id, socket);
        }
    }

    /// Goes on with a connection on which data were read or written.
    pub(super) fn advance(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(next) = self.complete(id, socket) {
            self.send(id, next, socket);
        }
    }

    /// Completes the request of a connection if its whole response has arrived. Returns the request that the
    /// connection takes next.
    fn complete(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) -> Option<PendingRequest> {
        let mut c = self.conns.get(id)?;
        let request = c.answered()?;
        let key = DrawKey::new(c.conn, c.index, socket);
        socket.record(TcpSample::Request(RequestDone {
            conn: c.conn,
            index: c.index,
            latency: socket.now().since(c.began),
            with_connect: socket.now().since(request.since),
            opens: false,
            sent: key
                .bytes(DrawKind::Request, self.spec.exchange.request)
                .max(1),
            received: key.bytes(DrawKind::Response, self.spec.exchange.response),
            server: socket.ends(id).map(|(_, remote)| *remote.ip()),
        }));
        c.rest();
        self.conns.insert(id, c);
        request.record_done(socket);
        self.judge(id, true, socket);
        self.release(id, &c, socket)
    }

    /// Tells the breaker of a connection's server the result of an attempt. If it opens, the idle connections to
    /// that server are closed.
    fn judge(&mut self, id: SocketId, success: bool, socket: &mut SocketCx<'_, '_>) {
        let Some(breakers) = &mut self.breakers else {
            return;
        };
        if breakers.end(id, success, socket).is_none() {
            return;
        }
        let all = std::mem::take(&mut self.idle);
        for id in all {
            match self.breakers.as_ref().is_none_or(|b| b.is_closed(id)) {
                true => self.idle.push(id),
                false => self.discard(id, PoolClose::Breaker, socket),
            }
        }
    }

    /// Handles a connection that has become free: it becomes idle, is closed, or takes the waiting request that is
    /// returned.
    fn release(
        &mut self,
        id: SocketId,
        c: &PooledConnection<PendingRequest>,
        socket: &mut SocketCx<'_, '_>,
    ) -> Option<PendingRequest> {
        let closed = self.breakers.as_ref().is_none_or(|b| b.is_closed(id));
        let open = (!closed).then_some(PoolClose::Breaker);
        if let Some(why) = open.or_else(|| c.worn_out(&self.pool, socket.now())) {
            self.discard(id, why, socket);
            self.serve_waiting(socket);
            return None;
        }
        if let Some(next) = self.waiting.pop_front() {
            return Some(next);
        }
        if self.idle.len() as u64 >= u64::from(self.pool.idle) {
            self.discard(id, PoolClose::Surplus, socket);
            return None;
        }
        self.idle.push(id);
        if let Some(most) = self.pool.idle_timeout {
            let mut c = *c;
            c.deadline.set_after(most, id, socket);
            self.conns.insert(id, c);
        }
        None
    }

    /// Opens connections for waiting requests, up to the maximum.
    fn serve_waiting(&mut self, socket: &mut SocketCx<'_, '_>) {
        while self.open < self.pool.max
            && let Some(next) = self.waiting.pop_front()
        {
            self.connect(next, socket);
        }
    }

    /// Closes a connection and drops its state.
    fn discard(&mut self, id: SocketId, why: PoolClose, socket: &mut SocketCx<'_, '_>) {
        if self.conns.remove(id).is_some() {
            self.open -= 1;
            socket.close(id);
            socket.record(TcpSample::Pool(PoolSample::Closed(why)));
        }
    }

    /// Handles a request that has failed, on its connection or without one.
    fn failed(&mut self, request: PendingRequest, socket: &mut SocketCx<'_, '_>) {
        self.retrying.retry(request.attempt, &mut self.rng, socket);
    }

    /// Drops a connection that has become useless; its request, if it has one, is unanswered.
    pub(super) fn lose(&mut self, id: SocketId, ending: Ending, socket: &mut SocketCx<'_, '_>) {
        let Some(c) = self.conns.get(id) else {
            return;
        };
        record_unanswered(&c, ending, socket);
        if c.has_raced(ending, &self.spec.exchange, socket) {
            socket.record(TcpSample::Pool(PoolSample::Raced));
        }
        self.discard(id, why_lost(ending, c.is_idle()), socket);
        match c.request() {
            Some(request) => {
                self.judge(id, false, socket);
                self.failed(request, socket);
            }
            None => self.idle.retain(|other| *other != id),
        }
        self.serve_waiting(socket);
    }
}
