//! A run: partitions advance in conservative windows, exchange mail, and hand over their records.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::event::{LinkId, NodeId};
use crate::event_queue::EventQueueKind;
use crate::host::Host;
use crate::link::LinkStats;
use crate::network::Network;
use crate::partition::{Assignment, Partition};
use crate::record::{Record, Recorder};
use crate::time::{SimDuration, SimTime};

/// How to run; of these only `seed` and `end` change results.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// Seed of all random streams.
    pub seed: u64,
    /// Events strictly before this are run.
    pub end: SimTime,
    /// Which event queue.
    pub queue: EventQueueKind,
    /// The partition of each node, by node number; empty for one partition.
    pub partition_of: Vec<u32>,
}

impl RunConfig {
    /// One partition, default queue.
    pub fn new(seed: u64, end: SimTime) -> RunConfig {
        RunConfig {
            seed,
            end,
            queue: EventQueueKind::default(),
            partition_of: Vec::new(),
        }
    }
}

/// What a run did, in numbers that depend on the scenario alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunStats {
    /// Events handled.
    pub events: u64,
    /// Packets for which there was no route.
    pub unrouted_pkts: u64,
    /// Largest number of pending events; summed over partitions.
    pub max_pending: usize,
    /// Largest number of packets in flight; summed over partitions.
    pub max_packets: usize,
    /// Memory of the packet slabs in bytes.
    pub packet_bytes: usize,
    /// Counters of each link direction, by link number.
    pub links: Vec<LinkStats>,
    /// Simulated time reached: the end, unless the run was stopped.
    pub reached: SimTime,
}

/// How far a run is; passed to the observer now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Simulated time reached.
    pub now: SimTime,
    /// Events handled so far.
    pub events: u64,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The recorder failed.
    #[error("cannot write results: {0}")]
    Record(#[from] io::Error),
}

/// A network with its hosts, ready to run.
#[derive(Debug)]
pub struct Simulation<H: Host> {
    network: Arc<Network>,
    partitions: Vec<Partition<H>>,
    end: SimTime,
    look_ahead: SimDuration,
}

/// Events between two looks at records and observer when there is one partition.
const BATCH: u64 = 1 << 14;

impl<H: Host> Simulation<H> {
    /// Places the hosts: `hosts[i]` is the protocol of node `i`, `None` for routers.
    ///
    /// # Panics
    /// When hosts and nodes do not match, or `partition_of` is neither empty nor one per node.
    pub fn new(network: Arc<Network>, hosts: Vec<Option<H>>, config: &RunConfig) -> Simulation<H> {
        let n = network.nodes().len();
        assert_eq!(hosts.len(), n, "one entry per node");
        let part_of = if config.partition_of.is_empty() {
            vec![0; n]
        } else {
            assert_eq!(config.partition_of.len(), n, "one partition per node");
            config.partition_of.clone()
        };
        let crosses =
            |l: &&crate::network::LinkSpec| part_of[l.from.0 as usize] != part_of[l.to.0 as usize];
        let look_ahead = network
            .links()
            .iter()
            .filter(crosses)
            .map(crate::network::LinkSpec::min_delay)
            .min()
            .unwrap_or(SimDuration::MAX);
        let (assignment, split) = Assignment::new(part_of, hosts);
        let partitions = split
            .into_iter()
            .enumerate()
            .map(|(me, hosts)| {
                let queue = config.queue.build();
                Partition::new(me as u32, &network, &assignment, hosts, queue, config.seed)
            })
            .collect();
        Simulation {
            network,
            partitions,
            end: config.end,
            look_ahead,
        }
    }

    /// Runs to the end, or until `observe` breaks off.
    ///
    /// # Errors
    /// When the recorder fails.
    pub fn run(
        &mut self,
        recorder: &mut dyn Recorder<H::Sample>,
        observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<RunStats, RunError> {
        let mut reached = self.end;
        let mut last_look = 0;
        while let Some(first) = self.next_time() {
            if first >= self.end {
                break;
            }
            let horizon = (first + self.look_ahead).min(self.end);
            let limit = if self.partitions.len() == 1 {
                BATCH
            } else {
                u64::MAX
            };
            for partition in &mut self.partitions {
                partition.run_before(horizon, limit);
            }
            self.deliver_mail();
            self.hand_over(recorder)?;
            let events = self.events();
            if events >= last_look + BATCH {
                last_look = events;
                if observe(Progress { now: first, events }).is_break() {
                    reached = first;
                    break;
                }
            }
        }
        recorder.finish(reached)?;
        Ok(self.stats(reached))
    }

    fn next_time(&mut self) -> Option<SimTime> {
        self.partitions
            .iter_mut()
            .filter_map(Partition::next_time)
            .min()
    }

    fn events(&self) -> u64 {
        self.partitions.iter().map(|p| p.core.events).sum()
    }

    fn deliver_mail(&mut self) {
        for from in 0..self.partitions.len() {
            for to in 0..self.partitions.len() {
                let mut mail = std::mem::take(&mut self.partitions[from].core.outbox[to]);
                for item in mail.drain(..) {
                    self.partitions[to].receive(item);
                }
                self.partitions[from].core.outbox[to] = mail;
            }
        }
    }

    /// Gives the records of the window to the recorder in canonical order.
    fn hand_over(&mut self, recorder: &mut dyn Recorder<H::Sample>) -> io::Result<()> {
        if let [only] = self.partitions.as_mut_slice() {
            if !only.core.records.is_empty() {
                recorder.write(&only.core.records)?;
                only.core.records.clear();
            }
            return Ok(());
        }
        let mut merged: Vec<Record<H::Sample>> = Vec::new();
        for partition in &mut self.partitions {
            merged.append(&mut partition.core.records);
        }
        if merged.is_empty() {
            return Ok(());
        }
        // Stable: records of one event stay in the order in which it made them.
        merged.sort_by_key(|r| (r.time, r.tie));
        recorder.write(&merged)
    }

    fn stats(&self, reached: SimTime) -> RunStats {
        let sum = |f: fn(&Partition<H>) -> usize| self.partitions.iter().map(f).sum();
        let mut links = vec![LinkStats::default(); self.network.links().len()];
        for partition in &self.partitions {
            for (LinkId(i), stats) in partition.link_stats() {
                links[i as usize] = stats;
            }
        }
        RunStats {
            events: self.events(),
            unrouted_pkts: self.partitions.iter().map(Partition::unrouted).sum(),
            max_pending: sum(|p| p.core.max_pending),
            max_packets: sum(|p| p.core.max_packets),
            packet_bytes: sum(Partition::packet_bytes),
            links,
            reached,
        }
    }

    /// The hosts after the run, by node number.
    pub fn into_hosts(self) -> Vec<Option<H>> {
        let mut all: Vec<Option<H>> = (0..self.network.nodes().len()).map(|_| None).collect();
        for partition in self.partitions {
            for (NodeId(i), host) in partition.into_hosts() {
                all[i as usize] = Some(host);
            }
        }
        all
    }
}
