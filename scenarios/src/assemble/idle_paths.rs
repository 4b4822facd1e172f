//! The idle paths of a scenario, for the slowdown of transfers.

use std::sync::Arc;

use reports::ideal::{Hop, IdealPath, IdealPaths};
use sim_core::{LinkId, Network, NodeId};
use tcp_model::TcpParams;

use crate::expected::path::route;
use crate::scenario::Scenario;

/// Bytes of a TCP header without options.
const TCP_HEADER: u64 = 20;
/// Bytes of the timestamp option with its padding.
const TIMESTAMPS: u64 = 12;

/// The paths between the hosts of a scenario. Rates and delays are those of the links as described: changes
/// over time, rate processes, jitter and outages slow transfers down.
pub(super) fn of(scenario: &Scenario, network: &Network) -> IdealPaths {
    // Hosts come first, then routers and middleboxes, behind which a path goes on.
    let hosts = scenario
        .topology
        .hosts
        .iter()
        .map(|host| host.count as usize);
    let groups = scenario.topology.group_of_nodes().into_iter();
    let groups = groups.take(hosts.sum());
    let params: Vec<Arc<TcpParams>> = groups
        .map(|group| Arc::clone(scenario.tcp.of(group)))
        .collect();
    let network = network.clone();
    IdealPaths::new(move |from, to| {
        let server = network.owner(to)?;
        let of = |node: NodeId| params.get(node.0 as usize);
        let (client_params, server_params) = (of(from)?, of(server)?);
        let there = route(&network, from, &to);
        let back = route(&network, server, &network.address(from)?);
        if there.is_empty() || back.is_empty() {
            return None;
        }
        let timestamps = client_params.timestamps && server_params.timestamps;
        let options = if timestamps { TIMESTAMPS } else { 0 };
        let mss = client_params.mss().min(server_params.mss());
        let hops = |links: Vec<LinkId>| {
            let link = |id: LinkId| &network.links()[id.0 as usize];
            let hop = |id| Hop {
                rate_bps: link(id).rate.map(|rate| rate.as_bps() as f64),
                delay_s: link(id).delay.as_secs_f64(),
            };
            links.into_iter().map(hop).collect()
        };
        Some(IdealPath {
            there: hops(there),
            back: hops(back),
            payload: u64::from(mss).saturating_sub(options).max(1),
            header: u64::from(client_params.ip_version.header_len()) + TCP_HEADER + options,
        })
    })
}
