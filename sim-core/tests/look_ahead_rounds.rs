//! The cost of running partitions in parallel, counted in windows and visits.

mod common;

use std::sync::Arc;

use common::{at_us, built, hosts, ms, run};
use sim_core::{
    Cx, Host, Network, NetworkBuilder, NodeId, Outgoing, Packet, RunConfig, RunStats, SimDuration,
    SimTime,
};

/// Answers every packet, and sends to `peer` at intervals.
#[derive(Clone, Debug)]
struct Caller {
    peer: Option<NodeId>,
    every: SimDuration,
}

impl Host for Caller {
    type Payload = bool;
    type Sample = u64;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        cx.wake(SimTime::ZERO + self.every, 0);
    }

    fn on_packet(&mut self, packet: Packet<bool>, cx: &mut Cx<'_, Self>) {
        cx.record(packet.id);
        if packet.payload {
            cx.send(Outgoing::to(packet.src, 40, false));
        }
    }

    fn on_timer(&mut self, _: u64, cx: &mut Cx<'_, Self>) {
        cx.wake(cx.now() + self.every, 0);
        let first = |node| cx.network().addresses(node).next();
        if let (Some(src), Some(dst)) = (first(cx.node()), self.peer.and_then(first)) {
            cx.send(Outgoing {
                src,
                ..Outgoing::to(dst, 40, true)
            });
        }
    }
}

const END_US: u64 = 10_000_000;

/// Eight sites of two hosts behind a router, 1 ms between the sites, one partition per site.
fn sites(caller: impl Fn(u32) -> Caller, threads: usize) -> [RunStats; 2] {
    let mut net = NetworkBuilder::new();
    let routers: Vec<NodeId> = (0..8).map(|_| net.router("r")).collect();
    for i in 0..8 {
        net.connect(routers[i], routers[(i + 1) % 8], None, ms(1));
    }
    for host in 0..16 {
        let node = net.host("h");
        net.connect(node, routers[host / 2], None, ms(1));
    }
    let network: Arc<Network> = built(net);
    let whole = RunConfig::new(1, at_us(END_US));
    let divided = RunConfig {
        partition_of: (0..8).chain((0..16).map(|h| h / 2)).collect(),
        threads,
        ..whole.clone()
    };
    let [(a, one), (b, many)] = [whole, divided].map(|config| {
        let hosts = hosts(&network, |node| caller(node.0 - 8));
        run(&network, hosts, &config).0
    });
    assert!(a == b && !a.is_empty());
    assert_eq!(one.events, many.events);
    [one, many]
}

fn busy_site(host: u32) -> Caller {
    // The hosts of site 0 send to each other all the time; the others only have timers.
    let busy = host < 2;
    Caller {
        peer: busy.then(|| NodeId(8 + (host ^ 1))),
        every: if busy {
            SimDuration::from_micros(100)
        } else {
            SimDuration::from_secs(1)
        },
    }
}

#[test]
fn idle_partitions_cost_a_busy_one_nothing() {
    for threads in [1, 2] {
        let [one, many] = sites(busy_site, threads);
        assert!(one.events > 900_000, "{}", one.events);
        // Ten seconds of 1 ms windows would be 10,000 windows. The idle sites have ten timers each; the busy
        // one runs from one of these times to the next, or for the longest window allowed.
        assert!(many.windows < 200, "{} windows", many.windows);
        assert!(many.visits < 400, "{} visits", many.visits);
    }
}

#[test]
fn empty_stretches_of_time_are_skipped() {
    // Each site sends to the next once a second: the mail of each takes a few windows.
    let caller = |host: u32| Caller {
        peer: Some(NodeId(8 + (host + 2) % 16)),
        every: SimDuration::from_secs(1),
    };
    for threads in [1, 2] {
        let [one, many] = sites(caller, threads);
        let calls = 16 * 9;
        // Request and answer over three links each, and the timers.
        assert_eq!(one.events, calls * 6 + 16 * 9 + 16);
        assert!(many.windows < 9 * 12, "{} windows", many.windows);
        assert!(
            (8 * 9..=8 * many.windows).contains(&many.visits),
            "{} visits",
            many.visits
        );
    }
}

#[test]
fn a_partition_waits_for_answers_to_its_mail_and_no_longer() {
    // Site 0 sends to site 1, which does nothing else: only these packets cause windows.
    let caller = |host: u32| Caller {
        peer: (host == 0).then_some(NodeId(10)),
        every: if host < 2 {
            SimDuration::from_millis(if host == 0 { 500 } else { 1 })
        } else {
            SimDuration::from_secs(1000)
        },
    };
    for threads in [1, 2] {
        let [_, many] = sites(caller, threads);
        // 19 packets; each takes the windows of its way to the other site, those of the answer's
        // way back, and one more.
        assert!(many.windows < 19 * 6, "{} windows", many.windows);
    }
}
