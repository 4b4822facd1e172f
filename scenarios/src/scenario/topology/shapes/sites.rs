//! Sites in a ring, alternately clients and servers.
//!
//! ```text
//! site-0 ══core══ site-1 ══ … ══ site-0
//!   │ access
//! clients, servers
//! ```
//!
//! Client `i` is at site `i mod N`. Its server, number `i`, is at the same site for the first `N` pairs, at
//! the next site for the next `N`, and so on.

use super::{DottedPath, Graph, LinkFile, Problem, TopologyKeys, TopologyShape};

pub(super) const SHAPE: TopologyShape = TopologyShape {
    kind: "sites",
    keys: &[
        "client_addresses",
        "server_addresses",
        "sites",
        "pairs",
        "access",
        "server_access",
        "core",
    ],
    expand,
};

/// Maximum number of pairs of hosts, and of sites or routers with hosts: shapes list them one by one.
pub(super) const MOST: u32 = 10_000;

fn expand(given: &TopologyKeys<'_>) -> Result<Graph, Problem> {
    let sites = given.count(given.file.sites, "sites", 4)?;
    let pairs = given.count(given.file.pairs, "pairs", sites)?;
    let core = given.needed("core", &given.file.core)?;
    at_most(sites, "sites", given.at)?;
    at_most(pairs, "pairs", given.at)?;
    let mut graph = Graph::default();
    given.clients(&mut graph, pairs);
    given.servers(&mut graph, pairs);
    graph.router("site", sites, None);
    let site = |i: u32| member("site", sites, i % sites);
    let links = match sites {
        1 => 0,
        2 => 1,
        n => n,
    };
    for i in 0..links {
        graph.link(core, &site(i), &site(i + 1));
    }
    let ((key, access), (server_key, server_access)) = (given.access(), given.server_access());
    for i in 0..pairs {
        let crosses = (i / sites) % 2;
        graph.link((key, &access), &member("client", pairs, i), &site(i));
        let server = member("server", pairs, i);
        graph.link((server_key, &server_access), &server, &site(i + crosses));
    }
    Ok(graph)
}

/// The name of one of `count` nodes.
pub(super) fn member(name: &str, count: u32, i: u32) -> String {
    match count {
        1 => name.to_owned(),
        _ => format!("{name}-{i}"),
    }
}

/// Rejects more than [`MOST`].
pub(super) fn at_most(n: u32, key: &str, at: &DottedPath) -> Result<(), Problem> {
    if n <= MOST {
        return Ok(());
    }
    Err(
        Problem::new(at.key(key), format!("`{key}` = {n} exceeds {MOST}"))
            .help("use a star or a dumbbell for more hosts"),
    )
}

/// A link with slightly more delay, to break ties between paths.
pub(super) fn longer(link: &LinkFile, nanos: u64) -> LinkFile {
    let extra = sim_core::SimDuration::from_nanos(nanos);
    LinkFile {
        delay: link.delay.map(|delay| delay + extra),
        ..link.clone()
    }
}
