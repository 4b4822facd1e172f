//! `client-i ── hub ── server-i`

use super::{Graph, Problem, TopologyKeys, TopologyShape};

pub(super) const SHAPE: TopologyShape = TopologyShape {
    kind: "star",
    keys: &[
        "client_addresses",
        "server_addresses",
        "clients",
        "servers",
        "access",
        "server_access",
    ],
    expand,
};

fn expand(given: &TopologyKeys<'_>) -> Result<Graph, Problem> {
    let mut graph = Graph::default();
    given.clients(&mut graph, given.count(given.file.clients, "clients", 1)?);
    given.servers(&mut graph, given.count(given.file.servers, "servers", 1)?);
    graph.router("hub", 1, None);
    let ((key, access), (server_key, server_access)) = (given.access(), given.server_access());
    graph.link((key, &access), "client", "hub");
    graph.link((server_key, &server_access), "server", "hub");
    Ok(graph)
}
