//! `client ── router-0 ── router-1 ── … ── server`

use super::{Graph, Problem, TopologyKeys, TopologyShape};

pub(super) const SHAPE: TopologyShape = TopologyShape {
    kind: "chain",
    keys: &["client_addresses", "server_addresses", "routers", "path"],
    expand,
};

fn expand(given: &TopologyKeys<'_>) -> Result<Graph, Problem> {
    let path = given.needed("path", &given.file.path)?;
    let n = given.count(given.file.routers, "routers", 1)?;
    let name = |i: u32| match n {
        1 => "router".to_owned(),
        _ => format!("router-{i}"),
    };
    let mut graph = Graph::default();
    given.clients(&mut graph, 1);
    given.servers(&mut graph, 1);
    graph.router("router", n, None);
    let mut stops = vec!["client".to_owned()];
    // A larger number of routers is rejected later, so not all of them are named here.
    stops.extend((0..n.min(10_000)).map(name));
    stops.push("server".to_owned());
    for ends in stops.windows(2) {
        graph.link(path, &ends[0], &ends[1]);
    }
    Ok(graph)
}
