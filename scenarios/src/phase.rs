//! Phase effects: flows synchronise with a drop-tail queue, and some of them starve.
//!
//! If packets have one size and nothing is random, the packets of a flow reach a full queue at the same phase
//! of each departure, so that the same flows always find room (Floyd and Jacobson 1992, "On traffic phase
//! effects in packet-switched gateways"). Real hosts are never that exact. The remedy is a random
//! processing time in hosts, of up to one packet's transmission time at the queue.
//!
//! The condition that is checked: only bulk flows, two to fifty of them through one drop-tail queue at the
//! slowest link of their path, and nothing random in the network.

use std::collections::BTreeMap;

use reports::PhaseRisk;
use sim_core::impairments::{DelaySpec, LossSpec};
use sim_core::network::{Impairments, LinkSpec};
use sim_core::queue_disc::QueueSpec;
use sim_core::{LinkId, Network, NodeId, QueueLimit, SimDuration};

use crate::expected::path::route;
use crate::scenario::Scenario;
use crate::scenario::workload::{Workload, WorkloadKind};

/// Number of flows from which phase effects no longer matter.
const MOST_FLOWS: u64 = 50;

/// Bytes of a full-sized packet.
const PACKET: u64 = 1500;

/// Returns the queue with which flows may synchronise, if there is one.
pub fn risk(scenario: &Scenario, network: &Network) -> Option<PhaseRisk> {
    if network.links().iter().any(is_random) {
        return None;
    }
    let bulk: Option<Vec<(&Workload, u64)>> = scenario.workloads.iter().map(flows_each).collect();
    let flows = flows_by_link(scenario, network, &bulk?)?;
    let (link, flows) = flows
        .into_iter()
        .max_by_key(|(link, n)| (*n, std::cmp::Reverse(*link)))?;
    let spec = &network.links()[link.0 as usize];
    let name = |n: NodeId| network.nodes()[n.0 as usize].name.clone();
    let packet = spec.rate?.transmission_time(PACKET);
    (flows >= 2).then(|| PhaseRisk {
        from: name(spec.from),
        to: name(spec.to),
        flows,
        packet_s: packet.as_secs_f64(),
    })
}

/// Describes the risk in a sentence, with the remedy.
pub fn warning(risk: &PhaseRisk) -> String {
    let ns = (risk.packet_s * 0.8e9).round() as u64;
    format!(
        "phase effects: {} flows share the drop-tail queue from {} to {} and nothing is random, so they \
         may synchronise with it and some may starve (Floyd and Jacobson 1992); a random processing \
         time shorter than a packet's transmission time prevents that: topology.processing = \"{}\"",
        risk.flows,
        risk.from,
        risk.to,
        SimDuration::from_nanos(ns)
    )
}

/// The number of flows per client of a bulk workload; `None` for other kinds.
fn flows_each(workload: &Workload) -> Option<(&Workload, u64)> {
    match workload.kind {
        WorkloadKind::Bulk { flows, .. } => Some((workload, u64::from(flows))),
        _ => None,
    }
}

/// True if a link has a random element.
fn is_random(link: &LinkSpec) -> bool {
    let Impairments {
        loss,
        corrupt,
        duplicate,
        reorder,
        extra_delay,
        processing,
        drop: _,
        drop_named: _,
        reorder_delay: _,
    } = &link.impairments;
    let by_chance = [*corrupt, *duplicate, *reorder].iter().any(|p| *p > 0.0);
    let loses = !matches!(loss, LossSpec::Random(p) if *p == 0.0);
    let delays = *extra_delay != DelaySpec::default();
    by_chance || loses || delays || !processing.is_zero() || link.rate_process.is_some()
}

/// The number of flows for each link direction that is the slowest on their path and has a limited drop-tail
/// queue; `None` if there are too many flows.
fn flows_by_link(
    scenario: &Scenario,
    network: &Network,
    bulk: &[(&Workload, u64)],
) -> Option<BTreeMap<LinkId, u64>> {
    let mut all = BTreeMap::new();
    let mut total = 0;
    for (workload, flows) in bulk {
        let clients = scenario.topology.hosts_named(&workload.client);
        let servers = scenario.topology.hosts_named(&workload.server);
        total += clients.len() as u64 * flows;
        if total > MOST_FLOWS || servers.is_empty() {
            return None;
        }
        for (i, client) in clients.iter().enumerate() {
            let server = servers[i % servers.len()];
            let Some(address) = network.address(server) else {
                continue;
            };
            let way = route(network, *client, &address);
            for link in slowest(network, &way).filter(|link| is_drop_tail(network, *link)) {
                *all.entry(link).or_insert(0) += flows;
            }
        }
    }
    Some(all)
}

/// The slowest of some links: all those with the lowest rate.
fn slowest<'a>(network: &'a Network, links: &'a [LinkId]) -> impl Iterator<Item = LinkId> + 'a {
    let rate = |link: &LinkId| network.links()[link.0 as usize].rate;
    let least = links.iter().filter_map(rate).min();
    let all = links.iter().copied();
    all.filter(move |link| least.is_some() && rate(link) == least)
}

fn is_drop_tail(network: &Network, link: LinkId) -> bool {
    let queue = &network.links()[link.0 as usize].queue;
    matches!(queue, QueueSpec::DropTail(limit) if *limit != QueueLimit::Unlimited)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::SourceText;
    use crate::sweep::Plan;

    /// The risk for ten flows through a drop-tail queue, with the replacements `with` in the scenario's text.
    fn risk_of(with: &[(&str, &str)]) -> Option<PhaseRisk> {
        let text = r#"
name = "t"
duration = "10 s"
[topology]
kind = "dumbbell"
pairs = 10
access = { rate = "10 Mbit/s", delay = "1 ms" }
bottleneck = { rate = "10 Mbit/s", delay = "10 ms", queue = "20 packets" }
[[workload]]
kind = "bulk"
"#;
        let text = with
            .iter()
            .fold(text.to_owned(), |text, (old, new)| text.replace(old, new));
        let source = SourceText {
            name: "t.toml".to_owned(),
            text,
        };
        let plan = Plan::new(&source, &[]).unwrap_or_else(|e| panic!("{e}"));
        let scenario = &plan.runs[0].scenario;
        risk(scenario, &scenario.topology.network().unwrap())
    }

    #[test]
    fn few_equal_flows_at_a_drop_tail_queue_are_at_risk() {
        let risk = risk_of(&[]).expect("a risk");
        assert_eq!((risk.flows, risk.packet_s), (10, 0.0012));
        let text = warning(&risk);
        assert!(text.contains("topology.processing = \"960 us\""), "{text}");
    }

    #[test]
    fn chance_other_queues_and_many_or_single_flows_are_not() {
        let drop_tail = "queue = \"20 packets\"";
        for with in [
            [("pairs = 10", "pairs = 10\nprocessing = \"1 ms\"")],
            [(drop_tail, "queue = \"unlimited\"")],
            [(drop_tail, "queue = { kind = \"codel\" }")],
            [(drop_tail, "queue = \"20 packets\", loss = 0.001")],
            [(drop_tail, "queue = \"20 packets\", jitter = \"1 ms\"")],
            [("pairs = 10", "pairs = 51")],
            [("pairs = 10", "pairs = 1")],
            [(
                "kind = \"bulk\"",
                "arrivals = { kind = \"poisson\", rate = \"5 /s\" }",
            )],
        ] {
            assert_eq!(risk_of(&with), None, "{with:?}");
        }
    }
}
