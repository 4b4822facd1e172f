//! A network and the hosts on it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::{Network, NodeId, SimTime};
use tcp_model::TcpParams;
use tcp_model::spec::{AppSpec, HostConfig};

/// The parts of a simulation.
#[derive(Debug)]
pub(super) struct BenchWorld {
    pub(super) network: Arc<Network>,
    /// The configuration of each node; `None` for routers.
    pub(super) hosts: Vec<Option<HostConfig>>,
    pub(super) end: SimTime,
}

impl BenchWorld {
    /// Creates a world. All hosts have the same TCP parameters, and `apps` creates the applications of each.
    pub(super) fn new(
        network: Network,
        params: TcpParams,
        end: SimTime,
        apps: impl Fn(NodeId) -> Vec<AppSpec>,
    ) -> BenchWorld {
        let params = Arc::new(params);
        BenchWorld {
            hosts: network.place(|node| HostConfig::new(Arc::clone(&params), apps(node))),
            network: Arc::new(network),
            end,
        }
    }
}

/// The first address of a host.
pub(super) fn address(network: &Network, node: NodeId) -> Ipv4Addr {
    network.address(node).unwrap_or(Ipv4Addr::UNSPECIFIED)
}
