//! Checks that every client can reach every server, and that the routing table fits in memory.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::{Network, NodeId, NodeKind};

use super::{DottedPath, Problem, Topology};

/// Maximum number of routers and hosts with several links: the size of the routing table grows with the
/// square of their number, to 100 MB at this limit.
const MAX_ROUTED: u64 = 5_000;

/// Counts the links of each node.
pub(super) struct Joins {
    hosts: u32,
    links: Vec<u32>,
    /// Links from host to host.
    direct: Vec<(NodeId, NodeId)>,
}

impl Joins {
    pub(super) fn new(topology: &Topology) -> Joins {
        Joins {
            hosts: topology.hosts.iter().map(|h| h.count).sum(),
            links: vec![0; topology.node_count()],
            direct: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, pairs: &[(NodeId, NodeId)]) {
        for &(a, b) in pairs.iter().filter(|(a, b)| a != b) {
            self.links[a.0 as usize] += 1;
            self.links[b.0 as usize] += 1;
            if a.0 < self.hosts && b.0 < self.hosts {
                self.direct.push((a, b));
            }
        }
    }

    /// Rejects networks whose routing table would not fit.
    pub(super) fn check(&self, at: &DottedPath) -> Result<(), Problem> {
        let links = |n: NodeId| self.links[n.0 as usize];
        let (hosts, routers) = self.links.split_at(self.hosts as usize);
        let branching = hosts.iter().filter(|&&n| n != 1).count();
        let pairs = self.direct.iter();
        let pairs = pairs.filter(|(a, b)| links(*a) == 1 && links(*b) == 1);
        let routed = routers.len() + branching + pairs.count();
        if routed as u64 <= MAX_ROUTED {
            return Ok(());
        }
        Err(Problem::new(
            at.clone(),
            format!(
                "{routed} nodes are routers, hosts with several links, or hosts joined without a \
                 router; the routes between them need the square of their number, and at most \
                 {MAX_ROUTED} are allowed"
            ),
        )
        .help("give most hosts one link, to a router"))
    }
}

/// Returns the first client and server, in order, that cannot reach each other. A node reaches itself only
/// through a link to itself.
///
/// Hosts on the same routers reach the same hosts, so only one of them is checked.
pub(crate) fn first_unreachable(
    network: &Network,
    clients: &[NodeId],
    servers: &[NodeId],
) -> Option<(NodeId, NodeId)> {
    let at: BTreeSet<NodeId> = servers.iter().copied().collect();
    if let Some(&both) = clients
        .iter()
        .find(|c| at.contains(c) && network.loopback(**c).is_none())
    {
        return Some((both, both));
    }
    let kinds = Neighbours::new(network);
    let (clients, servers) = (kinds.one_of_each(clients), kinds.one_of_each(servers));
    let reaches = |a, b| network.path_delay(a, b).is_some();
    let mut pairs = clients
        .iter()
        .flat_map(|&c| servers.iter().map(move |&s| (c, s)));
    pairs.find(|&(c, s)| !reaches(c, s) || !reaches(s, c))
}

/// The routers next to each node; a host linked directly to another host is treated separately.
struct Neighbours(Vec<Vec<NodeId>>);

impl Neighbours {
    fn new(network: &Network) -> Neighbours {
        let mut kinds = vec![Vec::new(); network.nodes().len()];
        let is_host =
            |n: NodeId| matches!(network.nodes()[n.0 as usize].kind, NodeKind::Host { .. });
        // A link always has both directions.
        for link in network.links() {
            let to = if is_host(link.to) { link.from } else { link.to };
            kinds[link.from.0 as usize].push(to);
        }
        for kind in &mut kinds {
            kind.sort_unstable();
            kind.dedup();
        }
        Neighbours(kinds)
    }

    fn one_of_each(&self, nodes: &[NodeId]) -> Vec<NodeId> {
        let mut firsts = BTreeMap::new();
        for &node in nodes {
            firsts.entry(&self.0[node.0 as usize]).or_insert(node);
        }
        let mut firsts: Vec<NodeId> = firsts.into_values().collect();
        firsts.sort_unstable();
        firsts
    }
}
