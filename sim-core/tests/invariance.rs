//! Results are the same for every event queue, assignment to partitions and number of threads.

mod common;
mod invariance {
    pub(crate) mod networks;
}

use std::sync::Arc;

use common::{Outcome, Prober, Shot, address, at_us, built, hosts, ms, run, us};
use invariance::networks::network;
use proptest::prelude::*;
use sim_core::event_queue::EventQueueKind;
use sim_core::{
    Cx, Host, LazyTimer, LinkId, LinkSpec, Loss, LossCause, Network, NetworkBuilder, NodeId,
    Outgoing, Packet, Rng, RunConfig, SimTime,
};

/// Answers, forwards to others, wakes itself now and later, all at random from its own random
/// stream.
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
    /// Does something at random, on a grid of 5 us, so that many events have the same time.
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

/// Two pairs of hosts with no link between the pairs, at different speeds: no window ever ends, so that one
/// partition is far ahead of the other whenever records are passed on.
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

/// Panics at 3 ms if it is the host chosen to fail.
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
