//! Random networks, with every kind of impairment and queue discipline.

use std::sync::Arc;

use proptest::prelude::*;
use sim_core::impairments::{AnyRate, DelaySpec, GilbertElliott, LossSpec};
use sim_core::network::{Impairments, LinkChange};
use sim_core::plugin::Plugin;
use sim_core::queue_disc::{CoDel, CoDelParams, QueueSpec};
use sim_core::{
    Bytes, LinkModels, LinkSpec, Network, NetworkBuilder, NodeId, Outage, QueueLimit, Rate,
};

use crate::common::{at_us, us};

pub(crate) fn impairments() -> impl Strategy<Value = Impairments> {
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

pub(crate) fn loss_by_name(name: &str, given: &[(&str, &str)]) -> LossSpec {
    let models = LinkModels::default();
    models.losses.plugin(name, given).unwrap().into()
}

pub(crate) fn extra_delay(model: u64) -> DelaySpec {
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

pub(crate) fn bursts(p: f64) -> LossSpec {
    GilbertElliott::new([p, 0.4], [0.0, 0.9]).plugin().into()
}

/// The other disciplines, with parameters at which they act on queues of a few packets.
pub(crate) fn by_name(kind: usize, small: bool) -> QueueSpec {
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

pub(crate) fn link() -> impl Strategy<Value = LinkSpec> {
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

pub(crate) fn varying_rate(traced: bool) -> Plugin<AnyRate> {
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

/// A tree of routers with a few more links, and hosts on them, some of which are connected to two routers.
pub(crate) fn network() -> impl Strategy<Value = Arc<Network>> {
    let end = || any::<prop::sample::Index>();
    let routers = prop::collection::vec((end(), link()), 0..6);
    let shortcuts = prop::collection::vec((end(), end(), link()), 0..3);
    let hosts = prop::collection::vec(
        (end(), link(), prop::option::weighted(0.2, (end(), link()))),
        2..8,
    );
    // Ties depend on node numbers, so hosts are numbered before or after the routers.
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
