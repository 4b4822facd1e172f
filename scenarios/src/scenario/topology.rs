//! The network of a scenario, checked: hosts and routers with their counts, links between them.

use std::collections::HashSet;
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
use crate::suggest;

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
    /// How many.
    pub count: u32,
    /// Addresses of each.
    pub addresses: u32,
    /// Group for workloads and TCP parameters.
    pub group: String,
}

/// A group of identical routers.
#[derive(Clone, Debug, PartialEq)]
pub struct RouterGroup {
    /// Name, from which the names of the nodes are formed.
    pub name: String,
    /// How many.
    pub count: u32,
    /// Their middlebox; `None` for plain routers.
    pub middlebox: Option<Plugin<BoxedMiddlebox>>,
}

impl RouterGroup {
    /// The number of addresses that each owns; `None` for plain routers.
    fn addresses(&self) -> Option<u32> {
        let addresses = self.middlebox.as_ref()?.values().count("addresses").max(1);
        Some(u32::try_from(addresses).unwrap_or(u32::MAX))
    }
}

/// A checked network. Nodes are numbered: hosts first, then routers, in the order written.
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
    built: Built,
}

/// The cached network, which is a function of everything else.
#[derive(Clone, Debug, Default)]
struct Built(OnceLock<Arc<Network>>);

impl PartialEq for Built {
    fn eq(&self, _: &Built) -> bool {
        true
    }
}

/// Most hosts, and most addresses of all hosts together.
const MAX_HOSTS: u64 = 1_000_000;
/// Most routers: the size of the routing table is the square of their number.
const MAX_ROUTERS: u64 = 2_000;

static LINK_MODELS: OnceLock<LinkModels> = OnceLock::new();

/// Registers queue disciplines, loss models and the like by name, for the whole process, in place of the
/// built-in set.
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

    /// The same with queue disciplines, loss models and the like by name from `models`.
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
            built: Built::default(),
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

    /// Names of the groups, in order, each once.
    pub fn groups(&self) -> Vec<String> {
        let all = node_ranges::distinct(self.hosts.iter().map(|h| h.group.as_str()));
        all.into_iter().map(str::to_owned).collect()
    }

    /// Groups and names: what a workload or a link may refer to.
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

    /// The group of each node, by number; the name for routers with a function of their own, and
    /// empty for others.
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

    /// The hosts that a group, a name, or the name of a single node stands for; empty if none.
    pub fn hosts_named(&self, name: &str) -> Vec<NodeId> {
        self.names.hosts(name)
    }

    /// The group of the hosts that a group, a name, or the name of a single node stands for.
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

    /// The number of addresses of each host that `name` stands for.
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

    /// All nodes, by number.
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

    /// The hosts and routers that a group, a name, or the name of a single node stands for.
    pub fn nodes_named(&self, name: &str) -> Vec<NodeId> {
        [self.names.hosts(name), self.names.routers(name)].concat()
    }

    /// The nodes with a middlebox.
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

    /// The network with its addresses and routes.
    ///
    /// # Errors
    /// When the engine rejects it.
    pub fn network(&self) -> Result<Arc<Network>, Problem> {
        match self.built.0.get() {
            Some(network) => Ok(Arc::clone(network)),
            None => self.build().map(Arc::new),
        }
    }

    /// Caches the network for as long as this topology lives. Only for topologies that many runs share: a
    /// sweep over a thousand topologies must not hold a thousand networks.
    pub(crate) fn keep(&self, network: &Arc<Network>) {
        self.built.0.get_or_init(|| Arc::clone(network));
    }

    fn build(&self) -> Result<Network, Problem> {
        let at = DottedPath::from("topology");
        let mut links = Vec::new();
        for (i, link) in self.links.iter().enumerate() {
            let ends = self.ends(link, &at.key("link").index(i))?;
            links.reserve(2 * ends.len());
            for (a, b) in ends {
                links.push(link.there.spec(a, b));
                if a != b {
                    links.push(link.back.spec(b, a));
                }
            }
        }
        let hosts: u32 = self.hosts.iter().map(|h| h.count).sum();
        for link in links.iter_mut().filter(|l| l.from.0 < hosts) {
            link.impairments.processing = self.processing;
        }
        Network::new(self.nodes(), links).map_err(|e| Problem::new(at, e.to_string()))
    }

    /// The pairs of nodes a link joins.
    fn ends(&self, link: &Link, at: &DottedPath) -> Result<Vec<(NodeId, NodeId)>, Problem> {
        let at = at.key("between");
        let find = |i: usize| {
            let name = &link.between[i];
            let found = self.nodes_named(name);
            if found.is_empty() {
                let message = suggest::unknown("node or group", name, self.names());
                return Err(Problem::new(at.index(i), message));
            }
            Ok(found)
        };
        let (a, b) = (find(0)?, find(1)?);
        let pairs: Vec<(NodeId, NodeId)> = match (a.len(), b.len()) {
            (n, m) if n == m => a.into_iter().zip(b).collect(),
            (1, _) => b.iter().map(|&b| (a[0], b)).collect(),
            (_, 1) => a.iter().map(|&a| (a, b[0])).collect(),
            (n, m) => {
                return Err(Problem::new(
                    at,
                    format!(
                        "{:?} stands for {n} nodes and {:?} for {m}, so they cannot be paired",
                        link.between[0], link.between[1]
                    ),
                )
                .help("one of them must be a single node, or both must have the same number"));
            }
        };
        let hosts = self.hosts.iter().map(|h| h.count).sum();
        let is_loopback = |(a, b): &(NodeId, NodeId)| a == b && a.0 < hosts;
        if pairs.iter().all(is_loopback) {
            return Ok(pairs);
        }
        match pairs.iter().find(|(a, b)| a == b) {
            Some(_) => Err(Problem::new(at, "this link connects a node to itself")
                .help("name two different ends; only a host may have a link to itself, its loopback, written with the same name twice")),
            None => Ok(pairs),
        }
    }

    fn check_names(&self, at: &DottedPath) -> Result<(), Problem> {
        if self.hosts.is_empty() {
            return Err(Problem::new(at.clone(), "the network has no hosts")
                .help("add [[topology.host]] with a name"));
        }
        node_ranges::check(&self.hosts, &self.routers, at)?;
        let routers: HashSet<&str> = self.routers.iter().map(|r| r.name.as_str()).collect();
        for (i, host) in self.hosts.iter().enumerate() {
            if routers.contains(host.group.as_str()) || !is_name(&host.group) {
                return Err(Problem::new(
                    at.key("host").index(i).key("group"),
                    format!("{:?} cannot name a group of hosts", host.group),
                )
                .help("use letters, digits, - and _, and no router's name"));
            }
        }
        Ok(())
    }

    fn check_counts(&self, at: &DottedPath) -> Result<(), Problem> {
        let mut addresses = 0;
        for (i, host) in self.hosts.iter().enumerate() {
            addresses += u64::from(host.count) * u64::from(host.addresses);
            if addresses > MAX_HOSTS {
                return Err(Problem::new(
                    at.key("host").index(i),
                    format!(
                        "too many hosts: {addresses} addresses with this one, at most {MAX_HOSTS}"
                    ),
                )
                .help("lower `count` or `addresses`"));
            }
        }
        let routers: u64 = self.routers.iter().map(|r| u64::from(r.count)).sum();
        if routers > MAX_ROUTERS {
            return Err(Problem::new(
                at.key("router"),
                format!("too many routers: {routers}, at most {MAX_ROUTERS}"),
            ));
        }
        Ok(())
    }

    /// Everything written out, as a graph.
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
