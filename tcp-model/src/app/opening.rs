//! A server that starts to accept or to read late, or never; and the receive buffer that it sets on each
//! connection it accepts.

use std::sync::Arc;

use sim_core::SimTime;

use crate::host::{SocketCx, SocketId};
use crate::params::TcpParams;

/// An activity that begins at a given time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    /// `MAX` for never.
    at: SimTime,
    token: u64,
}

impl Opening {
    /// Begins at `at`; the application is then woken with `token`.
    pub(super) fn new(at: SimTime, token: u64) -> Opening {
        Opening { at, token }
    }

    /// Requests the wake, if one is needed.
    pub(super) fn start(&self, socket: &mut SocketCx<'_, '_>) {
        if self.at > socket.now() && self.at != SimTime::MAX {
            socket.wake(self.at, self.token);
        }
    }

    /// Whether it has begun.
    #[inline]
    pub(super) fn is_open(&self, socket: &SocketCx<'_, '_>) -> bool {
        self.at == SimTime::ZERO || self.at != SimTime::MAX && socket.now() >= self.at
    }
}

/// The receive buffer that connections get when they are accepted (`SO_RCVBUF`).
#[derive(Debug)]
pub(super) struct OwnBuffer {
    bytes: Option<u32>,
    /// Parameters of a listener's connections, and the same with the buffer.
    made: Option<(Arc<TcpParams>, Arc<TcpParams>)>,
}

impl OwnBuffer {
    pub(super) fn new(bytes: Option<u32>) -> OwnBuffer {
        OwnBuffer { bytes, made: None }
    }

    /// Sets it on a connection.
    pub(super) fn apply(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let Some(bytes) = self.bytes else {
            return;
        };
        let Some(params) = socket.params(id) else {
            return;
        };
        let known = self.made.take();
        let known = known.filter(|(before, _)| Arc::ptr_eq(before, &params));
        let (before, after) = known.unwrap_or_else(|| {
            let mut own = TcpParams::clone(&params);
            own.receive_buffer = bytes;
            (params, Arc::new(own))
        });
        socket.set_params(id, &after);
        self.made = Some((before, after));
    }
}

/// Switches Nagle's algorithm off on connections (`TCP_NODELAY`).
#[derive(Debug, Default)]
pub(super) struct NoDelay {
    /// Parameters of connections, and the same without the algorithm.
    made: Option<(Arc<TcpParams>, Arc<TcpParams>)>,
}

impl NoDelay {
    /// Switches it off on a connection.
    pub(super) fn apply(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let Some(params) = socket.params(id).filter(|params| params.nagle) else {
            return;
        };
        let known = self.made.take();
        let known = known.filter(|(before, _)| Arc::ptr_eq(before, &params));
        let (before, after) = known.unwrap_or_else(|| {
            let mut own = TcpParams::clone(&params);
            own.nagle = false;
            (params, Arc::new(own))
        });
        socket.set_params(id, &after);
        self.made = Some((before, after));
    }
}
