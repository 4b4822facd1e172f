//! How a run is made: event queue, threads, and how its network is divided among them.
//!
//! Nothing in here changes results: the same scenario and seed give the same bytes, however they
//! are run. So an [`Execution`] is part of no `run.toml` and no hash.

use std::fmt;

use sim_core::assign::{Assigned, NoGain, assign, scatter};
use sim_core::event_queue::EventQueueKind;
use sim_core::{Network, RunConfig, SimDuration};
use tcp_model::TcpHost;
use tcp_model::spec::HostConfig;

use crate::assemble::Assembly;

pub mod load;

/// How to make a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Which event queue; the scenario's with `None`.
    pub queue: Option<EventQueueKind>,
    /// Threads of one simulation, at most.
    pub threads: usize,
    /// This many partitions whether they help or not, with neighbours kept apart: for tests. With
    /// `None` as many as help.
    pub partitions: Option<u32>,
}

impl Default for Execution {
    /// One thread.
    fn default() -> Execution {
        Execution::with_threads(1)
    }
}

/// Expected events below which starting threads takes longer than they save.
const FEW_EVENTS: f64 = 50_000.0;

impl Execution {
    /// At most this many threads, used where they help.
    pub const fn with_threads(threads: usize) -> Execution {
        Execution {
            queue: None,
            threads,
            partitions: None,
        }
    }

    /// The configuration of a run that is made like this, and how its network is divided.
    pub fn configure(&self, assembly: &Assembly) -> (RunConfig, Division) {
        let base = assembly.config.clone();
        self.divide(base, &assembly.network, &assembly.hosts)
    }

    /// As [`Execution::configure`], for a network and what its hosts are made of.
    pub(crate) fn divide(
        &self,
        base: RunConfig,
        network: &Network,
        hosts: &[Option<HostConfig>],
    ) -> (RunConfig, Division) {
        let mut config = base;
        config.queue = self.queue.unwrap_or(config.queue);
        let nodes = network.nodes().len();
        if let Some(parts) = self.partitions {
            config.partition_of = scatter(nodes, parts);
            config.threads = self.threads;
            return (config, Division::AsTold(parts));
        }
        if self.threads < 2 {
            return (config, Division::Whole(Whole::OneThread));
        }
        let weights = load::expected(network, hosts, config.end);
        let events = weights.iter().sum::<f64>() * config.end.as_secs_f64();
        if events < FEW_EVENTS {
            return (config, Division::Whole(Whole::FewEvents(events)));
        }
        match assign(network, &weights, self.threads as u32) {
            Ok(found) => {
                config.partition_of.clone_from(&found.partition_of);
                config.threads = self.threads.min(found.parts as usize);
                (config, Division::Parts(found))
            }
            Err(reason) => (config, Division::Whole(Whole::NoGain(reason))),
        }
    }
}

/// Makes hosts of what they are made of, those of one partition after another: what hosts of two
/// partitions allocate then shares no cache line that two threads would fight over.
pub(crate) fn make_hosts(
    configs: Vec<Option<HostConfig>>,
    partition_of: &[u32],
    make: &dyn Fn(HostConfig) -> TcpHost,
) -> Vec<Option<TcpHost>> {
    if partition_of.is_empty() {
        return configs.into_iter().map(|h| h.map(make)).collect();
    }
    let mut order: Vec<usize> = (0..configs.len()).collect();
    order.sort_by_key(|&node| partition_of[node]);
    let mut hosts: Vec<Option<TcpHost>> = configs.iter().map(|_| None).collect();
    for node in order {
        // A copy lies with the other allocations of its partition; the original does not.
        hosts[node] = configs[node].clone().map(make);
    }
    hosts
}

/// How the network of a run was divided among threads.
#[derive(Clone, Debug, PartialEq)]
pub enum Division {
    /// Not at all.
    Whole(Whole),
    /// As the load suggests.
    Parts(Assigned),
    /// Into as many partitions as were asked for.
    AsTold(u32),
}

/// Why a run is made by one thread.
#[derive(Clone, Debug, PartialEq)]
pub enum Whole {
    /// There was one to use.
    OneThread,
    /// It is over before a second thread has done anything; with the number of events expected.
    FewEvents(f64),
    /// Its network cannot be divided so that it helps.
    NoGain(NoGain),
}

impl Division {
    /// Number of partitions.
    pub fn parts(&self) -> u32 {
        match self {
            Division::Whole(_) => 1,
            Division::Parts(found) => found.parts,
            Division::AsTold(parts) => *parts,
        }
    }

    /// The shortest delay between partitions, where there are several and it was looked for.
    pub fn look_ahead(&self) -> Option<SimDuration> {
        match self {
            Division::Parts(found) => Some(found.look_ahead),
            _ => None,
        }
    }
}

impl fmt::Display for Division {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Division::Whole(reason) => write!(f, "one partition: {reason}"),
            Division::Parts(found) if found.look_ahead == SimDuration::MAX => write!(
                f,
                "{} partitions that never meet, estimated gain {:.2}",
                found.parts, found.speed_up
            ),
            Division::Parts(found) => write!(
                f,
                "{} partitions, look-ahead {}, estimated gain {:.2}",
                found.parts, found.look_ahead, found.speed_up
            ),
            Division::AsTold(parts) => write!(f, "{parts} partitions, as asked for"),
        }
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Whole::OneThread => f.write_str("one thread to use"),
            Whole::FewEvents(events) => {
                write!(f, "only about {events:.0} events are expected")
            }
            Whole::NoGain(reason) => reason.fmt(f),
        }
    }
}
