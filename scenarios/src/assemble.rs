//! From a run to what the engine needs: network, hosts with their applications, configuration.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use reports::{LinkInfo, NodeInfo, RecordOptions, RunInfo, SegmentsKept};
use sim_core::plugin::Plugin;
use sim_core::{Network, NodeId, NodeKind, RunConfig, SimDuration, SimTime};
use tcp_model::spec::{
    AppSpec, Arrivals, BulkSpec, ClientSpec, Exchange, HostConfig, Keep, ServerSpec, Servers,
    SinkSpec, SynFloodSpec, TraceSpec,
};

use tcp_model::TcpHost;
use tcp_model::app::http::HttpPayloads;
use tcp_model::app::named::{AnyApplication, NamedSpec, Placement, Role};
use tcp_model::middlebox::{AnyMiddlebox, MiddleboxSpec};

use crate::analytic;
use crate::file::values::{Payload, Samples};
use crate::outages;
use crate::parameters;
use crate::problem::Problem;
use crate::run_spec::RunSpec;
use crate::scenario::arrivals;
use crate::scenario::workload::{Kind, Workload};
use crate::scenario::{Scenario, unix_ns};

/// Everything a run is made of.
#[derive(Debug)]
pub struct Assembly {
    /// The network.
    pub network: Arc<Network>,
    /// What each node is made of; `None` for routers.
    pub hosts: Vec<Option<HostConfig>>,
    /// Nodes that are more than hosts: address translation, restarts.
    pub extras: Vec<(NodeId, NodeExtra)>,
    /// Seed, end and event queue.
    pub config: RunConfig,
    /// What the report must know.
    pub info: RunInfo,
}

impl Assembly {
    /// Puts a run together.
    ///
    /// # Errors
    /// When the engine refuses the network.
    pub fn new(spec: &RunSpec) -> Result<Assembly, Problem> {
        let scenario = &spec.scenario;
        let network = scenario.topology.network()?;
        let outages = scenario
            .faults
            .iter()
            .flat_map(|f| f.outages(&scenario.topology));
        let outages: Vec<_> = outages.map(|(_, outage)| outage).collect();
        let network = match outages.is_empty() {
            true => network,
            false => Arc::unwrap_or_clone(network)
                .with_outages(outages)
                .map(Arc::new)
                .map_err(|e| Problem::new("fault".into(), e.to_string()))?,
        };
        let hosts = hosts(scenario, &network);
        let end = SimTime::ZERO + scenario.duration;
        let config = RunConfig {
            queue: scenario.event_queue,
            ..RunConfig::new(spec.seed, end)
        };
        let info = info(spec, &network);
        Ok(Assembly {
            network,
            extras: extras(scenario, &hosts),
            hosts,
            config,
            info,
        })
    }
}

/// What a node is beyond a host with applications.
#[derive(Clone, Debug)]
pub enum NodeExtra {
    /// It stands on the way.
    Middlebox(MiddleboxSpec),
    /// It crashes, and starts these applications again after a quiet time.
    Restart(Vec<AppSpec>, SimDuration),
}

impl Assembly {
    /// The payload of captured packets, where it is to be HTTP.
    pub fn http(&self, spec: &RunSpec) -> Option<HttpPayloads> {
        let record = &spec.scenario.record;
        (record.pcap && record.pcap_payload == Payload::Http).then(|| {
            let mut http = HttpPayloads::new(spec.seed);
            for (host, node) in self.hosts.iter().zip(0..) {
                if let Some(host) = host {
                    let addresses: Vec<Ipv4Addr> = self.network.addresses(NodeId(node)).collect();
                    http.add_host(&addresses, &host.apps);
                }
            }
            http
        })
    }

    /// Makes hosts what they are beyond their configuration.
    pub fn equip(extras: Vec<(NodeId, NodeExtra)>, hosts: &mut [Option<TcpHost>]) {
        for (node, extra) in extras {
            let Some(place) = hosts.get_mut(node.0 as usize) else {
                continue;
            };
            *place = place.take().map(|host| match extra {
                NodeExtra::Middlebox(spec) => host.with_middlebox(AnyMiddlebox::new(spec)),
                NodeExtra::Restart(apps, quiet) => host.with_restart(apps, quiet),
            });
        }
    }
}

fn extras(scenario: &Scenario, hosts: &[Option<HostConfig>]) -> Vec<(NodeId, NodeExtra)> {
    let middleboxes = scenario.topology.middleboxes().into_iter();
    let middleboxes = middleboxes.map(|(node, spec)| (node, NodeExtra::Middlebox(spec)));
    let crashing = scenario.faults.iter().flat_map(|fault| {
        let nodes = fault.outages(&scenario.topology);
        nodes.map(|(node, _)| (node, fault.quiet))
    });
    let restarts = crashing.filter_map(|(node, quiet)| {
        let apps = hosts.get(node.0 as usize)?.as_ref()?.apps.clone();
        Some((node, NodeExtra::Restart(apps, quiet)))
    });
    middleboxes.chain(restarts).collect()
}

fn hosts(scenario: &Scenario, network: &Network) -> Vec<Option<HostConfig>> {
    let traced = traced_clients(scenario);
    let trace = |node: u32| TraceSpec {
        segments: match traced.contains(&NodeId(node)) {
            true => scenario.record.traced_connections,
            false => 0,
        },
        keep: match scenario.record.segments {
            SegmentsKept::None => Keep::None,
            SegmentsKept::Ladder => Keep::Ladder,
            SegmentsKept::All => Keep::All,
        },
        sender_interval: scenario.record.sender_interval,
    };
    let groups = scenario.topology.group_of_nodes();
    let mut hosts: Vec<Option<HostConfig>> = network
        .nodes()
        .iter()
        .zip(groups)
        .zip(0u32..)
        .map(|((node, group), i)| match node.kind {
            NodeKind::Host { .. } | NodeKind::Gateway { .. } => Some(HostConfig {
                params: Arc::clone(scenario.tcp.of(group)),
                apps: Vec::new(),
                trace: trace(i),
            }),
            NodeKind::Router => None,
        })
        .collect();
    for workload in &scenario.workloads {
        let place = Place::new(scenario, workload, network);
        place.servers(&mut hosts);
        let mut add = |node: NodeId, app: AppSpec| {
            if let Some(host) = hosts.get_mut(node.0 as usize).and_then(Option::as_mut) {
                // Most hosts have one application, and it is not small.
                host.apps.reserve_exact(1);
                host.apps.push(app);
            }
        };
        match &workload.kind {
            Kind::Exchange { .. } => place.clients(&mut add),
            Kind::Bulk {
                bytes,
                flows,
                stagger,
                ..
            } => place.bulk(*bytes, *flows, *stagger, &mut add),
            Kind::SynFlood {
                arrivals,
                limit,
                sources,
            } => place.flood(arrivals, *limit, *sources, &mut add),
            Kind::Named { application } => place.named(application, &mut add),
        }
    }
    // A backlog left to the host is its somaxconn.
    for host in hosts.iter_mut().flatten() {
        for app in &mut host.apps {
            if let AppSpec::Server(ServerSpec { backlog, .. })
            | AppSpec::Sink(SinkSpec { backlog, .. }) = app
                && *backlog == 0
            {
                *backlog = host.params.somaxconn;
            }
            if let AppSpec::Named(named) = app
                && named.place.backlog == 0
            {
                named.place.backlog = host.params.somaxconn;
            }
        }
    }
    hosts
}

/// The first clients, whose connections are traced.
fn traced_clients(scenario: &Scenario) -> BTreeSet<NodeId> {
    let clients = scenario.workloads.iter();
    let clients = clients.flat_map(|w| scenario.topology.hosts_named(&w.client));
    let clients: BTreeSet<NodeId> = clients.collect();
    let most = scenario.record.traced_clients as usize;
    clients.into_iter().take(most).collect()
}

/// A workload on its hosts.
struct Place<'a> {
    workload: &'a Workload,
    /// Clients with the addresses they use.
    clients: Vec<(NodeId, Vec<Ipv4Addr>)>,
    /// Servers with the addresses used.
    servers: Vec<(NodeId, Vec<Ipv4Addr>)>,
}

impl<'a> Place<'a> {
    fn new(scenario: &Scenario, workload: &'a Workload, network: &Network) -> Place<'a> {
        let find = |name: &str, most: Option<u32>| {
            let most = most.unwrap_or(u32::MAX) as usize;
            let nodes = scenario.topology.hosts_named(name).into_iter();
            nodes
                .map(|n| (n, network.addresses(n).take(most).collect()))
                .collect()
        };
        Place {
            workload,
            clients: find(&workload.client, workload.client_addresses),
            servers: find(&workload.server, workload.server_addresses),
        }
    }

    /// Adds what serves the workload, where no workload before has brought it.
    fn servers(&self, hosts: &mut [Option<HostConfig>]) {
        for (node, _) in &self.servers {
            let Some(host) = hosts.get_mut(node.0 as usize).and_then(Option::as_mut) else {
                continue;
            };
            for &port in &self.workload.ports {
                let there = host.apps.iter_mut().find(|app| listens(app, port));
                match there {
                    Some(AppSpec::Server(server)) => self.share(server),
                    Some(_) => {}
                    None => host.apps.extend(self.server(port)),
                }
            }
        }
    }

    fn server(&self, port: u16) -> Option<AppSpec> {
        let backlog = self.workload.backlog.unwrap_or(0);
        let serving = &self.workload.serving;
        let (accept_start, read_start) = (serving.accept_start.time(), serving.read_start.time());
        match &self.workload.kind {
            Kind::Exchange { .. } => {
                let exchange = self.servers_exchange()?;
                let mut server = ServerSpec {
                    port,
                    backlog,
                    accept_rate: serving.accept_rate,
                    accept_start,
                    read_start,
                    idle_timeout: serving.idle_timeout,
                    workers: serving.workers,
                    receive_buffer: serving.receive_buffer,
                    exchange,
                    others: Vec::new(),
                };
                self.share(&mut server);
                Some(AppSpec::Server(server))
            }
            Kind::Bulk { read_rate, .. } => Some(AppSpec::Sink(SinkSpec {
                port,
                backlog,
                read_rate: *read_rate,
                accept_start,
                read_start,
                receive_buffer: serving.receive_buffer,
            })),
            Kind::SynFlood { .. } | Kind::Named { .. } => None,
        }
    }

    /// Gives a server the exchange of the workload's class.
    fn share(&self, server: &mut ServerSpec) {
        let Some(exchange) = self.servers_exchange() else {
            return;
        };
        let class = usize::from(self.workload.class);
        if server.others.len() < class {
            let first = Arc::clone(&server.exchange);
            server.others.resize(class, first);
        }
        match class.checked_sub(1) {
            Some(place) => server.others[place] = exchange,
            None => server.exchange = exchange,
        }
    }

    /// The exchange as its server sees it: the connections of a pool carry any number of requests.
    fn servers_exchange(&self) -> Option<Arc<Exchange>> {
        match &self.workload.kind {
            Kind::Exchange {
                exchange,
                pool: Some(_),
                ..
            } => Some(Arc::new(Exchange {
                requests: u32::MAX,
                ..Exchange::clone(exchange)
            })),
            Kind::Exchange { exchange, .. } => Some(Arc::clone(exchange)),
            Kind::Bulk { .. } | Kind::SynFlood { .. } | Kind::Named { .. } => None,
        }
    }

    fn clients(&self, add: &mut impl FnMut(NodeId, AppSpec)) {
        let Kind::Exchange {
            arrivals,
            limit,
            exchange,
            retries,
            bind_first,
            pool,
        } = &self.workload.kind
        else {
            return;
        };
        let n = self.clients.len() as u32;
        let remotes = self.remotes();
        for ((node, locals), i) in self.clients.iter().zip(0u32..) {
            let Some(arrivals) = arrivals::share(arrivals, i, n) else {
                continue;
            };
            let limit = limit.map(|total| dealt(total, i, n));
            if limit == Some(0) {
                continue;
            }
            let client = ClientSpec {
                name: self.workload.name.clone(),
                locals: locals.clone(),
                // Or they would all connect to the same server at once.
                remotes: remotes.starting_at(i as usize),
                start: SimTime::ZERO + self.workload.start + phase(&arrivals, i, n),
                stop: SimTime::ZERO + self.workload.stop,
                limit,
                arrivals,
                exchange: Arc::clone(exchange),
                class: self.workload.class,
                retries: *retries,
                bind_first: *bind_first,
                pool: *pool,
            };
            add(*node, AppSpec::Client(client));
        }
    }

    /// Both sides of an application with a name of its own.
    fn named(&self, application: &Plugin<AnyApplication>, add: &mut impl FnMut(NodeId, AppSpec)) {
        let servers = self.remotes();
        let place = |role, addresses: &Vec<Ipv4Addr>, shift: usize| {
            AppSpec::Named(NamedSpec {
                application: application.clone(),
                place: Placement {
                    role,
                    workload: self.workload.name.clone(),
                    addresses: addresses.clone(),
                    servers: servers.starting_at(shift),
                    ports: self.workload.ports.clone(),
                    backlog: self.workload.backlog.unwrap_or(0),
                    start: SimTime::ZERO + self.workload.start,
                    stop: SimTime::ZERO + self.workload.stop,
                },
            })
        };
        for (node, addresses) in &self.servers {
            add(*node, place(Role::Server, addresses, 0));
        }
        for (i, (node, addresses)) in self.clients.iter().enumerate() {
            add(*node, place(Role::Client, addresses, i));
        }
    }

    fn flood(
        &self,
        arrivals: &Arrivals,
        limit: Option<u64>,
        sources: u32,
        add: &mut impl FnMut(NodeId, AppSpec),
    ) {
        let remotes = self.remotes();
        let n = self.clients.len() as u32;
        for ((node, _), i) in self.clients.iter().zip(0u32..) {
            let limit = limit.map(|total| dealt(total, i, n));
            let Some(arrivals) = arrivals::share(arrivals, i, n).filter(|_| limit != Some(0))
            else {
                continue;
            };
            let flood = SynFloodSpec {
                name: self.workload.name.clone(),
                remotes: remotes.clone(),
                sources,
                start: SimTime::ZERO + self.workload.start + phase(&arrivals, i, n),
                stop: SimTime::ZERO + self.workload.stop,
                limit,
                arrivals,
            };
            add(*node, AppSpec::SynFlood(flood));
        }
    }

    /// Every server address with every port: ports outermost, so that servers take turns.
    fn remotes(&self) -> Servers {
        let addresses: Vec<Ipv4Addr> = self
            .servers
            .iter()
            .flat_map(|(_, a)| a.iter().copied())
            .collect();
        let ports = self.workload.ports.iter();
        ports
            .flat_map(|&port| addresses.iter().map(move |&a| SocketAddrV4::new(a, port)))
            .collect()
    }

    fn bulk(
        &self,
        bytes: Option<u64>,
        flows: u32,
        stagger: SimDuration,
        add: &mut impl FnMut(NodeId, AppSpec),
    ) {
        let mut started = 0u64;
        for (i, (node, locals)) in self.clients.iter().enumerate() {
            for flow in 0..flows as usize {
                let (_, addresses) = &self.servers[i % self.servers.len()];
                let port = self.workload.ports[flow % self.workload.ports.len()];
                let start = self.workload.start + stagger.saturating_mul(started);
                started += 1;
                if start >= self.workload.stop {
                    continue;
                }
                let flow = BulkSpec {
                    name: self.workload.name.clone(),
                    local: locals[flow % locals.len()],
                    remote: SocketAddrV4::new(addresses[flow % addresses.len()], port),
                    start: SimTime::ZERO + start,
                    bytes,
                };
                add(*node, AppSpec::Bulk(flow));
            }
        }
    }
}

/// The share of the `i`-th of `n` in a whole number.
fn dealt(total: u64, i: u32, n: u32) -> u64 {
    let (i, n) = (u64::from(i), u64::from(n));
    total / n + u64::from(i < total % n)
}

/// An application listens on a port.
fn listens(app: &AppSpec, port: u16) -> bool {
    match app {
        AppSpec::Server(server) => server.port == port,
        AppSpec::Sink(sink) => sink.port == port,
        AppSpec::Client(_) | AppSpec::Bulk(_) | AppSpec::SynFlood(_) | AppSpec::Named(_) => false,
    }
}

/// Clients of a fixed rate open in turn, evenly spaced all together.
fn phase(arrivals: &Arrivals, i: u32, n: u32) -> SimDuration {
    match arrivals {
        Arrivals::Fixed(rate) => SimDuration::from_secs_f64(f64::from(i) / (rate * f64::from(n))),
        _ => SimDuration::ZERO,
    }
}

/// Ladder diagrams and lanes of the timeline in a report.
const DIAGRAMS: u32 = 6;

fn info(spec: &RunSpec, network: &Network) -> RunInfo {
    let scenario = &spec.scenario;
    let nodes = network
        .nodes()
        .iter()
        .zip(scenario.topology.group_of_nodes())
        .zip(0u32..);
    let analytic = analytic::hints(scenario, network);
    // Swept values first; they are not told twice.
    let mut parameters = spec.parameters.clone();
    let others = parameters::shown(scenario).into_iter();
    parameters.extend(others.filter(|(name, _)| spec.parameters.iter().all(|(p, _)| p != name)));
    RunInfo {
        name: scenario.name.clone(),
        question: scenario.question.clone(),
        command: "synfin run run.toml".to_owned(),
        parameters,
        seed: spec.seed,
        duration_s: scenario.duration.as_secs_f64(),
        nodes: nodes
            .map(|((node, group), i)| NodeInfo {
                name: node.name.clone(),
                group: group.to_owned(),
                addresses: network.addresses(NodeId(i)).collect(),
            })
            .collect(),
        links: network
            .links()
            .iter()
            .map(|l| LinkInfo {
                from: l.from.0,
                to: l.to.0,
                rate_bps: l.rate.map(|r| r.as_bps() as f64),
                delay_s: l.delay.as_secs_f64(),
            })
            .collect(),
        outages: outages::named(scenario),
        record: RecordOptions {
            interval_s: scenario.record.census_interval.as_secs_f64(),
            states: scenario.record.states,
            connections: scenario.record.connections,
            segments: scenario.record.segments,
            all_samples: scenario.record.samples == Samples::All,
            samples_every_s: match scenario.record.samples {
                Samples::Every(every) => Some(every.as_secs_f64()),
                Samples::Grid | Samples::All => None,
            },
            pcapng: scenario.record.pcap,
            capture_start_ns: scenario.record.pcap_start.and_then(unix_ns).unwrap_or(0),
            steady_s: analytic::steady(scenario, &analytic, network),
            diagrams: DIAGRAMS,
        },
        analytic,
    }
}
