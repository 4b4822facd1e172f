//! The named shapes, each of which expands to hosts, routers and links.
//!
//! To add a shape, add a file in this folder and a line in [`SHAPES`]; new keys also go to [`TopologyFile`]
//! and to `given` below.

mod chain;
mod dumbbell;
mod fat_tree;
mod nat;
mod pair;
mod sites;
mod star;
mod torus;

use sim_core::SimDuration;

use super::{DottedPath, HostFile, LinkFile, NatFile, Problem, RouterFile, TopologyFile};
use crate::suggest;

/// A named shape.
struct TopologyShape {
    /// Its `kind`.
    kind: &'static str,
    /// The keys it takes.
    keys: &'static [&'static str],
    /// Expands it to a graph.
    expand: fn(&TopologyKeys<'_>) -> Result<Graph, Problem>,
}

const SHAPES: &[&TopologyShape] = &[
    &pair::SHAPE,
    &star::SHAPE,
    &dumbbell::SHAPE,
    &chain::SHAPE,
    &nat::SHAPE,
    &fat_tree::SHAPE,
    &torus::SHAPE,
    &sites::SHAPE,
];
/// The kind of a network written node by node.
const GRAPH: &str = "graph";
const GRAPH_KEYS: &[&str] = &["host", "router", "link"];

/// Returns the kinds of networks.
pub fn kinds() -> Vec<&'static str> {
    SHAPES.iter().map(|s| s.kind).chain([GRAPH]).collect()
}

/// A shape expanded to hosts, routers and links.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) hosts: Vec<HostFile>,
    pub(super) routers: Vec<RouterFile>,
    pub(super) links: Vec<LinkFile>,
    /// The key that describes each link; empty for a graph, whose links are written one by one.
    pub(super) origins: Vec<&'static str>,
}

impl Graph {
    fn host(&mut self, name: &str, count: u32, addresses: Option<u32>) {
        self.hosts.push(HostFile {
            name: name.to_owned(),
            count: Some(count),
            addresses,
            group: None,
        });
    }

    fn router(&mut self, name: &str, count: u32, nat: Option<NatFile>) {
        self.routers.push(RouterFile {
            name: name.to_owned(),
            count: Some(count),
            nat,
            middlebox: None,
        });
    }

    /// Joins two nodes, or the members of two groups, by the link described at `key`.
    fn link(&mut self, (key, link): (&'static str, &LinkFile), a: &str, b: &str) {
        self.links.push(LinkFile {
            between: Some([a.to_owned(), b.to_owned()]),
            ..link.clone()
        });
        self.origins.push(key);
    }
}

/// Access to the keys of `[topology]` for shapes.
struct TopologyKeys<'a> {
    file: &'a TopologyFile,
    at: &'a DottedPath,
}

impl TopologyKeys<'_> {
    /// A count of at least one.
    fn count(&self, value: Option<u32>, key: &str, usual: u32) -> Result<u32, Problem> {
        match value.unwrap_or(usual) {
            0 => Err(Problem::new(
                self.at.key(key),
                format!("`{key}` must be at least 1"),
            )),
            n => Ok(n),
        }
    }

    fn clients(&self, graph: &mut Graph, count: u32) {
        graph.host("client", count, self.file.client_addresses);
    }

    fn servers(&self, graph: &mut Graph, count: u32) {
        graph.host("server", count, self.file.server_addresses);
    }

    /// The link of each client; by default with a delay of 1 ms.
    fn access(&self) -> (&'static str, LinkFile) {
        let usual = || LinkFile {
            delay: Some(SimDuration::from_millis(1)),
            ..LinkFile::default()
        };
        ("access", self.file.access.clone().unwrap_or_else(usual))
    }

    /// The link of each server; by default like those of clients.
    fn server_access(&self) -> (&'static str, LinkFile) {
        match &self.file.server_access {
            Some(link) => ("server_access", link.clone()),
            None => self.access(),
        }
    }

    /// A link that must be given.
    fn needed<'a>(
        &self,
        key: &'static str,
        link: &'a Option<LinkFile>,
    ) -> Result<(&'static str, &'a LinkFile), Problem> {
        let at = self.at;
        let link = link.as_ref().ok_or_else(|| {
            Problem::new(at.clone(), format!("`{key}` is missing in {at}")).help(format!(
                "add {key} = {{ rate = \"100 Mbit/s\", delay = \"10 ms\" }}"
            ))
        })?;
        Ok((key, link))
    }
}

/// Expands a named shape, or a graph, to hosts, routers and links.
pub(super) fn expand(file: &TopologyFile, at: &DottedPath) -> Result<Graph, Problem> {
    let shape = SHAPES.iter().find(|s| s.kind == file.kind);
    let keys = match shape {
        Some(shape) => shape.keys,
        None if file.kind == GRAPH => GRAPH_KEYS,
        None => {
            let kinds = kinds();
            let message = suggest::unknown("topology", &file.kind, kinds.iter().copied());
            return Err(Problem::new(at.key("kind"), message));
        }
    };
    check_keys(file, keys, at)?;
    match shape {
        Some(shape) => (shape.expand)(&TopologyKeys { file, at }),
        None => Ok(Graph {
            hosts: file.host.clone(),
            routers: file.router.clone(),
            links: file.link.clone(),
            origins: Vec::new(),
        }),
    }
}

/// Where link number `i` was written.
pub(super) fn origin(graph: &Graph, i: usize, at: &DottedPath) -> DottedPath {
    match graph.origins.get(i) {
        Some(key) => at.key(key),
        None => at.key("link").index(i),
    }
}

/// Whether each key is given.
fn given(file: &TopologyFile) -> [(&'static str, bool); 19] {
    [
        ("client_addresses", file.client_addresses.is_some()),
        ("server_addresses", file.server_addresses.is_some()),
        ("clients", file.clients.is_some()),
        ("servers", file.servers.is_some()),
        ("pairs", file.pairs.is_some()),
        ("routers", file.routers.is_some()),
        ("pods", file.pods.is_some()),
        ("rows", file.rows.is_some()),
        ("columns", file.columns.is_some()),
        ("sites", file.sites.is_some()),
        ("path", file.path.is_some()),
        ("access", file.access.is_some()),
        ("server_access", file.server_access.is_some()),
        ("bottleneck", file.bottleneck.is_some()),
        ("core", file.core.is_some()),
        ("gateway", file.gateway.is_some()),
        ("host", !file.host.is_empty()),
        ("router", !file.router.is_empty()),
        ("link", !file.link.is_empty()),
    ]
}

/// Rejects keys of other shapes.
fn check_keys(file: &TopologyFile, takes: &[&str], at: &DottedPath) -> Result<(), Problem> {
    let given = given(file);
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
        ("core", &file.core),
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
