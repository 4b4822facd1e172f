//! A source NAT between clients and servers, and hosts that crash.

use std::any::Any;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::queue_disc::{CoDel, CoDelParams};
use sim_core::{
    Finished, LinkSpec, Network, NetworkBuilder, NodeId, NodeKind, Outage, Rate, RunConfig,
    SimDuration, SimTime, Simulation,
};
use tcp_model::middlebox::{Nat, NatSpec, NatStats, NatTimeouts};
use tcp_model::params::GiveUp;
use tcp_model::sample::{EndReason, OpenResult};
use tcp_model::spec::{
    AppSpec, Arrivals, ClientSpec, Distribution, Exchange, HostConfig, ServerSpec,
};
use tcp_model::{TcpHost, TcpParams, TcpSample};

const fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

fn at(ms: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(ms)
}

/// Clients behind a NAT, and a server; 1 ms on each link.
#[derive(Clone)]
struct World {
    clients: u32,
    /// Connections per second, of all clients together.
    arrivals: Arrivals,
    limit: Option<u64>,
    params: TcpParams,
    nat: NatSpec,
    nat_addresses: u32,
    outages: Vec<Outage>,
    quiet: SimDuration,
    think: SimDuration,
    codel: bool,
    seed: u64,
    end: SimTime,
    partition_of: Vec<u32>,
    threads: usize,
}

/// Ports 2000 to 2009, and 1 s after the last FIN.
fn ten_ports() -> NatSpec {
    NatSpec {
        ports: (2000, 2009),
        timeouts: NatTimeouts {
            closed: ms(1000),
            ..NatTimeouts::default()
        },
        ..NatSpec::default()
    }
}

fn world(rate: f64) -> World {
    let mut params = TcpParams::linux();
    params.syn_give_up = GiveUp::Retries(0);
    params.syn_linear_timeouts = 0;
    params.time_wait = ms(500);
    World {
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

impl World {
    fn nat_node(&self) -> NodeId {
        NodeId(self.clients)
    }

    fn server_node(&self) -> NodeId {
        NodeId(self.clients + 1)
    }

    fn network(&self) -> Network {
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

    fn apps(&self, node: NodeId, network: &Network) -> Vec<AppSpec> {
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

    fn run(&self) -> Finished<TcpHost> {
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
                true => host.with_middlebox(Box::new(Nat::new(self.nat))),
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

    fn nat_stats(&self, done: &Finished<TcpHost>) -> NatStats {
        let host = done.hosts[self.nat_node().0 as usize].as_ref();
        let middlebox: &dyn Any = host.and_then(TcpHost::middlebox).unwrap();
        middlebox.downcast_ref::<Nat>().unwrap().stats()
    }
}

/// (time in ms, result) of the connects.
fn outcomes(done: &Finished<TcpHost>) -> Vec<(u64, OpenResult)> {
    let outcome = |r: &sim_core::Record<TcpSample>| match &r.sample {
        TcpSample::Outcome(o) => Some((r.time.as_ps() / 1_000_000_000, o.result)),
        _ => None,
    };
    done.records.iter().filter_map(outcome).collect()
}

/// One connection at time zero.
fn one() -> World {
    World {
        arrivals: Arrivals::Burst(1),
        ..world(0.0)
    }
}

/// From the SYN at the NAT, 1 ms after it was sent, to the last ACK: two round trips of 4 ms for
/// handshake and request, and one for the two FINs.
const HOLD_MS: u64 = 12 + 1000;

#[test]
fn a_mapping_lasts_until_its_time_out_after_the_last_packet() {
    for (end, mappings) in [(1, 0), (2, 1), (HOLD_MS + 1, 1), (HOLD_MS + 2, 0)] {
        let world = World {
            end: at(end),
            ..one()
        };
        let stats = world.nat_stats(&world.run());
        assert_eq!(
            (stats.mappings, stats.made),
            (mappings, mappings.max(u32::from(end > 1)).into()),
            "{end}"
        );
    }
}

#[test]
fn the_server_sees_the_address_and_port_of_the_nat() {
    let done = one().run();
    assert_eq!(outcomes(&done), [(4, OpenResult::Established)]);
    let nat = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 2000);
    let ended = done.records.iter().filter_map(|r| match &r.sample {
        TcpSample::Ended(end) => Some((r.node, end.remote, end.reason)),
        _ => None,
    });
    let ended: Vec<_> = ended.collect();
    assert_eq!(ended.len(), 2);
    assert!(
        ended.contains(&(NodeId(2), nat, EndReason::Closed)),
        "{ended:?}"
    );
    let server = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 3), 80);
    assert!(
        ended.contains(&(NodeId(0), server, EndReason::Closed)),
        "{ended:?}"
    );
}

#[test]
fn an_idle_connection_whose_mapping_has_gone_gets_no_answer() {
    // Three requests, 5 s apart; a mapping lives 3 s.
    let mut world = World {
        think: ms(5000),
        end: at(30_000),
        ..one()
    };
    let requests = |done: &Finished<TcpHost>| {
        let is_done = |r: &&sim_core::Record<TcpSample>| matches!(r.sample, TcpSample::Request(_));
        done.records.iter().filter(is_done).count()
    };
    assert_eq!(requests(&world.run()), 3);
    world.nat.timeouts.established = ms(3000);
    let done = world.run();
    assert_eq!(requests(&done), 1);
    assert!(world.nat_stats(&done).unmapped > 0);
}

#[test]
fn a_syn_that_is_never_answered_and_a_reset_free_their_port() {
    // The server stays down: SYNs are lost.
    let mut world = World {
        arrivals: Arrivals::Fixed(1.0),
        end: at(60_500),
        ..one()
    };
    world.outages = vec![Outage {
        node: world.server_node(),
        down: at(0),
        up: None,
    }];
    world.nat.timeouts.opening = ms(5000);
    let stats = world.nat_stats(&world.run());
    assert_eq!(
        (stats.mappings, stats.peak_mappings, stats.exhausted),
        (5, 5, 0)
    );
    // It is up, and refuses: for its quiet time it listens nowhere.
    world.outages[0].up = Some(at(1));
    world.quiet = SimDuration::from_secs(100);
    world.nat.timeouts.reset = ms(3000);
    let done = world.run();
    let stats = world.nat_stats(&done);
    // The one that is about to go and three more.
    assert_eq!(
        (stats.mappings, stats.peak_mappings, stats.exhausted),
        (3, 4, 0)
    );
    let refused = outcomes(&done)
        .iter()
        .filter(|o| o.1 == OpenResult::Refused)
        .count();
    assert_eq!(refused, 61);
}

#[test]
fn more_addresses_are_more_ports() {
    let world = World {
        arrivals: Arrivals::Burst(40),
        nat_addresses: 3,
        end: at(500),
        ..one()
    };
    let stats = world.nat_stats(&world.run());
    assert_eq!((stats.made, stats.exhausted), (30, 10));
}

#[test]
fn a_pool_of_p_ports_held_for_t_takes_at_most_p_over_t_flows_a_second() {
    let bound = 10.0 / (HOLD_MS as f64 / 1e3);
    let world = world(3.0 * bound);
    let stats = world.nat_stats(&world.run());
    let (most, made) = (200.0 * bound + 10.0, stats.made as f64);
    assert!(made <= most, "{made} of at most {most}");
    assert!(made >= 0.93 * most, "{made} of at most {most}");
    assert_eq!(stats.peak_mappings, 10);
}

/// Erlang's B formula: the share of calls lost by `lines` lines that are offered `load` erlangs.
fn erlang_b(lines: u32, load: f64) -> f64 {
    (1..=lines).fold(1.0, |b, n| load * b / (f64::from(n) + load * b))
}

#[test]
fn losses_of_a_pool_follow_erlang_b_at_three_loads() {
    for load in [5.0, 10.0, 15.0] {
        let rate = load / (HOLD_MS as f64 / 1e3);
        let shares: Vec<f64> = (0..10)
            .map(|seed| {
                let world = World {
                    seed,
                    ..world(rate)
                };
                let stats = world.nat_stats(&world.run());
                stats.exhausted as f64 / (stats.exhausted + stats.made) as f64
            })
            .collect();
        let n = shares.len() as f64;
        let mean = shares.iter().sum::<f64>() / n;
        let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0);
        // Student's t for 99.9 % and 9 degrees of freedom.
        let half = 4.781 * (variance / n).sqrt();
        let expected = erlang_b(10, load);
        assert!(half < 0.03, "an interval of {mean} +- {half} shows nothing");
        assert!(
            (mean - expected).abs() < half,
            "{mean} +- {half} for {expected} at {load} erlangs"
        );
    }
}

#[test]
fn nat_codel_and_crashes_are_the_same_in_every_partition() {
    let mut world = World {
        clients: 6,
        codel: true,
        think: ms(300),
        quiet: ms(700),
        end: at(12_000),
        nat: NatSpec {
            ports: (2000, 2199),
            ..ten_ports()
        },
        ..world(8.0)
    };
    let outage = |node, down, up| Outage {
        node,
        down: at(down),
        up: Some(at(up)),
    };
    world.outages = vec![
        outage(world.server_node(), 3_000, 4_500),
        outage(world.nat_node(), 7_000, 7_200),
        outage(NodeId(0), 9_000, 9_100),
    ];
    let expected = world.run();
    assert!(
        expected
            .stats
            .links
            .iter()
            .map(|l| l.early_drops)
            .sum::<u64>()
            > 0
    );
    let crashed = |r: &sim_core::Record<TcpSample>| matches!(&r.sample, TcpSample::Ended(e) if e.reason == EndReason::Crashed);
    assert!(expected.records.iter().any(crashed));
    let nodes = world.clients + 2;
    for (parts, threads) in [(1, 1), (2, 2), (3, 1), (5, 2), (8, 1)] {
        world.partition_of = (0..nodes).map(|node| node % parts).collect();
        world.threads = threads;
        let done = world.run();
        assert_eq!(done.records.len(), expected.records.len(), "{parts} parts");
        assert!(done.records == expected.records, "{parts} parts");
        assert_eq!(done.stats.links, expected.stats.links);
        assert_eq!(done.stats.events, expected.stats.events);
        assert_eq!(world.nat_stats(&done), world.nat_stats(&expected));
    }
}

#[test]
fn a_crash_loses_connections_without_a_segment_and_a_boot_resets_them() {
    // A connection that is idle between its requests at 0, 5 and 10 s; the server is down from 2 to 3 s.
    let mut world = World {
        think: ms(5000),
        end: at(30_000),
        ..one()
    };
    world.outages = vec![Outage {
        node: world.server_node(),
        down: at(2_000),
        up: Some(at(3_000)),
    }];
    let done = world.run();
    let ended: Vec<_> = done
        .records
        .iter()
        .filter_map(|r| match &r.sample {
            TcpSample::Ended(e) => Some((r.node, r.time.as_ps() / 1_000_000_000, e.reason)),
            _ => None,
        })
        .collect();
    // The second request, 5 s after the first was answered at 8 ms, meets a server that knows nothing.
    assert_eq!(
        ended,
        [
            (world.server_node(), 2_000, EndReason::Crashed),
            (NodeId(0), 5_012, EndReason::Reset)
        ]
    );
}

#[test]
fn after_its_boot_a_server_is_quiet_then_serves_and_a_client_makes_no_arrivals_it_missed() {
    let base = World {
        arrivals: Arrivals::Fixed(1.0),
        quiet: ms(2000),
        end: at(10_500),
        ..one()
    };
    let mut server = base.clone();
    server.outages = vec![Outage {
        node: base.server_node(),
        down: at(2_500),
        up: Some(at(4_500)),
    }];
    let results: Vec<_> = outcomes(&server.run()).iter().map(|o| o.1).collect();
    use OpenResult::{Established, Refused, TimedOut};
    // At 0, 1, 2 s; lost at 3 and 4 s; refused at 5 and 6 s, which is noticed before 4 gives up at 5 s.
    let expected = [
        Established,
        Established,
        Established,
        TimedOut,
        TimedOut,
        Refused,
        Refused,
        Established,
        Established,
        Established,
        Established,
    ];
    let mut sorted = results.clone();
    sorted.sort_by_key(|r| format!("{r:?}"));
    let mut wanted = expected.to_vec();
    wanted.sort_by_key(|r| format!("{r:?}"));
    assert_eq!(sorted, wanted, "{results:?}");

    let mut client = base.clone();
    client.quiet = SimDuration::ZERO;
    client.outages = vec![Outage {
        node: NodeId(0),
        down: at(2_500),
        up: Some(at(4_500)),
    }];
    let times: Vec<u64> = outcomes(&client.run()).iter().map(|o| o.0).collect();
    assert_eq!(times, [4, 1004, 2004, 5004, 6004, 7004, 8004, 9004, 10_004]);
}
