//! Gateways, and nodes that go down.

mod common;

use std::net::Ipv4Addr;
use std::sync::Arc;

use common::{at_us, ms, us};
use sim_core::network::{NetworkError, Outage};
use sim_core::{
    Cx, Finished, Host, Loss, LossCause, Network, NetworkBuilder, NodeId, Outgoing, Packet,
    RunConfig, SimDuration, SimTime, Simulation, Timers,
};

/// A client that sends a number every millisecond, a server that returns it, and a relay between them with one
/// address: packets to this address go on to the server with the relay as their source, and the answers back.
#[derive(Debug)]
enum TestNode {
    Client { server: Ipv4Addr, timers: Timers },
    Server,
    Relay { server: Ipv4Addr, client: Ipv4Addr },
    Filter { passed: u64 },
}

#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Got {
        from: Ipv4Addr,
        number: u64,
        ttl: u8,
    },
    Lost(LossCause),
    Crashed,
    Booted,
}

impl Host for TestNode {
    type Payload = u64;
    type Sample = Seen;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        if let TestNode::Client { timers, .. } = self {
            timers.set_in("next", ms(1), cx);
        }
    }

    fn on_packet(&mut self, p: Packet<u64>, cx: &mut Cx<'_, Self>) {
        match self {
            TestNode::Client { .. } => cx.record(Seen::Got {
                from: p.src,
                number: p.payload,
                ttl: p.ttl,
            }),
            TestNode::Server => {
                cx.send(Outgoing::to(p.src, 40, p.payload));
            }
            TestNode::Relay { server, client } => {
                let dst = if p.src == *server { *client } else { *server };
                let src = cx.address();
                cx.pass_on(Packet { src, dst, ..p });
            }
            TestNode::Filter { .. } => {}
        }
    }

    fn on_transit(&mut self, p: Packet<u64>, cx: &mut Cx<'_, Self>) {
        match self {
            TestNode::Filter { .. } if p.payload.is_multiple_of(3) => {
                cx.drop_packet(p, LossCause::Middlebox);
            }
            TestNode::Filter { passed } => {
                *passed += 1;
                cx.pass_on(p);
            }
            _ => cx.pass_on(p),
        }
    }

    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        if let TestNode::Client { server, timers } = self
            && timers.fire(token, cx) == Some("next")
        {
            let number = cx.now().as_ps() / 1_000_000_000;
            cx.send(Outgoing::to(*server, 40, number));
            timers.set_in("next", ms(1), cx);
        }
    }

    fn on_crash(&mut self, cx: &mut Cx<'_, Self>) {
        cx.record(Seen::Crashed);
        if let TestNode::Client { timers, .. } = self {
            *timers = Timers::default();
        }
    }

    fn on_boot(&mut self, cx: &mut Cx<'_, Self>) {
        cx.record(Seen::Booted);
        self.on_start(cx);
    }

    fn lost(_: &Packet<u64>, loss: Loss) -> Option<Seen> {
        Some(Seen::Lost(loss.cause))
    }
}

fn run(
    network: Network,
    make: impl FnMut(NodeId) -> TestNode,
    end: SimTime,
    partition_of: Vec<u32>,
) -> Finished<TestNode> {
    let hosts = network.place(make);
    let config = RunConfig {
        partition_of,
        ..RunConfig::new(1, end)
    };
    Simulation::new(network, hosts, &config).run_to_end()
}

fn client(server: Ipv4Addr) -> TestNode {
    let timers = Timers::default();
    TestNode::Client { server, timers }
}

/// Builds client (10.0.0.1) ── relay (10.0.0.2) ── server (10.0.0.3), 100 us each.
fn three(outages: &[Outage]) -> Network {
    let mut net = NetworkBuilder::new();
    let ends = (net.host("client"), net.gateway("relay"), net.host("server"));
    net.connect(ends.0, ends.1, None, us(100));
    net.connect(ends.1, ends.2, None, us(100));
    net.build().unwrap().with_outages(outages.to_vec()).unwrap()
}

const RELAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 3);

fn through_relay(outages: &[Outage], partition_of: Vec<u32>) -> Finished<TestNode> {
    let network = three(outages);
    let make = |node: NodeId| match node.0 {
        0 => client(RELAY),
        1 => TestNode::Relay {
            server: SERVER,
            client: Ipv4Addr::new(10, 0, 0, 1),
        },
        _ => TestNode::Server,
    };
    run(network, make, at_us(10_500), partition_of)
}

fn numbers(finished: &Finished<TestNode>) -> Vec<u64> {
    let got = finished.records.iter().filter_map(|r| match r.sample {
        Seen::Got { number, .. } => Some(number),
        _ => None,
    });
    got.collect()
}

#[test]
fn a_gateway_takes_what_is_for_its_address_and_changes_headers() {
    let done = through_relay(&[], vec![]);
    assert_eq!(numbers(&done), (1..=10).collect::<Vec<_>>());
    for (record, number) in done.records.iter().zip(1..) {
        let (from, ttl) = (RELAY, 63);
        assert_eq!(record.sample, Seen::Got { from, number, ttl });
        assert_eq!(record.time, at_us(number * 1000 + 400));
    }
}

#[test]
fn what_passes_a_gateway_can_be_dropped() {
    let make = |node: NodeId| match node.0 {
        0 => client(SERVER),
        1 => TestNode::Filter { passed: 0 },
        _ => TestNode::Server,
    };
    let done = run(three(&[]), make, at_us(10_500), vec![]);
    assert_eq!(numbers(&done), [1, 2, 4, 5, 7, 8, 10]);
    let lost = |r: &&sim_core::Record<Seen>| r.sample == Seen::Lost(LossCause::Middlebox);
    assert_eq!(done.records.iter().filter(lost).count(), 3);
    let Some(TestNode::Filter { passed }) = done.hosts[1] else {
        panic!("the filter is at its place")
    };
    assert_eq!(passed, 14, "there and back");
}

fn outage(node: u32, down: u64, up: Option<u64>) -> Outage {
    Outage {
        node: NodeId(node),
        down: at_us(down),
        up: up.map(at_us),
    }
}

#[test]
fn a_node_that_is_down_loses_what_arrives_and_its_wakes() {
    // The client is down from 3.1 to 6.3 ms, and counts milliseconds from its boot.
    let done = through_relay(&[outage(0, 3_100, Some(6_300))], vec![]);
    assert_eq!(numbers(&done), [1, 2, 7, 8, 9]);
    let at = |s: &Seen| done.records.iter().find(|r| r.sample == *s).unwrap().time;
    assert_eq!(
        (at(&Seen::Crashed), at(&Seen::Booted)),
        (at_us(3_100), at_us(6_300))
    );
    // The answer to number 3.
    assert_eq!(at(&Seen::Lost(LossCause::NodeDown)), at_us(3_400));
    // A gateway goes down twice; a server goes down and stays down.
    let twice = [outage(1, 2_000, Some(4_000)), outage(1, 7_050, Some(7_350))];
    assert_eq!(
        numbers(&through_relay(&twice, vec![])),
        [1, 4, 5, 6, 8, 9, 10]
    );
    assert_eq!(
        numbers(&through_relay(&[outage(2, 5_000, None)], vec![])),
        [1, 2, 3, 4]
    );
}

#[test]
fn gateways_and_outages_are_the_same_in_every_partition() {
    let outages = [outage(1, 2_000, Some(4_000)), outage(0, 7_050, Some(8_350))];
    let one = through_relay(&outages, vec![]);
    for parts in [vec![0, 1, 1], vec![0, 1, 0], vec![2, 1, 0]] {
        let many = through_relay(&outages, parts);
        assert_eq!(many.records, one.records);
        assert_eq!(many.stats.events, one.stats.events);
    }
}

#[test]
fn outages_are_checked() {
    let network = || three(&[]);
    for bad in [
        vec![outage(3, 1, None)],
        vec![outage(0, 5, Some(5))],
        vec![outage(0, 5, Some(9)), outage(0, 9, None)],
        vec![outage(0, 5, None), outage(0, 9, Some(10))],
    ] {
        let error = network().with_outages(bad.clone()).unwrap_err();
        assert_eq!(error, NetworkError::Outage(bad.len() - 1));
    }
    let fine = vec![
        outage(0, 5, Some(9)),
        outage(1, 5, None),
        outage(0, 10, None),
    ];
    assert_eq!(network().with_outages(fine).unwrap().outages().len(), 3);
}

#[test]
fn paths_lead_through_gateways_and_not_through_hosts() {
    let mut net = NetworkBuilder::new();
    let a = net.host("a");
    let (slow, host) = (net.gateway("slow"), net.host("fast"));
    let b = net.host("b");
    for (middle, delay) in [(slow, ms(5)), (host, ms(1))] {
        net.connect(a, middle, None, delay);
        net.connect(middle, b, None, delay);
    }
    let network = Arc::new(net.build().unwrap());
    assert_eq!(network.path_delay(a, b), Some(SimDuration::from_millis(10)));
}
