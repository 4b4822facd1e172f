//! How a proxy serves a request: the choice of an upstream server, a connection to it, and another try.

use super::super::deadline::Deadline;
use super::super::draws::{DrawKey, DrawKind};
use super::upstreams::{ForwardedRequest, UpstreamConnection, UpstreamPhase, Upstreams};
use crate::host::{ConnectOptions, SocketCx, SocketId};
use crate::sample::{
    Ending, PoolClose, PoolSample, ProxyResult, ProxySample, TcpSample, TryFailure,
};

/// Where a request can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// To this server, by number.
    Server(usize),
    /// All connections allowed to usable servers are busy.
    Wait,
    /// No server is usable.
    None,
}

impl Upstreams {
    /// Begins to serve a request that has arrived.
    pub(super) fn begin(&mut self, request: ForwardedRequest, socket: &mut SocketCx<'_, '_>) {
        self.pending += 1;
        socket.record(TcpSample::Proxy(ProxySample::Begun));
        self.submit(request, socket);
    }

    /// Sends a request to a server, lets it wait, or refuses it.
    fn submit(&mut self, request: ForwardedRequest, socket: &mut SocketCx<'_, '_>) {
        match self.choose(&request, socket) {
            Choice::Server(server) => self.assign(server, request, socket),
            Choice::Wait if self.may_wait() => self.waiting.push_back(request),
            Choice::Wait | Choice::None => {
                self.finish(&request, ProxyResult::Unavailable, socket);
            }
        }
    }

    fn may_wait(&self) -> bool {
        let most = self.spec.queue;
        most.is_none_or(|most| self.waiting.len() < most as usize)
    }

    /// The next usable server with an idle connection, or room for another; one that has failed this request
    /// last only if there is no other.
    fn choose(&mut self, request: &ForwardedRequest, socket: &SocketCx<'_, '_>) -> Choice {
        let (n, now) = (self.servers.len(), socket.now());
        let mut any = false;
        for again in [false, true] {
            for i in (0..n).map(|k| (self.turn + k) % n) {
                let server = &self.servers[i];
                if (request.last == Some(i)) != again || !server.is_usable(now) {
                    continue;
                }
                any = true;
                if !server.idle.is_empty() || server.open < self.spec.pool.max {
                    self.turn = (i + 1) % n;
                    return Choice::Server(i);
                }
            }
            if request.last.is_none() {
                break;
            }
        }
        if any { Choice::Wait } else { Choice::None }
    }

    /// Gives a request an idle connection to a server, or opens one.
    fn assign(
        &mut self,
        server: usize,
        mut request: ForwardedRequest,
        socket: &mut SocketCx<'_, '_>,
    ) {
        request.last = Some(server);
        request.tries += 1;
        if let Some(breaker) = &mut self.servers[server].breaker {
            breaker.begin(socket);
        }
        while let Some(id) = self.servers[server].idle.pop() {
            self.idle -= 1;
            let Some(why) = self.worn_out(id, socket) else {
                self.send(id, request, socket);
                return;
            };
            self.discard(id, why, socket);
        }
        self.connect(server, request, socket);
    }

    /// Why a connection takes no further request; `None` if it does.
    fn worn_out(&self, id: SocketId, socket: &SocketCx<'_, '_>) -> Option<PoolClose> {
        let (c, pool) = (self.conns.get(id)?, &self.spec.pool);
        let age = socket.now().since(c.opened);
        if pool.max_requests.is_some_and(|most| c.index >= most) {
            Some(PoolClose::Requests)
        } else if pool.max_lifetime.is_some_and(|most| age >= most) {
            Some(PoolClose::Lifetime)
        } else {
            None
        }
    }

    fn connect(&mut self, server: usize, request: ForwardedRequest, socket: &mut SocketCx<'_, '_>) {
        let upstream = &mut self.servers[server];
        let locals = &self.spec.locals;
        let local = upstream.turn.checked_rem(locals.len()).map(|i| locals[i]);
        upstream.turn += 1;
        let options = ConnectOptions {
            local,
            class: self.spec.class,
            ..ConnectOptions::default()
        };
        let Ok(id) = socket.connect_with(upstream.address, options) else {
            if let Some(breaker) = &mut upstream.breaker {
                breaker.cancel(socket.now());
            }
            self.fail_try(request, TryFailure::NoPort, socket);
            return;
        };
        let now = socket.now();
        let mut c = UpstreamConnection {
            conn: socket.conn(id).unwrap_or_default(),
            server,
            phase: UpstreamPhase::Connecting(request),
            index: 0,
            opened: now,
            to_write: 0,
            to_read: 0,
            answering: false,
            deadline: Deadline::NONE,
        };
        let limits = [self.spec.connect_timeout, self.spec.try_timeout];
        if let Some(most) = limits.into_iter().flatten().min() {
            c.deadline.set_after(most, id, socket);
        }
        upstream.open += 1;
        self.open += 1;
        self.conns.insert(id, c);
        socket.record(TcpSample::Pool(PoolSample::Opened));
    }

    /// Sends a request on a connection that is free.
    pub(super) fn send(
        &mut self,
        id: SocketId,
        request: ForwardedRequest,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let Some(mut c) = self.conns.get(id) else {
            return;
        };
        let (exchange, now) = (&self.spec.exchange, socket.now());
        let key = DrawKey::new(c.conn, c.index, socket);
        socket.record(TcpSample::Pool(PoolSample::Sent {
            waited: now.since(request.try_since),
            reused: c.index > 0,
        }));
        // The time of a try includes that of its connect.
        let spent = match c.phase {
            UpstreamPhase::Connecting(_) => now.since(c.opened),
            _ => sim_core::SimDuration::ZERO,
        };
        match self.spec.try_timeout {
            Some(most) => c.deadline.set_after(most.saturating_sub(spent), id, socket),
            None => c.deadline.clear(),
        }
        c.phase = UpstreamPhase::Busy(request);
        c.answering = false;
        c.to_write = key.bytes(DrawKind::Request, exchange.request).max(1);
        c.to_read = key.bytes(DrawKind::Response, exchange.response);
        c.to_write -= socket.write(id, c.to_write);
        self.conns.insert(id, c);
        self.advance(id, socket);
    }

    /// Completes the request of a connection once its whole response has arrived.
    pub(super) fn advance(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let Some(mut c) = self.conns.get(id) else {
            return;
        };
        let UpstreamPhase::Busy(request) = c.phase else {
            return;
        };
        if c.to_write > 0 || c.to_read > 0 {
            return;
        }
        c.index += 1;
        c.phase = UpstreamPhase::Idle;
        c.deadline.clear();
        self.conns.insert(id, c);
        self.judge(c.server, true, socket);
        self.finish(&request, ProxyResult::Answered, socket);
        self.release(id, c.server, socket);
    }

    /// Tells the breaker of a server the result of a try.
    fn judge(&mut self, server: usize, success: bool, socket: &mut SocketCx<'_, '_>) {
        if let Some(breaker) = &mut self.servers[server].breaker {
            breaker.end(success, socket);
        }
    }

    /// Handles a connection that has become free: it takes a waiting request, becomes idle, or is closed.
    fn release(&mut self, id: SocketId, server: usize, socket: &mut SocketCx<'_, '_>) {
        let usable = self.servers[server].is_usable(socket.now());
        if let Some(why) = self.worn_out(id, socket) {
            self.discard(id, why, socket);
        } else if usable && let Some(mut next) = self.next_waiting(socket) {
            next.last = Some(server);
            next.tries += 1;
            if let Some(breaker) = &mut self.servers[server].breaker {
                breaker.begin(socket);
            }
            self.send(id, next, socket);
        } else if self.servers[server].idle.len() as u64 >= u64::from(self.spec.pool.idle) {
            self.discard(id, PoolClose::Surplus, socket);
        } else {
            self.servers[server].idle.push(id);
            self.idle += 1;
            if let (Some(most), Some(mut c)) = (self.spec.pool.idle_timeout, self.conns.get(id)) {
                c.deadline.set_after(most, id, socket);
                self.conns.insert(id, c);
            }
        }
        self.serve_waiting(socket);
    }

    /// The request that has waited longest and whose client is still there.
    fn next_waiting(&mut self, socket: &mut SocketCx<'_, '_>) -> Option<ForwardedRequest> {
        while let Some(next) = self.waiting.pop_front() {
            if !self.gone.contains(&next.client) {
                return Some(next);
            }
            self.finish(&next, ProxyResult::ClientGone, socket);
        }
        None
    }

    /// Serves waiting requests as far as there are connections for them, or refuses them if no server is usable.
    pub(super) fn serve_waiting(&mut self, socket: &mut SocketCx<'_, '_>) {
        while let Some(&first) = self.waiting.front() {
            let choice = self.choose(&first, socket);
            if choice == Choice::Wait {
                return;
            }
            let Some(next) = self.next_waiting(socket) else {
                return;
            };
            match choice {
                Choice::Server(server) => self.assign(server, next, socket),
                Choice::Wait | Choice::None => {
                    self.finish(&next, ProxyResult::Unavailable, socket);
                }
            }
        }
    }

    /// Closes a connection and drops its state.
    fn discard(&mut self, id: SocketId, why: PoolClose, socket: &mut SocketCx<'_, '_>) {
        if let Some(c) = self.conns.remove(id) {
            self.servers[c.server].open -= 1;
            self.open -= 1;
            socket.close(id);
            socket.record(TcpSample::Pool(PoolSample::Closed(why)));
        }
    }

    /// Drops a connection that has become useless; its request is tried again or refused.
    pub(super) fn lose(&mut self, id: SocketId, ending: Ending, socket: &mut SocketCx<'_, '_>) {
        let Some(c) = self.conns.get(id) else {
            return;
        };
        let why = match (ending, c.phase) {
            (Ending::GivenUp, UpstreamPhase::Idle) => PoolClose::Idle,
            (Ending::GivenUp, _) => PoolClose::GivenUp,
            _ => PoolClose::Peer,
        };
        match c.phase {
            UpstreamPhase::Checking => {
                self.end_check(id, false, socket);
                return;
            }
            UpstreamPhase::Idle => {
                self.servers[c.server].idle.retain(|other| *other != id);
                self.idle -= 1;
                self.discard(id, why, socket);
            }
            UpstreamPhase::Connecting(request) | UpstreamPhase::Busy(request) => {
                let kept = c.index > 0 && matches!(c.phase, UpstreamPhase::Busy(_));
                if kept && !c.answering && ending != Ending::GivenUp {
                    socket.record(TcpSample::Pool(PoolSample::Raced));
                }
                self.discard(id, why, socket);
                self.judge(c.server, false, socket);
                self.fail_try(request, Upstreams::failure(ending), socket);
            }
        }
        self.serve_waiting(socket);
    }

    /// Handles a failed try: another follows, with the next server, or the request is refused.
    fn fail_try(
        &mut self,
        mut request: ForwardedRequest,
        cause: TryFailure,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let again = request.tries < self.spec.tries;
        socket.record(TcpSample::Proxy(ProxySample::TryFailed { cause, again }));
        if again {
            request.try_since = socket.now();
            self.submit(request, socket);
            return;
        }
        let result = match cause {
            TryFailure::TimedOut => ProxyResult::GatewayTimeout,
            TryFailure::NoPort | TryFailure::Connection => ProxyResult::BadGateway,
        };
        self.finish(&request, result, socket);
    }

    /// Ends a request.
    fn finish(
        &mut self,
        request: &ForwardedRequest,
        result: ProxyResult,
        socket: &mut SocketCx<'_, '_>,
    ) {
        self.pending -= 1;
        self.gone.remove(&request.client);
        socket.record(TcpSample::Proxy(ProxySample::Done {
            took: socket.now().since(request.since),
            tries: request.tries,
            result,
        }));
        let answered = result == ProxyResult::Answered;
        self.results.push_back((request.client, answered));
    }
}
