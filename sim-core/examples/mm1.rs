//! An M/M/1 queue against its closed form: `cargo run --release -p synfin-sim-core --example mm1`.
//!
//! Packets arrive as a Poisson process, and their sizes are exponentially distributed: a link serves
//! them in exponentially distributed times. The mean time in the system is 1 / (mu - lambda).

use sim_core::{
    Cx, Host, LinkSpec, NetworkBuilder, Outgoing, Packet, Rate, Rng, RunConfig, SimDuration,
    SimTime, simulate,
};

/// Mean size in bytes: 1 ms at 1 Gbit/s, large enough that rounding to whole bytes does not matter.
const MEAN_SIZE: f64 = 125_000.0;
const MU: f64 = 1000.0;
const DELAY: SimDuration = SimDuration::from_micros(1);

struct Source {
    lambda: f64,
    /// Random streams for gaps and sizes; `None` at the sink.
    dice: Option<[Rng; 2]>,
}

impl Host for Source {
    /// When the packet entered the queue.
    type Payload = SimTime;
    /// Time in the system, seconds.
    type Sample = f64;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        if cx.name() == "source" {
            self.dice = Some([cx.rng("gaps"), cx.rng("sizes")]);
            self.on_timer(0, cx);
        }
    }

    fn on_timer(&mut self, _: u64, cx: &mut Cx<'_, Self>) {
        let Some([gaps, sizes]) = &mut self.dice else {
            return;
        };
        // An exponentially distributed number, drawn as a time.
        let size = sizes.exponential(SimDuration::from_secs(1)).as_secs_f64() * MEAN_SIZE;
        let gap = gaps.exponential(SimDuration::from_secs_f64(1.0 / self.lambda));
        let sink = cx.address_of("sink").expect("there is one");
        cx.send(Outgoing::to(sink, size.round() as u32, cx.now()));
        cx.wake_in(gap, 0);
    }

    fn on_packet(&mut self, packet: Packet<SimTime>, cx: &mut Cx<'_, Self>) {
        let since = cx.now().since(packet.payload);
        cx.record((since - DELAY).as_secs_f64());
    }
}

fn main() {
    println!("load  simulated  1 / (mu - lambda)");
    for load in [0.3, 0.5, 0.7] {
        let lambda = load * MU;
        let mut net = NetworkBuilder::new();
        let (source, sink) = (net.host("source"), net.host("sink"));
        net.join(LinkSpec::new(source, sink, Some(Rate::mbps(1000)), DELAY));
        let network = net.build().expect("a valid network");
        let config = RunConfig::new(1, SimTime::ZERO + SimDuration::from_secs(400));
        let done = simulate(network, &config, |_| Source { lambda, dice: None });
        let sum: f64 = done.records.iter().map(|r| r.sample).sum();
        let (mean, expected) = (sum / done.records.len() as f64, 1.0 / (MU - lambda));
        println!(
            "{load:.1}   {:8.4} ms  {:8.4} ms",
            mean * 1e3,
            expected * 1e3
        );
        assert!((mean / expected - 1.0).abs() < 0.03);
    }
}
