//! Applications by name: what a workload of a scenario can run besides exchanges and bulk transfers.
//!
//! An application is a file with its [`ModelKind`](sim_core::plugin::ModelKind) and a line in [`super::built_in`]; a
//! user's own is described in the same way. Its parameters have names, kinds and defaults, like those of
//! link models, and are checked before it is made.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::SimTime;
use sim_core::plugin::Plugin;

use super::App;
use super::servers::Servers;

/// The two sides of an application, with its parameters.
pub trait Application: Send + Sync + fmt::Debug {
    /// The application of hosts that open connections.
    fn client(&self, place: &Placement) -> Box<dyn App>;
    /// The application of hosts that accept them.
    fn server(&self, place: &Placement) -> Box<dyn App>;

    /// The load of a client whose segments hold up to `mss` bytes; `None` if it is not known, the default. Used to
    /// divide a network among threads and to estimate the cost of a run; results do not depend on it.
    fn expected(&self, mss: u32) -> Option<OfferedLoad> {
        let _ = mss;
        None
    }

    /// The same for an application whose connections do their work once and end: the load of one connection in
    /// all, not per second.
    fn expected_once(&self, mss: u32) -> Option<OfferedLoad> {
        let _ = mss;
        None
    }
}

/// The traffic that the connections of one client cause together while the application runs, on average per second;
/// of [`Application::expected_once`], that of one connection in all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OfferedLoad {
    /// Segments to the servers, and back.
    pub segments: (f64, f64),
    /// Bytes of payload to the servers, and back.
    pub bytes: (f64, f64),
    /// Timers and calls of the application, at the client, and as many at the servers.
    pub events: f64,
}

/// Any application.
pub type AnyApplication = Box<dyn Application>;

/// Which side of an application a host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationSide {
    /// It opens connections.
    Client,
    /// It accepts them.
    Server,
}

/// Where an application runs, and what its workload says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// The side that the host runs.
    pub role: ApplicationSide,
    /// Name of the workload, for random streams.
    pub workload: String,
    /// The addresses that the host uses.
    pub addresses: Vec<Ipv4Addr>,
    /// The addresses of all clients of the workload, which share one list.
    pub clients: Arc<[Ipv4Addr]>,
    /// Every server address with every port; each client begins at a different one.
    pub servers: Servers,
    /// The server ports.
    pub ports: Vec<u16>,
    /// Backlog of the listen call.
    pub backlog: u32,
    /// No connection is opened before this time.
    pub start: SimTime,
    /// No connection is opened from this time on.
    pub stop: SimTime,
}

/// An application on a host, as data.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedSpec {
    /// The application and its parameters.
    pub application: Plugin<AnyApplication>,
    /// Where it runs.
    pub place: Placement,
}

impl NamedSpec {
    /// Builds the application for the side that the host runs.
    pub fn build(&self) -> Box<dyn App> {
        let application = self.application.build();
        match self.place.role {
            ApplicationSide::Client => application.client(&self.place),
            ApplicationSide::Server => application.server(&self.place),
        }
    }
}
