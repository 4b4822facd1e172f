//! `client-i ── left ══ right ── server-i`; `══` is the bottleneck.

use super::{Graph, Problem, TopologyKeys, TopologyShape};

pub(super) const SHAPE: TopologyShape = TopologyShape {
    kind: "dumbbell",
    keys: &[
        "client_addresses",
        "server_addresses",
        "pairs",
        "access",
        "server_access",
        "bottleneck",
    ],
    expand,
};

fn expand(given: &TopologyKeys<'_>) -> Result<Graph, Problem> {
    let pairs = given.count(given.file.pairs, "pairs", 1)?;
    let bottleneck = given.needed("bottleneck", &given.file.bottleneck)?;
    let mut graph = Graph::default();
    given.clients(&mut graph, pairs);
    given.servers(&mut graph, pairs);
    graph.router("left", 1, None);
    graph.router("right", 1, None);
    let ((key, access), (server_key, server_access)) = (given.access(), given.server_access());
    graph.link((key, &access), "client", "left");
    graph.link(bottleneck, "left", "right");
    graph.link((server_key, &server_access), "server", "right");
    Ok(graph)
}
