//! A link as a queue of queueing theory: Poisson arrivals, closed forms, stated tolerances.

mod common;

use std::sync::Arc;

use common::{hosts, ms, one_link, run};
use sim_core::{
    Cx, Host, LossCause, Network, NodeId, Outgoing, Packet, QueueLimit, Rate, Rng, RunConfig,
    SimDuration, SimTime,
};

/// Sends packets to the next address at Poisson times; the receiver sums up their delays.
struct Poisson {
    count: u64,
    mean_gap: SimDuration,
    /// Size in bytes; exponentially distributed with that mean when `random_size` is set.
    size: f64,
    random_size: bool,
    rng: Option<(Rng, Rng)>,
    got: u64,
    delay: f64,
}

impl Poisson {
    fn send(&mut self, cx: &mut Cx<'_, Self>) {
        let Some((gaps, sizes)) = &mut self.rng else {
            return;
        };
        if self.count == 0 {
            return;
        }
        self.count -= 1;
        let size = if self.random_size {
            -libm::log(1.0 - sizes.uniform()) * self.size
        } else {
            self.size
        };
        let at = cx.now() + gaps.exponential(self.mean_gap);
        cx.wake(at, 0);
        let dst = cx.network().address(NodeId(1)).unwrap();
        let now = cx.now();
        cx.send(Outgoing::to(dst, size.round() as u32, now));
    }
}

impl Host for Poisson {
    type Payload = SimTime;
    type Sample = LossCause;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        self.rng = Some((cx.rng("gaps"), cx.rng("sizes")));
        self.send(cx);
    }

    fn on_packet(&mut self, packet: Packet<SimTime>, cx: &mut Cx<'_, Self>) {
        self.got += 1;
        self.delay += cx.now().since(packet.payload).as_secs_f64();
    }

    fn on_timer(&mut self, _: u64, cx: &mut Cx<'_, Self>) {
        self.send(cx);
    }
}

/// Packets that arrived and their mean time in queue and transmitter in seconds; links' counters.
fn measure(
    network: &Arc<Network>,
    load: f64,
    size: f64,
    random_size: bool,
) -> (u64, f64, sim_core::RunStats) {
    let service = size * 8.0 / 1e8;
    let hosts = hosts(network, |node| Poisson {
        count: if node == NodeId(0) { 400_000 } else { 0 },
        mean_gap: SimDuration::from_secs_f64(service / load),
        size,
        random_size,
        rng: None,
        got: 0,
        delay: 0.0,
    });
    let ((_, stats), hosts) = run(network, hosts, &RunConfig::new(3, SimTime::MAX));
    let sink = hosts[1].as_ref().unwrap();
    (sink.got, sink.delay / sink.got as f64 - 0.001, stats)
}

#[test]
fn mean_wait_is_that_of_m_d_1_within_three_percent() {
    let network = one_link(|l| {
        l.rate = Some(Rate::mbps(100));
        l.delay = ms(1);
    });
    let (size, service) = (1250.0, 1e-4);
    for load in [0.3, 0.6, 0.8] {
        let (got, sojourn, stats) = measure(&network, load, size, false);
        assert_eq!(got, 400_000);
        // Pollaczek-Khinchine for constant service.
        let expected = service * load / (2.0 * (1.0 - load));
        let wait = sojourn - service;
        assert!(
            (wait / expected - 1.0).abs() < 0.03,
            "load {load}: {wait} for {expected}"
        );
        let busy = stats.links[0].busy.as_secs_f64() / (400_000.0 * service / load);
        assert!(
            (busy / load - 1.0).abs() < 0.01,
            "load {load}: utilisation {busy}"
        );
    }
}

#[test]
fn a_bounded_queue_of_random_sizes_drops_as_m_m_1_k_within_five_percent() {
    let k = 5;
    let network = one_link(|l| {
        l.rate = Some(Rate::mbps(100));
        l.delay = ms(1);
        l.queue = QueueLimit::Packets(k).into();
    });
    for load in [0.6f64, 0.9, 1.2] {
        let (got, _, stats) = measure(&network, load, 1250.0, true);
        let expected = (1.0 - load) * load.powi(k as i32) / (1.0 - load.powi(k as i32 + 1));
        let dropped = stats.links[0].queue_drops as f64 / 400_000.0;
        assert!(
            (dropped / expected - 1.0).abs() < 0.05,
            "load {load}: {dropped} for {expected}"
        );
        assert_eq!(got + stats.links[0].queue_drops, 400_000);
        assert_eq!(stats.links[0].max_backlog_pkts, k);
    }
}
