//! Hosts are shown events before they arrive, and are asked again with the keys they return.

mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;

use common::{at_us, built, hosts, run, us};
use sim_core::{
    Cx, Host, LinkSpec, NetworkBuilder, NodeId, Outgoing, Packet, Rate, RunConfig, SimDuration,
    Upcoming,
};

/// Sends bursts and sets timers; counts what it was shown ahead of time.
#[derive(Debug, Default)]
struct ShownHost {
    /// Packets and timers that it was shown and that have not arrived yet; keys it still waits for.
    announced: RefCell<BTreeSet<u64>>,
    keys: RefCell<BTreeSet<u64>>,
    foreseen: u32,
    came: u32,
    wakes: u64,
    /// Answers every question with a key.
    insists: bool,
}

const BURST: u64 = 40;

impl ShownHost {
    fn came(&mut self, what: u64) {
        let foreseen = self.announced.get_mut().remove(&what);
        self.foreseen += u32::from(foreseen);
        self.came += 1;
    }

    fn wake(&mut self, after: SimDuration, cx: &mut Cx<'_, Self>) {
        self.wakes += 1;
        cx.wake(cx.now() + after, self.wakes | 1 << 62);
    }
}

impl Host for ShownHost {
    type Payload = ();
    type Sample = ();
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        for i in 0..200 {
            self.wake(us(1_000 + 37 * i), cx);
        }
    }

    fn on_packet(&mut self, packet: Packet<()>, _: &mut Cx<'_, Self>) {
        self.came(packet.id);
    }

    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        self.came(token);
        self.wake(us(7_400), cx);
        let dst = cx.network().address(NodeId(1 - cx.node().0));
        if token.is_multiple_of(BURST)
            && let Some(dst) = dst
        {
            for _ in 0..BURST {
                cx.send(Outgoing::to(dst, 1500, ()));
            }
        }
    }

    fn look_ahead(&self, what: Upcoming<'_, Self>) -> Option<u64> {
        match what {
            Upcoming::Packet(packet) => {
                self.announced.borrow_mut().insert(packet.id);
                self.keys.borrow_mut().insert(packet.id);
                Some(packet.id)
            }
            Upcoming::Timer(token) => {
                self.announced.borrow_mut().insert(token);
                None
            }
            Upcoming::Again(key) if self.insists => Some(key),
            Upcoming::Again(key) => {
                assert!(
                    self.keys.borrow_mut().remove(&key),
                    "a key of the host's own"
                );
                None
            }
        }
    }
}

/// The share of its events that a host foresees; the smaller of the two hosts' shares.
fn share_foreseen(change: impl FnOnce(&mut LinkSpec), from: usize) -> f64 {
    share_foreseen_by(ShownHost::default, change, from)
}

fn share_foreseen_by(
    listener: impl Fn() -> ShownHost,
    change: impl FnOnce(&mut LinkSpec),
    from: usize,
) -> f64 {
    let mut net = NetworkBuilder::new();
    let (a, b) = (net.host("a"), net.host("b"));
    let mut link = LinkSpec::new(a, b, Some(Rate::mbps(100)), us(300));
    change(&mut link);
    net.join(link);
    let network = built(net);
    let config = RunConfig {
        look_ahead_from: from,
        ..RunConfig::new(1, at_us(200_000))
    };
    let listeners = hosts(&network, |_| listener());
    let ((_, stats), listeners) = run(&network, listeners, &config);
    let listeners: Vec<ShownHost> = listeners.into_iter().flatten().collect();
    assert!(stats.events > 10_000, "{}", stats.events);
    let came: u32 = listeners.iter().map(|l| l.came).sum();
    assert_eq!(u64::from(came), stats.events - 2, "all but the starts");
    let share = |l: &ShownHost| f64::from(l.foreseen) / f64::from(l.came);
    listeners.iter().map(share).fold(1.0, f64::min)
}

#[test]
fn most_packets_and_timers_are_announced() {
    let share = share_foreseen(|_| {}, 0);
    assert!(share > 0.85, "{share}");
}

#[test]
fn they_are_announced_even_if_packets_overtake_each_other() {
    let share = share_foreseen(|link| link.impairments.extra_delay = us(900).into(), 0);
    assert!(share > 0.85, "{share}");
}

#[test]
fn nothing_is_announced_if_it_is_not_worth_while() {
    assert_eq!(share_foreseen(|_| {}, 1 << 16), 0.0);
}

#[test]
fn a_host_that_always_returns_another_key_does_not_stall_the_run() {
    let insistent = || ShownHost {
        insists: true,
        ..ShownHost::default()
    };
    let share = share_foreseen_by(insistent, |_| {}, 0);
    assert!(share > 0.85, "{share}");
}
