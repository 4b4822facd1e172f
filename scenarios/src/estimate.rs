//! Estimates the cost of a run before it starts: events, time, memory, disk.
//!
//! Deliberately rough: enough to distinguish seconds from hours, and what fits in memory from what does
//! not. It counts the segments of [`crate::expected`] on their links, limits them to what the narrowest
//! link carries, and takes the sizes of objects from `scenarios/docs/performance.md`. Leaves out losses,
//! retransmissions and custom applications.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;
use sim_core::impairments::LossSpec;
use sim_core::{LinkId, Network, NodeId};
use tcp_model::TcpParams;
use tcp_model::spec::{Arrivals, Exchange, PoolSpec};

use crate::analytic::{self, curves};
use crate::expected::{self, HEADERS, PerConnection, mean, path};
use crate::problem::Problem;
use crate::run_spec::RunSpec;
use crate::scenario::Scenario;
use crate::scenario::size;
use crate::scenario::topology::Topology;
use crate::scenario::workload::{Workload, WorkloadKind};

/// Assumed time of an event with its records, on one thread.
pub const SECONDS_PER_EVENT: f64 = 300e-9;
/// Memory of a process that simulates almost nothing, and of each node with its links.
const BASE_BYTES: f64 = 30e6;
const NODE_BYTES: f64 = 2_500.0;
/// Memory of both end points of an open connection, and of an entry in TIME-WAIT with its port.
const OPEN_BYTES: f64 = 1_600.0;
const TIME_WAIT_BYTES: f64 = 70.0;
/// Disk space of a run with almost no connections, and of the rows of a connection.
const BASE_DISK_BYTES: f64 = 1e6;
const ROW_BYTES: f64 = 60.0;
/// Most networks cached while the runs of a sweep are estimated.
const MOST_NETWORKS: usize = 64;

/// The cost of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CostEstimate {
    /// Connections, including failed ones.
    pub connections: f64,
    /// Events of the simulation.
    pub events: f64,
    /// Peak memory, bytes.
    pub memory_bytes: f64,
    /// Results on disk, bytes.
    pub disk_bytes: f64,
    /// What contributes to it, the largest part first.
    pub because: Vec<String>,
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
        parts.sort_by(|a, b| b.events.total_cmp(&a.events));
        let sum = |f: fn(&WorkloadCost) -> f64| parts.iter().map(f).sum::<f64>();
        let rows = sum(|p| p.connections).min(2.0 * f64::from(scenario.record.connections));
        CostEstimate {
            connections: sum(|p| p.connections),
            events: sum(|p| p.events),
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

    /// Runs with the same topology share its network, and replicas share their estimate.
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
        self.events * SECONDS_PER_EVENT
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
            SECONDS_PER_EVENT * 1e9,
            bytes(self.memory_bytes),
            bytes(self.disk_bytes)
        )
    }
}

/// Two digits: "120 thousand", "3.4 million".
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

/// "0.3 s", "12 minutes".
pub(crate) fn time(s: f64) -> String {
    for (unit, name) in [(86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")] {
        if s >= 2.0 * unit {
            return format!("{} {name}", two_digits(s / unit));
        }
    }
    format!("{} s", two_digits(s))
}

/// "34 MB".
pub(crate) fn bytes(n: f64) -> String {
    for (unit, name) in [(1e12, "TB"), (1e9, "GB")] {
        if n >= unit {
            return format!("{} {name}", two_digits(n / unit));
        }
    }
    format!("{} MB", two_digits(n / 1e6))
}

/// The cost of one workload.
struct WorkloadCost {
    connections: f64,
    events: f64,
    /// Peak number of open connections, and of sockets in TIME-WAIT.
    open: f64,
    waiting: f64,
    words: String,
}

/// A path and the flows that share its links.
struct SharedPath {
    there: Vec<LinkId>,
    back: Vec<LinkId>,
    trip_s: f64,
    /// Bytes per second that all clients together can send and receive.
    capacity: (f64, f64),
    /// Share of packets lost at random on the way there.
    loss: f64,
}

impl WorkloadCost {
    fn new(
        scenario: &Scenario,
        network: &Network,
        workload: &Workload,
        ports: Option<(f64, f64)>,
    ) -> WorkloadCost {
        let topology = &scenario.topology;
        let clients = topology.hosts_named(&workload.client);
        let servers = topology.hosts_named(&workload.server);
        let params = |name: &str| scenario.tcp.of(topology.group_named(name).unwrap_or(name));
        let way = SharedPath::new(network, &clients, &servers);
        let time_s = workload.stop.saturating_sub(workload.start).as_secs_f64();
        match &workload.kind {
            WorkloadKind::Exchange {
                exchange,
                pool: Some(pool),
                ..
            } => {
                let requests = size::connections_of(workload, clients.len(), None);
                let mss = params(&workload.client).mss();
                pooled(
                    workload,
                    &way,
                    exchange,
                    pool,
                    mss,
                    (requests, clients.len() as f64, time_s),
                )
            }
            WorkloadKind::Exchange {
                arrivals, exchange, ..
            } => {
                let wanted = size::connections_of(workload, clients.len(), Some(way.trip_s));
                // A connect beyond the port supply fails at once.
                let most = ports.map_or(f64::INFINITY, |(limit, supply)| limit * time_s + supply);
                let made = wanted.min(most);
                let one = PerConnection::new(exchange, params(&workload.client).mss());
                let per_s = made / time_s.max(1e-9);
                let open_s = expected::open_s(exchange, way.trip_s);
                let fastest =
                    expected::bulk_rate(params(&workload.client), way.trip_s, f64::INFINITY);
                let transfer_s = one.bytes.0.max(one.bytes.1) / fastest / one.requests;
                let passes = (way.capacity.0 / (per_s * one.bytes.0).max(1e-9))
                    .min(way.capacity.1 / (per_s * one.bytes.1).max(1e-9))
                    .min(1.0);
                let done = passes.min(share_done(exchange, way.trip_s + transfer_s, time_s));
                let hops = one.segments.0 * way.there.len() as f64
                    + one.segments.1 * way.back.len() as f64;
                let at_once = match arrivals {
                    Arrivals::Closed { users, .. } => f64::from(*users),
                    Arrivals::Burst(count) => f64::from(*count),
                    // Connections beyond the capacity of a link accumulate.
                    _ => (per_s * open_s.min(time_s)).max(made * (1.0 - passes)),
                };
                let stay_s = params(&workload.client).time_wait.as_secs_f64();
                WorkloadCost {
                    connections: wanted,
                    events: made * done * (hops + 2.0 * one.others) + (wanted - made),
                    open: at_once.min(made),
                    waiting: (per_s * stay_s.min(time_s)).min(made),
                    words: format!(
                        "workload {:?}: {} connections{} make {} requests/s",
                        workload.name,
                        about(wanted),
                        match exchange.requests {
                            1 => String::new(),
                            n => format!(" of {n} requests each"),
                        },
                        about(per_s * one.requests * done)
                    ),
                }
            }
            WorkloadKind::SynFlood { .. } => {
                let syns = size::connections_of(workload, clients.len(), None);
                let per_s = syns / time_s.max(1e-9);
                let server = params(&workload.server);
                // Each waits in SYN-RECEIVED until the last SYN-ACK has timed out, if the queue has room.
                let waits_s = server.initial_rto.as_secs_f64() * 63.0;
                let room = workload.ports.len() as f64
                    * servers.len() as f64
                    * f64::from(server.somaxconn);
                WorkloadCost {
                    connections: 0.0, // nobody opens any
                    events: syns * (way.there.len() as f64 + 1.0),
                    open: (per_s * waits_s.min(time_s)).min(room),
                    waiting: 0.0,
                    words: format!(
                        "workload {:?}: {} SYNs, {}/s",
                        workload.name,
                        about(syns),
                        about(per_s)
                    ),
                }
            }
            WorkloadKind::Bulk { bytes, .. } => bulk(
                workload,
                &way,
                params(&workload.client),
                (size::connections_of(workload, clients.len(), None), time_s),
                *bytes,
            ),
            WorkloadKind::Named { application } => {
                let connections = size::connections_of(workload, clients.len(), None);
                let load = application
                    .build()
                    .expected(params(&workload.client).mss().into());
                if let Some(load) = load {
                    let hops = load.segments.0 * way.there.len() as f64
                        + load.segments.1 * way.back.len() as f64;
                    let per_s = clients.len() as f64 * (load.segments.0 + load.segments.1);
                    return WorkloadCost {
                        connections,
                        events: clients.len() as f64 * time_s * (hops + 2.0 * load.events),
                        open: connections,
                        waiting: 0.0,
                        words: format!(
                            "workload {:?}: {} connections of {}, {} segments/s",
                            workload.name,
                            about(connections),
                            application.name(),
                            about(per_s)
                        ),
                    };
                }
                WorkloadCost {
                    connections,
                    events: connections,
                    open: connections,
                    waiting: 0.0,
                    words: format!(
                        "workload {:?}: at least {} connections of {}, whose work is not known",
                        workload.name,
                        about(connections),
                        application.name()
                    ),
                }
            }
        }
    }
}

/// Share of its requests that a connection gets done in `time_s`, when each takes `request_s` in the
/// network. What it waits for after the last one costs nothing.
fn share_done(exchange: &Exchange, request_s: f64, time_s: f64) -> f64 {
    let requests = f64::from(exchange.requests.max(1));
    let served_s = request_s + mean::mean(exchange.service);
    let next_s = served_s + mean::mean(exchange.think);
    let done = match time_s < served_s {
        true => time_s / served_s,
        false => 1.0 + (time_s - served_s) / next_s.max(1e-12),
    };
    (done / requests).min(1.0)
}

/// Requests over connections that are kept. Leaves out those that are closed for being old.
fn pooled(
    workload: &Workload,
    way: &SharedPath,
    exchange: &Exchange,
    pool: &PoolSpec,
    mss: u16,
    (requests, clients, time_s): (f64, f64, f64),
) -> WorkloadCost {
    let of = |requests: u32| {
        let exchange = Exchange {
            requests,
            ..exchange.clone()
        };
        let one = PerConnection::new(&exchange, mss);
        let hops = one.segments.0 * way.there.len() as f64 + one.segments.1 * way.back.len() as f64;
        hops + 2.0 * one.others
    };
    let busy_s = way.trip_s + mean::mean(exchange.service);
    let most = f64::from(pool.max) * clients;
    let served = requests.min(most * time_s / busy_s.max(1e-9));
    // Twice the mean number of busy connections, plus one per client.
    let at_once = (2.0 * requests / time_s.max(1e-9) * busy_s + clients)
        .min(most)
        .min(requests);
    let carried = pool.max_requests.map_or(f64::INFINITY, f64::from);
    // One that nobody uses for as long as either end allows is closed, and the next request opens another.
    let idle = [pool.idle_timeout, workload.serving.idle_timeout];
    let idle_s = idle.iter().flatten().map(|t| t.as_secs_f64());
    let idle_s = idle_s.fold(f64::INFINITY, f64::min);
    let per_client = served / time_s.max(1e-9) / clients.max(1.0);
    let alone = served * libm::exp(-per_client * idle_s);
    let connections = at_once.max(served / carried).max(alone);
    WorkloadCost {
        connections,
        events: requests + served * (of(1) - of(0)) + connections * of(0),
        open: at_once,
        waiting: connections - at_once,
        words: format!(
            "workload {:?}: {} of {} requests over a pool of about {} connections, {}/s",
            workload.name,
            about(served),
            about(requests),
            about(connections),
            about(served / time_s.max(1e-9))
        ),
    }
}

fn bulk(
    workload: &Workload,
    way: &SharedPath,
    params: &TcpParams,
    (flows, time_s): (f64, f64),
    size: Option<u64>,
) -> WorkloadCost {
    let mss = f64::from(params.mss());
    let useful = way.capacity.0 * mss / (mss + HEADERS);
    let one = expected::bulk_rate(params, way.trip_s, f64::INFINITY);
    let one = one.min(curves::loss_limited(params, way.trip_s, way.loss));
    let rate = (flows * one).min(useful);
    let whole = size.map_or(f64::INFINITY, |size| size as f64 * flows);
    let carried = (rate * time_s).min(whole);
    let segments = carried / mss;
    let hops = way.there.len() as f64 + way.back.len() as f64 / 2.0;
    WorkloadCost {
        connections: flows,
        events: segments * hops + 10.0 * flows,
        open: flows,
        waiting: 0.0,
        words: format!(
            "workload {:?}: {} bulk flows carry {} in all",
            workload.name,
            about(flows),
            bytes(carried)
        ),
    }
}

impl SharedPath {
    fn new(network: &Network, clients: &[NodeId], servers: &[NodeId]) -> SharedPath {
        let (Some(&a), Some(&b)) = (clients.first(), servers.first()) else {
            return SharedPath {
                there: Vec::new(),
                back: Vec::new(),
                trip_s: 0.0,
                capacity: (f64::INFINITY, f64::INFINITY),
                loss: 0.0,
            };
        };
        let address = |n| network.addresses(n).next();
        let route = |from, to| address(to).map(|to| path::route(network, from, &to));
        let (there, back) = (
            route(a, b).unwrap_or_default(),
            route(b, a).unwrap_or_default(),
        );
        let capacity = |links: &[LinkId]| {
            let of_link = |l: &LinkId| {
                let link = &network.links()[l.0 as usize];
                // Each host has a link of its own; the others are shared.
                let alike = match (link.from, link.to) {
                    (x, y) if x == a || y == a => clients.len(),
                    (x, y) if x == b || y == b => servers.len(),
                    _ => 1,
                };
                path::narrowest(network, &[*l]) * alike as f64
            };
            links.iter().map(of_link).fold(f64::INFINITY, f64::min)
        };
        let passes = there.iter().map(|l| {
            let link = &network.links()[l.0 as usize];
            match link.impairments.loss {
                LossSpec::Random(p) => 1.0 - p,
                LossSpec::Model(_) => 1.0,
            }
        });
        SharedPath {
            loss: 1.0 - passes.product::<f64>(),
            trip_s: path::round_trip_s(network, a, b),
            capacity: (capacity(&there), capacity(&back)),
            there,
            back,
        }
    }
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
