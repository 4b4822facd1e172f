//! Ping over a slow link: `cargo run -p synfin-sim-core --example ping`.

use sim_core::{
    Cx, Host, LinkSpec, NetworkBuilder, Outgoing, Packet, Rate, RunConfig, SimDuration, SimTime,
    simulate,
};

/// Pings `target` every 10 ms, and answers pings.
struct Pinger {
    target: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
enum Message {
    Request(SimTime),
    Reply(SimTime),
}

impl Host for Pinger {
    type Payload = Message;
    /// A round-trip time.
    type Sample = SimDuration;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        cx.wake_in(SimDuration::ZERO, 0);
    }

    fn on_timer(&mut self, _: u64, cx: &mut Cx<'_, Self>) {
        if let Some(target) = self.target.and_then(|name| cx.address_of(name)) {
            cx.send(Outgoing::to(target, 84, Message::Request(cx.now())));
            cx.wake_in(SimDuration::from_millis(10), 0);
        }
    }

    fn on_packet(&mut self, packet: Packet<Message>, cx: &mut Cx<'_, Self>) {
        match packet.payload {
            Message::Request(sent) => {
                cx.send(Outgoing::to(packet.src, packet.size, Message::Reply(sent)));
            }
            Message::Reply(sent) => cx.record(cx.now().since(sent)),
        }
    }
}

fn main() {
    let mut net = NetworkBuilder::new();
    let (alice, bob) = (net.host("alice"), net.host("bob"));
    let delay = SimDuration::from_millis(5);
    net.join(LinkSpec::new(alice, bob, Some(Rate::mbps(1)), delay).with_loss(0.01));
    let network = net.build().expect("a valid network");
    let config = RunConfig::new(1, SimTime::ZERO + SimDuration::from_secs(10));
    let done = simulate(network, &config, |node| Pinger {
        target: (node == alice).then_some("bob"),
    });

    let trips: Vec<f64> = done
        .records
        .iter()
        .map(|r| r.sample.as_secs_f64())
        .collect();
    let mean = trips.iter().sum::<f64>() / trips.len() as f64;
    println!(
        "{} of 1000 answered, mean round trip {:.3} ms",
        trips.len(),
        mean * 1e3
    );
    // Two propagation delays of 5 ms and two transmissions of 84 bytes at 1 Mbit/s; 1 % loss each way.
    assert!((mean - 11.344e-3).abs() < 1e-9);
    assert!((960..1000).contains(&trips.len()));
}
