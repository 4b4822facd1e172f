//! How a server accepts connections: from a time on, at once or at a given rate.

use sim_core::SimTime;

use super::draws::seconds;
use super::opening::Opening;
use super::spec::ServerSpec;
use crate::host::{ListenOptions, SocketCx, SocketId};

/// Wake token: time to accept.
pub(super) const ACCEPT: u64 = 0;

/// The listening side of a server.
#[derive(Debug)]
pub(super) struct Acceptor {
    port: u16,
    backlog: u32,
    opening: Opening,
    /// Connections accepted per second; `None` for all at once.
    rate: Option<f64>,
    /// With a rate: the earliest time of the next accept.
    next: SimTime,
    /// A wake for it has been requested.
    pending: bool,
}

impl Acceptor {
    pub(super) fn new(spec: &ServerSpec) -> Acceptor {
        Acceptor {
            port: spec.port,
            backlog: spec.backlog,
            opening: Opening::new(spec.accept_start, ACCEPT),
            rate: spec.accept_rate,
            next: SimTime::ZERO,
            pending: false,
        }
    }

    /// Listens. If the port is taken, the server has nothing to do.
    pub(super) fn start(&self, options: ListenOptions, socket: &mut SocketCx<'_, '_>) {
        let _ = socket.listen_with(self.port, self.backlog, options);
        self.opening.start(socket);
    }

    /// Handles a wake for [`ACCEPT`].
    pub(super) fn on_wake(&mut self) {
        self.pending = false;
    }

    /// Accepts a connection that waits, if it is time; [`Acceptor::accepted`] follows.
    #[inline]
    pub(super) fn next(&mut self, socket: &mut SocketCx<'_, '_>) -> Option<SocketId> {
        if !self.opening.is_open(socket) {
            return None;
        }
        if self.rate.is_some() {
            if self.pending {
                return None;
            }
            if socket.now() < self.next {
                self.await_next(socket);
                return None;
            }
        }
        socket.accept(self.port)
    }

    /// Notes that the server has begun to handle an accepted connection.
    #[inline]
    pub(super) fn accepted(&mut self, socket: &mut SocketCx<'_, '_>) {
        if let Some(rate) = self.rate {
            self.next = socket.now().saturating_add(seconds(1.0 / rate));
            self.await_next(socket);
        }
    }

    fn await_next(&mut self, socket: &mut SocketCx<'_, '_>) {
        self.pending = true;
        socket.wake(self.next, ACCEPT);
    }
}
