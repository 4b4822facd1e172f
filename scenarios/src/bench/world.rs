//! A network with its hosts, written in code.

use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::network::NetworkError;
use sim_core::{
    LinkSpec, Network, NodeId, NodeKind, NodeSpec, QueueLimit, Rate, SimDuration, SimTime,
};
use tcp_model::TcpParams;
use tcp_model::spec::{AppSpec, HostConfig, TraceSpec};

/// Everything a simulation is made of.
#[derive(Debug)]
pub(super) struct World {
    pub(super) network: Arc<Network>,
    /// By node; `None` for routers.
    pub(super) hosts: Vec<Option<HostConfig>>,
    pub(super) end: SimTime,
}

impl World {
    /// The applications `apps` makes for each host, on the network; all hosts have one TCP.
    pub(super) fn new(
        network: Network,
        params: TcpParams,
        end: SimTime,
        apps: impl Fn(NodeId) -> Vec<AppSpec>,
    ) -> World {
        let params = Arc::new(params);
        let host = |node: u32, spec: &NodeSpec| match spec.kind {
            NodeKind::Router => None,
            NodeKind::Host { .. } | NodeKind::Gateway { .. } => Some(HostConfig {
                params: Arc::clone(&params),
                apps: apps(NodeId(node)),
                trace: TraceSpec::default(),
            }),
        };
        let nodes = network.nodes();
        World {
            hosts: (0..).zip(nodes).map(|(i, n)| host(i, n)).collect(),
            network: Arc::new(network),
            end,
        }
    }
}

/// A network in the making.
#[derive(Debug, Default)]
pub(super) struct Plan {
    nodes: Vec<NodeSpec>,
    links: Vec<LinkSpec>,
}

impl Plan {
    pub(super) fn host(&mut self, name: String, addresses: u32) -> NodeId {
        self.node(name, NodeKind::Host { addresses })
    }

    pub(super) fn router(&mut self, name: &str) -> NodeId {
        self.node(name.to_owned(), NodeKind::Router)
    }

    fn node(&mut self, name: String, kind: NodeKind) -> NodeId {
        self.nodes.push(NodeSpec { name, kind });
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Joins two nodes, both directions alike and without limit of the queue; gives the direction
    /// from the first to the second.
    pub(super) fn join(
        &mut self,
        from: NodeId,
        to: NodeId,
        rate: Rate,
        delay: SimDuration,
    ) -> &mut LinkSpec {
        let link = LinkSpec::new(from, to, Some(rate), delay);
        self.links.push(link.reversed());
        self.links.push(link);
        let last = self.links.len() - 1;
        &mut self.links[last]
    }

    /// Joins two nodes, both directions alike, with a limit to their queues.
    pub(super) fn join_limited(
        &mut self,
        from: NodeId,
        to: NodeId,
        rate: Rate,
        delay: SimDuration,
        queue: QueueLimit,
    ) {
        let mut link = LinkSpec::new(from, to, Some(rate), delay);
        link.queue = queue.into();
        self.links.push(link.reversed());
        self.links.push(link);
    }

    /// Applies `change` to every link direction; it also gets the sending node.
    pub(super) fn each_direction(&mut self, change: impl Fn(NodeId, &mut LinkSpec)) {
        for link in &mut self.links {
            change(link.from, link);
        }
    }

    pub(super) fn network(self) -> Result<Network, NetworkError> {
        Network::new(self.nodes, self.links)
    }
}

/// The first address of a host.
pub(super) fn address(network: &Network, node: NodeId) -> Ipv4Addr {
    let first = network.addresses(node).next();
    first.unwrap_or(Ipv4Addr::UNSPECIFIED)
}
