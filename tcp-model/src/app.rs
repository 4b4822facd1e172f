//! Applications, which open connections, write, read and close.

mod accepting;
mod arrivals;
mod breaker;
mod built_in;
mod bulk;
mod client;
pub(crate) mod client_arrivals;
pub(crate) mod connecting;
mod deadline;
mod draws;
mod heartbeat;
pub mod http;
mod multiplexed;
pub mod named;
mod opening;
mod origins;
mod pending_request;
mod per_socket;
mod pool;
mod pool_levels;
mod pooled_connection;
mod proxy;
mod response_order;
mod retrying;
mod server;
mod servers;
mod simultaneous_open;
mod sink;
pub mod spec;
mod syn_flood;
mod workers;

use std::fmt;

use crate::host::{SocketCx, SocketId};
use crate::icmp::IcmpKind;
use crate::model::ConnectionEnd;
use crate::sample::Ending;
pub use built_in::built_in;
use bulk::Bulk;
use client::Client;
use multiplexed::{MultiplexedClient, MultiplexedServer};
use pool::PoolClient;
use proxy::Proxy;
pub use response_order::ResponseOrder;
use server::Server;
use sink::Sink;
use spec::AppSpec;
use syn_flood::SynFlood;

/// An application of a host. It reacts to events with the calls of [`SocketCx`], never blocks, and keeps
/// its own state per connection.
pub trait App: Send + fmt::Debug {
    /// Handles an event.
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>);

    /// Called when the run ends or the host goes down, to record what is unfinished; other actions have no
    /// effect. Does nothing by default.
    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        let _ = (by, socket);
    }

    /// A hint that an event for the connection in `slot` is probably imminent: the application may prefetch
    /// its state (see [`sim_core::prefetch`]). Does nothing by default.
    fn prepare_for(&self, slot: u32) {
        let _ = slot;
    }

    /// The same for a wake with `token`. Returns the slot of the connection it is for, if any.
    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        let _ = token;
        None
    }
}

/// An event for an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEvent {
    /// Time zero.
    Start,
    /// The time requested with [`SocketCx::wake`] has come; its token.
    Wake(u64),
    /// A connection opened by the application is established.
    Connected(SocketId),
    /// A connection is waiting at this listening port; see [`SocketCx::accept`].
    Acceptable(u16),
    /// Total number of bytes that can be read.
    Readable(SocketId, u64),
    /// Bytes that can be written, after a write that was only partly accepted.
    Writable(SocketId, u64),
    /// The peer will send no more; some of its data may still be unread.
    PeerClosed(SocketId),
    /// Urgent data up to this many bytes ahead.
    Urgent(SocketId, u32),
    /// The network reports a problem; the connection stays open.
    SoftError(SocketId, IcmpKind),
    /// Data have been retransmitted several times without an answer; the connection stays open.
    DeliveryTrouble(SocketId),
    /// The connection has ended, or was never established; the socket is no longer valid.
    Ended(SocketId, ConnectionEnd),
}

/// Any application; calls go through a `match`.
#[derive(Debug)]
pub enum AnyApp {
    /// Opens connections and makes requests.
    Client(Box<Client>),
    /// Makes requests over a pool of connections.
    Pool(Box<PoolClient>),
    /// The same with many requests at a time on each connection.
    Multiplexed(Box<MultiplexedClient>),
    /// Answers requests.
    Server(Server),
    /// Answers many requests at a time on each connection.
    MultiplexedServer(Box<MultiplexedServer>),
    /// Forwards requests to other servers.
    Proxy(Box<Proxy>),
    /// Sends as much as it can.
    Bulk(Bulk),
    /// Reads everything that arrives.
    Sink(Sink),
    /// Sends SYNs whose SYN-ACKs are never answered.
    SynFlood(Box<SynFlood>),
    /// A named application ([`named`]), or a user's own.
    Custom(Box<dyn App>),
}

impl AnyApp {
    /// The application a scenario describes.
    pub fn new(spec: AppSpec) -> AnyApp {
        match spec {
            AppSpec::Client(spec) => match (spec.pool, spec.order.clone()) {
                (Some(pool), Some(order)) if pool.streams > 1 => {
                    AnyApp::Multiplexed(Box::new(MultiplexedClient::new(spec, pool, order)))
                }
                (Some(pool), _) => AnyApp::Pool(Box::new(PoolClient::new(spec, pool))),
                (None, _) => AnyApp::Client(Box::new(Client::new(spec))),
            },
            AppSpec::Server(spec) => match spec.multiplexed.clone() {
                Some(order) => {
                    AnyApp::MultiplexedServer(Box::new(MultiplexedServer::new(spec, order)))
                }
                None => AnyApp::Server(Server::new(spec)),
            },
            AppSpec::Proxy(spec) => AnyApp::Proxy(Box::new(Proxy::new(*spec))),
            AppSpec::Bulk(spec) => AnyApp::Bulk(Bulk::new(spec)),
            AppSpec::Sink(spec) => AnyApp::Sink(Sink::new(spec)),
            AppSpec::Named(spec) => AnyApp::Custom(spec.build()),
            AppSpec::SynFlood(spec) => AnyApp::SynFlood(Box::new(SynFlood::new(spec))),
        }
    }
}

impl App for AnyApp {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match self {
            AnyApp::Client(app) => app.on_event(event, socket),
            AnyApp::Pool(app) => app.on_event(event, socket),
            AnyApp::Multiplexed(app) => app.on_event(event, socket),
            AnyApp::Server(app) => app.on_event(event, socket),
            AnyApp::MultiplexedServer(app) => app.on_event(event, socket),
            AnyApp::Proxy(app) => app.on_event(event, socket),
            AnyApp::Bulk(app) => app.on_event(event, socket),
            AnyApp::Sink(app) => app.on_event(event, socket),
            AnyApp::SynFlood(app) => app.on_event(event, socket),
            AnyApp::Custom(app) => app.on_event(event, socket),
        }
    }

    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        match self {
            AnyApp::Client(app) => app.on_cut_off(by, socket),
            AnyApp::Pool(app) => app.on_cut_off(by, socket),
            AnyApp::Multiplexed(app) => app.on_cut_off(by, socket),
            AnyApp::Server(app) => app.on_cut_off(by, socket),
            AnyApp::MultiplexedServer(app) => app.on_cut_off(by, socket),
            AnyApp::Proxy(app) => app.on_cut_off(by, socket),
            AnyApp::Bulk(app) => app.on_cut_off(by, socket),
            AnyApp::Sink(app) => app.on_cut_off(by, socket),
            AnyApp::SynFlood(app) => app.on_cut_off(by, socket),
            AnyApp::Custom(app) => app.on_cut_off(by, socket),
        }
    }

    #[inline]
    fn prepare_for(&self, slot: u32) {
        match self {
            AnyApp::Client(app) => app.prepare_for(slot),
            AnyApp::Pool(app) => app.prepare_for(slot),
            AnyApp::Multiplexed(app) => app.prepare_for(slot),
            AnyApp::Server(app) => app.prepare_for(slot),
            AnyApp::MultiplexedServer(app) => app.prepare_for(slot),
            AnyApp::Proxy(app) => app.prepare_for(slot),
            AnyApp::Bulk(app) => app.prepare_for(slot),
            AnyApp::Sink(app) => app.prepare_for(slot),
            AnyApp::SynFlood(app) => app.prepare_for(slot),
            AnyApp::Custom(app) => app.prepare_for(slot),
        }
    }

    #[inline]
    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        match self {
            AnyApp::Client(app) => app.prepare_for_wake(token),
            AnyApp::Pool(app) => app.prepare_for_wake(token),
            AnyApp::Multiplexed(app) => app.prepare_for_wake(token),
            AnyApp::Server(app) => app.prepare_for_wake(token),
            AnyApp::MultiplexedServer(app) => app.prepare_for_wake(token),
            AnyApp::Proxy(app) => app.prepare_for_wake(token),
            AnyApp::Bulk(app) => app.prepare_for_wake(token),
            AnyApp::Sink(app) => app.prepare_for_wake(token),
            AnyApp::SynFlood(app) => app.prepare_for_wake(token),
            AnyApp::Custom(app) => app.prepare_for_wake(token),
        }
    }
}
