//! A link as a queue in the sense of queueing theory: Poisson arrivals, closed forms, stated
//! tolerances.

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
    /// Size in bytes; the mean of an exponential distribution if `random_size` is set.
    size: f64,
    random_size: bool,
    rng: Option<(Rng, Rng)>,
    got: u64,
    delay: f64,
    /// Sums of the delays of each [`BATCH`] packets.
    batches: Vec<f64>,
}

/// Packets averaged together for the confidence interval: many times more than the correlation
/// length of delays.
const BATCH: u64 = 20_000;

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
        let delay = cx.now().since(packet.payload).as_secs_f64();
        self.delay += delay;
        if self.got % BATCH == 1 {
            self.batches.push(0.0);
        }
        if let Some(batch) = self.batches.last_mut() {
            *batch += delay;
        }
    }

    fn on_timer(&mut self, _: u64, cx: &mut Cx<'_, Self>) {
        self.send(cx);
    }
}

/// The results of a run of 400,000 packets.
struct Measured {
    /// Packets that arrived.
    got: u64,
    /// Their mean time in queue and transmitter, seconds.
    sojourn: f64,
    /// Half the width of its 99 % interval.
    within: f64,
    stats: sim_core::RunStats,
}

impl Measured {
    /// Asserts that the theoretical value lies in the interval, which extends at most 5 % to each
    /// side.
    fn assert_sojourn(&self, expected: f64, what: &str) {
        let off = (self.sojourn - expected).abs();
        let Measured {
            sojourn, within, ..
        } = self;
        assert!(
            off <= *within,
            "{what}: {sojourn} +- {within} for {expected}"
        );
        assert!(*within < 0.05 * expected, "{what}: {within}");
    }
}

fn measure(network: &Arc<Network>, load: f64, size: f64, random_size: bool) -> Measured {
    let service = size * 8.0 / 1e8;
    let hosts = hosts(network, |node| Poisson {
        count: if node == NodeId(0) { 400_000 } else { 0 },
        mean_gap: SimDuration::from_secs_f64(service / load),
        size,
        random_size,
        rng: None,
        got: 0,
        delay: 0.0,
        batches: Vec::new(),
    });
    let ((_, stats), hosts) = run(network, hosts, &RunConfig::new(3, SimTime::MAX));
    let sink = hosts[1].as_ref().unwrap();
    // Whole batches, the first of which is the warm-up; 2.9 is Student's t for 99 % and about 18 batches.
    let whole = (sink.got / BATCH) as usize;
    let means: Vec<f64> = sink.batches[1..whole]
        .iter()
        .map(|sum| sum / BATCH as f64 - 0.001)
        .collect();
    let n = means.len() as f64;
    let mean = means.iter().sum::<f64>() / n;
    let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Measured {
        got: sink.got,
        sojourn: mean,
        within: 2.9 * (variance / n).sqrt(),
        stats,
    }
}

#[test]
fn mean_times_are_those_of_m_d_1() {
    let network = one_link(|l| {
        l.rate = Some(Rate::mbps(100));
        l.delay = ms(1);
    });
    let (size, service) = (1250.0, 1e-4);
    for load in [0.3, 0.6, 0.8] {
        let seen = measure(&network, load, size, false);
        assert_eq!(seen.got, 400_000);
        // Pollaczek-Khinchine for constant service.
        let expected = service + service * load / (2.0 * (1.0 - load));
        seen.assert_sojourn(expected, &format!("load {load}"));
        // Every packet takes the same time: exact, but for its rounding to a picosecond.
        let busy = seen.stats.links[0].busy.as_secs_f64();
        assert!(
            (busy - 400_000.0 * service).abs() < 400_000.0 * 1e-12,
            "load {load}: busy for {busy} s"
        );
    }
}

#[test]
fn mean_times_are_those_of_m_m_1() {
    let network = one_link(|l| {
        l.rate = Some(Rate::mbps(100));
        l.delay = ms(1);
    });
    for load in [0.3, 0.5, 0.7] {
        let seen = measure(&network, load, 1250.0, true);
        seen.assert_sojourn(1e-4 / (1.0 - load), &format!("load {load}"));
    }
}

/// The standard deviation of the number of losses among n arrivals at an M/M/1/K queue, divided by the root of n, for
/// large n. Losses come in bursts: the variance is that of one arrival and twice the sum of its covariances
/// with all later ones, by the chain of the numbers in the system that arrivals find.
fn deviation_of_losses(load: f64, k: usize) -> f64 {
    // Before the next arrival each service ends first with probability 1 / (1 + load).
    let next = |found: &[f64]| -> Vec<f64> {
        let mut after = vec![0.0; k + 1];
        for (n, p) in found.iter().enumerate() {
            let mut left = (n + 1).min(k);
            let mut p = *p;
            while left > 0 {
                after[left] += p * load / (1.0 + load);
                p /= 1.0 + load;
                left -= 1;
            }
            after[0] += p;
        }
        after
    };
    let power = |n: usize| load.powi(n as i32);
    let lost = (1.0 - load) * power(k) / (1.0 - power(k + 1));
    let mut found = vec![0.0; k + 1];
    found[k] = 1.0;
    let mut variance = lost * (1.0 - lost);
    for _ in 0..10_000 {
        found = next(&found);
        variance += 2.0 * lost * (found[k] - lost);
    }
    variance.sqrt()
}

#[test]
fn a_bounded_queue_of_random_sizes_waits_and_drops_as_m_m_1_k() {
    let k = 5;
    let network = one_link(|l| {
        l.rate = Some(Rate::mbps(100));
        l.delay = ms(1);
        l.queue = QueueLimit::Packets(k).into();
    });
    for load in [0.6f64, 0.9, 1.2] {
        let seen = measure(&network, load, 1250.0, true);
        let stats = &seen.stats;
        let expected = (1.0 - load) * load.powi(k as i32) / (1.0 - load.powi(k as i32 + 1));
        let dropped = stats.links[0].queue_drops as f64 / 400_000.0;
        // 99 % of shares of so many arrivals lie within 2.58 deviations.
        let within = 2.58 * deviation_of_losses(load, k as usize) / 400_000_f64.sqrt();
        assert!(
            (dropped - expected).abs() < within,
            "load {load}: {dropped} for {expected} +- {within}"
        );
        // Packets in the system, divided by the packets admitted per second (Little's law).
        let power = load.powi(k as i32 + 1);
        let inside = load / (1.0 - load) - f64::from(k + 1) * power / (1.0 - power);
        let let_in = load / 1e-4 * (1.0 - expected);
        seen.assert_sojourn(inside / let_in, &format!("load {load}"));
        assert_eq!(seen.got + stats.links[0].queue_drops, 400_000);
        assert_eq!(stats.links[0].max_backlog_pkts, k);
    }
}
