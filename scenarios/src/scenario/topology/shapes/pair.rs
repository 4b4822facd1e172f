//! `client ── server`

use super::{Graph, Problem, TopologyKeys, TopologyShape};

pub(super) const SHAPE: TopologyShape = TopologyShape {
    kind: "pair",
    keys: &["client_addresses", "server_addresses", "path"],
    expand,
};

fn expand(given: &TopologyKeys<'_>) -> Result<Graph, Problem> {
    let path = given.needed("path", &given.file.path)?;
    let mut graph = Graph::default();
    given.clients(&mut graph, 1);
    given.servers(&mut graph, 1);
    graph.link(path, "client", "server");
    Ok(graph)
}
