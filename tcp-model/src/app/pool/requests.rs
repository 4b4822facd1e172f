//! How a request gets a connection: an idle one, a new one, or one that it waits for in the queue.

use super::{PendingRequest, PoolClient, PooledConnection, PooledPhase, record_unanswered};
use crate::app::breaker::Breakers;
use crate::app::deadline::Deadline;
use crate::app::draws::{DrawKey, DrawKind};
use crate::app::origins::record_end;
use crate::host::{ConnectOptions, SocketCx, SocketId};
use crate::model::ConnectionEnd;
use crate::sample::{Ending, ExchangeResult, PoolClose, PoolSample, RequestDone, TcpSample};

impl PoolClient {
    /// Gives a request an idle connection, opens one, or lets it wait.
    pub(super) fn submit(&mut self, wanted: PendingRequest, socket: &mut SocketCx<'_, '_>) {
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

    /// Why the connection takes no further request; `None` if it does.
    pub(super) fn worn_out(&self, id: SocketId, socket: &SocketCx<'_, '_>) -> Option<PoolClose> {
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

    pub(super) fn connect(&mut self, wanted: PendingRequest, socket: &mut SocketCx<'_, '_>) {
        let (locals, servers) = (self.spec.locals.len(), self.spec.remotes.len());
        let turn = match &self.breakers {
            None => self.turn,
            Some(breakers) => {
                let Some(turn) = breakers.turn(self.turn, locals, socket.now()) else {
                    Breakers::reject(socket);
                    self.failed(wanted, socket);
                    return;
                };
                turn
            }
        };
        let (local, server) = crate::app::client::pair(turn, locals, servers);
        let Some(remote) = self.spec.remotes.get(server) else {
            return; // no server at all
        };
        self.turn = turn + 1;
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
        let mut c = PooledConnection {
            conn: socket.conn(id).unwrap_or_default(),
            phase: PooledPhase::Connecting(wanted),
            index: 0,
            opened: now,
            began: now,
            to_write: 0,
            to_read: 0,
            deadline: Deadline::NONE,
        };
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

    /// Sends a request on a connection that is free.
    pub(super) fn send(
        &mut self,
        id: SocketId,
        wanted: PendingRequest,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let Some(mut c) = self.conns.get(id) else {
            self.submit(wanted, socket);
            return;
        };
        let exchange = &self.spec.exchange;
        let key = DrawKey::new(c.conn, c.index, socket);
        c.phase = PooledPhase::Busy(wanted);
        c.began = socket.now();
        socket.record(TcpSample::Pool(PoolSample::Sent {
            waited: c.began.since(wanted.since),
            reused: c.index > 0,
        }));
        c.to_write = key.bytes(DrawKind::Request, exchange.request).max(1);
        c.to_read = key.bytes(DrawKind::Response, exchange.response);
        match exchange.request_timeout {
            Some(most) => c.deadline.set_after(most, id, socket),
            None => c.deadline.clear(),
        }
        c.to_write -= socket.write(id, c.to_write);
        self.conns.insert(id, c);
        self.advance(id, socket);
    }

    /// Completes the request of a connection once its whole response has arrived.
    pub(super) fn advance(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let Some(mut c) = self.conns.get(id) else {
            return;
        };
        let PooledPhase::Busy(wanted) = c.phase else {
            return;
        };
        if c.to_write > 0 || c.to_read > 0 {
            return;
        }
        let key = DrawKey::new(c.conn, c.index, socket);
        socket.record(TcpSample::Request(RequestDone {
            conn: c.conn,
            index: c.index,
            latency: socket.now().since(c.began),
            with_connect: socket.now().since(wanted.since),
            opens: false,
            sent: key
                .bytes(DrawKind::Request, self.spec.exchange.request)
                .max(1),
            received: key.bytes(DrawKind::Response, self.spec.exchange.response),
            server: socket.ends(id).map(|(_, remote)| *remote.ip()),
        }));
        c.index += 1;
        c.phase = PooledPhase::Idle;
        c.deadline.clear();
        self.conns.insert(id, c);
        record_end(wanted.attempt.wanted, ExchangeResult::Done, socket);
        self.judge(id, true, socket);
        self.release(id, socket);
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

    /// Handles a connection that has become free: it takes a waiting request, becomes idle, or is
    /// closed.
    pub(super) fn release(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let closed = self.breakers.as_ref().is_none_or(|b| b.is_closed(id));
        let open = (!closed).then_some(PoolClose::Breaker);
        if let Some(why) = open.or_else(|| self.worn_out(id, socket)) {
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
            c.deadline.set_after(most, id, socket);
            self.conns.insert(id, c);
        }
    }

    /// Opens connections for waiting requests, up to the maximum.
    pub(super) fn serve_waiting(&mut self, socket: &mut SocketCx<'_, '_>) {
        while self.open < self.pool.max
            && let Some(next) = self.waiting.pop_front()
        {
            self.connect(next, socket);
        }
    }

    /// Closes a connection and drops its state.
    pub(super) fn discard(&mut self, id: SocketId, why: PoolClose, socket: &mut SocketCx<'_, '_>) {
        if self.conns.remove(id).is_some() {
            self.open -= 1;
            socket.close(id);
            socket.record(TcpSample::Pool(PoolSample::Closed(why)));
        }
    }

    /// Handles a request that has failed, on its connection or without one.
    pub(super) fn failed(&mut self, wanted: PendingRequest, socket: &mut SocketCx<'_, '_>) {
        if !self.retrying.retry(wanted.attempt, &mut self.rng, socket) {
            record_end(wanted.attempt.wanted, ExchangeResult::Failed, socket);
        }
    }

    /// Drops a connection that has become useless; its request, if it has one, is unanswered.
    pub(super) fn lose(&mut self, id: SocketId, ending: Ending, socket: &mut SocketCx<'_, '_>) {
        let Some(c) = self.conns.get(id) else {
            return;
        };
        record_unanswered(&c, ending, socket);
        if self.has_raced(&c, ending, socket) {
            socket.record(TcpSample::Pool(PoolSample::Raced));
        }
        let why = match (ending, c.phase) {
            (Ending::GivenUp, PooledPhase::Idle) => PoolClose::Idle,
            (Ending::GivenUp, _) => PoolClose::GivenUp,
            _ => PoolClose::Peer,
        };
        self.discard(id, why, socket);
        match c.phase {
            PooledPhase::Connecting(wanted) | PooledPhase::Busy(wanted) => {
                self.judge(id, false, socket);
                self.failed(wanted, socket)
            }
            PooledPhase::Idle => self.idle.retain(|other| *other != id),
        }
        self.serve_waiting(socket);
    }

    /// Whether a request was sent on a kept connection that its server was about to close: a proxy
    /// would answer 502 for it.
    pub(super) fn has_raced(
        &self,
        c: &PooledConnection,
        ending: Ending,
        socket: &SocketCx<'_, '_>,
    ) -> bool {
        let over = matches!(
            ending,
            Ending::Connection(ConnectionEnd::Closed | ConnectionEnd::Reset)
        );
        let key = DrawKey::new(c.conn, c.index, socket);
        let whole = key.bytes(DrawKind::Response, self.spec.exchange.response);
        over && c.index > 0 && matches!(c.phase, PooledPhase::Busy(_)) && c.to_read == whole
    }
}
