//! A run: partitions advance in conservative windows, exchange mail, and hand over their records.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::event::{LinkId, NodeId};
use crate::event_queue::{AnyEventQueue, EventQueueKind};
use crate::host::Host;
use crate::link::{LinkStats, QueueTrace};
use crate::look_ahead_rounds::{Bounds, Pace, RoundCounts};
use crate::merge::merge_before;
use crate::network::Network;
pub use crate::partition::ObjectBytes;
use crate::partition::{LookAhead, Partition};
use crate::partition_map::PartitionMap;
use crate::record::{Collect, Record, Recorder};
use crate::stall::StallGuard;

pub use crate::simulation_error::SimulationError;
use crate::time::{SimDuration, SimTime};

/// How to run; only `seed` and `end` affect results.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// Seed of all random streams.
    pub seed: u64,
    /// Events strictly before this are run.
    pub end: SimTime,
    /// The event queue to use.
    pub queue: EventQueueKind,
    /// The partition of each node, by node number; empty for one partition.
    pub partition_of: Vec<u32>,
    /// Threads that run partitions; more than the number of partitions have no effect.
    pub threads: usize,
    /// Number of pending events and packets in flight at which a partition starts to let its hosts
    /// prefetch what upcoming events need ([`Host::look_ahead`]).
    pub look_ahead_from: usize,
    /// Events within a microsecond of simulated time after which a run counts as stuck and ends
    /// with [`SimulationError::NoProgress`].
    pub most_events_per_us: u64,
    /// Links whose queue history is recorded ([`RunStats::queues`]), if the queue is limited or managed.
    pub watched: Vec<LinkId>,
}

impl RunConfig {
    /// One partition, one thread, default queue.
    pub fn new(seed: u64, end: SimTime) -> RunConfig {
        RunConfig {
            seed,
            end,
            queue: EventQueueKind::default(),
            partition_of: Vec::new(),
            threads: 1,
            look_ahead_from: LookAhead::WORTH_WHILE,
            most_events_per_us: 100_000_000,
            watched: Vec::new(),
        }
    }
}

/// Statistics of a run. They depend on the scenario alone unless stated otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunStats {
    /// Events handled.
    pub events: u64,
    /// Packets for which there was no route.
    pub unrouted_pkts: u64,
    /// Largest number of pending events at the end of a window, summed over partitions; depends on the
    /// partitions.
    pub max_pending: usize,
    /// Largest number of packets in flight at the end of a window, summed over partitions; depends on the
    /// partitions.
    pub max_packets: usize,
    /// Memory of the packet slabs in bytes; depends on the partitions.
    pub packet_bytes: usize,
    /// Memory of links in bytes: queues, transmitters and wires.
    pub link_bytes: usize,
    /// Counters of each link direction, by link number.
    pub links: Vec<LinkStats>,
    /// The recorded queue histories ([`RunConfig::watched`]), by link number.
    pub queues: Vec<QueueTrace>,
    /// Simulated time reached: the end, unless the run was stopped.
    pub reached: SimTime,
    /// True if nothing was left to do: no event pending and no packet in flight, so that a longer run would be
    /// the same.
    pub idle: bool,
    /// Windows in which several partitions ran; depends on the partitions.
    pub windows: u64,
    /// Number of times that a partition had events to handle in a window; depends on the
    /// partitions.
    pub visits: u64,
}

/// The progress of a run; passed to the observer from time to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulationProgress {
    /// Simulated time reached.
    pub now: SimTime,
    /// Events handled so far.
    pub events: u64,
}

/// The result of [`Simulation::run_to_end`].
#[derive(Debug)]
pub struct Finished<H: Host> {
    /// The records of the hosts, in canonical order.
    pub records: Vec<Record<H::Sample>>,
    /// The counters of the engine.
    pub stats: RunStats,
    /// The hosts after the run, by node number; `None` for routers.
    pub hosts: Vec<Option<H>>,
    /// Why the run ended early; the counts are then all zero.
    pub error: Option<SimulationError>,
}

/// Runs a protocol on a network from its start to its end, in one call: `make` makes the host of each
/// node that is not a router, and everything that hosts record is kept in memory.
pub fn simulate<H: Host>(
    network: impl Into<Arc<Network>>,
    config: &RunConfig,
    make: impl FnMut(NodeId) -> H,
) -> Finished<H> {
    let network = network.into();
    let hosts = network.place(make);
    Simulation::new(network, hosts, config).run_to_end()
}

/// A network with its hosts, ready to run.
#[derive(Debug)]
pub struct Simulation<H: Host> {
    network: Arc<Network>,
    partitions: Vec<Partition<H>>,
    end: SimTime,
    look_ahead: SimDuration,
    /// The simulation's own threads, if it may use more than the caller's.
    pool: Option<ThreadPool>,
    merged: Vec<Record<H::Sample>>,
    assignment: Arc<PartitionMap>,
    most_events_per_us: u64,
}

impl<H: Host> Simulation<H> {
    /// Places the hosts: `hosts[i]` is the protocol of node `i`, `None` for routers.
    ///
    /// # Panics
    /// When hosts and nodes do not match, or `partition_of` is neither empty nor one per node.
    pub fn new(
        network: impl Into<Arc<Network>>,
        hosts: Vec<Option<H>>,
        config: &RunConfig,
    ) -> Simulation<H> {
        let network = network.into();
        Simulation::with_queues(network, hosts, config, &mut || config.queue.build())
    }

    /// Runs to the end and keeps all records in memory.
    pub fn run_to_end(mut self) -> Finished<H> {
        let mut kept = Collect::default();
        let stats = self.run(&mut kept, &mut |_| ControlFlow::Continue(()));
        let (stats, error) = match stats {
            Ok(stats) => (stats, None),
            Err(error) => (RunStats::default(), Some(error)),
        };
        Finished {
            records: kept.0,
            stats,
            hosts: self.into_hosts(),
            error,
        }
    }

    /// Like [`Simulation::new`], with an event queue from `make_queue` for each partition; lets you
    /// use a queue of your own.
    ///
    /// # Panics
    /// As [`Simulation::new`].
    pub fn with_queues(
        network: Arc<Network>,
        hosts: Vec<Option<H>>,
        config: &RunConfig,
        make_queue: &mut dyn FnMut() -> AnyEventQueue,
    ) -> Simulation<H> {
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
        let (assignment, split) = PartitionMap::new(part_of, hosts);
        let partitions = split
            .into_iter()
            .enumerate()
            .map(|(me, hosts)| {
                let queue = make_queue();
                let network = &network;
                let mut partition = Partition::new(
                    me as u32,
                    network,
                    &assignment,
                    hosts,
                    queue,
                    config.seed,
                    look_ahead,
                );
                partition.ahead.from = config.look_ahead_from;
                partition.watch(&config.watched);
                partition
            })
            .collect::<Vec<_>>();
        let threads = config.threads.min(partitions.len());
        // If the threads cannot be created, the run is slower but its results are the same.
        let pool = (threads > 1)
            .then(|| ThreadPoolBuilder::new().num_threads(threads).build().ok())
            .flatten();
        Simulation {
            network,
            partitions,
            end: config.end,
            look_ahead,
            pool,
            merged: Vec::new(),
            assignment,
            most_events_per_us: config.most_events_per_us,
        }
    }

    /// Runs to the end, or until `observe` returns `Break`.
    ///
    /// # Errors
    /// When the recorder fails, or simulated time stands still.
    pub fn run(
        &mut self,
        recorder: &mut dyn Recorder<H::Sample>,
        observe: &mut dyn FnMut(SimulationProgress) -> ControlFlow<()>,
    ) -> Result<RunStats, SimulationError> {
        let mut reached = self.end;
        let bounds = Bounds {
            end: self.end,
            look_ahead: self.look_ahead,
        };
        let mut pace = Pace::default();
        let mut guard = StallGuard::new(self.most_events_per_us);
        while let Some(now) = pace.run_batch(&mut self.partitions, bounds, self.pool.as_ref()) {
            self.hand_over(recorder, Some(now))?;
            let events = self.events();
            guard.check(now, events)?;
            if observe(SimulationProgress { now, events }).is_break() {
                reached = now;
                break;
            }
        }
        if reached == self.end {
            for partition in &mut self.partitions {
                partition.end(reached);
            }
            self.hand_over(recorder, None)?;
        }
        recorder.finish(reached)?;
        Ok(self.stats(reached, pace.tally))
    }

    /// Bytes of the engine's objects with these hosts.
    pub fn object_bytes() -> ObjectBytes {
        ObjectBytes::of::<H>()
    }

    fn events(&self) -> u64 {
        self.partitions.iter().map(|p| p.core.events).sum()
    }

    /// Gives the records made so far to the recorder in canonical order; with several partitions,
    /// those before `next`, the time of the first event still to be handled.
    fn hand_over(
        &mut self,
        recorder: &mut dyn Recorder<H::Sample>,
        next: Option<SimTime>,
    ) -> io::Result<()> {
        if let [only] = self.partitions.as_mut_slice() {
            let core = &mut only.core;
            if !core.records.is_empty() {
                recorder.take(&mut core.records)?;
                for used in core.records.drain(..) {
                    H::reuse(used.sample, &mut core.scratch);
                }
            }
            return Ok(());
        }
        let buffers = self.partitions.iter_mut().map(|p| &mut p.core.records);
        merge_before(buffers, next, &mut self.merged);
        if !self.merged.is_empty() {
            recorder.take(&mut self.merged)?;
            for used in self.merged.drain(..) {
                // To the partition that will make more records of this node.
                let part = self.assignment.part_of(used.node) as usize;
                if let Some(partition) = self.partitions.get_mut(part) {
                    H::reuse(used.sample, &mut partition.core.scratch);
                }
            }
        }
        Ok(())
    }

    fn stats(&self, reached: SimTime, tally: RoundCounts) -> RunStats {
        let sum = |f: fn(&Partition<H>) -> usize| self.partitions.iter().map(f).sum();
        let mut links = vec![LinkStats::default(); self.network.links().len()];
        for partition in &self.partitions {
            for (LinkId(i), stats) in partition.link_stats() {
                links[i as usize] = stats;
            }
        }
        let traces = self.partitions.iter().flat_map(Partition::queue_traces);
        let mut queues: Vec<QueueTrace> = traces.cloned().collect();
        queues.sort_unstable_by_key(|q| q.link);
        RunStats {
            events: self.events(),
            unrouted_pkts: self.partitions.iter().map(Partition::unrouted).sum(),
            max_pending: sum(|p| p.core.max_pending),
            max_packets: sum(|p| p.core.max_packets),
            packet_bytes: sum(Partition::packet_bytes),
            link_bytes: sum(Partition::link_bytes),
            links,
            queues,
            reached,
            idle: self.partitions.iter().all(Partition::is_idle),
            windows: tally.windows,
            visits: tally.visits,
        }
    }

    /// The hosts after the run, by node number.
    pub fn into_hosts(self) -> Vec<Option<H>> {
        let split = self.partitions.into_iter().map(Partition::into_hosts);
        self.assignment.join(split.collect())
    }
}
