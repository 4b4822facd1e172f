//! A connection that a client or a proxy keeps for later requests, one at a time.

use sim_core::{SimDuration, SimTime};

use super::deadline::Deadline;
use super::draws::{DrawKey, DrawKind};
use super::spec::{Exchange, PoolSpec};
use crate::host::{SocketCx, SocketId};
use crate::model::ConnectionEnd;
use crate::sample::{Ending, PoolClose, PoolSample, TcpSample};
use crate::segment::ConnId;

/// What a connection is doing; `R` is a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum PooledPhase<R> {
    /// It is being opened for a request.
    Connecting(R),
    /// It carries one.
    Busy(R),
    /// It waits for one.
    Idle,
}

/// A connection for one request at a time; `R` is what its owner knows about a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct PooledConnection<R> {
    pub(super) conn: ConnId,
    pub(super) phase: PooledPhase<R>,
    /// The request being made, or the next, from 0.
    pub(super) index: u32,
    pub(super) opened: SimTime,
    /// When the current request was sent.
    pub(super) began: SimTime,
    to_write: u64,
    to_read: u64,
    pub(super) deadline: Deadline,
}

impl<R: Copy> PooledConnection<R> {
    /// A connection that is being opened for a request.
    pub(super) fn connecting(id: SocketId, request: R, socket: &SocketCx<'_, '_>) -> Self {
        let now = socket.now();
        PooledConnection {
            conn: socket.conn(id).unwrap_or_default(),
            phase: PooledPhase::Connecting(request),
            index: 0,
            opened: now,
            began: now,
            to_write: 0,
            to_read: 0,
            deadline: Deadline::NONE,
        }
    }

    /// The request that it carries or is opened for.
    pub(super) fn request(&self) -> Option<R> {
        match self.phase {
            PooledPhase::Connecting(request) | PooledPhase::Busy(request) => Some(request),
            PooledPhase::Idle => None,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, PooledPhase::Idle)
    }

    /// Sends a request that has waited since `since`, and is given up after `limit`.
    pub(super) fn send(
        &mut self,
        id: SocketId,
        request: R,
        since: SimTime,
        limit: Option<SimDuration>,
        exchange: &Exchange,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let key = DrawKey::new(self.conn, self.index, socket);
        self.phase = PooledPhase::Busy(request);
        self.began = socket.now();
        socket.record(TcpSample::Pool(PoolSample::Sent {
            waited: self.began.since(since),
            reused: self.index > 0,
        }));
        self.to_write = key.bytes(DrawKind::Request, exchange.request).max(1);
        self.to_read = key.bytes(DrawKind::Response, exchange.response);
        match limit {
            Some(most) => self.deadline.set_after(most, id, socket),
            None => self.deadline.clear(),
        }
        self.to_write -= socket.write(id, self.to_write);
    }

    /// Reads what has arrived.
    pub(super) fn on_readable(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let got = socket.read(id, u64::MAX);
        self.to_read = self.to_read.saturating_sub(got);
    }

    /// Writes what is left of the request.
    pub(super) fn on_writable(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if self.to_write > 0 {
            self.to_write -= socket.write(id, self.to_write);
        }
    }

    /// The request, if it is sent and its whole response has arrived.
    pub(super) fn answered(&self) -> Option<R> {
        match self.phase {
            PooledPhase::Busy(request) if self.to_write == 0 && self.to_read == 0 => Some(request),
            _ => None,
        }
    }

    /// Ends the request.
    pub(super) fn rest(&mut self) {
        self.index += 1;
        self.phase = PooledPhase::Idle;
        self.deadline.clear();
    }

    /// Why it takes no further request; `None` if it does.
    pub(super) fn worn_out(&self, pool: &PoolSpec, now: SimTime) -> Option<PoolClose> {
        let age = now.since(self.opened);
        if pool.max_requests.is_some_and(|most| self.index >= most) {
            Some(PoolClose::Requests)
        } else if pool.max_lifetime.is_some_and(|most| age >= most) {
            Some(PoolClose::Lifetime)
        } else {
            None
        }
    }

    /// Whether its request was sent while its server was about to close it: a proxy answers 502 for it.
    pub(super) fn has_raced(
        &self,
        ending: Ending,
        exchange: &Exchange,
        socket: &SocketCx<'_, '_>,
    ) -> bool {
        let key = DrawKey::new(self.conn, self.index, socket);
        let whole = key.bytes(DrawKind::Response, exchange.response);
        let busy = matches!(self.phase, PooledPhase::Busy(_));
        is_close(ending) && self.index > 0 && busy && self.to_read == whole
    }
}

/// Whether a connection was closed or reset by its peer.
pub(super) fn is_close(ending: Ending) -> bool {
    matches!(
        ending,
        Ending::Connection(ConnectionEnd::Closed | ConnectionEnd::Reset)
    )
}

/// Why a connection that is lost leaves its pool.
pub(super) fn why_lost(ending: Ending, idle: bool) -> PoolClose {
    match (ending, idle) {
        (Ending::GivenUp, true) => PoolClose::Idle,
        (Ending::GivenUp, false) => PoolClose::GivenUp,
        _ => PoolClose::Peer,
    }
}
