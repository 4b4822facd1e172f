//! The network of a scenario, checked: hosts and routers with their counts, and the links between them.

use std::sync::{Arc, OnceLock};

use sim_core::network::{Impairments, LinkChange};
use sim_core::plugin::Plugin;
use sim_core::{
    LinkModels, LinkSpec, Network, NodeId, NodeKind, NodeSpec, QueueLimit, Rate, SimDuration,
    SimTime,
};
use tcp_model::middlebox::BoxedMiddlebox;

use crate::dotted_path::{DottedPath, is_name};
use crate::file::topology::{HostFile, LinkFile, NatFile, RouterFile, TopologyFile};
use crate::problem::Problem;

mod build;
mod checks;
mod link;
mod middlebox;
pub(crate) mod models;
mod nat;
mod node_ranges;
mod routes;
mod shapes;

pub use link::{Direction, Link};
pub(crate) use middlebox::{install_middleboxes, middleboxes};
use node_ranges::NodeRanges;
use routes::Joins;
pub(crate) use routes::first_unreachable;
pub use shapes::kinds;

/// A group of identical hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostGroup {
    /// Name, from which the names of the nodes are formed.
    pub name: String,
    /// Number of hosts.
    pub count: u32,
    /// Number of addresses of each host.
    pub addresses: u32,
    /// Group for workloads and TCP parameters.
    pub group: String,
}

/// A group of identical routers.
#[derive(Clone, Debug, PartialEq)]
pub struct RouterGroup {
    /// Name, from which the names of the nodes are formed.
    pub name: String,
    /// Number of routers.
    pub count: u32,
    /// Their middlebox; `None` for plain routers.
    pub middlebox: Option<Plugin<BoxedMiddlebox>>,
}

impl RouterGroup {
    /// Number of addresses of each router; `None` for plain routers.
    fn addresses(&self) -> Option<u32> {
        let addresses = self.middlebox.as_ref()?.values().count("addresses").max(1);
        Some(u32::try_from(addresses).unwrap_or(u32::MAX))
    }
}

/// A checked network. Nodes are numbered in the order written, hosts first, then routers.
#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    /// Hosts.
    pub hosts: Vec<HostGroup>,
    /// Routers.
    pub routers: Vec<RouterGroup>,
    /// Links.
    pub links: Vec<Link>,
    /// Largest processing time of a host for each packet it sends.
    pub processing: SimDuration,
    names: NodeRanges,
    built: CachedNetwork,
}

/// The cached network, which is a function of everything else.
#[derive(Clone, Debug, Default)]
struct CachedNetwork(OnceLock<Arc<Network>>);

impl PartialEq for CachedNetwork {
    fn eq(&self, _: &CachedNetwork) -> bool {
        true
    }
}

static LINK_MODELS: OnceLock<LinkModels> = OnceLock::new();

/// Replaces the built-in set of named queue disciplines, loss models and so on, for the whole process.
///
/// # Errors
/// When models are already installed, or a scenario has been read.
pub(crate) fn install_link_models(models: LinkModels) -> Result<(), AlreadyInstalled> {
    LINK_MODELS.set(models).map_err(|_| AlreadyInstalled)
}

/// Models of links are already installed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AlreadyInstalled;

impl Topology {
    /// Expands the named shapes and checks names, counts and links.
    ///
    /// # Errors
    /// When something is missing, unknown, out of range, or too large.
    pub fn new(file: &TopologyFile) -> Result<Topology, Problem> {
        Topology::with_models(file, LINK_MODELS.get_or_init(LinkModels::default))
    }

    /// The same, with the named queue disciplines, loss models and so on of `models`.
    ///
    /// # Errors
    /// As [`Topology::new`].
    pub fn with_models(file: &TopologyFile, models: &LinkModels) -> Result<Topology, Problem> {
        let at = DottedPath::from("topology");
        let graph = shapes::expand(file, &at)?;
        let mut topology = Topology {
            hosts: Vec::new(),
            routers: Vec::new(),
            links: Vec::new(),
            processing: file.processing.unwrap_or_default(),
            names: NodeRanges::default(),
            built: CachedNetwork::default(),
        };
        for (i, host) in graph.hosts.iter().enumerate() {
            topology
                .hosts
                .push(host_group(host, &at.key("host").index(i))?);
        }
        for (i, router) in graph.routers.iter().enumerate() {
            topology
                .routers
                .push(router_group(router, &at.key("router").index(i))?);
        }
        topology.check_names(&at)?;
        topology.check_counts(&at)?;
        topology.names = NodeRanges::new(&topology.hosts, &topology.routers);
        topology.check_middleboxes(&at)?;
        let mut joins = Joins::new(&topology);
        for (i, link) in graph.links.iter().enumerate() {
            let at = shapes::origin(&graph, i, &at);
            let link = Link::new(link, models, &at)?;
            joins.add(&topology.ends(&link, &at)?);
            topology.links.push(link);
        }
        joins.check(&at)?;
        Ok(topology)
    }

    /// Returns the names of the groups of hosts, in order, each once.
    pub fn groups(&self) -> Vec<String> {
        let all = node_ranges::distinct(self.hosts.iter().map(|h| h.group.as_str()));
        all.into_iter().map(str::to_owned).collect()
    }

    /// Returns the groups and names to which a workload or a link may refer.
    pub fn names(&self) -> Vec<&str> {
        let hosts = self
            .hosts
            .iter()
            .flat_map(|h| [h.group.as_str(), h.name.as_str()]);
        let mut all: Vec<&str> = hosts
            .chain(self.routers.iter().map(|r| r.name.as_str()))
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Returns the group of each node, by number. The group of a router with a middlebox is its name, and
    /// that of other routers is empty.
    pub fn group_of_nodes(&self) -> Vec<&str> {
        let hosts = self
            .hosts
            .iter()
            .flat_map(|h| std::iter::repeat_n(h.group.as_str(), h.count as usize));
        let routers = self.routers.iter().flat_map(|r| {
            let group = r.middlebox.as_ref().map_or("", |_| r.name.as_str());
            std::iter::repeat_n(group, r.count as usize)
        });
        hosts.chain(routers).collect()
    }

    /// Returns the hosts of a group, of a name, or of the name of a single node; empty if there are none.
    pub fn hosts_named(&self, name: &str) -> Vec<NodeId> {
        self.names.hosts(name)
    }

    /// Returns the group of the hosts of a group, of a name, or of the name of a single node.
    pub fn group_named(&self, name: &str) -> Option<&str> {
        let mut place = self.hosts_named(name).first()?.0;
        for hosts in &self.hosts {
            if place < hosts.count {
                return Some(&hosts.group);
            }
            place -= hosts.count;
        }
        None
    }

    /// Returns the number of addresses of each host of `name`.
    pub fn addresses_named(&self, name: &str) -> impl Iterator<Item = u32> {
        let counts: Vec<u32> = self
            .hosts
            .iter()
            .flat_map(|h| std::iter::repeat_n(h.addresses, h.count as usize))
            .collect();
        self.hosts_named(name)
            .into_iter()
            .filter_map(move |n| counts.get(n.0 as usize).copied())
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        let hosts: u32 = self.hosts.iter().map(|h| h.count).sum();
        let routers: u32 = self.routers.iter().map(|r| r.count).sum();
        (hosts + routers) as usize
    }

    /// Returns all nodes, by number.
    pub fn nodes(&self) -> Vec<NodeSpec> {
        let hosts = self.hosts.iter().flat_map(|h| {
            (0..h.count).map(|i| NodeSpec {
                name: node_name(&h.name, h.count, i),
                kind: NodeKind::Host {
                    addresses: h.addresses,
                },
            })
        });
        let routers = self.routers.iter().flat_map(|r| {
            (0..r.count).map(|i| NodeSpec {
                name: node_name(&r.name, r.count, i),
                kind: match r.addresses() {
                    Some(addresses) => NodeKind::Gateway { addresses },
                    None => NodeKind::Router,
                },
            })
        });
        hosts.chain(routers).collect()
    }

    /// Returns the hosts and routers of a group, of a name, or of the name of a single node.
    pub fn nodes_named(&self, name: &str) -> Vec<NodeId> {
        [self.names.hosts(name), self.names.routers(name)].concat()
    }

    /// Returns the nodes with a middlebox.
    pub fn middleboxes(&self) -> Vec<(NodeId, Plugin<BoxedMiddlebox>)> {
        let mut first: u32 = self.hosts.iter().map(|h| h.count).sum();
        let mut all = Vec::new();
        for router in &self.routers {
            let nodes = first..first + router.count;
            first = nodes.end;
            if let Some(function) = &router.middlebox {
                all.extend(nodes.map(|n| (NodeId(n), function.clone())));
            }
        }
        all
    }

    /// Converts back to a file, as a graph with every value written out.
    pub fn to_file(&self) -> TopologyFile {
        TopologyFile {
            kind: "graph".to_owned(),
            host: self
                .hosts
                .iter()
                .map(|h| HostFile {
                    name: h.name.clone(),
                    count: Some(h.count),
                    addresses: Some(h.addresses),
                    group: Some(h.group.clone()),
                })
                .collect(),
            router: self
                .routers
                .iter()
                .map(|r| {
                    let nat = r.middlebox.as_ref().and_then(nat::to_file);
                    let other = r.middlebox.as_ref().filter(|_| nat.is_none());
                    RouterFile {
                        name: r.name.clone(),
                        count: Some(r.count),
                        middlebox: other.map(middlebox::to_file),
                        nat,
                    }
                })
                .collect(),
            link: self.links.iter().map(Link::to_file).collect(),
            processing: (!self.processing.is_zero()).then_some(self.processing),
            ..TopologyFile::default()
        }
    }
}

fn node_name(name: &str, count: u32, i: u32) -> String {
    if count == 1 {
        name.to_owned()
    } else {
        format!("{name}-{i}")
    }
}

fn host_group(file: &HostFile, at: &DottedPath) -> Result<HostGroup, Problem> {
    Ok(HostGroup {
        name: file.name.clone(),
        count: at_least_one(file.count, "count", at)?,
        addresses: at_least_one(file.addresses, "addresses", at)?,
        group: file.group.clone().unwrap_or_else(|| file.name.clone()),
    })
}

fn router_group(file: &RouterFile, at: &DottedPath) -> Result<RouterGroup, Problem> {
    let middlebox = file.middlebox.as_ref();
    if middlebox.is_some() && file.nat.is_some() {
        let message = "a router has `nat` or `middlebox`, not both";
        let help = "give each a router of its own, with a link between them";
        return Err(Problem::new(at.key("middlebox"), message).help(help));
    }
    Ok(RouterGroup {
        name: file.name.clone(),
        count: at_least_one(file.count, "count", at)?,
        middlebox: match (&file.nat, middlebox) {
            (Some(nat), _) => Some(nat::read(nat, &at.key("nat"))?),
            (None, Some(file)) => Some(middlebox::read(file, &at.key("middlebox"))?),
            (None, None) => None,
        },
    })
}

fn at_least_one(value: Option<u32>, key: &str, at: &DottedPath) -> Result<u32, Problem> {
    match value.unwrap_or(1) {
        0 => Err(Problem::new(
            at.key(key),
            format!("`{key}` must be at least 1"),
        )),
        n => Ok(n),
    }
}
