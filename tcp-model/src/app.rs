//! Applications: what opens connections, writes, reads and closes.

mod arrivals;
mod built_in;
mod bulk;
mod client;
mod deadline;
mod draws;
mod heartbeat;
pub mod http;
pub mod named;
mod opening;
mod per_socket;
mod pool;
mod retrying;
mod server;
mod servers;
mod sink;
pub mod spec;
mod syn_flood;
mod workers;

use std::fmt;

use crate::host::{SocketCx, SocketId};
use crate::icmp::IcmpKind;
use crate::model::End;
use crate::sample::Ending;
pub use built_in::built_in;
use bulk::Bulk;
use client::Client;
use pool::PoolClient;
use server::Server;
use sink::Sink;
use spec::AppSpec;
use syn_flood::SynFlood;

/// An application of a host. It acts on events through the calls of [`SocketCx`], never waits, and
/// keeps its own state per connection.
pub trait App: Send + fmt::Debug {
    /// Something happened.
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>);

    /// The run is over or the host goes down: the time to record what has not come to an end.
    /// Nothing else that is done here has an effect. Nothing by default.
    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        let _ = (by, socket);
    }

    /// Something will probably happen to the connection in `slot` soon: the application may fetch
    /// its state from memory (see [`sim_core::prefetch`]). A hint; nothing by default.
    fn prepare_for(&self, slot: u32) {
        let _ = slot;
    }

    /// The same for a wake with `token`. Names the slot of the connection it is for, if any.
    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        let _ = token;
        None
    }
}

/// News for an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEvent {
    /// Time zero.
    Start,
    /// The time asked for with [`SocketCx::wake`] has come; its token.
    Wake(u64),
    /// A connection that was asked for is established.
    Connected(SocketId),
    /// A connection waits at this listening port; see [`SocketCx::accept`].
    Acceptable(u16),
    /// Bytes that can be read, in all.
    Readable(SocketId, u64),
    /// Bytes that can be written, after a write that was not taken whole.
    Writable(SocketId, u64),
    /// The peer will send no more; what it sent may still be unread.
    PeerClosed(SocketId),
    /// Urgent data up to this many bytes ahead.
    Urgent(SocketId, u32),
    /// The network reports trouble; the connection lives on.
    SoftError(SocketId, IcmpKind),
    /// Data have been sent again several times without an answer; the connection lives on.
    DeliveryTrouble(SocketId),
    /// The connection is over, or was never established; the socket is of no use any more.
    Ended(SocketId, End),
}

/// Any application; calls go through a `match`.
#[derive(Debug)]
pub enum AnyApp {
    /// Opens connections and makes requests.
    Client(Box<Client>),
    /// Makes requests over a pool of connections.
    Pool(Box<PoolClient>),
    /// Answers requests.
    Server(Server),
    /// Sends as much as it can.
    Bulk(Bulk),
    /// Reads everything that arrives.
    Sink(Sink),
    /// Sends SYNs whose SYN-ACKs are never answered.
    SynFlood(Box<SynFlood>),
    /// One with a name of its own ([`named`]), or a user's own.
    Custom(Box<dyn App>),
}

impl AnyApp {
    /// The application a scenario describes.
    pub fn new(spec: AppSpec) -> AnyApp {
        match spec {
            AppSpec::Client(spec) => match spec.pool {
                Some(pool) => AnyApp::Pool(Box::new(PoolClient::new(spec, pool))),
                None => AnyApp::Client(Box::new(Client::new(spec))),
            },
            AppSpec::Server(spec) => AnyApp::Server(Server::new(spec)),
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
            AnyApp::Server(app) => app.on_event(event, socket),
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
            AnyApp::Server(app) => app.on_cut_off(by, socket),
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
            AnyApp::Server(app) => app.prepare_for(slot),
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
            AnyApp::Server(app) => app.prepare_for_wake(token),
            AnyApp::Bulk(app) => app.prepare_for_wake(token),
            AnyApp::Sink(app) => app.prepare_for_wake(token),
            AnyApp::SynFlood(app) => app.prepare_for_wake(token),
            AnyApp::Custom(app) => app.prepare_for_wake(token),
        }
    }
}
