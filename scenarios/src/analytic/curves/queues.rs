//! A link as an M/D/1, M/M/1 or M/M/1/K queue. A flood of SYNs with Poisson arrivals is a Poisson stream of
//! unanswered packets of one size, so the theory is exact if the flood has the link to itself.

use sim_core::impairments::Impairments;
use sim_core::queue_disc::QueueSpec;
use sim_core::{QueueLimit, SimDuration, SimTime};
use tcp_model::spec::Arrivals;

use crate::scenario::Scenario;
use crate::scenario::topology::Direction;
use crate::scenario::workload::WorkloadKind;

/// Bytes of the TCP header of a flood's SYN, with the MSS option.
const SYN: u32 = 24;

/// A queue limit is ignored if a smaller share of the packets than this would find the queue full.
const RARE: f64 = 1e-6;

/// A queue with Poisson arrivals.
struct PoissonQueue<'a> {
    /// Packets a second.
    arrivals: f64,
    /// Mean time to transmit a packet, seconds.
    service: f64,
    link: &'a Direction,
    duration: f64,
}

impl PoissonQueue<'_> {
    fn load(&self) -> f64 {
        self.arrivals * self.service
    }

    /// True if each transmission takes the same time.
    fn is_even(&self) -> bool {
        self.link.rate_process.is_none()
    }

    /// True if transmission times are exponentially distributed.
    fn is_random(&self) -> bool {
        let process = self.link.rate_process.as_ref();
        process.is_some_and(|process| process.name() == "exponential")
    }

    /// True if the queue has no limit or practically never reaches it. Queues without a limit are not
    /// recorded.
    fn is_unbounded(&self) -> bool {
        match self.limit() {
            Some(QueueLimit::Unlimited) => true,
            Some(QueueLimit::Packets(limit)) => self.load().powi(limit as i32) < RARE,
            _ => false,
        }
    }

    fn limit(&self) -> Option<QueueLimit> {
        match &self.link.queue {
            QueueSpec::DropTail(limit) => Some(*limit),
            QueueSpec::Managed(_) => None,
        }
    }
}

/// The queue of a scenario that consists of one link and a flood of SYNs over it for the whole run.
fn queue(scenario: &Scenario) -> Option<PoissonQueue<'_>> {
    let topology = &scenario.topology;
    let ([workload], [link]) = (scenario.workloads.as_slice(), topology.links.as_slice()) else {
        return None;
    };
    let WorkloadKind::SynFlood {
        arrivals: Arrivals::Poisson(arrivals),
        limit: None,
        ..
    } = workload.kind
    else {
        return None;
    };
    let lasts = workload.start == SimDuration::ZERO && workload.stop == scenario.duration;
    let one = |name: &str| topology.hosts_named(name).len() == 1;
    let undisturbed = topology.processing.is_zero() && scenario.faults.is_empty();
    if !lasts || !undisturbed || !one(&workload.client) || !one(&workload.server) {
        return None;
    }
    let group = |name| topology.group_named(name).unwrap_or(name);
    let first = group(&link.between[0]) == group(&workload.client);
    let link = if first { &link.there } else { &link.back };
    if link.impairments != Impairments::default() || !link.changes.is_empty() {
        return None;
    }
    let params = scenario.tcp.of(&workload.client);
    let bytes = params.ip_version.header_len() + SYN;
    let service = link.rate?.transmission_time(bytes.into());
    Some(PoissonQueue {
        arrivals,
        service: service.as_secs_f64(),
        link,
        duration: SimTime::ZERO
            .saturating_add(scenario.duration)
            .as_secs_f64(),
    })
}

/// The Pollaczek-Khinchine formula for packets of one size and a queue without a limit.
pub(super) fn m_d_1(scenario: &Scenario, metric: &str) -> Option<f64> {
    let queue = queue(scenario)?;
    let load = queue.load();
    if !queue.is_even() || !queue.is_unbounded() || load >= 1.0 {
        return None;
    }
    match metric {
        "queue_wait_mean_s" => Some(queue.service * load / (2.0 * (1.0 - load))),
        "busiest_link_utilisation" => Some(load),
        _ => None,
    }
}

/// The same for exponentially distributed transmission times.
pub(super) fn m_m_1(scenario: &Scenario, metric: &str) -> Option<f64> {
    let queue = queue(scenario)?;
    let load = queue.load();
    if !queue.is_random() || !queue.is_unbounded() || load >= 1.0 {
        return None;
    }
    match metric {
        "queue_wait_mean_s" => Some(queue.service * load / (1.0 - load)),
        "busiest_link_utilisation" => Some(load),
        _ => None,
    }
}

/// The same for a queue of K packets, which include the one being transmitted.
pub(super) fn m_m_1_k(scenario: &Scenario, metric: &str) -> Option<f64> {
    let queue = queue(scenario)?;
    let Some(QueueLimit::Packets(limit)) = queue.limit() else {
        return None;
    };
    if !queue.is_random() {
        return None;
    }
    let load = queue.load();
    // The unnormalised probability of each number of packets in the queue.
    let weights: Vec<f64> = (0..=limit.min(100_000))
        .scan(1.0, |weight, _| {
            Some(std::mem::replace(weight, *weight * load))
        })
        .collect();
    let all: f64 = weights.iter().sum();
    let full = weights.last()? / all;
    // Mean number of packets that an admitted packet finds, times the probability of being admitted. Each
    // takes one service time.
    let found: f64 = weights[..weights.len() - 1]
        .iter()
        .enumerate()
        .map(|(n, weight)| n as f64 * weight / all)
        .sum();
    match metric {
        "queue_wait_mean_s" => Some(queue.service * found / (1.0 - full)),
        "busiest_link_utilisation" => Some(load * (1.0 - full)),
        "queue_drops_pkts" => Some(queue.arrivals * queue.duration * full),
        _ => None,
    }
}
