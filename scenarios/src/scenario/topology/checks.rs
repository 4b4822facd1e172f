//! Checks the names and the size of a topology.

use std::collections::HashSet;

use sim_core::plugin::{ValueKind, list_items};

use super::{Topology, middleboxes, nat, node_ranges};
use crate::dotted_path::{DottedPath, is_name};
use crate::problem::Problem;
use crate::suggest;

/// Maximum number of hosts, and of addresses of all hosts together.
const MAX_HOSTS: u64 = 1_000_000;
/// Maximum number of routers: the size of the routing table grows with the square of their number.
const MAX_ROUTERS: u64 = 2_000;

impl Topology {
    pub(super) fn check_names(&self, at: &DottedPath) -> Result<(), Problem> {
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

    /// Checks that the nodes exist that middleboxes name.
    pub(super) fn check_middleboxes(&self, at: &DottedPath) -> Result<(), Problem> {
        for (i, router) in self.routers.iter().enumerate() {
            let Some(plugin) = &router.middlebox else {
                continue;
            };
            let parameters = middleboxes().get(plugin.name());
            let parameters = parameters.map_or(&[][..], |kind| kind.parameters);
            for p in parameters.iter().filter(|p| p.kind == ValueKind::Nodes) {
                let list = plugin.values().list(p.name);
                let mut names = list_items(&list).filter(|name| *name != "none");
                let Some(name) = names.find(|name| self.nodes_named(name).is_empty()) else {
                    continue;
                };
                let section = match nat::to_file(plugin) {
                    Some(_) => "nat",
                    None => "middlebox",
                };
                let at = at.key("router").index(i).key(section).key(p.name);
                let message = suggest::unknown("node", name, self.names());
                return Err(Problem::new(at, message).help(format!("`{}`: {}", p.name, p.doc)));
            }
        }
        Ok(())
    }

    pub(super) fn check_counts(&self, at: &DottedPath) -> Result<(), Problem> {
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
}
