//! How a run is executed: event queue, threads, and the division of its network among them.
//!
//! None of this affects results: the same scenario and seed always give the same bytes. An [`Execution`] is
//! therefore not part of `run.toml` or of any hash.

use std::fmt;

use sim_core::assign::{Assigned, NoGain, assign, scatter};
use sim_core::event_queue::EventQueueKind;
use sim_core::{Network, RunConfig, SimDuration};
use tcp_model::TcpHost;
use tcp_model::spec::HostConfig;

use crate::assemble::Assembly;

pub mod load;

/// How to execute a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Which event queue; `None` for the scenario's.
    pub queue: Option<EventQueueKind>,
    /// Maximum number of threads for one simulation.
    pub threads: usize,
    /// Exact number of partitions, with neighbours in different ones, for tests; `None` for as many as help.
    pub partitions: Option<u32>,
}

impl Default for Execution {
    /// Uses one thread.
    fn default() -> Execution {
        Execution::with_threads(1)
    }
}

/// Number of expected events below which starting threads costs more than they save.
const FEW_EVENTS: f64 = 50_000.0;

impl Execution {
    /// Uses up to this many threads if they help.
    pub const fn with_threads(threads: usize) -> Execution {
        Execution {
            queue: None,
            threads,
            partitions: None,
        }
    }

    /// Returns the engine's configuration for a run, and how its network is divided.
    pub fn configure(&self, assembly: &Assembly) -> (RunConfig, Division) {
        let base = assembly.config.clone();
        if assembly.without_segments {
            return (base, Division::Whole(SingleThreadReason::WithoutSegments));
        }
        self.divide(base, &assembly.network, &assembly.hosts)
    }

    /// As [`Execution::configure`], for a network and the configurations of its hosts.
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
            return (config, Division::Requested(parts));
        }
        if self.threads < 2 {
            return (config, Division::Whole(SingleThreadReason::OneThread));
        }
        let weights = load::expected(network, hosts, config.end);
        let events = weights.iter().sum::<f64>() * config.end.as_secs_f64();
        if events < FEW_EVENTS {
            return (
                config,
                Division::Whole(SingleThreadReason::FewEvents(events)),
            );
        }
        match assign(network, &weights, self.threads as u32) {
            Ok(found) => {
                config.partition_of.clone_from(&found.partition_of);
                config.threads = self.threads.min(found.parts as usize);
                (config, Division::Parts(found))
            }
            Err(reason) => (config, Division::Whole(SingleThreadReason::NoGain(reason))),
        }
    }
}

/// Creates the hosts from their configurations, one partition after another, so that hosts of different
/// partitions, and thus different threads, share no cache lines.
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
        // A clone is allocated next to the other hosts of its partition; the original is not.
        hosts[node] = configs[node].clone().map(make);
    }
    hosts
}

/// How the network of a run was divided among threads.
#[derive(Clone, Debug, PartialEq)]
pub enum Division {
    /// Not at all.
    Whole(SingleThreadReason),
    /// Divided by expected load.
    Parts(Assigned),
    /// Into as many partitions as requested.
    Requested(u32),
}

/// Why a run uses one thread.
#[derive(Clone, Debug, PartialEq)]
pub enum SingleThreadReason {
    /// Only one was available.
    OneThread,
    /// It is too short to gain from a second thread; it has this many expected events.
    FewEvents(f64),
    /// Its connections have no segments, and nothing happens between nodes.
    WithoutSegments,
    /// Dividing its network brings no gain.
    NoGain(NoGain),
}

impl Division {
    /// Number of partitions.
    pub fn parts(&self) -> u32 {
        match self {
            Division::Whole(_) => 1,
            Division::Parts(found) => found.parts,
            Division::Requested(parts) => *parts,
        }
    }

    /// The shortest delay between partitions, if there are several and they were divided by load.
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
            Division::Requested(parts) => write!(f, "{parts} partitions, as requested"),
        }
    }
}

impl fmt::Display for SingleThreadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SingleThreadReason::OneThread => f.write_str("one thread to use"),
            SingleThreadReason::FewEvents(events) => {
                write!(f, "only about {events:.0} events are expected")
            }
            SingleThreadReason::WithoutSegments => {
                f.write_str("connections without segments run on one thread")
            }
            SingleThreadReason::NoGain(reason) => reason.fmt(f),
        }
    }
}
