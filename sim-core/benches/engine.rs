//! Costs of the engine, per hop of a packet and for running in partitions:
//! `cargo bench -p synfin-sim-core --bench engine`.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sim_core::record::Discard;
use sim_core::{
    Cx, Host, LinkSpec, NetworkBuilder, NodeId, Outgoing, Packet, QueueLimit, Rate, RunConfig,
    SimDuration, SimTime, Simulation,
};

/// Keeps a number of packets travelling to a peer and back.
struct Echo {
    peer: Option<NodeId>,
    window: u32,
}

impl Echo {
    fn send(&self, to: NodeId, cx: &mut Cx<'_, Self>) {
        let first = |n| cx.network().addresses(n).next();
        if let (Some(src), Some(dst)) = (first(cx.node()), first(to)) {
            cx.send(Outgoing {
                src,
                ..Outgoing::to(dst, 1000, [0; 6])
            });
        }
    }
}

impl Host for Echo {
    type Payload = [u64; 6];
    type Sample = ();
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        if let Some(peer) = self.peer {
            (0..self.window).for_each(|_| self.send(peer, cx));
        }
        cx.wake(SimTime::ZERO + SimDuration::from_secs(1), 0);
    }

    fn on_packet(&mut self, packet: Packet<[u64; 6]>, cx: &mut Cx<'_, Self>) {
        cx.send(Outgoing::to(packet.src, 1000, packet.payload));
    }

    fn on_timer(&mut self, _: u64, cx: &mut Cx<'_, Self>) {
        cx.wake(cx.now() + SimDuration::from_secs(1), 0);
    }
}

/// `sites` routers in a ring, 1 ms apart, two hosts on each; those of the first `busy` sites keep 20
/// packets in flight between them.
fn simulation(sites: u32, busy: u32, in_parts: bool, threads: usize) -> Simulation<Echo> {
    let mut net = NetworkBuilder::new();
    let routers: Vec<NodeId> = (0..sites).map(|i| net.router(format!("r{i}"))).collect();
    let join = |net: &mut NetworkBuilder, a: NodeId, b: NodeId, us: u64| {
        let link = LinkSpec::new(a, b, Some(Rate::mbps(1000)), SimDuration::from_micros(us));
        net.join(link.with_queue(QueueLimit::Packets(100)));
    };
    for i in (0..sites as usize).filter(|_| sites > 1) {
        join(&mut net, routers[i], routers[(i + 1) % routers.len()], 1000);
    }
    for i in 0..2 * sites {
        let host = net.host(format!("h{i}"));
        join(&mut net, host, routers[i as usize / 2], 20);
    }
    let network = net.build().expect("a valid network");
    let echo = |host: u32| Echo {
        peer: (host / 2 < busy && host.is_multiple_of(2)).then(|| NodeId(sites + host + 1)),
        window: 20,
    };
    let hosts = network.place(|node| echo(node.0 - sites));
    let config = RunConfig {
        partition_of: if in_parts {
            (0..sites).chain((0..2 * sites).map(|h| h / 2)).collect()
        } else {
            Vec::new()
        },
        threads,
        ..RunConfig::new(1, SimTime::MAX)
    };
    Simulation::new(network, hosts, &config)
}

/// Time taken to handle the wanted number of events.
fn time_of(simulation: &mut Simulation<Echo>, wanted: u64) -> Duration {
    let begun = Instant::now();
    let (mut first, mut done) = (None, 0);
    let ran = simulation.run(&mut Discard, &mut |progress| {
        let first = *first.get_or_insert(progress.events);
        done = progress.events - first;
        if done >= wanted.max(100_000) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    ran.expect("nothing is written");
    begun.elapsed().mul_f64(wanted as f64 / done.max(1) as f64)
}

fn events(c: &mut Criterion) {
    let mut group = c.benchmark_group("an event");
    group.throughput(Throughput::Elements(1));
    for (name, sites, busy, in_parts, threads) in [
        ("of a packet over a router", 1, 1, false, 1),
        ("of packets over 64 routers", 64, 64, false, 1),
        ("with one of eight sites busy, in one piece", 8, 1, false, 1),
        (
            "with one of eight sites busy, in eight parts",
            8,
            1,
            true,
            1,
        ),
        (
            "with one of eight sites busy, in eight parts, two threads",
            8,
            1,
            true,
            2,
        ),
        ("with eight sites busy, in one piece", 8, 8, false, 1),
        ("with eight sites busy, in eight parts", 8, 8, true, 1),
        (
            "with eight sites busy, in eight parts, two threads",
            8,
            8,
            true,
            2,
        ),
    ] {
        let mut simulation = simulation(sites, busy, in_parts, threads);
        time_of(&mut simulation, 200_000);
        group.bench_function(name, |b| {
            b.iter_custom(|wanted| time_of(&mut simulation, wanted));
        });
    }
    group.finish();
}

criterion_group! {
    name = engine;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = events
}
criterion_main!(engine);
