//! What a client does on a connection: requests, and the close after the last response.

use super::super::draws::{DrawKey, DrawKind};
use super::super::spec::{CloseHow, Closer};
use super::{Client, ClientConnection, ClientPhase};
use crate::host::{SocketCx, SocketId};
use crate::sample::{RequestDone, TcpSample};

impl Client {
    /// Makes requests until a response has to be waited for.
    pub(super) fn request(
        &mut self,
        id: SocketId,
        c: &mut ClientConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        loop {
            let key = DrawKey::new(c.conn, c.index, socket);
            let exchange = &self.spec.exchange;
            c.phase = ClientPhase::Exchanging;
            c.began = socket.now();
            if let Some(most) = exchange.request_timeout {
                c.deadline.set_after(most, id, socket);
            }
            c.to_write = key.bytes(DrawKind::Request, exchange.request).max(1);
            c.to_read = key.bytes(DrawKind::Response, exchange.response);
            self.write(id, c, socket);
            if c.to_write > 0 || c.to_read > 0 || !self.request_done(id, c, socket) {
                return;
            }
        }
    }

    pub(super) fn write(
        &mut self,
        id: SocketId,
        c: &mut ClientConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if c.to_write == 0 {
            return;
        }
        c.to_write -= socket.write(id, c.to_write);
        let last = c.index + 1 >= self.spec.exchange.requests;
        if c.to_write == 0 && last && self.spec.exchange.how == CloseHow::Half {
            socket.shutdown(id);
        }
    }

    /// Handles a complete response. Returns true if the next request follows at once.
    pub(super) fn request_done(
        &mut self,
        id: SocketId,
        c: &mut ClientConnection,
        socket: &mut SocketCx<'_, '_>,
    ) -> bool {
        let first = if c.index == 0 {
            socket.opened(id)
        } else {
            None
        };
        let with_connect = socket.now().since(first.unwrap_or(c.began));
        c.deadline.clear();
        let key = DrawKey::new(c.conn, c.index, socket);
        socket.record(TcpSample::Request(RequestDone {
            conn: c.conn,
            index: c.index,
            latency: socket.now().since(c.began),
            with_connect,
            opens: first.is_some(),
            sent: key
                .bytes(DrawKind::Request, self.spec.exchange.request)
                .max(1),
            received: key.bytes(DrawKind::Response, self.spec.exchange.response),
            server: socket.ends(id).map(|(_, remote)| *remote.ip()),
        }));
        let think = key.time(DrawKind::Think, self.spec.exchange.think);
        c.index += 1;
        if c.index >= self.spec.exchange.requests {
            self.finish(id, c, socket);
            return false;
        }
        if think.is_zero() {
            return true;
        }
        c.wait(ClientPhase::Thinking, think, id, socket);
        false
    }

    /// Called when the last response has arrived.
    pub(super) fn finish(
        &mut self,
        id: SocketId,
        c: &mut ClientConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if let Some(origins) = &mut self.origins {
            origins.done(id, socket);
        }
        if let Some(breakers) = &mut self.breakers {
            breakers.end_last(id, true, socket);
        }
        let exchange = &self.spec.exchange;
        if exchange.how == CloseHow::Half || exchange.closer == Closer::Server {
            c.phase = ClientPhase::Waiting;
        } else if exchange.close_after.is_zero() {
            self.close(id, c, socket);
        } else {
            c.wait(ClientPhase::Closing, exchange.close_after, id, socket);
        }
    }

    pub(super) fn close(
        &mut self,
        id: SocketId,
        c: &mut ClientConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let first =
            c.phase != ClientPhase::Lingering && self.spec.exchange.closer != Closer::Server;
        c.phase = ClientPhase::Done;
        if first && self.spec.exchange.how == CloseHow::Rst {
            socket.abort(id);
        } else {
            socket.close(id);
        }
    }

    pub(super) fn on_readable(
        &mut self,
        id: SocketId,
        c: &mut ClientConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let got = socket.read(id, u64::MAX);
        let waiting = c.phase == ClientPhase::Exchanging && c.to_read > 0;
        c.to_read = c.to_read.saturating_sub(got);
        if waiting && c.to_read == 0 && c.to_write == 0 && self.request_done(id, c, socket) {
            self.request(id, c, socket);
        }
    }

    pub(super) fn on_writable(
        &mut self,
        id: SocketId,
        c: &mut ClientConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let waiting = c.phase == ClientPhase::Exchanging && c.to_write > 0;
        self.write(id, c, socket);
        let done = waiting && c.to_write == 0 && c.to_read == 0;
        if done && self.request_done(id, c, socket) {
            self.request(id, c, socket);
        }
    }

    /// Handles the server's close, whether planned or too early: the client closes too.
    pub(super) fn on_peer_closed(
        &mut self,
        id: SocketId,
        c: &mut ClientConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        if matches!(
            c.phase,
            ClientPhase::Closing | ClientPhase::Lingering | ClientPhase::Done
        ) {
            return;
        }
        let exchange = &self.spec.exchange;
        if exchange.how == CloseHow::Half || exchange.linger.is_zero() {
            c.phase = ClientPhase::Lingering;
            self.close(id, c, socket);
        } else {
            c.wait(ClientPhase::Lingering, exchange.linger, id, socket);
        }
    }
}
