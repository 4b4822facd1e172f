//! Without segments, the records of a run are those of the same run with segments.

use std::net::SocketAddrV4;
use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::record::Collect;
use sim_core::{
    Network, NetworkBuilder, NodeKind, Rate, Record, RunConfig, RunStats, SimDuration, SimTime,
};

use crate::app::spec::{
    AppSpec, Arrivals, ClientSpec, CloseHow, Closer, Distribution, Exchange, HostConfig, ServerSpec,
};
use crate::host::{HostStats, TcpHost, TcpSimulation};
use crate::params::{ModelChoice, SynCookies, TcpParams, TwReuse};
use crate::sample::TcpSample;

/// A run.
#[derive(Clone)]
struct World {
    params: TcpParams,
    exchange: Exchange,
    arrivals: Arrivals,
    addresses: u32,
    backlog: u32,
    rate: Option<Rate>,
    seconds: u64,
    clients: u32,
}

impl World {
    fn new() -> World {
        World {
            params: TcpParams {
                model: ModelChoice::named("lifecycle").expect("built in"),
                time_wait: SimDuration::from_secs(3),
                ..TcpParams::rfc9293()
            },
            exchange: Exchange::default(),
            arrivals: Arrivals::Poisson(40.0),
            addresses: 1,
            backlog: 128,
            rate: None,
            seconds: 10,
            clients: 1,
        }
    }

    fn hosts(&self, segments: bool) -> (Arc<Network>, Vec<Option<HostConfig>>) {
        let mut net = NetworkBuilder::new();
        let server = net.host("server");
        let clients: Vec<_> = (0..self.clients)
            .map(|i| {
                let addresses = self.addresses;
                let client = net.node(format!("client-{i}"), NodeKind::Host { addresses });
                let delay = SimDuration::from_millis(10 + u64::from(i / 2));
                for link in net.connect(client, server, Rate::mbps(1), delay) {
                    net.link_mut(link).rate = self.rate;
                }
                client
            })
            .collect();
        let network = Arc::new(net.build().expect("a network"));
        let remote = SocketAddrV4::new(network.address(server).expect("an address"), 80);
        let params = Arc::new(TcpParams {
            lifecycle_segments: segments,
            ..self.params.clone()
        });
        let exchange = Arc::new(self.exchange.clone());
        let hosts = network.place(|node| {
            let app = if clients.contains(&node) {
                AppSpec::Client(ClientSpec {
                    name: "web".to_owned(),
                    locals: network.addresses(node).collect(),
                    remotes: vec![remote].into(),
                    arrivals: self.arrivals.clone(),
                    exchange: Arc::clone(&exchange),
                    ..ClientSpec::default()
                })
            } else {
                AppSpec::Server(ServerSpec {
                    backlog: self.backlog,
                    exchange: Arc::clone(&exchange),
                    ..ServerSpec::default()
                })
            };
            HostConfig::new(Arc::clone(&params), vec![app])
        });
        (network, hosts)
    }

    fn run(&self, segments: bool) -> (Vec<Record<TcpSample>>, Vec<HostStats>, RunStats) {
        let (network, hosts) = self.hosts(segments);
        let hosts = hosts.into_iter().map(|h| h.map(TcpHost::new)).collect();
        let end = SimTime::ZERO + SimDuration::from_secs(self.seconds);
        let mut simulation = TcpSimulation::new(network, hosts, &RunConfig::new(7, end));
        let mut kept = Collect::default();
        let stats = simulation.run(&mut kept, &mut |_| ControlFlow::Continue(()));
        let stats = stats.expect("a run");
        let hosts = simulation.into_hosts();
        (
            kept.0,
            hosts.iter().flatten().map(TcpHost::stats).collect(),
            stats,
        )
    }

    /// Compares the run with and without segments; returns the number of connections that were opened.
    fn same(&self) -> usize {
        let ((with, hosts, links), (without, hosts_too, links_too)) =
            (self.run(true), self.run(false));
        let (with, without) = (lines(&with), lines(&without));
        for (i, (a, b)) in with.iter().zip(&without).enumerate() {
            assert_eq!(a, b, "record {i} of {} and {}", with.len(), without.len());
        }
        assert_eq!(
            with.len(),
            without.len(),
            "{:?}",
            with.last().max(without.last())
        );
        assert_eq!(hosts, hosts_too);
        let count = |stats: &RunStats| -> Vec<(u64, u64, SimDuration)> {
            let links = stats.links.iter();
            links.map(|l| (l.sent_pkts, l.sent_bytes, l.busy)).collect()
        };
        assert_eq!(count(&links), count(&links_too));
        with.iter()
            .filter(|(.., what)| what.contains("SynSent"))
            .count()
    }
}

/// The records in an order that does not depend on that of events at one instant.
fn lines(records: &[Record<TcpSample>]) -> Vec<(SimTime, u32, String)> {
    let mut all: Vec<_> = records
        .iter()
        .map(|r| (r.time, r.node.0, format!("{:?}", r.sample)))
        .collect();
    all.sort();
    all
}

#[test]
fn each_way_to_close_gives_the_same_records() {
    for closer in [Closer::Client, Closer::Server, Closer::Both] {
        for how in [CloseHow::Fin, CloseHow::Half, CloseHow::Rst] {
            for requests in [0, 1, 3] {
                let mut world = World::new();
                world.params.timestamps = true;
                world.exchange = Exchange {
                    closer,
                    how,
                    requests,
                    think: Distribution::Constant(0.05),
                    service: Distribution::Constant(0.02),
                    response: Distribution::Constant(60_000.0),
                    ..Exchange::default()
                };
                let opened = world.same();
                assert!(opened > 300, "{closer:?} {how:?} {requests}: {opened}");
            }
        }
    }
}

#[test]
fn ports_run_out_and_are_used_again_as_with_segments() {
    for (reuse, bits) in [
        (TwReuse::Off, 0),
        (TwReuse::On, 0),
        (TwReuse::Off, 3),
        (TwReuse::On, 40),
    ] {
        for closer in [Closer::Client, Closer::Server] {
            let mut world = World::new();
            world.params.timestamps = true;
            world.params.tw_reuse = reuse;
            world.params.tw_reuse_delay = SimDuration::from_secs(1);
            world.params.port_range = (50_000, 50_060);
            world.params.max_tw_buckets = (bits > 0).then_some(bits);
            world.exchange.closer = closer;
            let opened = world.same();
            let (_, hosts, _) = world.run(false);
            let (server, client) = (hosts[0], hosts[1]);
            let exhausted = client.ports_exhausted > 0;
            let waits = closer == Closer::Client && reuse == TwReuse::Off && bits == 0;
            assert_eq!(
                exhausted, waits,
                "{reuse:?} {bits} {closer:?}: {opened} {client:?}"
            );
            if bits == 3 {
                assert!(client.time_wait_overflows + server.time_wait_overflows > 200);
            }
            if reuse == TwReuse::On && bits == 0 && closer == Closer::Client {
                assert!(client.time_wait_reused > 100, "{client:?}");
            }
            if closer == Closer::Server && bits == 0 {
                assert!(server.time_wait_recycled > 100, "{server:?}");
            }
        }
    }
}

#[test]
fn a_full_syn_queue_drops_syns_or_sends_cookies_as_with_segments() {
    for cookies in [SynCookies::Off, SynCookies::WhenFull, SynCookies::Always] {
        let mut world = World::new();
        world.backlog = 1;
        world.clients = 3; // two of them with equal paths
        world.params.syn_cookies = cookies;
        world.arrivals = Arrivals::Poisson(60.0);
        world.seconds = 60;
        let opened = world.same();
        let (_, hosts, _) = world.run(false);
        let server = hosts[0];
        assert!(opened > 5000, "{opened}");
        match cookies {
            SynCookies::Off => assert!(server.listen_drops > 500, "{server:?}"),
            _ => assert!(server.syn_cookies_sent > 500, "{server:?}"),
        }
    }
}

#[test]
fn links_with_a_rate_give_the_same_counts() {
    let mut world = World::new();
    world.rate = Some(Rate::mbps(1000));
    world.params = TcpParams {
        model: world.params.model,
        ..TcpParams::linux()
    };
    world.addresses = 3;
    world.seconds = 150;
    let ((with, hosts, links), (without, hosts_too, links_too)) =
        (world.run(true), world.run(false));
    assert_eq!(hosts, hosts_too);
    assert_eq!(with.len(), without.len());
    let count = |stats: &RunStats| -> Vec<(u64, u64)> {
        stats
            .links
            .iter()
            .map(|l| (l.sent_pkts, l.sent_bytes))
            .collect()
    };
    assert_eq!(count(&links), count(&links_too));
}
