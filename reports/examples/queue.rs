//! Figures of a protocol other than TCP: packets at a queue, their time in it over the time of the
//! run and as a histogram: `cargo run -p synfin-reports --example queue -- DIR`.

use std::path::Path;

use reports::figures::{SampleSeries, histogram, time_series};
use sim_core::{
    Cx, Host, LinkSpec, NetworkBuilder, Outgoing, Packet, Rate, RunConfig, SimDuration, SimTime,
    Simulation,
};

/// Bytes of a packet: 1 ms at 1 Mbit/s.
const SIZE: u32 = 125;

/// Sends packets at random times to "sink", which records how long each was under way, in
/// milliseconds.
struct Node {
    /// Mean time between packets.
    gap: SimDuration,
}

impl Host for Node {
    /// When the packet was sent.
    type Payload = SimTime;
    type Sample = f64;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        if cx.name() == "source" {
            self.on_timer(0, cx);
        }
    }

    fn on_timer(&mut self, number: u64, cx: &mut Cx<'_, Self>) {
        let gap = cx.rng(&format!("gap {number}")).exponential(self.gap);
        let sink = cx.address_of("sink").expect("there is one");
        cx.send(Outgoing::to(sink, SIZE, cx.now()));
        cx.wake_in(gap, number + 1);
    }

    fn on_packet(&mut self, packet: Packet<SimTime>, cx: &mut Cx<'_, Self>) {
        cx.record(cx.now().since(packet.payload).as_secs_f64() * 1e3);
    }
}

fn times_at_load(load: f64) -> SampleSeries {
    let mut net = NetworkBuilder::new();
    let (source, sink) = (net.host("source"), net.host("sink"));
    let delay = SimDuration::from_micros(10);
    net.join(LinkSpec::new(source, sink, Some(Rate::mbps(1)), delay));
    let network = net.build().expect("a valid network");
    let gap = SimDuration::from_secs_f64(0.001 / load);
    let hosts = network.place(|_| Node { gap });
    let end = SimTime::ZERO + SimDuration::from_secs(20);
    let done = Simulation::new(network, hosts, &RunConfig::new(1, end)).run_to_end();
    let samples = done.records.iter();
    let label = format!("load {:.0} %", load * 100.0);
    SampleSeries::new(label, samples.map(|r| (r.time.as_secs_f64(), r.sample)))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "queue".into());
    let dir = Path::new(&dir);
    std::fs::create_dir_all(dir)?;
    let series = [0.5, 0.8].map(times_at_load);
    let over_time = time_series("times", "Time on the way", "milliseconds", &series)?;
    let spread = histogram("spread", "Time on the way", "milliseconds", &series, 40)?;
    for figure in [over_time, spread].into_iter().flatten() {
        figure.write_to(dir)?;
        println!("{}", dir.join(figure.name).with_extension("svg").display());
    }
    Ok(())
}
