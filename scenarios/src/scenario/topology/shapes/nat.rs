//! `client-i ── nat ══ hub ── server-i`; `══` is the path, and `nat` shares its addresses among the
//! clients.

use super::{Graph, Problem, TopologyKeys, TopologyShape};

pub(super) const SHAPE: TopologyShape = TopologyShape {
    kind: "nat",
    keys: &[
        "client_addresses",
        "server_addresses",
        "clients",
        "servers",
        "access",
        "server_access",
        "path",
        "gateway",
    ],
    expand,
};

fn expand(given: &TopologyKeys<'_>) -> Result<Graph, Problem> {
    let path = given.needed("path", &given.file.path)?;
    let mut graph = Graph::default();
    given.clients(&mut graph, given.count(given.file.clients, "clients", 1)?);
    given.servers(&mut graph, given.count(given.file.servers, "servers", 1)?);
    let gateway = given.file.gateway.clone().unwrap_or_default();
    graph.router("nat", 1, Some(gateway));
    graph.router("hub", 1, None);
    let ((key, access), (server_key, server_access)) = (given.access(), given.server_access());
    graph.link((key, &access), "client", "nat");
    graph.link(path, "nat", "hub");
    graph.link((server_key, &server_access), "server", "hub");
    Ok(graph)
}
