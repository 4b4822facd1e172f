//! How a proxy serves a request: the choice of an upstream server, a connection to it, and another try.

use super::super::pooled_connection::{PooledConnection, PooledPhase, why_lost};
use super::upstreams::{ForwardedRequest, UpstreamConnection, Upstreams};
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
        let mut next = Some(request);
        while let Some(request) = next.take() {
            match self.choose(&request, socket) {
                Choice::Server(server) => next = self.assign(server, request, socket),
                Choice::Wait if self.may_wait() => self.waiting.push_back(request),
                Choice::Wait | Choice::None => {
                    self.finish(&request, ProxyResult::Unavailable, socket);
                }
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

    /// Gives a request an idle connection to a server, or opens one. Returns the request if that fails and it is to
    /// be tried again.
    fn assign(
        &mut self,
        server: usize,
        mut request: ForwardedRequest,
        socket: &mut SocketCx<'_, '_>,
    ) -> Option<ForwardedRequest> {
        request.last = Some(server);
        request.tries += 1;
        if let Some(breaker) = &mut self.servers[server].breaker {
            breaker.begin(socket);
        }
        while let Some(id) = self.servers[server].idle.pop() {
            self.idle -= 1;
            let Some(c) = self.conns.get(id) else {
                continue;
            };
            let Some(why) = c.carried.worn_out(&self.spec.pool, socket.now()) else {
                self.send(id, request, socket);
                return None;
            };
            self.discard(id, why, socket);
        }
        self.connect(server, request, socket)
    }

    /// Opens a connection for a request. Returns the request if there is no port and it is to be tried again.
    fn connect(
        &mut self,
        server: usize,
        request: ForwardedRequest,
        socket: &mut SocketCx<'_, '_>,
    ) -> Option<ForwardedRequest> {
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
            return self.fail_try(request, TryFailure::NoPort, socket);
        };
        let mut carried = PooledConnection::connecting(id, request, socket);
        let limits = [self.spec.connect_timeout, self.spec.try_timeout];
        if let Some(most) = limits.into_iter().flatten().min() {
            carried.deadline.set_after(most, id, socket);
        }
        upstream.open += 1;
        self.open += 1;
        self.conns
            .insert(id, UpstreamConnection { server, carried });
        socket.record(TcpSample::Pool(PoolSample::Opened));
        None
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
        // The time of a try includes that of its connect.
        let left = self.spec.try_timeout.map(|most| match c.carried.phase {
            PooledPhase::Connecting(_) => most.saturating_sub(socket.now().since(c.carried.opened)),
            _ => most,
        });
        let (since, exchange) = (request.try_since, &self.spec.exchange);
        c.carried.send(id, request, since, left, exchange, socket);
        self.conns.insert(id, c);
        self.advanced.push_back(id);
    }

    /// Completes the request of a connection if its whole response has arrived. Returns false if there is no
    /// connection to look at.
    pub(super) fn complete_next(&mut self, socket: &mut SocketCx<'_, '_>) -> bool {
        let Some(id) = self.advanced.pop_front() else {
            return false;
        };
        if let Some(mut c) = self.conns.get(id)
            && let Some(request) = c.carried.answered()
        {
            c.carried.rest();
            self.conns.insert(id, c);
            self.judge(c.server, true, socket);
            self.finish(&request, ProxyResult::Answered, socket);
            self.release(id, c, socket);
        }
        true
    }

    /// Tells the breaker of a server the result of a try.
    fn judge(&mut self, server: usize, success: bool, socket: &mut SocketCx<'_, '_>) {
        if let Some(breaker) = &mut self.servers[server].breaker {
            breaker.end(success, socket);
        }
    }

    /// Handles a connection that has become free: it takes a waiting request, becomes idle, or is closed.
    fn release(&mut self, id: SocketId, mut c: UpstreamConnection, socket: &mut SocketCx<'_, '_>) {
        let server = c.server;
        let usable = self.servers[server].is_usable(socket.now());
        if let Some(why) = c.carried.worn_out(&self.spec.pool, socket.now()) {
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
            if let Some(most) = self.spec.pool.idle_timeout {
                c.carried.deadline.set_after(most, id, socket);
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
                Choice::Server(server) => {
                    if let Some(again) = self.assign(server, next, socket) {
                        self.submit(again, socket);
                    }
                }
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
        let Some(UpstreamConnection { server, carried }) = self.conns.get(id) else {
            return;
        };
        if carried.has_raced(ending, &self.spec.exchange, socket) {
            socket.record(TcpSample::Pool(PoolSample::Raced));
        }
        self.discard(id, why_lost(ending, carried.is_idle()), socket);
        if let Some(request) = carried.request() {
            self.judge(server, false, socket);
            let cause = match ending {
                Ending::GivenUp => TryFailure::TimedOut,
                Ending::Connection(_) | Ending::Crash | Ending::RunEnd => TryFailure::Connection,
            };
            if let Some(again) = self.fail_try(request, cause, socket) {
                self.submit(again, socket);
            }
        } else {
            self.servers[server].idle.retain(|other| *other != id);
            self.idle -= 1;
        }
        self.serve_waiting(socket);
    }

    /// Handles a failed try: the request is returned if it is to be tried again, with the next server; otherwise it
    /// is refused.
    fn fail_try(
        &mut self,
        mut request: ForwardedRequest,
        cause: TryFailure,
        socket: &mut SocketCx<'_, '_>,
    ) -> Option<ForwardedRequest> {
        let again = request.tries < self.spec.tries;
        socket.record(TcpSample::Proxy(ProxySample::TryFailed { cause, again }));
        if again {
            request.try_since = socket.now();
            return Some(request);
        }
        let result = match cause {
            TryFailure::TimedOut => ProxyResult::GatewayTimeout,
            TryFailure::NoPort | TryFailure::Connection => ProxyResult::BadGateway,
        };
        self.finish(&request, result, socket);
        None
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
