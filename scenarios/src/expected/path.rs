//! The ways between hosts: their delays, rates and links.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use sim_core::{LinkId, Network, NodeId, NodeKind};

/// The links from a node to an address.
pub fn route(network: &Network, from: NodeId, to: &Ipv4Addr) -> Vec<LinkId> {
    let mut links = Vec::new();
    let mut at = from;
    while let Some(link) = network.next_link(at, *to) {
        links.push(link);
        at = network.links()[link.0 as usize].to;
        let arrived = network.owner(*to) == Some(at);
        let is_host = matches!(network.nodes()[at.0 as usize].kind, NodeKind::Host { .. });
        if arrived || is_host || links.len() > network.nodes().len() {
            break;
        }
    }
    links
}

/// Propagation delay there and back, seconds.
pub fn round_trip_s(network: &Network, a: NodeId, b: NodeId) -> f64 {
    let delay = |from, to| network.path_delay(from, to).unwrap_or_default();
    (delay(a, b) + delay(b, a)).as_secs_f64()
}

/// The least rate of some links, bytes per second; infinite where none has a rate.
pub fn narrowest(network: &Network, links: &[LinkId]) -> f64 {
    links
        .iter()
        .filter_map(|l| network.links()[l.0 as usize].rate)
        .map(|rate| rate.as_bps() as f64 / 8.0)
        .fold(f64::INFINITY, f64::min)
}

/// Seconds that a byte takes to be sent over all of some links, one after the other.
pub fn seconds_per_byte(network: &Network, links: &[LinkId]) -> f64 {
    let rates = links
        .iter()
        .filter_map(|l| network.links()[l.0 as usize].rate);
    rates.map(|rate| 8.0 / rate.as_bps() as f64).sum()
}

/// One of each kind of node: nodes with the same neighbours at the same delays and rates are alike.
pub fn one_of_each(network: &Network, nodes: &[NodeId]) -> Vec<NodeId> {
    if nodes.len() == 1 {
        return nodes.to_vec();
    }
    let mut kinds: BTreeMap<NodeId, Vec<_>> = nodes.iter().map(|&n| (n, Vec::new())).collect();
    for link in network.links() {
        let rate = link.rate.map(|r| r.as_bps());
        for (node, other) in [(link.from, link.to), (link.to, link.from)] {
            if let Some(kind) = kinds.get_mut(&node) {
                kind.push((other, node == link.from, link.delay, rate));
            }
        }
    }
    let mut firsts = BTreeMap::new();
    for (node, mut kind) in kinds {
        kind.sort_unstable();
        firsts.entry(kind).or_insert(node);
    }
    firsts.into_values().collect()
}
