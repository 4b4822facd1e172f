//! What a host offers its applications.

use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::{Cx, Rng, SimTime};

use super::TcpHost;
use super::endpoint::SocketId;
use super::open::{ConnectError, ListenError};
use super::stack::{Stack, Timer};
use crate::model::{Input, SendCall, TcpModel, TcpView};
use crate::sample::TcpSample;
use crate::segment::ConnId;

/// The calls of an application while it handles an event. News that a call brings about is
/// delivered after the application has returned.
#[derive(Debug)]
pub struct SocketCx<'a, 'b> {
    pub(super) stack: &'a mut Stack,
    pub(super) cx: &'a mut Cx<'b, TcpHost>,
    pub(super) app: u16,
}

impl SocketCx<'_, '_> {
    /// The current time.
    pub fn now(&self) -> SimTime {
        self.cx.now()
    }

    /// The host's addresses.
    pub fn addresses(&self) -> &[Ipv4Addr] {
        &self.stack.addresses
    }

    /// The seed of the run, for draws that client and server must agree on.
    pub fn seed(&self) -> u64 {
        self.cx.seed()
    }

    /// A random stream of the host's own for `purpose`; keep it, each call starts it anew.
    pub fn rng(&self, purpose: &str) -> Rng {
        self.cx.rng(purpose)
    }

    /// Opens a connection from a port the host chooses, and from its first address unless `local`
    /// names another.
    ///
    /// # Errors
    /// When no port is free or the address is not the host's. The attempt is recorded.
    pub fn connect(
        &mut self,
        local: Option<Ipv4Addr>,
        remote: SocketAddrV4,
    ) -> Result<SocketId, ConnectError> {
        self.stack.connect(self.app, local, None, remote, self.cx)
    }

    /// Opens a connection from a given address and port.
    ///
    /// # Errors
    /// When the 4-tuple is in use or the address is not the host's. The attempt is recorded.
    pub fn connect_from(
        &mut self,
        local: SocketAddrV4,
        remote: SocketAddrV4,
    ) -> Result<SocketId, ConnectError> {
        let (address, port) = (Some(*local.ip()), Some(local.port()));
        self.stack.connect(self.app, address, port, remote, self.cx)
    }

    /// Listens on a port of all addresses; [`crate::app::AppEvent::Acceptable`] tells of
    /// connections.
    ///
    /// # Errors
    /// When the port has a listener.
    pub fn listen(&mut self, port: u16, backlog: u32) -> Result<(), ListenError> {
        self.stack.listen(self.app, port, backlog, self.cx)
    }

    /// Takes the next established connection from the listener's queue.
    pub fn accept(&mut self, port: u16) -> Option<SocketId> {
        self.stack.accept(self.app, port, self.cx)
    }

    /// Writes bytes, pushed; returns how many were taken. When that is fewer,
    /// [`crate::app::AppEvent::Writable`] follows.
    pub fn write(&mut self, id: SocketId, bytes: u64) -> u64 {
        self.send(
            id,
            SendCall {
                bytes,
                push: true,
                ..SendCall::default()
            },
        )
    }

    /// As [`SocketCx::write`], with all that a SEND call can say.
    pub fn send(&mut self, id: SocketId, call: SendCall) -> u64 {
        let Some(slot) = self.own(id) else {
            return 0;
        };
        let room = self
            .stack
            .endpoints
            .get(slot)
            .map_or(0, |e| e.tcp.send_room());
        self.stack.step(slot, Input::Send(call), self.cx);
        call.bytes.min(room)
    }

    /// Reads up to `most` bytes; returns how many.
    pub fn read(&mut self, id: SocketId, most: u64) -> u64 {
        let Some(slot) = self.own(id) else {
            return 0;
        };
        let bytes = most.min(self.readable(id));
        if bytes > 0 {
            self.stack.step(slot, Input::Receive(bytes), self.cx);
        }
        bytes
    }

    /// Sends no more, goes on reading.
    pub fn shutdown(&mut self, id: SocketId) {
        self.call(id, Input::Shutdown);
    }

    /// Closes: neither sends nor reads any more.
    pub fn close(&mut self, id: SocketId) {
        self.mark_closed(id);
        self.call(id, Input::Close);
    }

    /// Resets the connection.
    pub fn abort(&mut self, id: SocketId) {
        self.mark_closed(id);
        self.call(id, Input::Abort);
    }

    /// Asks for [`crate::app::AppEvent::Wake`] with the lower 48 bits of `token` at `at`.
    pub fn wake(&mut self, at: SimTime, token: u64) {
        self.cx.wake(at, Timer::App(self.app, token).token());
    }

    /// Writes a record.
    pub fn record(&mut self, sample: TcpSample) {
        self.cx.record(sample);
    }

    /// A look at a connection; `None` when it is over.
    pub fn view(&self, id: SocketId) -> Option<TcpView> {
        let slot = self.own(id)?;
        self.stack.endpoints.get(slot).map(|e| e.tcp.view())
    }

    /// Bytes that can be read; none when the connection is over.
    pub fn readable(&self, id: SocketId) -> u64 {
        let endpoint = self.own(id).and_then(|slot| self.stack.endpoints.get(slot));
        endpoint.map_or(0, |e| e.tcp.readable())
    }

    /// The identity of a connection; `None` when it is over.
    pub fn conn(&self, id: SocketId) -> Option<ConnId> {
        let slot = self.own(id)?;
        self.stack.endpoints.get(slot).map(|e| e.conn)
    }

    /// Both ends of a connection, local first; `None` when it is over.
    pub fn ends(&self, id: SocketId) -> Option<(SocketAddrV4, SocketAddrV4)> {
        let slot = self.own(id)?;
        let flow = self.stack.endpoints.get(slot)?.flow;
        Some((flow.local(), flow.remote()))
    }

    /// The slot of a connection that is this application's and not over.
    fn own(&self, id: SocketId) -> Option<u32> {
        let slot = self.stack.endpoints.live(id)?;
        let endpoint = self.stack.endpoints.get(slot)?;
        (endpoint.app == self.app && endpoint.has_app).then_some(slot)
    }

    fn call(&mut self, id: SocketId, input: Input<'_>) {
        if let Some(slot) = self.own(id) {
            self.stack.step(slot, input, self.cx);
        }
    }

    fn mark_closed(&mut self, id: SocketId) {
        let now = self.cx.now();
        let Some(slot) = self.own(id) else {
            return;
        };
        if let Some(endpoint) = self.stack.endpoints.get_mut(slot) {
            endpoint.app_closed = endpoint.app_closed.min(now);
        }
    }
}
