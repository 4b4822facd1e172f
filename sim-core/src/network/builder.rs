//! Builds a network step by step.

use super::{LinkSpec, Network, NetworkError, NodeKind, NodeSpec};
use crate::event::{LinkId, NodeId};
use crate::time::SimDuration;
use crate::units::Rate;

/// Collects nodes and links; each is numbered in the order in which it is added.
///
/// ```
/// use sim_core::{LinkSpec, NetworkBuilder, QueueLimit, Rate, SimDuration};
///
/// let mut net = NetworkBuilder::new();
/// let (client, router, server) = (net.host("client"), net.router("router"), net.host("server"));
/// net.connect(client, router, None, SimDuration::from_millis(1));
/// net.join(
///     LinkSpec::new(router, server, Some(Rate::mbps(10)), SimDuration::from_millis(20))
///         .with_queue(QueueLimit::Packets(100))
///         .with_loss(0.001),
/// );
/// let network = net.build()?;
/// assert_eq!(network.address(server), Some([10, 0, 0, 2].into()));
/// # Ok::<(), sim_core::network::NetworkError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct NetworkBuilder {
    nodes: Vec<NodeSpec>,
    links: Vec<LinkSpec>,
}

impl NetworkBuilder {
    /// A builder without nodes and links.
    pub fn new() -> NetworkBuilder {
        NetworkBuilder::default()
    }

    /// Adds a host with one address.
    pub fn host(&mut self, name: impl Into<String>) -> NodeId {
        self.node(name, NodeKind::Host { addresses: 1 })
    }

    /// Adds a router.
    pub fn router(&mut self, name: impl Into<String>) -> NodeId {
        self.node(name, NodeKind::Router)
    }

    /// Adds a gateway with one address.
    pub fn gateway(&mut self, name: impl Into<String>) -> NodeId {
        self.node(name, NodeKind::Gateway { addresses: 1 })
    }

    /// Adds a node.
    pub fn node(&mut self, name: impl Into<String>, kind: NodeKind) -> NodeId {
        let name = name.into();
        self.nodes.push(NodeSpec { name, kind });
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Adds one link direction.
    pub fn link(&mut self, spec: LinkSpec) -> LinkId {
        self.links.push(spec);
        LinkId(self.links.len() as u32 - 1)
    }

    /// Adds a link with two equal directions: the given one and its reverse.
    pub fn join(&mut self, spec: LinkSpec) -> [LinkId; 2] {
        let back = spec.reversed();
        [self.link(spec), self.link(back)]
    }

    /// Adds a link with two equal directions and unlimited queues; without a rate, packets take no time to
    /// transmit.
    pub fn connect(
        &mut self,
        a: NodeId,
        b: NodeId,
        rate: impl Into<Option<Rate>>,
        delay: SimDuration,
    ) -> [LinkId; 2] {
        self.join(LinkSpec::new(a, b, rate.into(), delay))
    }

    /// A link direction added earlier, for changes.
    ///
    /// # Panics
    /// When there is no such link.
    pub fn link_mut(&mut self, link: LinkId) -> &mut LinkSpec {
        &mut self.links[link.0 as usize]
    }

    /// All link directions added so far.
    pub fn links_mut(&mut self) -> impl Iterator<Item = &mut LinkSpec> {
        self.links.iter_mut()
    }

    /// The network.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn build(self) -> Result<Network, NetworkError> {
        Network::new(self.nodes, self.links)
    }
}
