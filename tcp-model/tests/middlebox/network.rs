//! Clients behind a source NAT, and a server.

use std::any::Any;
use std::net::SocketAddrV4;
use std::sync::Arc;

use sim_core::queue_disc::{CoDel, CoDelParams};
use sim_core::{
    Finished, LinkSpec, Network, NetworkBuilder, NodeId, NodeKind, Outage, Rate, RunConfig,
    SimDuration, SimTime, Simulation,
};
use tcp_model::middlebox::{Nat, NatSpec, NatStats, NatTimeouts};
use tcp_model::params::GiveUp;
use tcp_model::spec::{
    AppSpec, Arrivals, ClientSpec, Distribution, Exchange, HostConfig, ServerSpec,
};
use tcp_model::{TcpHost, TcpParams};

pub(crate) const fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

pub(crate) fn at(ms: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(ms)
}

/// Clients behind a NAT, and a server; 1 ms on each link.
#[derive(Clone)]
pub(crate) struct NatNetwork {
    pub(crate) clients: u32,
    /// Connections, of all clients together.
    pub(crate) arrivals: Arrivals,
    pub(crate) limit: Option<u64>,
    pub(crate) params: TcpParams,
    pub(crate) nat: NatSpec,
    pub(crate) nat_addresses: u32,
    pub(crate) outages: Vec<Outage>,
    pub(crate) quiet: SimDuration,
    pub(crate) think: SimDuration,
    pub(crate) codel: bool,
    pub(crate) seed: u64,
    pub(crate) end: SimTime,
    pub(crate) partition_of: Vec<u32>,
    pub(crate) threads: usize,
}

/// Ports 2000 to 2009, each held until 1 s after the last FIN.
pub(crate) fn ten_ports() -> NatSpec {
    NatSpec {
        ports: (2000, 2009),
        timeouts: NatTimeouts {
            closed: ms(1000),
            ..NatTimeouts::default()
        },
        ..NatSpec::default()
    }
}

pub(crate) fn world(rate: f64) -> NatNetwork {
    let mut params = TcpParams::linux();
    params.syn_give_up = GiveUp::Retries(0);
    params.syn_linear_timeouts = 0;
    params.time_wait = ms(500);
    NatNetwork {
        clients: 1,
        arrivals: Arrivals::Poisson(rate),
        limit: None,
        params,
        nat: ten_ports(),
        nat_addresses: 1,
        outages: Vec::new(),
        quiet: SimDuration::ZERO,
        think: SimDuration::ZERO,
        codel: false,
        seed: 1,
        end: at(200_000),
        partition_of: Vec::new(),
        threads: 1,
    }
}

impl NatNetwork {
    pub(crate) fn nat_node(&self) -> NodeId {
        NodeId(self.clients)
    }

    pub(crate) fn server_node(&self) -> NodeId {
        NodeId(self.clients + 1)
    }

    pub(crate) fn network(&self) -> Network {
        let mut net = NetworkBuilder::new();
        let clients: Vec<NodeId> = (0..self.clients)
            .map(|i| net.host(format!("c{i}")))
            .collect();
        let addresses = self.nat_addresses;
        let nat = net.node("nat", NodeKind::Gateway { addresses });
        let server = net.host("server");
        for client in clients {
            net.connect(client, nat, None, ms(1));
        }
        let mut path = LinkSpec::new(nat, server, None, ms(1));
        if self.codel {
            path.rate = Some(Rate::mbps(1));
            let params = CoDelParams {
                target: ms(1),
                interval: ms(10),
                ..CoDelParams::default()
            };
            path = path.with_queue(CoDel::plugin(params));
        }
        net.join(path);
        let network = net.build().expect("a valid network");
        network.with_outages(self.outages.clone()).expect("outages")
    }

    pub(crate) fn apps(&self, node: NodeId, network: &Network) -> Vec<AppSpec> {
        let requests = if self.think.is_zero() { 1 } else { 3 };
        let exchange = Arc::new(Exchange {
            requests,
            response: Distribution::Constant(500.0),
            think: Distribution::Constant(self.think.as_secs_f64()),
            ..Exchange::default()
        });
        if node == self.server_node() {
            return vec![AppSpec::Server(ServerSpec {
                port: 80,
                backlog: 1000,
                accept_rate: None,
                exchange,
                ..ServerSpec::default()
            })];
        }
        if node == self.nat_node() {
            return Vec::new();
        }
        let server = network.address(self.server_node()).expect("a host");
        vec![AppSpec::Client(ClientSpec {
            name: "pages".to_owned(),
            locals: network.addresses(node).collect(),
            remotes: vec![SocketAddrV4::new(server, 80)].into(),
            start: SimTime::ZERO,
            stop: SimTime::MAX,
            limit: self.limit,
            arrivals: self.arrivals.clone(),
            exchange,
            ..ClientSpec::default()
        })]
    }

    pub(crate) fn run(&self) -> Finished<TcpHost> {
        let network = self.network();
        let crashes = |node| self.outages.iter().any(|o| o.node == node);
        let hosts = network.place(|node| {
            let apps = self.apps(node, &network);
            let host = TcpHost::new(HostConfig::new(self.params.clone(), apps.clone()));
            let host = match crashes(node) {
                true => host.with_restart(apps, self.quiet),
                false => host,
            };
            match node == self.nat_node() {
                true => host.with_middlebox(Box::new(Nat::new(self.nat.clone()))),
                false => host,
            }
        });
        let config = RunConfig {
            partition_of: self.partition_of.clone(),
            threads: self.threads,
            ..RunConfig::new(self.seed, self.end)
        };
        Simulation::new(network, hosts, &config).run_to_end()
    }

    pub(crate) fn nat_stats(&self, done: &Finished<TcpHost>) -> NatStats {
        let host = done.hosts[self.nat_node().0 as usize].as_ref();
        let middlebox: &dyn Any = host.and_then(TcpHost::middlebox).unwrap();
        middlebox.downcast_ref::<Nat>().unwrap().stats()
    }
}
