//! Routes over small networks, link by link.

mod common;

use common::{Seen, Shot, address, at_us, built, hosts, losses, ms, run, send_from_a};
use sim_core::{LossCause, Network, NetworkBuilder, NodeId, RunConfig, SimDuration, SimTime};

/// The names of the nodes on the path from one host to another; `None` if there is no path.
fn path(network: &Network, from: &str, to: &str) -> Option<Vec<String>> {
    let (mut at, to) = (network.node(from)?, address(network, to));
    let mut names = vec![from.to_owned()];
    while network.owner(to) != Some(at) {
        let link = network.next_link(at, to)?;
        at = network.links()[link.0 as usize].to;
        names.push(network.nodes()[at.0 as usize].name.clone());
        assert!(names.len() <= network.nodes().len(), "a loop: {names:?}");
    }
    Some(names)
}

fn delay(network: &Network, from: &str, to: &str) -> Option<SimDuration> {
    network.path_delay(network.node(from)?, network.node(to)?)
}

fn line() -> NetworkBuilder {
    let mut net = NetworkBuilder::new();
    let (a, r1, r2, r3, b) = (
        net.host("a"),
        net.router("r1"),
        net.router("r2"),
        net.router("r3"),
        net.host("b"),
    );
    net.connect(a, r1, None, ms(1));
    net.connect(r1, r2, None, ms(2));
    net.connect(r2, r3, None, ms(3));
    net.connect(r3, b, None, ms(4));
    net
}

#[test]
fn a_line_is_walked_end_to_end() {
    let network = built(line());
    assert_eq!(
        path(&network, "a", "b").unwrap(),
        ["a", "r1", "r2", "r3", "b"]
    );
    assert_eq!(
        path(&network, "b", "a").unwrap(),
        ["b", "r3", "r2", "r1", "a"]
    );
    assert_eq!(delay(&network, "a", "b"), Some(ms(10)));
    assert_eq!(delay(&network, "a", "a"), Some(SimDuration::ZERO));
}

#[test]
fn a_star_of_ten_thousand_hosts_goes_through_its_hub() {
    let mut net = NetworkBuilder::new();
    let hub = net.router("hub");
    for i in 0..10_000 {
        let host = net.host(format!("h{i}"));
        net.connect(host, hub, None, ms(1));
    }
    let network = built(net);
    for (from, to) in [("h0", "h9999"), ("h5000", "h4999"), ("h9999", "h0")] {
        assert_eq!(path(&network, from, to).unwrap(), [from, "hub", to]);
    }
}

#[test]
fn a_diamond_takes_the_shorter_delay_then_fewer_hops_then_the_lower_link() {
    // a - r0 - {north, south} - r3 - b, with delays in ms; north's links have the lower numbers.
    for (north, south, expected) in [
        ((2, 2), (1, 1), "south"),
        ((1, 1), (2, 2), "north"),
        ((1, 3), (2, 2), "north"),
        ((3, 1), (2, 2), "north"),
        ((3, 1), (1, 3), "north"),
    ] {
        let mut net = NetworkBuilder::new();
        let (a, r0, n, s, r3, b) = (
            net.host("a"),
            net.router("r0"),
            net.router("north"),
            net.router("south"),
            net.router("r3"),
            net.host("b"),
        );
        net.connect(a, r0, None, ms(1));
        net.connect(r0, n, None, ms(north.0));
        net.connect(r0, s, None, ms(south.0));
        net.connect(n, r3, None, ms(north.1));
        net.connect(s, r3, None, ms(south.1));
        net.connect(r3, b, None, ms(1));
        let network = built(net);
        assert_eq!(
            path(&network, "a", "b").unwrap(),
            ["a", "r0", expected, "r3", "b"],
            "{north:?} {south:?}"
        );
    }
    // A detour of the same delay with one hop more.
    let mut net = line();
    let (r1, r3) = (NodeId(1), NodeId(3));
    net.connect(r1, r3, None, ms(5));
    assert_eq!(path(&built(net), "a", "b").unwrap(), ["a", "r1", "r3", "b"]);
}

#[test]
fn hosts_are_never_in_transit() {
    // The path through the host `short` would be quicker.
    let mut net = NetworkBuilder::new();
    let (a, r1, r2, b, short) = (
        net.host("a"),
        net.router("r1"),
        net.router("r2"),
        net.host("b"),
        net.host("short"),
    );
    net.connect(a, r1, None, ms(1));
    net.connect(r1, r2, None, ms(50));
    net.connect(r2, b, None, ms(1));
    net.connect(r1, short, None, ms(1));
    net.connect(short, r2, None, ms(1));
    let network = built(net);
    assert_eq!(path(&network, "a", "b").unwrap(), ["a", "r1", "r2", "b"]);
    assert_eq!(path(&network, "a", "short").unwrap(), ["a", "r1", "short"]);
    assert_eq!(path(&network, "short", "b").unwrap(), ["short", "r2", "b"]);

    // Three hosts in a row: neighbours reach each other, the ends do not.
    let mut net = NetworkBuilder::new();
    let (a, m, b) = (net.host("a"), net.host("m"), net.host("b"));
    net.connect(a, m, None, ms(1));
    net.connect(m, b, None, ms(1));
    let network = built(net);
    assert_eq!(path(&network, "a", "m").unwrap(), ["a", "m"]);
    assert_eq!(path(&network, "m", "b").unwrap(), ["m", "b"]);
    assert_eq!(delay(&network, "a", "b"), None);
    let (records, stats) = send_from_a(&network, &[(0, 100)]);
    assert_eq!(losses(&records), [(0, LossCause::NoRoute)]);
    assert_eq!(stats.unrouted_pkts, 1);
}

#[test]
fn packets_without_a_route_are_lost_and_counted() {
    let mut net = line();
    let (r9, c) = (net.router("r9"), net.host("c"));
    net.connect(r9, c, None, ms(1));
    let network = built(net);
    assert_eq!(path(&network, "a", "c"), None);
    assert_eq!(delay(&network, "a", "c"), None);
    assert_eq!(path(&network, "a", "b").unwrap().len(), 5);

    let nobody = std::net::Ipv4Addr::new(192, 0, 2, 1);
    let plan = [address(&network, "c"), nobody].map(|to| Shot {
        at: at_us(0),
        to,
        size: 40,
        ttl: 64,
        tos: 0,
    });
    let hosts = hosts(&network, |node| common::Prober {
        plan: if node == NodeId(0) {
            plan.to_vec()
        } else {
            Vec::new()
        },
        ..Default::default()
    });
    let ((records, stats), _) = run(&network, hosts, &RunConfig::new(1, SimTime::MAX));
    // The host does not know where `c` is and sends to its router, which knows no such address.
    let at: Vec<_> = records.iter().map(|r| (r.node, r.sample)).collect();
    assert_eq!(
        at,
        [
            (NodeId(0), Seen::Lost(1, LossCause::NoRoute, None)),
            (NodeId(1), Seen::Lost(0, LossCause::NoRoute, None)),
        ]
    );
    assert_eq!(stats.unrouted_pkts, 2);
}

#[test]
fn a_packet_whose_ttl_runs_out_is_lost_at_that_router() {
    let network = built(line());
    for (ttl, lost_at) in [(1, Some(1)), (2, Some(2)), (3, Some(3)), (4, None)] {
        let plan = vec![Shot {
            at: at_us(0),
            to: address(&network, "b"),
            size: 40,
            tos: 0,
            ttl,
        }];
        let hosts = hosts(&network, |node| common::Prober {
            plan: if node == NodeId(0) {
                plan.clone()
            } else {
                Vec::new()
            },
            ..Default::default()
        });
        let ((records, _), _) = run(&network, hosts, &RunConfig::new(1, SimTime::MAX));
        assert_eq!(records.len(), 1);
        match lost_at {
            Some(router) => {
                assert_eq!(records[0].node, NodeId(router));
                assert_eq!(
                    records[0].sample,
                    Seen::Lost(0, LossCause::TtlExpired, None)
                );
            }
            None => assert!(matches!(records[0].sample, Seen::Got(0, _, 1, false))),
        }
    }
}
