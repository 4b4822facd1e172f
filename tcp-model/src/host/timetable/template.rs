//! A timetable: what happens in the life of a connection, and when.

use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::link::LinkStats;
use sim_core::{NodeId, SimDuration, SimTime};

use super::super::stats::HostStats;
use crate::app::spec::ClientSpec;
use crate::params::{TcpParams, TwReuse};
use crate::sample::{Side, TcpSample};
use crate::segment::ConnId;
use crate::timer_granularity::TimerGranularity;

/// Steps of a timetable: a connection keeps its first in a byte.
pub(super) const MOST_STEPS: usize = 256;

/// When the connection simulated beforehand is opened: after the server has begun to listen, on a tick of every timer
/// wheel.
pub(super) const START: SimTime = SimTime::from_ps(1_000_000_000_000);

/// How a connection fares at the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Course {
    /// How many of its SYNs are dropped. The next one is taken, if the client sends it.
    pub(super) dropped: u32,
    /// That one is answered with a cookie.
    pub(super) cookie: bool,
}

/// A timetable.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) course: Course,
    pub(super) steps: Vec<Step>,
    /// Records from before the connection: the server begins to listen.
    pub(super) at_start: Vec<(NodeId, TcpSample)>,
    /// All moments at which something is counted or recorded, the first before the connection.
    pub(super) moments: Vec<Moment>,
    /// When client and server enter TIME-WAIT, if they do.
    pub(super) time_wait: [Option<SimDuration>; 2],
}

/// Where the connections of a timetable are. Clients with equal paths to a server share a timetable.
#[derive(Clone, Debug)]
pub(super) struct Ends {
    /// Client and server.
    pub(super) nodes: [NodeId; 2],
    /// The identity of the first connection of the client.
    pub(super) conn: ConnId,
    /// The local addresses of the client.
    pub(super) addresses: Arc<[Ipv4Addr]>,
    /// The links from the client to the server, then those back.
    pub(super) links: Vec<u32>,
    /// How many of these lead to the server.
    pub(super) forward: usize,
}

/// What happens at one time in the life of a connection.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) when: When,
    pub(super) kind: StepKind,
    pub(super) notes: Vec<Note>,
    /// How long it came after the start in the simulation of one connection.
    pub(super) at: SimDuration,
    /// The last moment that is not after it.
    pub(super) moment: usize,
}

/// The state of the connection simulated beforehand, after an event.
#[derive(Debug)]
pub(super) struct Moment {
    /// Since its start.
    pub(super) at: SimDuration,
    /// Records if the run ends before the next moment.
    pub(super) if_cut_off: Vec<Note>,
    /// Counters of client and server.
    pub(super) hosts: [HostStats; 2],
    /// Counters of the links that carry it, as in [`Ends::links`].
    pub(super) links: Vec<LinkStats>,
}

/// The time of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// This long after the connection was opened.
    After(SimDuration),
    /// The end of a TIME-WAIT that began this long after the connection was opened, its length, and the timers
    /// of its host.
    TimeWaitSince(SimDuration, SimDuration, TimerGranularity),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    Usual,
    /// The server decides what becomes of the SYN.
    SynArrives,
    /// TIME-WAIT ends at one side.
    TimeWaitEnds(Side),
    /// `tw_reuse`: a new connection may use the port from now on.
    Ripens,
}

/// A record of the connection.
#[derive(Clone, Debug)]
pub(super) struct Note {
    /// 0 for the client, 1 for the server.
    pub(super) end: usize,
    pub(super) sample: TcpSample,
}

impl Moment {
    /// When the connection simulated beforehand was cut off to see this moment, since its start.
    pub(super) fn cut_off(&self) -> SimDuration {
        self.at + SimDuration::from_ps(1)
    }
}

impl Step {
    pub(super) fn new(when: When, kind: StepKind, notes: Vec<Note>, at: SimDuration) -> Step {
        Step {
            when,
            kind,
            notes,
            at,
            moment: 0,
        }
    }
}

/// Whether a client uses ports again that are in TIME-WAIT. Client and server are different hosts, so that
/// [`TwReuse::Loopback`] never applies. A port that is bound first must not be in TIME-WAIT.
pub(super) fn reuses(params: &TcpParams, client: &ClientSpec) -> bool {
    params.tw_reuse == TwReuse::On && !client.bind_first
}
