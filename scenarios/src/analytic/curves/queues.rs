//! A link as a queue of queueing theory. A flood of SYNs with Poisson arrivals is a Poisson stream of packets
//! of one size that nobody answers, so on a link by itself the theory holds exactly.

use sim_core::impairments::Impairments;
use sim_core::queue_disc::QueueSpec;
use sim_core::{QueueLimit, SimDuration, SimTime};
use tcp_model::spec::Arrivals;

use crate::scenario::Scenario;
use crate::scenario::topology::Direction;
use crate::scenario::workload::WorkloadKind;

/// Bytes of the TCP header of a flood's SYN: with the option for the segment size.
const SYN: u32 = 24;

/// A limit that fewer packets than this share find reached does not matter.
const RARE: f64 = 1e-6;

/// A queue with Poisson arrivals.
struct PoissonQueue<'a> {
    /// Packets a second.
    arrivals: f64,
    /// Mean time that a packet takes to be sent, seconds.
    service: f64,
    link: &'a Direction,
    duration: f64,
}

impl PoissonQueue<'_> {
    fn load(&self) -> f64 {
        self.arrivals * self.service
    }

    /// Each transmission takes the same time.
    fn is_even(&self) -> bool {
        self.link.rate_process.is_none()
    }

    /// Transmissions take exponentially distributed times.
    fn is_random(&self) -> bool {
        let process = self.link.rate_process.as_ref();
        process.is_some_and(|process| process.name() == "exponential")
    }

    /// It has no limit, or practically never reaches it. Queues without a limit are not recorded.
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

/// Pollaczek and Khinchine for packets of one size, where the queue has no limit.
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

/// Exponentially distributed transmissions, where the queue has no limit.
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

/// The same where the queue holds K packets, the one being sent included.
pub(super) fn m_m_1_k(scenario: &Scenario, metric: &str) -> Option<f64> {
    let queue = queue(scenario)?;
    let Some(QueueLimit::Packets(limit)) = queue.limit() else {
        return None;
    };
    if !queue.is_random() {
        return None;
    }
    let load = queue.load();
    // The weight of each number of packets; their sum is not 1.
    let weights: Vec<f64> = (0..=limit.min(100_000))
        .scan(1.0, |weight, _| {
            Some(std::mem::replace(weight, *weight * load))
        })
        .collect();
    let all: f64 = weights.iter().sum();
    let full = weights.last()? / all;
    // An admitted packet finds this many others, each of which takes one service time.
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
