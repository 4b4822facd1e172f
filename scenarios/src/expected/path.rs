//! The paths between hosts: their delays, rates and links.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use sim_core::{LinkId, Network, NodeId, NodeKind};

/// The links of the path from a node to an address.
pub fn route(network: &Network, from: NodeId, to: &Ipv4Addr) -> Vec<LinkId> {
    hops(network, from, *to).collect()
}

/// The same, as an iterator.
pub fn hops(network: &Network, from: NodeId, to: Ipv4Addr) -> impl Iterator<Item = LinkId> {
    let owner = network.owner(to);
    let mut at = Some(from);
    let mut left = network.nodes().len() + 1;
    std::iter::from_fn(move || {
        let link = network.next_link(at?, to)?;
        let next = network.links()[link.0 as usize].to;
        left -= 1;
        let is_host = matches!(network.nodes()[next.0 as usize].kind, NodeKind::Host { .. });
        let arrived = owner == Some(next) || is_host || left == 0;
        at = (!arrived).then_some(next);
        Some(link)
    })
}

/// Propagation delay there and back, seconds.
pub fn round_trip_s(network: &Network, a: NodeId, b: NodeId) -> f64 {
    let delay = |from, to| network.path_delay(from, to).unwrap_or_default();
    (delay(a, b) + delay(b, a)).as_secs_f64()
}

/// The lowest rate of some links, bytes per second; infinite if none has a rate.
pub fn narrowest(network: &Network, links: &[LinkId]) -> f64 {
    links
        .iter()
        .filter_map(|l| network.links()[l.0 as usize].rate)
        .map(|rate| rate.as_bps() as f64 / 8.0)
        .fold(f64::INFINITY, f64::min)
}

/// Time to transmit a byte over some links, one after the other, seconds.
pub fn seconds_per_byte(network: &Network, links: &[LinkId]) -> f64 {
    let rates = links
        .iter()
        .filter_map(|l| network.links()[l.0 as usize].rate);
    rates.map(|rate| 8.0 / rate.as_bps() as f64).sum()
}

/// Returns one node of each kind. Nodes with the same neighbours at the same delays and rates are of one
/// kind.
pub fn one_of_each(network: &Network, nodes: &[NodeId]) -> Vec<NodeId> {
    if nodes.len() == 1 {
        return nodes.to_vec();
    }
    let mut wanted = vec![false; network.nodes().len()];
    for node in nodes {
        wanted[node.0 as usize] = true;
    }
    // The neighbour at the other end of each link of a wanted node, all in one list: there may be 10^5 nodes.
    let mut ends = Vec::with_capacity(2 * nodes.len());
    for link in network.links() {
        let rate = link.rate.map(|r| r.as_bps());
        for (node, other) in [(link.from, link.to), (link.to, link.from)] {
            if wanted[node.0 as usize] {
                ends.push((node, (other, node == link.from, link.delay, rate)));
            }
        }
    }
    // Sort by node first, because they are mostly in that order already.
    ends.sort_by_key(|end| end.0);
    for of_node in ends.chunk_by_mut(|a, b| a.0 == b.0) {
        of_node.sort_unstable();
    }
    let others: Vec<_> = ends.iter().map(|end| end.1).collect();
    let mut firsts = BTreeMap::new();
    let mut start = 0;
    for of_node in ends.chunk_by(|a, b| a.0 == b.0) {
        let end = start + of_node.len();
        firsts.entry(&others[start..end]).or_insert(of_node[0].0);
        wanted[of_node[0].0.0 as usize] = false;
        start = end;
    }
    // Nodes without links are also of one kind.
    let lonely = wanted.iter().position(|&w| w);
    firsts.extend(lonely.map(|node| (&others[..0], NodeId(node as u32))));
    firsts.into_values().collect()
}
