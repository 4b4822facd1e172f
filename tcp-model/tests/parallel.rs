//! Random networks with random TCP workloads give the same results whether they run whole or
//! partitioned.
//!
//! `SYNFIN_CASES=N` sets the number of cases; a failure names the seed of its case, and
//! `SYNFIN_SEED=S` runs that case alone.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::event_queue::EventQueueKind;
use sim_core::network::{Impairments, LinkChange};
use sim_core::record::Collect;
use sim_core::{
    LinkSpec, Network, NetworkBuilder, NodeId, NodeKind, QueueLimit, Rate, Record, Rng, RunConfig,
    SimDuration, SimTime, Simulation,
};
use tcp_model::host::{HostStats, MemoryReport};
use tcp_model::sample::{ConnectionCounts, TcpSample};
use tcp_model::spec::{
    AppSpec, Arrivals, BulkSpec, ClientSpec, CloseHow, Closer, Distribution, Exchange, HostConfig,
    ServerSpec, SinkSpec, TraceSpec,
};
use tcp_model::{TcpHost, TcpParams};

const CASES: u64 = 60;
const END_MS: u64 = 4_000;

/// Draws random values.
struct Dice(Rng);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0.below(n)
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// Zero in more than half of the cases.
    fn chance(&mut self, most: f64) -> f64 {
        if self.one_in(3) {
            self.0.uniform() * most
        } else {
            0.0
        }
    }

    /// Few different values, so that many events have the same time.
    fn delay(&mut self) -> SimDuration {
        SimDuration::from_micros(self.of(&[500, 1000, 1000, 1000, 2000, 7000]))
    }

    fn link(&mut self, from: NodeId, to: NodeId) -> LinkSpec {
        let rates = [
            None,
            Some(Rate::mbps(100)),
            Some(Rate::mbps(10)),
            Some(Rate::mbps(3)),
        ];
        let mut link = LinkSpec::new(from, to, self.of(&rates), self.delay());
        let queues = [
            QueueLimit::Unlimited,
            QueueLimit::Packets(5),
            QueueLimit::Packets(50),
        ];
        link.queue = self.of(&queues).into();
        link.impairments = Impairments {
            loss: self.chance(0.05).into(),
            drop: if self.one_in(4) {
                vec![1 + self.below(5)]
            } else {
                Vec::new()
            },
            drop_named: Vec::new(),
            corrupt: self.chance(0.02),
            duplicate: self.chance(0.05),
            reorder: self.chance(0.1),
            reorder_delay: SimDuration::from_micros(300 * self.below(8)),
            extra_delay: SimDuration::from_micros(self.of(&[0, 0, 0, 20, 500])).into(),
            ..Impairments::default()
        };
        if self.one_in(3) {
            let mut times: Vec<u64> = (0..3).map(|_| self.below(END_MS)).collect();
            times.sort_unstable();
            link.changes = times.into_iter().map(|ms| self.change(ms)).collect();
        }
        link
    }

    fn change(&mut self, ms: u64) -> LinkChange {
        LinkChange {
            at: SimTime::ZERO + SimDuration::from_millis(ms),
            rate: self.of(&[None, Some(Rate::mbps(20)), Some(Rate::mbps(2))]),
            delay: self.one_in(2).then(|| self.delay()),
            loss: self.one_in(3).then(|| self.chance(0.1)),
            up: self.of(&[None, None, Some(true), Some(false)]),
        }
    }

    /// A tree of routers with a few more links, and hosts on them, some of which are connected to two routers.
    fn network(&mut self) -> Arc<Network> {
        let (routers, hosts) = (1 + self.below(5) as u32, 2 + self.below(6) as u32);
        // Ties depend on node numbers, so hosts are numbered before or after the routers.
        let routers_first = self.one_in(2);
        let (router_0, host_0) = if routers_first {
            (0, routers)
        } else {
            (hosts, 0)
        };
        let host = NodeKind::Host {
            addresses: 1 + self.below(2) as u32,
        };
        let mut net = NetworkBuilder::new();
        for i in 0..routers + hosts {
            match (router_0..router_0 + routers).contains(&i) {
                true => net.router(format!("r{i}")),
                false => net.node(format!("h{i}"), host),
            };
        }
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for i in 1..routers {
            pairs.push((router_0 + i, router_0 + self.below(u64::from(i)) as u32));
        }
        for _ in 0..self.below(3) {
            let mut any = || router_0 + self.below(u64::from(routers)) as u32;
            pairs.push((any(), any()));
        }
        for host in 0..hosts {
            for _ in 0..self.of(&[1, 1, 1, 2]) {
                pairs.push((
                    host_0 + host,
                    router_0 + self.below(u64::from(routers)) as u32,
                ));
            }
        }
        for (a, b) in pairs.into_iter().filter(|(a, b)| a != b) {
            let there = self.link(NodeId(a), NodeId(b));
            let back = match self.one_in(2) {
                true => self.link(NodeId(b), NodeId(a)),
                false => there.reversed(),
            };
            net.link(there);
            net.link(back);
        }
        Arc::new(net.build().expect("a valid network"))
    }

    fn params(&mut self) -> TcpParams {
        let base = if self.one_in(2) {
            TcpParams::linux()
        } else {
            TcpParams::rfc9293()
        };
        TcpParams {
            time_wait: SimDuration::from_millis(self.of(&[50, 500, 60_000])),
            port_range: (40_000, self.of(&[40_009, 40_999])),
            sack: !self.one_in(4),
            timestamps: !self.one_in(4),
            max_tw_buckets: self.of(&[None, Some(5)]),
            somaxconn: self.of(&[3, 4096]),
            send_buffer: self.of(&[20_000, 1_000_000]),
            receive_buffer: self.of(&[20_000, 1_000_000]),
            min_rto: SimDuration::from_millis(200),
            fast_open: self.of(&[0, TcpParams::FAST_OPEN_CLIENT | TcpParams::FAST_OPEN_SERVER]),
            ..base
        }
    }

    fn exchange(&mut self) -> Exchange {
        Exchange {
            requests: 1 + self.below(3) as u32,
            request: Distribution::Constant(200.0),
            response: self.of(&[
                Distribution::Constant(0.0),
                Distribution::Exponential(5_000.0),
                Distribution::Pareto {
                    min: 500.0,
                    alpha: 1.2,
                },
            ]),
            think: Distribution::Exponential(self.of(&[0.0, 0.05])),
            service: Distribution::Constant(self.of(&[0.0, 0.001])),
            closer: self.of(&[Closer::Client, Closer::Server, Closer::Both]),
            how: self.of(&[CloseHow::Fin, CloseHow::Fin, CloseHow::Half, CloseHow::Rst]),
            close_after: SimDuration::ZERO,
            linger: SimDuration::from_millis(self.of(&[0, 10])),
            fast_open: self.one_in(2),
            ..Exchange::default()
        }
    }

    fn arrivals(&mut self) -> Arrivals {
        match self.below(4) {
            0 => Arrivals::Fixed(40.0),
            1 => Arrivals::Poisson(60.0),
            2 => Arrivals::Burst(30),
            _ => Arrivals::Closed {
                users: 6,
                think: Distribution::Exponential(0.02),
            },
        }
    }

    /// Every host is a server; most are clients too, and some send in bulk.
    fn hosts(&mut self, network: &Network) -> Vec<Option<HostConfig>> {
        let exchange = Arc::new(self.exchange());
        let params = Arc::new(self.params());
        let all = |n: NodeId| network.addresses(n).collect::<Vec<Ipv4Addr>>();
        let nodes: Vec<NodeId> = (0..network.nodes().len() as u32).map(NodeId).collect();
        let hosts: Vec<NodeId> = nodes
            .iter()
            .copied()
            .filter(|&n| !all(n).is_empty())
            .collect();
        let trace = TraceSpec {
            segments: self.of(&[0, 3, u32::MAX]),
            ..TraceSpec::default()
        };
        let mut make = |node: NodeId| {
            let mut apps = vec![
                AppSpec::Server(ServerSpec {
                    port: 80,
                    backlog: self.of(&[2, 1000]),
                    accept_rate: self.of(&[None, None, Some(100.0)]),
                    exchange: Arc::clone(&exchange),
                    ..ServerSpec::default()
                }),
                AppSpec::Sink(SinkSpec {
                    port: 5000,
                    backlog: 10,
                    read_rate: self.of(&[None, None, Some(200_000)]),
                    ..SinkSpec::default()
                }),
            ];
            let others: Vec<NodeId> = hosts.iter().copied().filter(|&h| h != node).collect();
            let start = SimTime::ZERO + SimDuration::from_millis(self.of(&[0, 0, 100]));
            if !self.one_in(4) {
                let servers = others.iter().flat_map(|&h| all(h));
                apps.push(AppSpec::Client(ClientSpec {
                    name: "web".to_owned(),
                    locals: all(node),
                    remotes: servers.map(|a| SocketAddrV4::new(a, 80)).collect(),
                    start,
                    stop: SimTime::ZERO + SimDuration::from_millis(END_MS / 2),
                    limit: None,
                    arrivals: self.arrivals(),
                    exchange: Arc::clone(&exchange),
                    ..ClientSpec::default()
                }));
            }
            if self.one_in(2) {
                let to = others[self.below(others.len() as u64) as usize];
                apps.push(AppSpec::Bulk(BulkSpec {
                    name: "bulk".to_owned(),
                    local: all(node)[0],
                    remote: SocketAddrV4::new(all(to)[0], 5000),
                    start,
                    bytes: self.of(&[None, Some(300_000)]),
                }));
            }
            HostConfig {
                params: Arc::clone(&params),
                apps,
                trace,
            }
        };
        nodes
            .iter()
            .map(|&n| hosts.contains(&n).then(|| make(n)))
            .collect()
    }

    /// A random way to execute: any partition for any node.
    fn config(&mut self, base: &RunConfig, nodes: usize) -> RunConfig {
        let parts = self.of(&[2, 3, 5, 8]);
        RunConfig {
            queue: self.of(EventQueueKind::ALL),
            partition_of: (0..nodes).map(|_| self.below(parts) as u32).collect(),
            threads: 1 + self.below(3) as usize,
            look_ahead_from: self.of(&[0, 0, 20, usize::MAX]),
            ..base.clone()
        }
    }
}

/// What a host counted, its connections and TIME-WAIT entries, its memory.
type HostEnd = (HostStats, ConnectionCounts, u32, u32, MemoryReport);

/// Everything that a run records and leaves behind.
#[derive(Debug, PartialEq)]
struct Outcome {
    records: Vec<Record<TcpSample>>,
    events: u64,
    unrouted_pkts: u64,
    links: Vec<sim_core::link::LinkStats>,
    reached: SimTime,
    hosts: Vec<Option<HostEnd>>,
}

fn run(network: &Arc<Network>, hosts: &[Option<HostConfig>], config: &RunConfig) -> Outcome {
    let made = hosts.iter().map(|h| h.clone().map(TcpHost::new)).collect();
    let mut simulation = Simulation::new(Arc::clone(network), made, config);
    let mut records = Collect::default();
    let stats = simulation
        .run(&mut records, &mut |_| ControlFlow::Continue(()))
        .expect("a list cannot fail");
    let state = |h: TcpHost| {
        (
            h.stats(),
            h.counts(),
            h.connections(),
            h.time_waits(),
            h.memory(),
        )
    };
    Outcome {
        records: records.0,
        events: stats.events,
        unrouted_pkts: stats.unrouted_pkts,
        links: stats.links,
        reached: stats.reached,
        hosts: simulation
            .into_hosts()
            .into_iter()
            .map(|h| h.map(state))
            .collect(),
    }
}

/// Runs a case; returns the number of its records and of its retransmissions.
fn check(seed: u64) -> (usize, u64) {
    let mut dice = Dice(Rng::stream(seed, "worlds", 0));
    let network = dice.network();
    let hosts = dice.hosts(&network);
    let end = SimTime::ZERO + SimDuration::from_millis(END_MS);
    let base = RunConfig::new(seed, end);
    let whole = run(&network, &hosts, &base);
    for _ in 0..3 {
        let config = dice.config(&base, network.nodes().len());
        let parts = run(&network, &hosts, &config);
        // The first differing record is more useful than both lists.
        let differs = whole
            .records
            .iter()
            .zip(&parts.records)
            .position(|(a, b)| a != b);
        if let Some(i) = differs {
            let (a, b) = (&whole.records[i], &parts.records[i]);
            panic!("SYNFIN_SEED={seed}: record {i} is {a:?} or {b:?} with {config:?}");
        }
        assert_eq!(
            whole.records.len(),
            parts.records.len(),
            "SYNFIN_SEED={seed}: {config:?}"
        );
        let rest = |o: &Outcome| (o.events, o.unrouted_pkts, o.links.clone(), o.reached);
        assert_eq!(rest(&whole), rest(&parts), "SYNFIN_SEED={seed}: {config:?}");
        assert_eq!(whole.hosts, parts.hosts, "SYNFIN_SEED={seed}: {config:?}");
    }
    let again = whole.hosts.iter().flatten();
    let again = again.map(|h| u64::from(h.1.retransmissions)).sum();
    (whole.records.len(), again)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn a_run_in_parts_is_the_run_in_one_piece() {
    if let Some(seed) = number("SYNFIN_SEED") {
        check(seed);
        return;
    }
    let cases = number("SYNFIN_CASES").unwrap_or(CASES);
    let (records, again) = (0..cases)
        .map(check)
        .fold((0, 0), |(r, a), (records, again)| (r + records, a + again));
    // The worlds are worth testing: many things happen in them, and many go wrong.
    assert!(records as u64 > 500 * cases, "{records} records");
    assert!(again > cases, "{again} retransmissions");
}
