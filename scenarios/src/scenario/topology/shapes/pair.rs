//! `client ── server`

use super::{Given, Graph, Problem, Shape};

pub(super) const SHAPE: Shape = Shape {
    kind: "pair",
    keys: &["client_addresses", "server_addresses", "path"],
    expand,
};

fn expand(given: &Given<'_>) -> Result<Graph, Problem> {
    let path = given.needed("path", &given.file.path)?;
    let mut graph = Graph::default();
    given.clients(&mut graph, 1);
    given.servers(&mut graph, 1);
    graph.link(path, "client", "server");
    Ok(graph)
}
