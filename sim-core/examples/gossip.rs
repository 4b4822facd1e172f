//! A rumour among 1,000 nodes: `cargo run --release -p synfin-sim-core --example gossip`.
//!
//! A node that hears it passes it on to three random others every 10 ms, four times.

use sim_core::{
    Cx, Host, NetworkBuilder, NodeId, Outgoing, Packet, Rng, RunConfig, SimDuration, SimTime,
    simulate,
};

const NODES: u32 = 1000;
const FANOUT: usize = 3;
const ROUNDS: u64 = 4;

#[derive(Default)]
struct Gossip {
    heard: bool,
    dice: Option<Rng>,
}

impl Gossip {
    fn hear(&mut self, cx: &mut Cx<'_, Self>) {
        if !std::mem::replace(&mut self.heard, true) {
            cx.record(());
            cx.wake_in(SimDuration::ZERO, 1);
        }
    }
}

impl Host for Gossip {
    type Payload = ();
    /// The node has heard the rumour.
    type Sample = ();
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        self.dice = Some(cx.rng("peers"));
        if cx.name() == "node-0" {
            self.hear(cx);
        }
    }

    fn on_packet(&mut self, _: Packet<()>, cx: &mut Cx<'_, Self>) {
        self.hear(cx);
    }

    /// `round` counts from 1.
    fn on_timer(&mut self, round: u64, cx: &mut Cx<'_, Self>) {
        let dice = self.dice.as_mut().expect("started");
        let peers: [u32; FANOUT] = std::array::from_fn(|_| dice.below(NODES.into()) as u32);
        let peers = peers.map(|n| cx.network().address(NodeId(n)).expect("a host"));
        cx.multicast(peers, &Outgoing::to(peers[0], 100, ()));
        if round < ROUNDS {
            cx.wake_in(SimDuration::from_millis(10), round + 1);
        }
    }
}

fn main() {
    let mut net = NetworkBuilder::new();
    let hosts: Vec<NodeId> = (0..NODES).map(|i| net.host(format!("node-{i}"))).collect();
    let hub = net.router("hub");
    for &host in &hosts {
        net.connect(host, hub, None, SimDuration::from_millis(1));
    }
    let network = net.build().expect("a valid network");
    let config = RunConfig::new(1, SimTime::MAX);
    let done = simulate(network, &config, |_| Gossip::default());

    let heard = done.records.len();
    let last = done.records.last().expect("the first one heard").time;
    println!(
        "{heard} of {NODES} nodes have heard, the last at {:.0} ms",
        last.as_secs_f64() * 1e3
    );
    // With 12 messages by each, a share of exp(-12) never hears it: about one node in 160,000.
    assert_eq!(heard as u32, NODES);
    assert!(last.as_secs_f64() < 0.1);
}
