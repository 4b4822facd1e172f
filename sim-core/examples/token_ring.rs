//! A token ring: `cargo run -p synfin-sim-core --example token_ring`.
//!
//! A node may send one frame when it has the token. If the token is lost, the node with the smallest
//! number notices that it has been missing for a while, and makes a new one.

use sim_core::{
    Cx, Host, LinkSpec, NetworkBuilder, NodeId, Outgoing, Packet, RunConfig, SimDuration, SimTime,
    Timers, simulate,
};

const NODES: u32 = 8;
const HOP: SimDuration = SimDuration::from_micros(100);

#[derive(Default)]
struct Station {
    timers: Timers,
}

impl Station {
    fn pass_token(&mut self, cx: &mut Cx<'_, Self>) {
        cx.record("token");
        let next = NodeId((cx.node().0 + 1) % NODES);
        let next = cx.network().address(next).expect("a host");
        cx.send(Outgoing::to(next, 24, ()));
        if cx.node() == NodeId(0) {
            // A round takes 0.8 ms.
            self.timers
                .set_in("token lost", SimDuration::from_millis(2), cx);
        }
    }
}

impl Host for Station {
    type Payload = ();
    type Sample = &'static str;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        if cx.node() == NodeId(0) {
            self.pass_token(cx);
        }
    }

    fn on_packet(&mut self, _: Packet<()>, cx: &mut Cx<'_, Self>) {
        self.timers.cancel("token lost");
        self.pass_token(cx);
    }

    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        if self.timers.fire(token, cx) == Some("token lost") {
            cx.record("lost");
            self.pass_token(cx);
        }
    }
}

fn main() {
    let mut net = NetworkBuilder::new();
    let stations: Vec<NodeId> = (0..NODES)
        .map(|i| net.host(format!("station-{i}")))
        .collect();
    for (i, &from) in stations.iter().enumerate() {
        let to = stations[(i + 1) % stations.len()];
        net.join(LinkSpec::new(from, to, None, HOP).with_loss(0.001));
    }
    let network = net.build().expect("a valid network");
    let config = RunConfig::new(1, SimTime::ZERO + SimDuration::from_secs(1));
    let done = simulate(network, &config, |_| Station::default());

    let count = |what| done.records.iter().filter(|r| r.sample == what).count();
    let (tokens, lost) = (count("token"), count("lost"));
    println!("the token was held {tokens} times in 1 s, and lost {lost} times");
    // A hop takes 0.1 ms; a loss costs 2 ms since the token was last at the first station.
    assert!(lost > 0);
    assert!(tokens <= 10_000 && tokens >= 10_000 - 21 * lost);
}
