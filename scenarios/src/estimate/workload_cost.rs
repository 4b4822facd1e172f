//! The cost of one workload: connections, events and sockets.

use sim_core::impairments::LossSpec;
use sim_core::{LinkId, Network, NodeId};
use tcp_model::TcpParams;
use tcp_model::spec::{Arrivals, Exchange, PoolSpec};

use super::{about, bytes};
use crate::analytic::curves;
use crate::expected::{self, ConnectionLoad, HEADERS, mean, path};
use crate::scenario::Scenario;
use crate::scenario::size;
use crate::scenario::workload::{Workload, WorkloadKind};

/// The cost of one workload.
pub(super) struct WorkloadCost {
    pub(super) connections: f64,
    pub(super) events: f64,
    /// Peak number of open connections, and of sockets in TIME-WAIT.
    pub(super) open: f64,
    pub(super) waiting: f64,
    pub(super) words: String,
}

/// A path and the flows that share its links.
pub(super) struct SharedPath {
    pub(super) there: Vec<LinkId>,
    pub(super) back: Vec<LinkId>,
    pub(super) trip_s: f64,
    /// Bytes per second that all clients together can send, and receive.
    pub(super) capacity: (f64, f64),
    /// Share of packets lost at random in the direction of the server.
    pub(super) loss: f64,
}

impl WorkloadCost {
    pub(super) fn new(
        scenario: &Scenario,
        network: &Network,
        workload: &Workload,
        ports: Option<(f64, f64)>,
    ) -> WorkloadCost {
        let front = WorkloadCost::of_clients(scenario, network, workload, ports);
        let (Some(proxy), WorkloadKind::Exchange { exchange, pool, .. }) =
            (workload.proxy(), &workload.kind)
        else {
            return front;
        };
        let topology = &scenario.topology;
        let proxies = topology.hosts_named(&proxy.host);
        let way = SharedPath::new(network, &proxies, &topology.hosts_named(&workload.server));
        let time_s = workload.stop.saturating_sub(workload.start).as_secs_f64();
        let requests = match pool {
            Some(_) => {
                let clients = topology.hosts_named(&workload.client);
                size::connections_of(workload, clients.len(), None)
            }
            None => front.connections * f64::from(exchange.requests),
        };
        let group = topology.group_named(&proxy.host).unwrap_or(&proxy.host);
        let mss = scenario.tcp.of(group).mss();
        let load = (requests, proxies.len() as f64, time_s);
        let back = pooled(workload, &way, exchange, &proxy.pool, mss, load);
        WorkloadCost {
            connections: front.connections + back.connections,
            events: front.events + back.events,
            open: front.open + back.open,
            waiting: front.waiting + back.waiting,
            words: format!(
                "{}, for which proxies open about {} connections",
                front.words,
                about(back.connections)
            ),
        }
    }

    /// The cost of the connections that clients open: to the servers, or to the proxies between.
    fn of_clients(
        scenario: &Scenario,
        network: &Network,
        workload: &Workload,
        ports: Option<(f64, f64)>,
    ) -> WorkloadCost {
        let topology = &scenario.topology;
        let clients = topology.hosts_named(&workload.client);
        let next = workload
            .proxy()
            .map_or(&workload.server, |proxy| &proxy.host);
        let servers = topology.hosts_named(next);
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
                let one = ConnectionLoad::new(exchange, params(&workload.client).mss());
                let per_s = made / time_s.max(1e-9);
                let open_s = expected::open_s(exchange, way.trip_s);
                let fastest =
                    expected::bulk_rate(params(&workload.client), way.trip_s, f64::INFINITY);
                let transfer_s = one.bytes.0.max(one.bytes.1) / fastest / one.requests;
                let passes = (way.capacity.0 / (per_s * one.bytes.0).max(1e-9))
                    .min(way.capacity.1 / (per_s * one.bytes.1).max(1e-9))
                    .min(1.0);
                let done = passes.min(share_done(exchange, way.trip_s + transfer_s, time_s));
                let hops = way.hops(one.segments);
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
                // Each connection request waits in SYN-RECEIVED until its last SYN-ACK has timed out, if the
                // queue has room.
                let waits_s = server.initial_rto.as_secs_f64() * 63.0;
                let room = workload.ports.len() as f64
                    * servers.len() as f64
                    * f64::from(server.somaxconn);
                WorkloadCost {
                    connections: 0.0, // none are opened
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
                let (application, name) = (application.build(), application.name());
                let mss = params(&workload.client).mss().into();
                if let Some(load) = application.expected_once(mss) {
                    let hops = way.hops(load.segments);
                    return WorkloadCost {
                        connections,
                        events: connections * (hops + 2.0 * load.events),
                        open: connections,
                        waiting: 0.0,
                        words: format!(
                            "workload {:?}: {} connections of {name}, {} segments in all",
                            workload.name,
                            about(connections),
                            about(connections * (load.segments.0 + load.segments.1))
                        ),
                    };
                }
                if let Some(load) = application.expected(mss) {
                    let hops = way.hops(load.segments);
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
                            name,
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
                        name
                    ),
                }
            }
        }
    }
}

/// Share of its requests that a connection completes in `time_s`, if each takes `request_s` in the network.
/// Waits after the last request cost nothing.
pub(super) fn share_done(exchange: &Exchange, request_s: f64, time_s: f64) -> f64 {
    let requests = f64::from(exchange.requests.max(1));
    let served_s = request_s + mean::mean(exchange.service);
    let next_s = served_s + mean::mean(exchange.think);
    let done = match time_s < served_s {
        true => time_s / served_s,
        false => 1.0 + (time_s - served_s) / next_s.max(1e-12),
    };
    (done / requests).min(1.0)
}

/// The cost of requests over pooled connections. Leaves out connections that are closed because of their age.
pub(super) fn pooled(
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
        let one = ConnectionLoad::new(&exchange, mss);
        let hops = way.hops(one.segments);
        hops + 2.0 * one.others
    };
    let busy_s = way.trip_s + mean::mean(exchange.service);
    let (most, streams) = (f64::from(pool.max) * clients, f64::from(pool.streams));
    let served = requests.min(most * streams * time_s / busy_s.max(1e-9));
    // Twice the mean number of busy connections, plus one per client.
    let at_once = (2.0 * requests / time_s.max(1e-9) * busy_s / streams + clients)
        .min(most)
        .min(requests);
    let carried = pool.max_requests.map_or(f64::INFINITY, f64::from);
    // A connection that is idle for longer than either end allows is closed, and the next request opens
    // another.
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

pub(super) fn bulk(
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
    /// Packet hops of so many segments from the client and from the server.
    fn hops(&self, (from_client, from_server): (f64, f64)) -> f64 {
        from_client * self.there.len() as f64 + from_server * self.back.len() as f64
    }

    pub(super) fn new(network: &Network, clients: &[NodeId], servers: &[NodeId]) -> SharedPath {
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
                // Each host has its own access link; the other links are shared.
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
