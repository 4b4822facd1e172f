//! The socket interface that a host offers its applications.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::{Rng, SimDuration, SimTime, Wakes as _};

use super::binds::{BindError, BindOptions};
use super::bound::{BindId, Reuse};
use super::cx::{HostCx, HostEnv as _, with_either};
use super::endpoint::SocketId;
use super::listener::{ListenOptions, ListenerId};
use super::open::{ConnectError, ConnectOptions, ListenError};
use super::stack::{Stack, Timer};
use crate::model::{Input, SendCall, TcpModel, TcpView};
use crate::params::TcpParams;
use crate::sample::TcpSample;
use crate::segment::ConnId;

/// The calls available to an application while it handles an event. Events caused by a call are delivered
/// after the application has returned.
#[derive(Debug)]
pub struct SocketCx<'a, 'b> {
    pub(super) stack: &'a mut Stack,
    pub(super) cx: HostCx<'a, 'b>,
    pub(super) app: u16,
}

impl SocketCx<'_, '_> {
    /// The current time.
    pub fn now(&self) -> SimTime {
        match &self.cx {
            HostCx::Engine(cx) => cx.now(),
            HostCx::Driver(cx) => cx.now(),
        }
    }

    /// The host's addresses.
    pub fn addresses(&self) -> &[Ipv4Addr] {
        &self.stack.addresses
    }

    /// The seed of the run, for draws that client and server must agree on.
    pub fn seed(&self) -> u64 {
        match &self.cx {
            HostCx::Engine(cx) => cx.seed(),
            HostCx::Driver(cx) => cx.seed(),
        }
    }

    /// The host's random stream for `purpose`. Keep it: each call starts it from the beginning.
    pub fn rng(&self, purpose: &str) -> Rng {
        match &self.cx {
            HostCx::Engine(cx) => cx.rng(purpose),
            HostCx::Driver(cx) => cx.rng(purpose),
        }
    }

    /// Opens a connection from a port chosen by the host, and from its first address unless `local` gives
    /// another.
    ///
    /// # Errors
    /// When no port is free or the address is not the host's. The attempt is recorded.
    pub fn connect(
        &mut self,
        local: Option<Ipv4Addr>,
        remote: SocketAddrV4,
    ) -> Result<SocketId, ConnectError> {
        let options = ConnectOptions {
            local,
            ..ConnectOptions::default()
        };
        self.connect_with(remote, options)
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
        let options = ConnectOptions {
            local: Some(*local.ip()),
            port: Some(local.port()),
            ..ConnectOptions::default()
        };
        self.connect_with(remote, options)
    }

    /// Opens a connection with all options.
    ///
    /// # Errors
    /// As [`SocketCx::connect`] and [`SocketCx::connect_from`].
    pub fn connect_with(
        &mut self,
        remote: SocketAddrV4,
        options: ConnectOptions,
    ) -> Result<SocketId, ConnectError> {
        with_either!(&mut self.cx, cx => self.stack.connect(self.app, options, remote, cx))
    }

    /// Sends a SYN with any source address and keeps no state. Its only option is the MSS.
    pub fn send_spoofed_syn(&mut self, source: SocketAddrV4, remote: SocketAddrV4, isn: u32) {
        with_either!(&mut self.cx, cx => self.stack.send_spoofed_syn(source, remote, isn, cx));
    }

    /// Listens on a port of all addresses; [`crate::app::AppEvent::Acceptable`] reports
    /// connections.
    ///
    /// # Errors
    /// When the port is in use by another socket.
    pub fn listen(&mut self, port: u16, backlog: u32) -> Result<ListenerId, ListenError> {
        self.listen_with(port, backlog, ListenOptions::default())
    }

    /// Listens with all options.
    ///
    /// # Errors
    /// As [`SocketCx::listen`], and when [`ListenOptions::bound`] is no longer bound.
    pub fn listen_with(
        &mut self,
        port: u16,
        backlog: u32,
        options: ListenOptions,
    ) -> Result<ListenerId, ListenError> {
        with_either!(&mut self.cx, cx => self.stack
            .listen(self.app, port, backlog, options, cx))
    }

    /// Changes the backlog of a listener (a second `listen`) and its options.
    pub fn set_listener(&mut self, id: ListenerId, backlog: Option<u32>, options: ListenOptions) {
        let params = &self.stack.params;
        if let Some(listener) = self.stack.listeners.get_mut(usize::from(id.0)) {
            listener.set(backlog, options, params);
        }
    }

    /// Stops listening: half-open connections are dropped, unaccepted ones reset. The port stays bound.
    pub fn close_listener(&mut self, id: ListenerId) {
        with_either!(&mut self.cx, cx => self.stack.close_listener(id.0, cx));
    }

    /// Binds to a port for a later `connect` or `listen`.
    ///
    /// # Errors
    /// When the port is in use by a socket that does not share it, or the address is not the host's.
    pub fn bind(&mut self, options: BindOptions) -> Result<BindId, BindError> {
        self.stack.bind(options)
    }

    /// The port of a bound socket.
    pub fn bound_port(&self, id: BindId) -> Option<u16> {
        self.stack.binds.get(id).map(|bind| bind.port)
    }

    /// `SO_REUSEADDR` and `SO_REUSEPORT` of a bound socket.
    pub fn set_reuse(&mut self, id: BindId, reuse: Reuse) {
        if let Some(bind) = self.stack.binds.get_mut(id) {
            bind.reuse = reuse;
        }
    }

    /// Releases a bound port: its socket is closed.
    pub fn unbind(&mut self, id: BindId) {
        self.stack.unbind(id);
    }

    /// Takes the next established connection from the listener's queue.
    pub fn accept(&mut self, port: u16) -> Option<SocketId> {
        let listener = self.stack.listener_at(port)?;
        with_either!(&mut self.cx, cx => self.stack.accept(self.app, listener, cx))
    }

    /// The same from one of several listeners of a port.
    pub fn accept_from(&mut self, id: ListenerId) -> Option<SocketId> {
        with_either!(&mut self.cx, cx => self.stack.accept(self.app, usize::from(id.0), cx))
    }

    /// Writes bytes with PSH; returns how many were accepted. If fewer, [`crate::app::AppEvent::Writable`]
    /// follows.
    pub fn write(&mut self, id: SocketId, bytes: u64) -> u64 {
        self.send(id, SendCall::pushed(bytes))
    }

    /// As [`SocketCx::write`], with all options of a SEND call.
    pub fn send(&mut self, id: SocketId, call: SendCall) -> u64 {
        let Some(slot) = self.own(id) else {
            return 0;
        };
        if self.stack.endpoints.get(slot).is_some_and(|e| e.deferred) {
            return with_either!(&mut self.cx, cx => self.stack.connect_with_data(slot, call, cx));
        }
        let room = self
            .stack
            .endpoints
            .get(slot)
            .map_or(0, |e| e.tcp.send_room());
        with_either!(&mut self.cx, cx => self.stack.step(slot, Input::Send(call), cx));
        call.bytes.min(room)
    }

    /// Reads up to `most` bytes; returns how many.
    pub fn read(&mut self, id: SocketId, most: u64) -> u64 {
        let Some(slot) = self.own(id) else {
            return 0;
        };
        let endpoint = self.stack.endpoints.get(slot);
        let bytes = most.min(endpoint.map_or(0, |e| e.tcp.readable()));
        if bytes > 0 {
            with_either!(&mut self.cx, cx => self.stack.step(slot, Input::Receive(bytes), cx));
        }
        bytes
    }

    /// Closes the sending direction; reading continues.
    pub fn shutdown(&mut self, id: SocketId) {
        self.call(id, Input::Shutdown);
    }

    /// The application reads no more from this connection (`SHUT_RD`).
    pub fn stop_reading(&mut self, id: SocketId) {
        self.call(id, Input::StopReading);
    }

    /// Closes both directions.
    pub fn close(&mut self, id: SocketId) {
        let hard = |slot| self.stack.endpoints.get(slot).is_some_and(|e| e.hard_close);
        if self.own(id).is_some_and(hard) {
            self.abort(id);
            return;
        }
        self.mark_closed(id);
        self.call(id, Input::Close);
    }

    /// `SO_LINGER`: with a time of zero, a close resets the connection. With any other time a Linux
    /// application would wait in the call; here the close is an ordinary one.
    pub fn set_linger(&mut self, id: SocketId, linger: Option<SimDuration>) {
        if let Some(endpoint) = self.own(id).and_then(|s| self.stack.endpoints.get_mut(s)) {
            endpoint.hard_close = linger.is_some_and(|time| time.is_zero());
        }
    }

    /// Whether soft errors and delivery problems are reported (SHLD-20); on by default.
    pub fn report_errors(&mut self, id: SocketId, on: bool) {
        if let Some(endpoint) = self.own(id).and_then(|s| self.stack.endpoints.get_mut(s)) {
            endpoint.errors_suppressed = !on;
        }
    }

    /// The parameters of a connection; `None` if it has ended.
    pub fn params(&self, id: SocketId) -> Option<Arc<TcpParams>> {
        let endpoint = self.stack.endpoints.get(self.own(id)?)?;
        Some(Arc::clone(
            endpoint.own.as_ref().unwrap_or(&self.stack.params),
        ))
    }

    /// Changes the options of a connection: Nagle, cork, keep-alive, time limits, buffers, TTL, DS field
    /// (MUST-17, MUST-21, MUST-24, MUST-48, MUST-49, SHLD-21). False if its TCP does not support that, or
    /// it has ended.
    pub fn set_params(&mut self, id: SocketId, params: &Arc<TcpParams>) -> bool {
        self.own(id).is_some_and(
            |slot| with_either!(&mut self.cx, cx => self.stack.change_params(slot, params, cx)),
        )
    }

    /// `TCP_QUICKACK`.
    pub fn quick_ack(&mut self, id: SocketId, on: bool) {
        self.call(id, Input::QuickAck(on));
    }

    /// Resets the connection.
    pub fn abort(&mut self, id: SocketId) {
        self.mark_closed(id);
        self.call(id, Input::Abort);
    }

    /// Asks for [`crate::app::AppEvent::Wake`] with the lower 48 bits of `token` at `at`.
    pub fn wake(&mut self, at: SimTime, token: u64) {
        let token = Timer::App(self.app, token).token();
        with_either!(&mut self.cx, cx => cx.wake(at, token));
    }

    /// Writes a record.
    pub fn record(&mut self, sample: TcpSample) {
        with_either!(&mut self.cx, cx => cx.record(sample));
    }

    /// The view of a connection; `None` if it has ended.
    pub fn view(&self, id: SocketId) -> Option<TcpView> {
        let slot = self.own(id)?;
        self.stack.endpoints.get(slot).map(|e| e.tcp.view())
    }

    /// Bytes that can be read; zero if the connection has ended.
    pub fn readable(&self, id: SocketId) -> u64 {
        let endpoint = self.own(id).and_then(|slot| self.stack.endpoints.get(slot));
        endpoint.map_or(0, |e| e.tcp.readable())
    }

    /// The identity of a connection; `None` if it has ended.
    pub fn conn(&self, id: SocketId) -> Option<ConnId> {
        let slot = self.own(id)?;
        self.stack.endpoints.get(slot).map(|e| e.conn)
    }

    /// When a socket's connection was opened: the call of connect, or the arrival of the SYN.
    pub fn opened(&self, id: SocketId) -> Option<SimTime> {
        let slot = self.own(id)?;
        self.stack.endpoints.get(slot).map(|e| e.opened)
    }

    /// Both ends of a connection, local first; `None` if it has ended.
    pub fn ends(&self, id: SocketId) -> Option<(SocketAddrV4, SocketAddrV4)> {
        let slot = self.own(id)?;
        let flow = self.stack.endpoints.get(slot)?.flow;
        Some((flow.local(), flow.remote()))
    }

    /// The slot of an existing connection of this application.
    fn own(&self, id: SocketId) -> Option<u32> {
        let slot = self.stack.endpoints.live(id)?;
        let endpoint = self.stack.endpoints.get(slot)?;
        (endpoint.app == self.app && endpoint.has_app).then_some(slot)
    }

    fn call(&mut self, id: SocketId, input: Input<'_>) {
        if let Some(slot) = self.own(id) {
            with_either!(&mut self.cx, cx => self.stack.step(slot, input, cx));
        }
    }

    fn mark_closed(&mut self, id: SocketId) {
        let now = self.now();
        let Some(slot) = self.own(id) else {
            return;
        };
        if let Some(endpoint) = self.stack.endpoints.get_mut(slot) {
            endpoint.app_closed = endpoint.app_closed.min(now);
        }
    }
}
