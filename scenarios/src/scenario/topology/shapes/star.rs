//! `client-i ── hub ── server-i`

use super::{Given, Graph, Problem, Shape};

pub(super) const SHAPE: Shape = Shape {
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

fn expand(given: &Given<'_>) -> Result<Graph, Problem> {
    let mut graph = Graph::default();
    given.clients(&mut graph, given.count(given.file.clients, "clients", 1)?);
    given.servers(&mut graph, given.count(given.file.servers, "servers", 1)?);
    graph.router("hub", 1, None);
    let ((key, access), (server_key, server_access)) = (given.access(), given.server_access());
    graph.link((key, &access), "client", "hub");
    graph.link((server_key, &server_access), "server", "hub");
    Ok(graph)
}
