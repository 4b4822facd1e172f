//! Results are the same for every event queue, assignment to partitions and number of threads.

mod common;

use std::sync::Arc;

use common::{Outcome, Prober, Shot, address, at_us, built, hosts, ms, run, us};
use proptest::prelude::*;
use sim_core::event_queue::EventQueueKind;
use sim_core::impairments::{AnyRate, DelaySpec, GilbertElliott, LossSpec};
use sim_core::network::{Impairments, LinkChange};
use sim_core::plugin::Plugin;
use sim_core::queue_disc::{CoDel, CoDelParams, QueueSpec};
use sim_core::{
    Bytes, Cx, Host, LazyTimer, LinkId, LinkModels, LinkSpec, Loss, LossCause, Network,
    NetworkBuilder, NodeId, Outage, Outgoing, Packet, QueueLimit, Rate, Rng, RunConfig, SimTime,
};

/// Answers, forwards to others, wakes itself now and later: whatever its own dice say.
#[derive(Debug, Default)]
struct Chatter {
    dice: Option<Rng>,
    timer: LazyTimer,
    left: u32,
}

#[derive(Clone, Debug, PartialEq)]
enum Said {
    Got {
        id: u64,
        ttl: u8,
        tos: u8,
        corrupt: bool,
    },
    Woke(u64),
    Fired,
    Crashed,
    Lost {
        id: u64,
        loss: Loss,
    },
}

const TIMER: u64 = 1;

impl Chatter {
    /// Does something at random; on a grid of 5 us, so that much happens at one instant.
    fn act(&mut self, cx: &mut Cx<'_, Self>) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let dice = self.dice.as_mut().expect("started");
        for _ in 0..=dice.below(2) {
            let others: Vec<_> = (0..cx.network().nodes().len() as u32)
                .flat_map(|n| cx.network().addresses(NodeId(n)))
                .collect();
            let dst = others[dice.below(others.len() as u64) as usize];
            cx.send(Outgoing {
                ttl: 2 + dice.below(6) as u8,
                tos: dice.below(4) as u8,
                ..Outgoing::to(dst, 40 + 100 * dice.below(10) as u32, ())
            });
        }
        let ahead = us(5 * dice.below(40));
        match dice.below(4) {
            0 => cx.wake(cx.now(), 2 + u64::from(self.left)),
            1 => cx.wake(cx.now() + ahead, 2 + u64::from(self.left)),
            2 => self.timer.set(Some(cx.now() + ahead), TIMER, cx),
            _ => self.timer.set(None, TIMER, cx),
        }
    }
}

impl Host for Chatter {
    type Payload = ();
    type Sample = Said;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        self.dice = Some(cx.rng("dice"));
        self.act(cx);
        (1..15).for_each(|i| cx.wake(at_us(100 * i), 2));
    }

    fn on_packet(&mut self, p: Packet<()>, cx: &mut Cx<'_, Self>) {
        let (id, ttl, tos, corrupt) = (p.id, p.ttl, p.tos, p.corrupt);
        cx.record(Said::Got {
            id,
            ttl,
            tos,
            corrupt,
        });
        self.act(cx);
    }

    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        if token != TIMER {
            cx.record(Said::Woke(token));
            self.act(cx);
        } else if self.timer.fire(TIMER, cx) {
            cx.record(Said::Fired);
            self.act(cx);
        }
    }

    fn on_transit(&mut self, p: Packet<()>, cx: &mut Cx<'_, Self>) {
        let dice = self.dice.as_mut().expect("started");
        match dice.below(8) {
            0 => cx.drop_packet(p, LossCause::Middlebox),
            1 => cx.pass_on(Packet {
                tos: p.tos ^ 4,
                ..p
            }),
            _ => cx.pass_on(p),
        }
    }

    fn on_crash(&mut self, cx: &mut Cx<'_, Self>) {
        cx.record(Said::Crashed);
        self.timer = LazyTimer::default();
    }

    fn lost(packet: &Packet<()>, loss: Loss) -> Option<Said> {
        Some(Said::Lost {
            id: packet.id,
            loss,
        })
    }
}

fn impairments() -> impl Strategy<Value = Impairments> {
    let p = || prop_oneof![2 => Just(0.0), 1 => 0.0..0.3f64];
    (
        p(),
        p(),
        p(),
        p(),
        0..3u64,
        0..6u64,
        prop::collection::btree_set(1..30u64, 0..3),
    )
        .prop_map(
            |(loss, corrupt, duplicate, reorder, held, jitter, drop)| Impairments {
                loss: match (corrupt * 20.0) as u32 {
                    0..3 => loss.into(),
                    3 => loss_by_name("periodic", &[("every", "9"), ("length", "2")]),
                    4 => loss_by_name("burst", &[("probability", "0.1"), ("length", "3")]),
                    5 => loss_by_name("list", &[("packets", "2-4, 9"), ("repeat", "11")]),
                    _ => bursts(loss),
                },
                drop: drop.into_iter().collect(),
                drop_named: Vec::new(),
                corrupt,
                duplicate,
                reorder,
                reorder_delay: us(5 * held),
                extra_delay: extra_delay(jitter),
                processing: us(held),
            },
        )
}

fn loss_by_name(name: &str, given: &[(&str, &str)]) -> LossSpec {
    let models = LinkModels::default();
    models.losses.plugin(name, given).unwrap().into()
}

fn extra_delay(model: u64) -> DelaySpec {
    let normal = [
        ("mean", "10 us"),
        ("deviation", "5 us"),
        ("correlation", "0.5"),
    ];
    let pareto = [("minimum", "1 us"), ("most", "60 us"), ("reorder", "true")];
    let (name, given): (_, &[_]) = match model {
        0 | 1 => return us(5 * model).into(),
        2 => ("normal", &normal),
        3 => ("pareto", &pareto),
        4 => ("empirical", &[("values", "1 us, 9 us, 30 us")]),
        _ => ("aggregation", &[("interval", "20 us"), ("random", "true")]),
    };
    let models = LinkModels::default();
    models.delays.plugin(name, given).unwrap().into()
}

fn bursts(p: f64) -> LossSpec {
    GilbertElliott::new([p, 0.4], [0.0, 0.9]).plugin().into()
}

/// The other disciplines, with parameters at which they act on queues of a few packets.
fn by_name(kind: usize, small: bool) -> QueueSpec {
    let limit = ("limit", if small { "4 packets" } else { "12 packets" });
    let (name, given): (_, &[_]) = match kind {
        0 => (
            "fq-codel",
            &[
                limit,
                ("target", "5 us"),
                ("interval", "40 us"),
                ("flows", "3"),
                ("quantum", "300"),
            ],
        ),
        1 => (
            "pie",
            &[
                limit,
                ("target", "20 us"),
                ("update", "15 us"),
                ("max_burst", "50 us"),
                ("alpha", "2000"),
                ("beta", "20000"),
                ("ecn", "true"),
            ],
        ),
        2 => (
            "red",
            &[
                limit,
                ("min", "1 packet"),
                ("max", "4 packets"),
                ("weight", "0.3"),
                ("adaptive", "true"),
                ("ecn", "true"),
            ],
        ),
        3 => ("step", &[limit, ("threshold", "2 packets")]),
        4 => (
            "fq-pie",
            &[
                limit,
                ("target", "20 us"),
                ("update", "15 us"),
                ("max_burst", "0 s"),
                ("alpha", "2000"),
                ("beta", "20000"),
                ("flows", "3"),
                ("quantum", "300"),
            ],
        ),
        5 => (
            "cobalt",
            &[
                limit,
                ("target", "5 us"),
                ("interval", "40 us"),
                ("p_increase", "0.2"),
                ("p_decrease", "0.1"),
            ],
        ),
        6 => (
            "dualpi2",
            &[
                limit,
                ("target", "20 us"),
                ("max_rtt", "60 us"),
                ("step", "5 us"),
                ("range", "10 us"),
            ],
        ),
        7 => ("drr", &[limit, ("flows", "3"), ("quantum", "300")]),
        8 => ("priority", &[limit]),
        9 => (
            "token-bucket",
            &[limit, ("rate", "6 Mbit/s"), ("burst", "2 kB")],
        ),
        _ => ("policer", &[limit, ("rate", "6 Mbit/s"), ("burst", "2 kB")]),
    };
    LinkModels::default()
        .queues
        .plugin(name, given)
        .expect("valid parameters")
        .into()
}

fn link() -> impl Strategy<Value = LinkSpec> {
    let rate = prop_oneof![
        Just(None),
        Just(Some(Rate::mbps(100))),
        Just(Some(Rate::mbps(8)))
    ];
    let queue = prop_oneof![
        2 => Just(QueueLimit::Unlimited.into()),
        2 => (1..6u32).prop_map(|n| QueueLimit::Packets(n).into()),
        2 => (1000..3000u64).prop_map(|b| QueueLimit::Bytes(Bytes(b)).into()),
        1 => (100..500u64).prop_map(|t| QueueLimit::Time(us(t)).into()),
        2 => (1..8u64, any::<bool>()).prop_map(|(target, ecn)| QueueSpec::from(CoDel::plugin(CoDelParams {
            target: us(5 * target),
            interval: us(40 * target),
            limit: QueueLimit::Packets(12),
            ecn,
        }))),
        2 => (0..11usize, any::<bool>()).prop_map(|(kind, small)| by_name(kind, small)),
    ];
    let process = prop::option::weighted(0.2, any::<bool>());
    let change = (
        0..200u64,
        rate.clone(),
        0..8u64,
        prop::option::of(0.0..1.0f64),
        prop::option::of(any::<bool>()),
    )
        .prop_map(|(at, rate, delay, loss, up)| LinkChange {
            at: at_us(5 * at),
            rate,
            delay: (delay > 0).then(|| us(5 * delay)),
            loss,
            up,
        });
    (
        rate,
        1..8u64,
        queue,
        impairments(),
        prop::collection::vec(change, 0..3),
        process,
    )
        .prop_map(|(rate, delay, queue, impairments, mut changes, process)| {
            changes.sort_by_key(|c| c.at);
            LinkSpec {
                queue,
                rate_process: process.map(varying_rate),
                impairments,
                changes,
                ..LinkSpec::new(NodeId(0), NodeId(0), rate, us(5 * delay))
            }
        })
}

fn varying_rate(traced: bool) -> Plugin<AnyRate> {
    let models = LinkModels::default();
    if traced {
        let given = [("deliveries", "0 0 0 1 1"), ("bytes", "400")];
        return models.rates.plugin("trace", &given).unwrap();
    }
    let given = [
        ("other", "3 Mbit/s"),
        ("mean_nominal", "300 us"),
        ("mean_other", "200 us"),
    ];
    models.rates.plugin("two-state", &given).unwrap()
}

/// A tree of routers with some more links between them, and hosts on them, some on two.
fn network() -> impl Strategy<Value = Arc<Network>> {
    let end = || any::<prop::sample::Index>();
    let routers = prop::collection::vec((end(), link()), 0..6);
    let shortcuts = prop::collection::vec((end(), end(), link()), 0..3);
    let hosts = prop::collection::vec(
        (end(), link(), prop::option::weighted(0.2, (end(), link()))),
        2..8,
    );
    // Ties depend on node numbers: let hosts come before or after the routers.
    let outages = prop::collection::vec((end(), 1..200u64, prop::option::of(1..100u64)), 0..3);
    (
        routers,
        shortcuts,
        hosts,
        any::<bool>(),
        any::<u8>(),
        outages,
    )
        .prop_map(|(routers, shortcuts, hosts, first, gateways, outages)| {
            let mut net = NetworkBuilder::new();
            let mut numbered: Vec<NodeId> = Vec::new();
            let host_count = hosts.len();
            if first {
                numbered.extend(hosts.iter().map(|_| net.host("h")));
            }
            let mut spine = vec![net.router("r")];
            let join = |net: &mut NetworkBuilder, from, to, link: LinkSpec| {
                if from != to {
                    net.join(LinkSpec { from, to, ..link });
                }
            };
            for (i, (at, link)) in routers.into_iter().enumerate() {
                let new = match gateways >> i & 1 {
                    0 => net.router("r"),
                    _ => net.gateway("g"),
                };
                join(&mut net, new, spine[at.index(spine.len())], link);
                spine.push(new);
            }
            for (a, b, link) in shortcuts {
                join(
                    &mut net,
                    spine[a.index(spine.len())],
                    spine[b.index(spine.len())],
                    link,
                );
            }
            if !first {
                numbered.extend(hosts.iter().map(|_| net.host("h")));
            }
            for (host, (at, link, second)) in numbered.into_iter().zip(hosts) {
                join(&mut net, host, spine[at.index(spine.len())], link);
                if let Some((at, link)) = second {
                    join(&mut net, host, spine[at.index(spine.len())], link);
                }
            }
            let mut down: Vec<Outage> = Vec::new();
            let nodes = spine.len() + host_count;
            for (node, at, takes) in outages {
                let node = NodeId(node.index(nodes) as u32);
                if down.iter().all(|o| o.node != node) {
                    let up = takes.map(|takes| at_us(5 * (at + takes)));
                    down.push(Outage {
                        node,
                        down: at_us(5 * at),
                        up,
                    });
                }
            }
            let network = net.build().unwrap();
            Arc::new(network.with_outages(down).unwrap())
        })
}

fn outcome(network: &Arc<Network>, config: &RunConfig) -> Outcome<Said> {
    let hosts = hosts(network, |_| Chatter {
        left: 40,
        ..Chatter::default()
    });
    run(network, hosts, config).0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn records_and_link_counters_do_not_depend_on_execution(
        network in network(),
        seed in any::<u64>(),
        owners in prop::collection::vec(any::<u32>(), 16),
    ) {
        let all = (0..network.links().len() as u32).map(LinkId);
        let base = RunConfig { watched: all.collect(), ..RunConfig::new(seed, at_us(2_000)) };
        let (records, stats) = outcome(&network, &base);
        prop_assert!(records.is_sorted_by(|a, b| (a.time, a.tie) <= (b.time, b.tie)));
        let partitioned = |parts: u32| {
            let owner = |i: usize| owners[i % owners.len()].rotate_left(i as u32 / 16) % parts;
            (0..network.nodes().len()).map(owner).collect()
        };
        let runs = EventQueueKind::ALL.iter().map(|&queue| RunConfig { queue, ..base.clone() });
        let split = [1, 2, 3, 5, 8].map(|parts| RunConfig { partition_of: partitioned(parts), ..base.clone() });
        let threads = [2, 3].map(|threads| RunConfig { threads, partition_of: partitioned(5), ..base.clone() });
        let looking = [0, 30].map(|from| RunConfig { look_ahead_from: from, partition_of: partitioned(2), ..base.clone() });
        for config in runs.chain(split).chain(threads).chain(looking) {
            let (again, other) = outcome(&network, &config);
            prop_assert_eq!(again.len(), records.len(), "{:?}", &config);
            for (a, b) in again.iter().zip(&records) {
                prop_assert_eq!(a, b, "{:?}", &config);
            }
            prop_assert_eq!(&other.links, &stats.links);
            prop_assert_eq!(&other.queues, &stats.queues);
            prop_assert_eq!(other.events, stats.events);
            prop_assert_eq!(other.unrouted_pkts, stats.unrouted_pkts);
        }
    }
}

#[test]
fn another_seed_gives_other_results() {
    let mut net = NetworkBuilder::new();
    let (a, r, b) = (net.host("a"), net.router("r"), net.host("b"));
    net.connect(a, r, None, ms(1));
    net.connect(r, b, None, ms(1));
    let network = built(net);
    let run = |seed| outcome(&network, &RunConfig::new(seed, SimTime::MAX)).0;
    assert_ne!(run(1), run(2));
    assert_eq!(run(1), run(1));
    assert!(run(1).len() > 50);
}

/// Two pairs of hosts with nothing between them, at different speeds: no window ever ends, so that
/// one partition is far ahead of the other whenever records are handed over.
#[test]
fn records_of_partitions_that_never_meet_are_merged() {
    let mut net = NetworkBuilder::new();
    let ends: Vec<_> = (0..4).map(|i| net.host(format!("h{i}"))).collect();
    for (a, delay) in [(0, us(1)), (2, us(7))] {
        net.join(LinkSpec::new(ends[a], ends[a + 1], None, delay));
    }
    let network = built(net);
    let run = |partition_of, threads| {
        let mut echoing = hosts(&network, |_| Prober {
            echo_size: 40,
            echoes: 50_000,
            ..Prober::default()
        });
        for (from, to) in [(0, 1), (2, 3)] {
            let (at, to) = (at_us(0), address(&network, &format!("h{to}")));
            let shot = Shot {
                at,
                to,
                size: 40,
                ttl: 64,
                tos: 0,
            };
            echoing[from].as_mut().unwrap().plan = vec![shot; 3];
        }
        let config = RunConfig {
            partition_of,
            threads,
            ..RunConfig::new(1, SimTime::MAX)
        };
        run(&network, echoing, &config).0.0
    };
    let expected = run(vec![], 1);
    assert_eq!(expected.len(), 4 * 50_000 + 6);
    for (partition_of, threads) in [
        (vec![0, 0, 1, 1], 1),
        (vec![1, 1, 0, 0], 2),
        (vec![0, 1, 2, 2], 2),
    ] {
        assert!(run(partition_of, threads) == expected, "other records");
    }
}

/// Fails at 3 ms when it is the one to fail.
struct Fails(u32);

impl Host for Fails {
    type Payload = ();
    type Sample = ();
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        let address = |n| cx.network().addresses(NodeId(n)).next().unwrap();
        let (src, dst) = (address(cx.node().0), address(cx.node().0 ^ 1));
        cx.send(Outgoing {
            src,
            ..Outgoing::to(dst, 40, ())
        });
        cx.wake(at_us(3000), 0);
    }

    fn on_packet(&mut self, _: Packet<()>, _: &mut Cx<'_, Self>) {}

    fn on_timer(&mut self, _: u64, cx: &mut Cx<'_, Self>) {
        assert!(cx.node() != NodeId(self.0), "a host fails");
    }
}

#[test]
fn a_panic_of_a_host_ends_all_threads() {
    let mut net = NetworkBuilder::new();
    let ends: Vec<_> = (0..8).map(|i| net.host(format!("h{i}"))).collect();
    ends.chunks(2).for_each(|pair| {
        net.connect(pair[0], pair[1], None, ms(1));
    });
    let network = built(net);
    for failing in 0..8 {
        let run = || {
            let config = RunConfig {
                partition_of: vec![0, 1, 2, 3, 0, 1, 2, 3],
                threads: 3,
                ..RunConfig::new(1, SimTime::MAX)
            };
            run(&network, hosts(&network, |_| Fails(failing)), &config)
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}
