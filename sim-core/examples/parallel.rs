//! One simulation on one thread and on several: 64 flows over eight sites in a ring.
//!
//! `cargo run --release -p synfin-sim-core --example parallel [-- DELAY_US [SECONDS]]`: the delay of the
//! links between sites is the look-ahead.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use sim_core::assign::assign;
use sim_core::record::Recorder;
use sim_core::{
    Cx, Host, LazyTimer, Network, NetworkBuilder, NodeId, Outgoing, Packet, Rate, Record,
    RunConfig, SimDuration, SimTime, Simulation,
};

const SITES: u32 = 8;
const FLOWS: u32 = 64;

/// Keeps a window of packets in flight to a peer; the peer answers each.
struct Flow {
    peer: NodeId,
    window: u32,
    timer: LazyTimer,
    /// Stands in for the protocol's own work.
    state: [u64; 16],
}

impl Flow {
    fn send(&mut self, cx: &mut Cx<'_, Self>) {
        let first = |n| cx.network().addresses(n).next();
        if let (Some(src), Some(dst)) = (first(cx.node()), first(self.peer)) {
            let size = if self.window > 0 { 1500 } else { 40 };
            cx.send(Outgoing {
                src,
                ..Outgoing::to(dst, size, self.state[0])
            });
            self.timer
                .set(Some(cx.now() + SimDuration::from_millis(200)), 0, cx);
        }
    }
}

impl Host for Flow {
    type Payload = u64;
    type Sample = u64;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        (0..self.window).for_each(|_| self.send(cx));
    }

    fn on_packet(&mut self, packet: Packet<u64>, cx: &mut Cx<'_, Self>) {
        for word in &mut self.state {
            *word = black_box(word.rotate_left(7) ^ packet.id);
        }
        if packet.id.is_multiple_of(16) {
            cx.record(packet.id);
        }
        self.send(cx);
    }

    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        self.timer.fire(token, cx);
    }
}

/// A hash of all records, in order.
struct Digest(u64);

impl Recorder<u64> for Digest {
    fn write(&mut self, batch: &[Record<u64>]) -> std::io::Result<()> {
        for r in batch {
            self.0 = (self.0 ^ r.time.as_ps() ^ r.tie.as_u64() ^ r.sample)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        Ok(())
    }

    fn finish(&mut self, _: SimTime) -> std::io::Result<()> {
        Ok(())
    }
}

fn network(between_sites: SimDuration) -> Arc<Network> {
    let mut net = NetworkBuilder::new();
    let sites: Vec<NodeId> = (0..SITES)
        .map(|i| net.router(format!("site-{i}")))
        .collect();
    let site = |i: u32| sites[(i % SITES) as usize];
    for i in 0..SITES {
        net.connect(site(i), site(i + 1), Rate::mbps(10_000), between_sites);
    }
    for i in 0..2 * FLOWS {
        let (host, near) = (net.host(format!("host-{i}")), site(i / 2 + i % 2));
        net.connect(host, near, Rate::mbps(100), SimDuration::from_micros(20));
    }
    Arc::new(net.build().expect("a valid network"))
}

/// Wall time in s, events, digest of the records.
fn run(network: &Arc<Network>, config: &RunConfig) -> (f64, u64, u64) {
    let flow = |host: u32| Flow {
        peer: NodeId(SITES + (host ^ 1)),
        window: if host.is_multiple_of(2) { 100 } else { 0 },
        timer: LazyTimer::default(),
        state: [1; 16],
    };
    let hosts = network.place(|node| flow(node.0 - SITES));
    let mut simulation = Simulation::new(Arc::clone(network), hosts, config);
    let mut digest = Digest(0);
    let start = Instant::now();
    let stats = simulation.run(&mut digest, &mut |_| ControlFlow::Continue(()));
    let elapsed = start.elapsed().as_secs_f64();
    (
        elapsed,
        stats.expect("a digest cannot fail").events,
        digest.0,
    )
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse::<f64>().ok());
    let delay = SimDuration::from_secs_f64(numbers.next().unwrap_or(2000.0) / 1e6);
    let end = SimTime::ZERO + SimDuration::from_secs_f64(numbers.next().unwrap_or(5.0));
    let network = network(delay);
    let rate = 8_300.0 * 4.0;
    let per_site = f64::from(2 * FLOWS / SITES) * rate;
    let weights: Vec<f64> = (0..SITES + 2 * FLOWS)
        .map(|i| if i < SITES { per_site } else { rate })
        .collect();
    println!(
        "{:>10} {:>7} {:>8} {:>10} {:>12} {:>8}",
        "partitions", "threads", "wall s", "events", "ns per event", "speed-up"
    );
    let mut base = None;
    for (parts, threads) in [(1, 1), (2, 1), (2, 2), (4, 1), (4, 2), (8, 2)] {
        let mut config = RunConfig {
            threads,
            ..RunConfig::new(1, end)
        };
        if parts > 1 {
            match assign(&network, &weights, parts) {
                Ok(found) => config.partition_of = found.partition_of,
                Err(reason) => {
                    println!("{parts:>10} {threads:>7} {reason}");
                    continue;
                }
            }
        }
        // The best of three, to reduce the influence of other work on the machine.
        let all = [(); 3].map(|()| run(&network, &config));
        let (wall, events, digest) = all
            .into_iter()
            .fold(all[0], |a, b| if b.0 < a.0 { b } else { a });
        let (one, expected) = *base.get_or_insert((wall, digest));
        assert_eq!(
            digest, expected,
            "results do not depend on partitions and threads"
        );
        println!(
            "{parts:>10} {threads:>7} {wall:>8.3} {events:>10} {:>12.1} {:>8.2}",
            wall * 1e9 / events as f64,
            one / wall
        );
    }
}
