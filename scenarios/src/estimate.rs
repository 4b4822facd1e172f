//! Estimates the cost of a run before it starts: events, time, memory, disk.
//!
//! The estimate is deliberately rough: it distinguishes seconds from hours, and runs that fit in memory from
//! those that do not. It counts the segments of [`crate::expected`] on their links, limits them to the
//! capacity of the narrowest link, and takes the sizes of objects from `scenarios/docs/performance.md`.
//! Leaves out losses, retransmissions and custom applications.

mod workload_cost;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;
use sim_core::Network;

use crate::analytic;
use crate::assemble::without_segments;
use crate::problem::Problem;
use crate::run_spec::RunSpec;
use crate::scenario::Scenario;
use crate::scenario::topology::Topology;
use workload_cost::WorkloadCost;

/// Assumed time for an event with its records on one thread, seconds.
pub const SECONDS_PER_EVENT: f64 = 300e-9;
/// The same without segments, for a step of a timetable; and the steps of a connection, about one for each change of
/// state or message of an exchange.
const SECONDS_PER_STEP: f64 = 100e-9;
const STEPS: f64 = 10.0;
/// Memory of a process that simulates almost nothing, and of each node with its links.
const BASE_BYTES: f64 = 30e6;
const NODE_BYTES: f64 = 2_500.0;
/// Memory of both end points of an open connection, and of an entry in TIME-WAIT with its port.
const OPEN_BYTES: f64 = 1_600.0;
const TIME_WAIT_BYTES: f64 = 70.0;
/// Disk space of a run with almost no connections, and of the rows of a connection.
const BASE_DISK_BYTES: f64 = 1e6;
const ROW_BYTES: f64 = 60.0;
/// Maximum number of cached networks while the runs of a sweep are estimated.
const MOST_NETWORKS: usize = 64;

/// The cost of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct CostEstimate {
    /// Connections, including failed ones.
    pub connections: f64,
    /// Events of the simulation.
    pub events: f64,
    /// Time for an event, seconds.
    pub seconds_per_event: f64,
    /// Peak memory, bytes.
    pub memory_bytes: f64,
    /// Results on disk, bytes.
    pub disk_bytes: f64,
    /// The contributions to the cost, the largest first.
    pub because: Vec<String>,
}

impl Default for CostEstimate {
    /// Nothing, and events that take the usual time.
    fn default() -> Self {
        CostEstimate {
            connections: 0.0,
            events: 0.0,
            seconds_per_event: SECONDS_PER_EVENT,
            memory_bytes: 0.0,
            disk_bytes: 0.0,
            because: Vec::new(),
        }
    }
}

impl CostEstimate {
    /// Estimates one run.
    pub fn new(scenario: &Scenario, network: &Network) -> CostEstimate {
        let limit = analytic::hints(scenario, network)
            .theory
            .map(|t| (reports::analytic::port_limit(&t).high, t.ports * t.pairs));
        let parts = scenario.workloads.iter();
        let parts = parts.map(|workload| WorkloadCost::new(scenario, network, workload, limit));
        let mut parts: Vec<WorkloadCost> = parts.collect();
        let seconds_per_event = match without_segments::is_wanted(scenario) {
            true => {
                let with_steps = |part: &mut WorkloadCost| part.events = STEPS * part.connections;
                parts.iter_mut().for_each(with_steps);
                SECONDS_PER_STEP
            }
            false => SECONDS_PER_EVENT,
        };
        parts.sort_by(|a, b| b.events.total_cmp(&a.events));
        let sum = |f: fn(&WorkloadCost) -> f64| parts.iter().map(f).sum::<f64>();
        let rows = sum(|p| p.connections).min(2.0 * f64::from(scenario.record.connections));
        CostEstimate {
            connections: sum(|p| p.connections),
            events: sum(|p| p.events),
            seconds_per_event,
            memory_bytes: BASE_BYTES
                + NODE_BYTES * network.nodes().len() as f64
                + sum(|p| p.open) * OPEN_BYTES
                + sum(|p| p.waiting) * TIME_WAIT_BYTES,
            disk_bytes: BASE_DISK_BYTES + rows * ROW_BYTES,
            because: parts.into_iter().map(|p| p.words).collect(),
        }
    }

    /// Estimates all runs of a plan, in order.
    ///
    /// # Errors
    /// When the engine rejects a network.
    pub fn of_all(runs: &[RunSpec]) -> Result<Vec<CostEstimate>, Problem> {
        let share = runs.len().div_ceil(4 * rayon::current_num_threads()).max(1);
        let of_chunks: Result<Vec<Vec<CostEstimate>>, Problem> =
            runs.par_chunks(share).map(CostEstimate::of_some).collect();
        Ok(of_chunks?.concat())
    }

    /// Estimates some runs. Runs with the same topology share its network, and replicas share their estimate.
    fn of_some(runs: &[RunSpec]) -> Result<Vec<CostEstimate>, Problem> {
        let mut known: HashMap<*const Topology, Arc<Network>> = HashMap::new();
        let mut last: Option<&RunSpec> = None;
        let mut all: Vec<CostEstimate> = Vec::with_capacity(runs.len());
        for run in runs {
            let is_replica = last.is_some_and(|l| Arc::ptr_eq(&l.scenario, &run.scenario));
            if let Some(same) = all.last().filter(|_| is_replica) {
                all.push(same.clone());
                continue;
            }
            if known.len() > MOST_NETWORKS {
                known.clear();
            }
            let topology = &*run.scenario.topology;
            let network = match known.entry(std::ptr::from_ref(topology)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(none) => none.insert(topology.network()?),
            };
            all.push(CostEstimate::new(&run.scenario, network));
            last = Some(run);
        }
        Ok(all)
    }

    /// Time to simulate on one thread, seconds.
    pub fn seconds(&self) -> f64 {
        self.events * self.seconds_per_event
    }
}

impl fmt::Display for CostEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} connections, {} events, {} on one thread at {} ns per event, {} of memory, {} on disk",
            about(self.connections),
            about(self.events),
            time(self.seconds()),
            self.seconds_per_event * 1e9,
            bytes(self.memory_bytes),
            bytes(self.disk_bytes)
        )
    }
}

/// A count with two significant digits: "120 thousand", "3.4 million".
fn about(count: f64) -> String {
    for (unit, name) in [(1e9, " billion"), (1e6, " million"), (1e3, " thousand")] {
        if count >= unit {
            return format!("{}{name}", two_digits(count / unit));
        }
    }
    format!("{count:.0}")
}

fn two_digits(x: f64) -> String {
    if x >= 9.95 {
        format!("{x:.0}")
    } else {
        format!("{x:.1}")
    }
}

/// A time: "0.3 s", "12 minutes".
pub(crate) fn time(s: f64) -> String {
    for (unit, name) in [(86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")] {
        if s >= 2.0 * unit {
            return format!("{} {name}", two_digits(s / unit));
        }
    }
    format!("{} s", two_digits(s))
}

/// A size: "34 MB".
pub(crate) fn bytes(n: f64) -> String {
    for (unit, name) in [(1e12, "TB"), (1e9, "GB")] {
        if n >= unit {
            return format!("{} {name}", two_digits(n / unit));
        }
    }
    format!("{} MB", two_digits(n / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_two_digits() {
        assert_eq!(about(115_200.0), "115 thousand");
        assert_eq!(about(3_440_000.0), "3.4 million");
        assert_eq!(about(12.0), "12");
        assert_eq!(time(0.31), "0.3 s");
        assert_eq!(time(600.0), "10 minutes");
        assert_eq!(bytes(6.3e9), "6.3 GB");
        assert_eq!(bytes(31e6), "31 MB");
    }
}
