//! Builds the network of a topology.

use std::sync::Arc;

use sim_core::{Network, NodeId};

use super::{Link, Topology};
use crate::dotted_path::DottedPath;
use crate::problem::Problem;
use crate::suggest;

impl Topology {
    /// Returns the network with its addresses and routes.
    ///
    /// # Errors
    /// When the engine rejects it.
    pub fn network(&self) -> Result<Arc<Network>, Problem> {
        match self.built.0.get() {
            Some(network) => Ok(Arc::clone(network)),
            None => self.build().map(Arc::new),
        }
    }

    /// Caches the network for the lifetime of this topology. Only for topologies that many runs share: a
    /// sweep over a thousand topologies must not keep a thousand networks in memory.
    pub(crate) fn keep(&self, network: &Arc<Network>) {
        self.built.0.get_or_init(|| Arc::clone(network));
    }

    fn build(&self) -> Result<Network, Problem> {
        let at = DottedPath::from("topology");
        let mut links = Vec::new();
        for (i, link) in self.links.iter().enumerate() {
            let ends = self.ends(link, &at.key("link").index(i))?;
            links.reserve(2 * ends.len());
            for (a, b) in ends {
                links.push(link.there.spec(a, b));
                if a != b {
                    links.push(link.back.spec(b, a));
                }
            }
        }
        let hosts: u32 = self.hosts.iter().map(|h| h.count).sum();
        for link in links.iter_mut().filter(|l| l.from.0 < hosts) {
            link.impairments.processing = self.processing;
        }
        Network::new(self.nodes(), links).map_err(|e| Problem::new(at, e.to_string()))
    }

    /// The pairs of nodes that a link joins.
    pub(super) fn ends(
        &self,
        link: &Link,
        at: &DottedPath,
    ) -> Result<Vec<(NodeId, NodeId)>, Problem> {
        let at = at.key("between");
        let find = |i: usize| {
            let name = &link.between[i];
            let found = self.nodes_named(name);
            if found.is_empty() {
                let message = suggest::unknown("node or group", name, self.names());
                return Err(Problem::new(at.index(i), message));
            }
            Ok(found)
        };
        let (a, b) = (find(0)?, find(1)?);
        let pairs: Vec<(NodeId, NodeId)> = match (a.len(), b.len()) {
            (n, m) if n == m => a.into_iter().zip(b).collect(),
            (1, _) => b.iter().map(|&b| (a[0], b)).collect(),
            (_, 1) => a.iter().map(|&a| (a, b[0])).collect(),
            (n, m) => {
                return Err(Problem::new(
                    at,
                    format!(
                        "{:?} stands for {n} nodes and {:?} for {m}, so they cannot be paired",
                        link.between[0], link.between[1]
                    ),
                )
                .help("one of them must be a single node, or both must have the same number"));
            }
        };
        let hosts = self.hosts.iter().map(|h| h.count).sum();
        let is_loopback = |(a, b): &(NodeId, NodeId)| a == b && a.0 < hosts;
        if pairs.iter().all(is_loopback) {
            return Ok(pairs);
        }
        match pairs.iter().find(|(a, b)| a == b) {
            Some(_) => Err(Problem::new(at, "this link connects a node to itself")
                .help("name two different ends; only a host may have a link to itself, its loopback, written with the same name twice")),
            None => Ok(pairs),
        }
    }
}
