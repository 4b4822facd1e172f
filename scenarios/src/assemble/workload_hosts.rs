//! Places a workload on its hosts: the applications of clients and servers.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::plugin::Plugin;
use sim_core::{Network, NodeId, SimDuration, SimTime};
use tcp_model::app::ResponseOrder;
use tcp_model::app::named::{AnyApplication, ApplicationSide, NamedSpec, Placement};
use tcp_model::spec::{
    AppSpec, Arrivals, BulkSpec, ClientSpec, CloseHow, Closer, Exchange, HostConfig, ProxySpec,
    ServerSpec, Servers, SinkSpec, SynFloodSpec, UpstreamSpec,
};

use crate::scenario::Scenario;
use crate::scenario::arrivals;
use crate::scenario::workload::{Workload, WorkloadKind, WorkloadProxy};

/// A workload on its hosts.
pub(super) struct PlacedWorkload<'a> {
    workload: &'a Workload,
    /// Clients with the addresses they use.
    clients: Vec<(NodeId, Vec<Ipv4Addr>)>,
    /// Servers with the addresses that are used.
    servers: Vec<(NodeId, Vec<Ipv4Addr>)>,
    /// The proxies with their addresses, and how they work.
    proxies: Vec<(NodeId, Vec<Ipv4Addr>)>,
    proxy: Option<&'a WorkloadProxy>,
    /// The order of responses on connections with several requests at a time.
    order: Option<Arc<ResponseOrder>>,
    /// Addresses that clients connect to in place of the servers'; if empty, they connect to the servers'.
    front: Vec<Ipv4Addr>,
}

impl<'a> PlacedWorkload<'a> {
    pub(super) fn new(
        scenario: &Scenario,
        workload: &'a Workload,
        network: &Network,
    ) -> PlacedWorkload<'a> {
        let find = |name: &str, most: Option<u32>| {
            let most = most.unwrap_or(u32::MAX) as usize;
            let nodes = scenario.topology.hosts_named(name).into_iter();
            nodes
                .map(|n| (n, network.addresses(n).take(most).collect()))
                .collect()
        };
        let proxy = workload.proxy();
        let via = workload.via.iter().chain(proxy.map(|proxy| &proxy.host));
        let front = via.flat_map(|name| scenario.topology.nodes_named(name));
        PlacedWorkload {
            workload,
            clients: find(&workload.client, workload.client_addresses),
            servers: find(&workload.server, workload.server_addresses),
            order: match &workload.kind {
                WorkloadKind::Exchange {
                    pool: Some(pool), ..
                } if pool.streams > 1 => Some(Arc::default()),
                _ => None,
            },
            proxies: proxy.map_or_else(Vec::new, |proxy| find(&proxy.host, None)),
            proxy,
            front: front.flat_map(|node| network.addresses(node)).collect(),
        }
    }

    /// Adds the servers of the workload, unless an earlier workload already has.
    pub(super) fn servers(&self, hosts: &mut [Option<HostConfig>]) {
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
            WorkloadKind::Exchange { .. } => {
                let exchange = self.servers_exchange()?;
                let mut server = ServerSpec {
                    port,
                    backlog,
                    accept_rate: serving.accept_rate,
                    accept_start,
                    read_start,
                    idle_timeout: serving.idle_timeout,
                    workers: serving.workers,
                    listeners: serving.listeners.unwrap_or(1),
                    receive_buffer: serving.receive_buffer,
                    multiplexed: self.order.clone(),
                    exchange,
                    others: Vec::new(),
                };
                self.share(&mut server);
                Some(AppSpec::Server(server))
            }
            WorkloadKind::Bulk {
                read_rate,
                read_delay,
                ..
            } => Some(AppSpec::Sink(SinkSpec {
                port,
                backlog,
                read_rate: *read_rate,
                read_delay: *read_delay,
                accept_start,
                read_start,
                receive_buffer: serving.receive_buffer,
            })),
            WorkloadKind::SynFlood { .. } | WorkloadKind::Named { .. } => None,
        }
    }

    /// Adds the workload's exchange to a server under its class.
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

    /// The exchange from the server's side: connections of a pool or a proxy carry any number of requests.
    fn servers_exchange(&self) -> Option<Arc<Exchange>> {
        match &self.workload.kind {
            WorkloadKind::Exchange {
                exchange,
                proxy: Some(_),
                ..
            } => Some(Arc::new(Exchange {
                requests: u32::MAX,
                closer: Closer::Client,
                how: CloseHow::Fin,
                close_after: SimDuration::ZERO,
                linger: SimDuration::ZERO,
                ..Exchange::clone(exchange)
            })),
            _ => self.front_exchange(),
        }
    }

    /// The exchange from the side of those that clients connect to.
    fn front_exchange(&self) -> Option<Arc<Exchange>> {
        match &self.workload.kind {
            WorkloadKind::Exchange {
                exchange,
                pool: Some(_),
                ..
            } => Some(Arc::new(Exchange {
                requests: u32::MAX,
                ..Exchange::clone(exchange)
            })),
            WorkloadKind::Exchange { exchange, .. } => Some(Arc::clone(exchange)),
            WorkloadKind::Bulk { .. }
            | WorkloadKind::SynFlood { .. }
            | WorkloadKind::Named { .. } => None,
        }
    }

    pub(super) fn clients(&self, add: &mut impl FnMut(NodeId, AppSpec)) {
        let WorkloadKind::Exchange {
            arrivals,
            limit,
            exchange,
            retries,
            exchange_times,
            breaker,
            bind_first,
            pool,
            ..
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
                // Otherwise all clients would start with the same server.
                remotes: remotes.starting_at(i as usize),
                start: SimTime::ZERO + self.workload.start + phase(&arrivals, i, n),
                stop: SimTime::ZERO + self.workload.stop,
                limit,
                arrivals,
                exchange: Arc::clone(exchange),
                class: self.workload.class,
                retries: *retries,
                exchange_times: *exchange_times,
                breaker: *breaker,
                bind_first: *bind_first,
                pool: *pool,
                order: self.order.clone(),
            };
            add(*node, AppSpec::Client(client));
        }
    }

    /// Adds the client and server sides of a named application.
    pub(super) fn named(
        &self,
        application: &Plugin<AnyApplication>,
        add: &mut impl FnMut(NodeId, AppSpec),
    ) {
        let servers = self.remotes();
        let clients = self.clients.iter().flat_map(|(_, addresses)| addresses);
        let clients: Arc<[Ipv4Addr]> = clients.copied().collect();
        let place = |role, addresses: &Vec<Ipv4Addr>, shift: usize| {
            AppSpec::Named(NamedSpec {
                application: application.clone(),
                place: Placement {
                    role,
                    workload: self.workload.name.clone(),
                    addresses: addresses.clone(),
                    clients: Arc::clone(&clients),
                    servers: servers.starting_at(shift),
                    ports: self.workload.ports.clone(),
                    backlog: self.workload.backlog.unwrap_or(0),
                    start: SimTime::ZERO + self.workload.start,
                    stop: SimTime::ZERO + self.workload.stop,
                },
            })
        };
        for (node, addresses) in &self.servers {
            add(*node, place(ApplicationSide::Server, addresses, 0));
        }
        for (i, (node, addresses)) in self.clients.iter().enumerate() {
            add(*node, place(ApplicationSide::Client, addresses, i));
        }
    }

    pub(super) fn flood(
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

    /// Adds the proxies between clients and servers; each listens on every port of the workload.
    pub(super) fn proxies(&self, add: &mut impl FnMut(NodeId, AppSpec)) {
        let (Some(proxy), Some(front)) = (self.proxy, self.front_exchange()) else {
            return;
        };
        let Some(back) = self.servers_exchange() else {
            return;
        };
        let own: Vec<Ipv4Addr> = self.own_addresses().collect();
        for &port in &self.workload.ports {
            let servers: Servers = own.iter().map(|&a| SocketAddrV4::new(a, port)).collect();
            for (i, (node, locals)) in self.proxies.iter().enumerate() {
                let spec = ProxySpec {
                    front: ServerSpec {
                        port,
                        backlog: self.workload.backlog.unwrap_or(0),
                        idle_timeout: proxy.idle_timeout,
                        exchange: Arc::clone(&front),
                        ..ServerSpec::default()
                    },
                    back: UpstreamSpec {
                        locals: locals.clone(),
                        servers: servers.starting_at(i),
                        class: self.workload.class,
                        exchange: Arc::clone(&back),
                        pool: proxy.pool,
                        connect_timeout: proxy.connect_timeout,
                        try_timeout: proxy.try_timeout,
                        tries: proxy.tries,
                        queue: proxy.queue,
                        breaker: proxy.breaker,
                        health: proxy.health,
                    },
                };
                add(*node, AppSpec::Proxy(Box::new(spec)));
            }
        }
    }

    /// The addresses of the servers.
    fn own_addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.servers.iter().flat_map(|(_, a)| a.iter().copied())
    }

    /// Every address that clients connect to with every port; the port varies slowest, so that servers take turns.
    fn remotes(&self) -> Servers {
        let addresses: Vec<Ipv4Addr> = match self.front.is_empty() {
            true => self.own_addresses().collect(),
            false => self.front.clone(),
        };
        let ports = self.workload.ports.iter();
        ports
            .flat_map(|&port| addresses.iter().map(move |&a| SocketAddrV4::new(a, port)))
            .collect()
    }

    pub(super) fn bulk(
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

/// The share of part `i` when `total` is divided into `n` whole numbers.
fn dealt(total: u64, i: u32, n: u32) -> u64 {
    let (i, n) = (u64::from(i), u64::from(n));
    total / n + u64::from(i < total % n)
}

/// True if an application listens on a port.
fn listens(app: &AppSpec, port: u16) -> bool {
    match app {
        AppSpec::Server(server) => server.port == port,
        AppSpec::Sink(sink) => sink.port == port,
        AppSpec::Proxy(proxy) => proxy.front.port == port,
        AppSpec::Client(_) | AppSpec::Bulk(_) | AppSpec::SynFlood(_) | AppSpec::Named(_) => false,
    }
}

/// The offset of a client's arrivals: clients with a fixed rate take turns at equal intervals.
fn phase(arrivals: &Arrivals, i: u32, n: u32) -> SimDuration {
    match arrivals {
        Arrivals::Fixed(rate) => SimDuration::from_secs_f64(f64::from(i) / (rate * f64::from(n))),
        _ => SimDuration::ZERO,
    }
}
