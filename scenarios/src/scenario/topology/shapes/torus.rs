//! Routers in rows and columns, each linked to its four neighbours, with edges wrapped around. Each has a
//! client and a server.
//!
//! The server of client `i`, number `i`, is a quarter of the rows and a quarter of the columns away.

use super::sites::{at_most, member};
use super::{Graph, Problem, TopologyKeys, TopologyShape};

pub(super) const SHAPE: TopologyShape = TopologyShape {
    kind: "torus",
    keys: &[
        "client_addresses",
        "server_addresses",
        "rows",
        "columns",
        "access",
        "server_access",
        "core",
    ],
    expand,
};

fn expand(given: &TopologyKeys<'_>) -> Result<Graph, Problem> {
    let rows = given.count(given.file.rows, "rows", 4)?;
    let columns = given.count(given.file.columns, "columns", rows)?;
    let core = given.needed("core", &given.file.core)?;
    let count = rows.saturating_mul(columns);
    at_most(count, "rows", given.at)?;
    let mut graph = Graph::default();
    given.clients(&mut graph, count);
    given.servers(&mut graph, count);
    graph.router("router", count, None);
    let place = |row: u32, column: u32| row % rows * columns + column % columns;
    let router = |i: u32| member("router", count, i);
    let ((key, access), (server_key, server_access)) = (given.access(), given.server_access());
    graph.link((key, &access), "client", "router");
    for row in 0..rows {
        for column in 0..columns {
            let here = place(row, column);
            let (below, right) = (place(row + 1, column), place(row, column + 1));
            // With two rows or columns, the second link would duplicate the first.
            if below != here && (rows > 2 || row == 0) {
                graph.link(core, &router(here), &router(below));
            }
            if right != here && (columns > 2 || column == 0) {
                graph.link(core, &router(here), &router(right));
            }
            let there = place(row + (rows / 4).max(1), column + (columns / 4).max(1));
            let server = member("server", count, here);
            graph.link((server_key, &server_access), &server, &router(there));
        }
    }
    Ok(graph)
}
