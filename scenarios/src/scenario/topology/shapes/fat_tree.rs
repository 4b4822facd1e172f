//! A fat tree of a data centre (Al-Fares, Loukissas, Vahdat 2008): K pods of K/2 edge and K/2
//! aggregation routers, (K/2)^2 core routers, and K/2 hosts on each edge router, alternately clients and
//! servers.
//!
//! Leaves out ECMP: each pair of routers has one shortest path. Delays of equal paths differ by
//! nanoseconds, in a different order for each pod, so that the routes of the pods spread over the core.

use super::sites::{at_most, longer, member};
use super::{Graph, Problem, TopologyKeys, TopologyShape};

pub(super) const SHAPE: TopologyShape = TopologyShape {
    kind: "fat-tree",
    keys: &[
        "client_addresses",
        "server_addresses",
        "pods",
        "access",
        "server_access",
        "core",
    ],
    expand,
};

fn expand(given: &TopologyKeys<'_>) -> Result<Graph, Problem> {
    let pods = given.count(given.file.pods, "pods", 4)?;
    if !pods.is_multiple_of(2) {
        return Err(Problem::new(
            given.at.key("pods"),
            format!("a fat tree has an even number of pods, and {pods} is odd"),
        ));
    }
    let half = pods / 2;
    let (key, core) = given.needed("core", &given.file.core)?;
    at_most(
        pods.saturating_mul(half).saturating_mul(half),
        "pods",
        given.at,
    )?;
    let mut graph = Graph::default();
    let hosts = pods * half * half;
    given.clients(&mut graph, hosts.div_ceil(2));
    given.servers(&mut graph, hosts / 2);
    graph.router("edge", pods * half, None);
    graph.router("aggregation", pods * half, None);
    graph.router("core", half * half, None);
    let edge = |i: u32| member("edge", pods * half, i);
    let aggregation = |i: u32| member("aggregation", pods * half, i);
    let ((access_key, access), (server_key, server_access)) =
        (given.access(), given.server_access());
    for i in 0..hosts {
        if i.is_multiple_of(2) {
            let client = member("client", hosts.div_ceil(2), i / 2);
            graph.link((access_key, &access), &client, &edge(i / half));
        } else {
            let server = member("server", hosts / 2, i / 2);
            graph.link((server_key, &server_access), &server, &edge(i / half));
        }
    }
    for pod in 0..pods {
        for a in 0..half {
            let above = aggregation(pod * half + a);
            for e in 0..half {
                let turn = longer(core, u64::from((a + e + pod) % half));
                graph.link((key, &turn), &edge(pod * half + e), &above);
            }
            for c in 0..half {
                let turn = longer(core, u64::from(half * ((c + pod) % half)));
                let top = member("core", half * half, a * half + c);
                graph.link((key, &turn), &above, &top);
            }
        }
    }
    Ok(graph)
}
