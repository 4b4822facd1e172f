//! The usual socket API on a host driven by its caller: sockets with options, errors by name, readiness,
//! the error queue.
//!
//! [`Sockets`] is built on a [`Driver`]. No call blocks: where it would, it returns `EAGAIN` (or
//! `EINPROGRESS`), and the caller tries again after an event. Data are counted, not stored. Conformance
//! scripts use it (see `packetdrill`), as can tests and adapters that need a program's view of a host.
//! Applications in a simulation use [`SocketCx`], which is based on events and cheaper.
//!
//! ```
//! use std::net::{Ipv4Addr, SocketAddrV4};
//! use std::sync::Arc;
//! use sim_core::{SimDuration, SimTime};
//! use tcp_model::host::Driver;
//! use tcp_model::sockets::{Errno, Sockets};
//! use tcp_model::{TcpParams, spec::{HostConfig, TraceSpec}};
//!
//! let host = |number: u8| {
//!     let params = Arc::new(TcpParams::linux());
//!     let config = HostConfig { params, apps: Vec::new(), trace: TraceSpec::default() };
//!     let address = Ipv4Addr::new(10, 0, 0, number);
//!     Sockets::new(Driver::new(config, number.into(), vec![address], 7), TcpParams::linux())
//! };
//! let mut hosts = [host(1), host(2)];
//! let listener = hosts[1].socket();
//! hosts[1].bind(listener, None, Some(80)).unwrap();
//! hosts[1].listen(listener, 8).unwrap();
//! assert_eq!(hosts[1].accept(listener), Err(Errno("EAGAIN")));
//! let to = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 80);
//! let socket = hosts[0].socket();
//! assert_eq!(hosts[0].connect(socket, to), Err(Errno("EINPROGRESS")));
//!
//! // A wire that takes 10 ms.
//! let mut now = SimTime::ZERO;
//! let mut exchange = |hosts: &mut [Sockets; 2]| {
//!     for _ in 0..4 {
//!         now = now + SimDuration::from_millis(10);
//!         for from in 0..2 {
//!             hosts[1 - from].time_out(now);
//!             while let Some(sent) = hosts[from].next_packet() {
//!                 hosts[1 - from].receive(&sent.packet);
//!             }
//!         }
//!     }
//! };
//! exchange(&mut hosts);
//! assert_eq!(hosts[0].connect(socket, to), Ok(()));
//! let accepted = hosts[1].accept(listener).unwrap();
//! assert_eq!(hosts[0].send(socket, 5000), Ok(5000));
//! exchange(&mut hosts);
//! assert_eq!(hosts[1].receive_data(accepted, 10_000), Ok(5000));
//! hosts[0].close(socket);
//! exchange(&mut hosts);
//! assert_eq!(hosts[1].receive_data(accepted, 1), Ok(0), "the end of the stream");
//! ```
//!
//! Leaves out blocking, file descriptors, everything other than TCP; in the error queue, ICMP errors about
//! a SYN (`IP_RECVERR`), and time stamps of hardware and of received data.

mod error_queue;
mod limits;
mod notice;
mod open;
mod options;
mod ready;
mod socket;
pub(crate) mod socket_constants;
mod stream;
mod system;
mod transfer;

use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::sync::Arc;

use sim_core::{Packet, SimTime};

pub(crate) use self::error_queue::TIMESTAMPING;
pub(crate) use self::notice::Notice;
pub(crate) use self::options::{
    BIND_WITHOUT_PORT, FOREIGN_BIND, INQ, OUT_OF_BAND_INLINE, OptionError, V6_ONLY,
};
pub(crate) use self::ready::ALWAYS;
pub(crate) use self::socket::{Socket, SocketRole};
use self::stream::Stream;
pub use self::system::System;
pub(crate) use self::system::{Family, state_names};
pub(crate) use self::transfer::Reading;
use crate::app::AppEvent;
pub use crate::errno::Errno;
use crate::host::{Departure, Driver, SocketCx, SocketId, TcpHost};
use crate::icmp::IcmpError;
use crate::params::TcpParams;
use crate::segment::Segment;

/// The sockets of a program and the host below them.
#[derive(Debug)]
pub struct Sockets<'m> {
    driver: Driver<'m>,
    pub(crate) now: SimTime,
    /// Parameters of the host and of new sockets.
    params: TcpParams,
    /// The system whose option numbers apply where systems differ.
    pub(crate) system: System,
    all: Vec<Socket>,
    streams: Vec<Stream>,
    departures: VecDeque<Departure>,
}

/// A socket, until it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketNo(usize);

impl<'m> Sockets<'m> {
    /// Creates sockets on this host with these parameters.
    pub fn new(driver: Driver<'m>, params: TcpParams) -> Sockets<'m> {
        let mut sockets = Sockets {
            driver: driver.keeping_ended(),
            now: SimTime::ZERO,
            params: TcpParams::linux(),
            system: System::Linux,
            all: Vec::new(),
            streams: Vec::new(),
            departures: VecDeque::new(),
        };
        sockets.set_params(params);
        sockets
    }

    /// The host, for its counters.
    pub fn host(&self) -> &TcpHost {
        self.driver.host()
    }

    pub(crate) fn driver(&mut self) -> &mut Driver<'m> {
        &mut self.driver
    }

    /// Parameters of the host and of new sockets.
    pub fn params(&self) -> &TcpParams {
        &self.params
    }

    /// Replaces the parameters of the host and of new sockets.
    pub fn set_params(&mut self, params: TcpParams) {
        self.driver.set_params(&Arc::new(params.clone()));
        self.params = params;
    }

    /// Changes a system parameter of the host, of new sockets, and of those without a connection.
    ///
    /// # Errors
    /// The first error of `change`.
    pub fn configure<E>(
        &mut self,
        change: impl Fn(&mut TcpParams) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut params = self.params.clone();
        change(&mut params)?;
        self.set_params(params);
        for i in 0..self.all.len() {
            if matches!(
                self.all[i].role,
                SocketRole::Fresh | SocketRole::Listening(_)
            ) {
                change(&mut self.all[i].params)?;
            }
            self.refresh_listener(SocketNo(i));
        }
        Ok(())
    }

    /// Adds a socket.
    fn add(&mut self, role: SocketRole) -> SocketNo {
        self.all.push(Socket::new(role, &self.params));
        SocketNo(self.all.len() - 1)
    }

    pub(crate) fn at(&self, socket: SocketNo) -> &Socket {
        &self.all[socket.0]
    }

    pub(crate) fn at_mut(&mut self, socket: SocketNo) -> &mut Socket {
        &mut self.all[socket.0]
    }

    /// The socket created last.
    pub(crate) fn latest(&self) -> Option<&Socket> {
        self.all.last()
    }

    /// The connection that a socket is an end of.
    pub(crate) fn connection(&self, socket: SocketNo) -> Option<SocketId> {
        match self.at(socket).role {
            SocketRole::Stream(id) => Some(id),
            _ => None,
        }
    }

    /// The parameters of a connection: those of its socket, or of the listener on its port.
    pub(crate) fn params_of(&self, id: Option<SocketId>, port: u16) -> &TcpParams {
        let socket = self.socket_for(id, port);
        socket.map_or(&self.params, |socket| &socket.params)
    }

    /// The socket of a connection, or the listener on its port.
    fn socket_for(&self, id: Option<SocketId>, port: u16) -> Option<&Socket> {
        let own = |s: &&Socket| id.is_some_and(|id| s.role == SocketRole::Stream(id));
        let listens = |s: &&Socket| s.port == port && matches!(s.role, SocketRole::Listening(_));
        let found = self.all.iter().find(own);
        found.or_else(|| self.all.iter().find(listens))
    }

    /// The port at which a program most likely expects packets: the latest listener's, otherwise the latest
    /// bound one.
    pub(crate) fn usual_port(&self) -> Option<u16> {
        let mut latest = self.all.iter().rev();
        let listening = latest.find(|s| matches!(s.role, SocketRole::Listening(_)));
        let bound = self.all.iter().rev().find(|s| s.port != 0);
        listening.or(bound).map(|s| s.port)
    }

    /// Receives a packet. One that has come farther than its socket allows (`IP_MINTTL`) is dropped.
    pub fn receive(&mut self, packet: &Packet<Segment>) {
        let local = SocketAddrV4::new(packet.dst, packet.payload.dst_port);
        let remote = SocketAddrV4::new(packet.src, packet.payload.src_port);
        let id = self.driver.connection(local, remote);
        let socket = self.socket_for(id, local.port());
        if socket.is_some_and(|socket| i64::from(packet.ttl) < socket.least_ttl()) {
            return;
        }
        self.driver.receive(self.now, packet);
        if let Some(id) = self.driver.connection(local, remote) {
            self.follow(id, (local, remote));
        }
        self.take_news();
    }

    /// Delivers an ICMP error about a segment of this 4-tuple, the host's end first.
    pub fn icmp(&mut self, ends: (SocketAddrV4, SocketAddrV4), error: &IcmpError) {
        self.driver.icmp(self.now, ends, error);
        self.take_news();
    }

    /// When to call [`Sockets::time_out`]; may be earlier than necessary.
    pub fn next_timeout(&self) -> Option<SimTime> {
        self.driver.next_timeout()
    }

    /// Processes everything that is due at `now`.
    pub fn time_out(&mut self, now: SimTime) {
        self.now = self.now.max(now);
        self.driver.time_out(self.now);
        self.take_news();
    }

    /// Takes the next packet sent, in order.
    pub fn next_packet(&mut self) -> Option<Departure> {
        self.departures.pop_front()
    }

    /// Makes calls on the host's own sockets.
    fn call<R>(&mut self, calls: impl FnOnce(&mut SocketCx<'_, '_>) -> R) -> R {
        let result = self.driver.call(self.now, calls);
        self.take_news();
        result
    }

    /// Takes the segments sent and the events of connections.
    fn take_news(&mut self) {
        while let Some(sent) = self.driver.next_packet() {
            let segment = &sent.packet.payload;
            let local = SocketAddrV4::new(sent.packet.src, segment.src_port);
            let remote = SocketAddrV4::new(sent.packet.dst, segment.dst_port);
            let mut streams = self.streams.iter_mut();
            if let Some(stream) = streams.rfind(|s| s.ends == (local, remote)) {
                stream.note_sent(segment, sent.at);
            }
            self.departures.push_back(sent);
        }
        while let Some(event) = self.driver.next_event() {
            let id = socket_of(&event);
            let mut streams = self.streams.iter_mut();
            if let Some(stream) = streams.rfind(|s| Some(s.id) == id) {
                stream.note_event(&event);
            }
        }
        (0..self.streams.len()).for_each(|at| self.time(at));
    }
}

/// The connection an event is about.
fn socket_of(event: &AppEvent) -> Option<SocketId> {
    match *event {
        AppEvent::Start
        | AppEvent::Wake(_)
        | AppEvent::Acceptable(_)
        | AppEvent::DeliveryTrouble(_) => None,
        AppEvent::Connected(id)
        | AppEvent::Readable(id, _)
        | AppEvent::Writable(id, _)
        | AppEvent::PeerClosed(id)
        | AppEvent::Urgent(id, _)
        | AppEvent::SoftError(id, _)
        | AppEvent::Ended(id, _) => Some(id),
    }
}
