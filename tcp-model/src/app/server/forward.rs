//! A server whose requests are served by others: the side of a proxy that faces clients.

use std::collections::VecDeque;

use super::super::draws::{DrawKey, DrawKind};
use super::super::per_socket::ConnectionStates as _;
use super::super::spec::ServerSpec;
use super::{ServedBy, Server, ServerConnection, ServerPhase};
use crate::host::{SocketCx, SocketId};

/// Size of the answer to a request that could not be served, bytes, at most; nginx's page has about as many.
const ERROR_PAGE: u64 = 150;

impl Server {
    /// A server that hands its requests over: see [`Server::next_arrived`].
    pub(in crate::app) fn forwarding(spec: ServerSpec) -> Server {
        let service = ServedBy::Upstreams(VecDeque::new());
        Server {
            service,
            ..Server::new(spec)
        }
    }

    /// A connection whose request has arrived and waits to be served, each once.
    pub(in crate::app) fn next_arrived(&mut self) -> Option<SocketId> {
        match &mut self.service {
            ServedBy::Upstreams(arrived) => arrived.pop_front(),
            ServedBy::Server | ServedBy::Workers(_) => None,
        }
    }

    /// Whether a connection waits for its request to be served.
    pub(in crate::app) fn is_served(&self, id: SocketId) -> bool {
        let conn = self.conns.get(id);
        conn.is_some_and(|c| c.phase == ServerPhase::Serving)
    }

    /// Answers the request of a connection.
    pub(in crate::app) fn complete(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        self.with(id, socket, Server::on_response_ready);
    }

    /// Answers the request of a connection with an error, and closes the connection. The client sees that the
    /// response ends too early.
    pub(in crate::app) fn refuse(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        self.with(id, socket, Server::close_with_error);
    }

    fn close_with_error(
        &mut self,
        id: SocketId,
        c: &mut ServerConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if c.phase != ServerPhase::Serving {
            return;
        }
        let key = DrawKey::new(c.conn, c.index, socket);
        let whole = key.bytes(DrawKind::Response, self.exchange(c).response);
        let page = whole.saturating_sub(1).min(ERROR_PAGE);
        if page > 0 && !c.peer_closed {
            socket.write(id, page);
        }
        c.phase = ServerPhase::Done;
        socket.close(id);
    }
}
