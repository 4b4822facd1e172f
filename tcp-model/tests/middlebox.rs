//! A source NAT between clients and servers, and hosts that crash.

mod middlebox {
    pub(crate) mod network;
}

use std::net::{Ipv4Addr, SocketAddrV4};

use middlebox::network::{NatNetwork, at, ms, ten_ports, world};
use sim_core::{Finished, NodeId, Outage, SimDuration};
use tcp_model::middlebox::NatSpec;
use tcp_model::sample::{EndReason, OpenResult};
use tcp_model::spec::Arrivals;
use tcp_model::{TcpHost, TcpSample};

/// The connects: time in ms, and result.
fn outcomes(done: &Finished<TcpHost>) -> Vec<(u64, OpenResult)> {
    let outcome = |r: &sim_core::Record<TcpSample>| match &r.sample {
        TcpSample::Outcome(o) => Some((r.time.as_ps() / 1_000_000_000, o.result)),
        _ => None,
    };
    done.records.iter().filter_map(outcome).collect()
}

/// One connection at time zero.
fn one() -> NatNetwork {
    NatNetwork {
        arrivals: Arrivals::Burst(1),
        ..world(0.0)
    }
}

/// How long a mapping lasts, in ms: from the SYN at the NAT, 1 ms after it was sent, to the last ACK
/// (two round trips of 4 ms for handshake and request, and one for the two FINs), plus 1 s.
const HOLD_MS: u64 = 12 + 1000;

#[test]
fn a_mapping_lasts_until_its_time_out_after_the_last_packet() {
    for (end, mappings) in [(1, 0), (2, 1), (HOLD_MS + 1, 1), (HOLD_MS + 2, 0)] {
        let world = NatNetwork {
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
    // Three requests, 5 s apart; a mapping expires after 3 s.
    let mut world = NatNetwork {
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
    let mut world = NatNetwork {
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
    // The server is up but refuses connections: during its quiet time it does not listen on any port.
    world.outages[0].up = Some(at(1));
    world.quiet = SimDuration::from_secs(100);
    world.nat.timeouts.reset = ms(3000);
    let done = world.run();
    let stats = world.nat_stats(&done);
    // The mapping that is about to expire, and three more.
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
    let world = NatNetwork {
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

/// Values of Erlang's B formula for ten lines: offered load in erlangs, share of calls lost.
const ERLANG_B: [(f64, f64); 3] = [(5.0, 0.018_385), (10.0, 0.214_582), (15.0, 0.410_341)];

#[test]
fn losses_of_a_pool_follow_erlang_b_at_three_loads() {
    for (load, expected) in ERLANG_B {
        let rate = load / (HOLD_MS as f64 / 1e3);
        let shares: Vec<f64> = (0..10)
            .map(|seed| {
                let world = NatNetwork {
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
        assert!(half < 0.03, "an interval of {mean} +- {half} shows nothing");
        assert!(
            (mean - expected).abs() < half,
            "{mean} +- {half} for {expected} at {load} erlangs"
        );
    }
}

#[test]
fn nat_codel_and_crashes_are_the_same_in_every_partition() {
    let mut world = NatNetwork {
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
    let mut world = NatNetwork {
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
    // The second request, 5 s after the response to the first arrived at 8 ms, finds a server without
    // any state.
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
    let base = NatNetwork {
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
    // Connects at 0, 1 and 2 s succeed, those at 3 and 4 s time out, those at 5 and 6 s are refused. The
    // order of outcomes is not compared.
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
