//! The named shapes, each written as hosts, routers and links.
//!
//! ```text
//! pair      client ── server
//! star      client-i ── hub ── server-i
//! dumbbell  client-i ── left ══ right ── server-i        (══ the bottleneck)
//! chain     client ── router-0 ── router-1 ── … ── server
//! ```

use sim_core::SimDuration;

use super::{DottedPath, HostFile, LinkFile, Problem, RouterFile, TopologyFile};
use crate::suggest;

const KINDS: [&str; 5] = ["pair", "star", "dumbbell", "chain", "graph"];

/// Writes a named shape as a graph.
pub(super) fn expand(file: &TopologyFile, at: &DottedPath) -> Result<TopologyFile, Problem> {
    check_keys(file, at)?;
    let count = |value: Option<u32>, key: &str, default: u32| match value.unwrap_or(default) {
        0 => Err(Problem::new(
            at.key(key),
            format!("`{key}` must be at least 1"),
        )),
        n => Ok(n),
    };
    let host = |name: &str, count: u32, addresses: Option<u32>| HostFile {
        name: name.to_owned(),
        count: Some(count),
        addresses,
        group: None,
    };
    let client = |n| host("client", n, file.client_addresses);
    let server = |n| host("server", n, file.server_addresses);
    let router = |name: &str, n| RouterFile {
        name: name.to_owned(),
        count: Some(n),
    };
    let access = file.access.clone().unwrap_or(LinkFile {
        delay: Some(SimDuration::from_millis(1)),
        ..LinkFile::default()
    });
    let server_access = file.server_access.clone().unwrap_or_else(|| access.clone());
    let (hosts, routers, links) = match file.kind.as_str() {
        "pair" => {
            let path = needed(&file.path, "path", at)?;
            (
                vec![client(1), server(1)],
                vec![],
                vec![between(path, "client", "server")],
            )
        }
        "star" => {
            let hosts = vec![
                client(count(file.clients, "clients", 1)?),
                server(count(file.servers, "servers", 1)?),
            ];
            let links = vec![
                between(&access, "client", "hub"),
                between(&server_access, "server", "hub"),
            ];
            (hosts, vec![router("hub", 1)], links)
        }
        "dumbbell" => {
            let pairs = count(file.pairs, "pairs", 1)?;
            let bottleneck = needed(&file.bottleneck, "bottleneck", at)?;
            let links = vec![
                between(&access, "client", "left"),
                between(bottleneck, "left", "right"),
                between(&server_access, "server", "right"),
            ];
            (
                vec![client(pairs), server(pairs)],
                vec![router("left", 1), router("right", 1)],
                links,
            )
        }
        "chain" => {
            let path = needed(&file.path, "path", at)?;
            let n = count(file.routers, "routers", 1)?;
            let name = |i: u32| {
                if n == 1 {
                    "router".to_owned()
                } else {
                    format!("router-{i}")
                }
            };
            let mut stops = vec!["client".to_owned()];
            // More than are allowed are refused by their number, which this need not write out.
            stops.extend((0..n.min(10_000)).map(name));
            stops.push("server".to_owned());
            let links = stops
                .windows(2)
                .map(|w| between(path, &w[0], &w[1]))
                .collect();
            (vec![client(1), server(1)], vec![router("router", n)], links)
        }
        _ => return Ok(file.clone()),
    };
    Ok(TopologyFile {
        kind: "graph".to_owned(),
        host: hosts,
        router: routers,
        link: links,
        ..TopologyFile::default()
    })
}

/// Where the `i`th link of an expanded shape was written.
pub(super) fn origin(file: &TopologyFile, i: usize, at: &DottedPath) -> DottedPath {
    let server_access = if file.server_access.is_some() {
        "server_access"
    } else {
        "access"
    };
    at.key(match (file.kind.as_str(), i) {
        ("star", 0) | ("dumbbell", 0) => "access",
        ("star", _) | ("dumbbell", 2) => server_access,
        ("dumbbell", _) => "bottleneck",
        _ => "path",
    })
}

fn between(link: &LinkFile, a: &str, b: &str) -> LinkFile {
    LinkFile {
        between: Some([a.to_owned(), b.to_owned()]),
        ..link.clone()
    }
}

fn needed<'a>(
    link: &'a Option<LinkFile>,
    key: &str,
    at: &DottedPath,
) -> Result<&'a LinkFile, Problem> {
    link.as_ref().ok_or_else(|| {
        Problem::new(at.clone(), format!("`{key}` is missing in {at}")).help(format!(
            "add {key} = {{ rate = \"100 Mbit/s\", delay = \"10 ms\" }}"
        ))
    })
}

/// Refuses keys of other shapes.
fn check_keys(file: &TopologyFile, at: &DottedPath) -> Result<(), Problem> {
    let takes: &[&str] = match file.kind.as_str() {
        "pair" => &["client_addresses", "server_addresses", "path"],
        "star" => &[
            "client_addresses",
            "server_addresses",
            "clients",
            "servers",
            "access",
            "server_access",
        ],
        "dumbbell" => &[
            "client_addresses",
            "server_addresses",
            "pairs",
            "access",
            "server_access",
            "bottleneck",
        ],
        "chain" => &["client_addresses", "server_addresses", "routers", "path"],
        "graph" => &["host", "router", "link"],
        other => {
            return Err(Problem::new(
                at.key("kind"),
                suggest::unknown("topology", other, KINDS),
            ));
        }
    };
    let given = [
        ("client_addresses", file.client_addresses.is_some()),
        ("server_addresses", file.server_addresses.is_some()),
        ("clients", file.clients.is_some()),
        ("servers", file.servers.is_some()),
        ("pairs", file.pairs.is_some()),
        ("routers", file.routers.is_some()),
        ("path", file.path.is_some()),
        ("access", file.access.is_some()),
        ("server_access", file.server_access.is_some()),
        ("bottleneck", file.bottleneck.is_some()),
        ("host", !file.host.is_empty()),
        ("router", !file.router.is_empty()),
        ("link", !file.link.is_empty()),
    ];
    if let Some((key, _)) = given
        .iter()
        .find(|(key, given)| *given && !takes.contains(key))
    {
        return Err(Problem::new(
            at.key(key),
            format!(
                "`{key}` does not belong to a topology of kind {:?}",
                file.kind
            ),
        )
        .help(format!("this kind takes {}", takes.join(", "))));
    }
    let links = [
        ("path", &file.path),
        ("access", &file.access),
        ("server_access", &file.server_access),
        ("bottleneck", &file.bottleneck),
    ];
    match links
        .iter()
        .find(|(_, link)| link.as_ref().is_some_and(|l| l.between.is_some()))
    {
        Some((key, _)) => Err(Problem::new(
            at.key(key).key("between"),
            format!("the ends of `{key}` follow from the kind of the topology"),
        )
        .help("leave `between` out, or use kind = \"graph\"")),
        None => Ok(()),
    }
}
