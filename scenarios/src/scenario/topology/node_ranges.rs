//! Resolves the names of a topology without visiting every node.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use sim_core::NodeId;

use super::{DottedPath, HostGroup, Problem, RouterGroup, is_name};

/// The node numbers for the names of hosts, groups and routers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeRanges {
    /// Hosts by group or name.
    groups: HashMap<String, Vec<Range<u32>>>,
    /// Hosts by their name in the file; its single nodes are named `NAME-0` and so on.
    hosts: HashMap<String, Range<u32>>,
    /// Routers in the same way.
    routers: HashMap<String, Range<u32>>,
}

impl NodeRanges {
    pub(super) fn new(hosts: &[HostGroup], routers: &[RouterGroup]) -> NodeRanges {
        let mut names = NodeRanges::default();
        let mut first = 0;
        for host in hosts {
            let range = first..first + host.count;
            first = range.end;
            let mut add = |name: &String| {
                let ranges = names.groups.entry(name.clone()).or_default();
                ranges.push(range.clone());
            };
            add(&host.group);
            if host.name != host.group {
                add(&host.name);
            }
            names.hosts.insert(host.name.clone(), range);
        }
        for router in routers {
            let range = first..first + router.count;
            first = range.end;
            names.routers.insert(router.name.clone(), range);
        }
        names
    }

    /// Returns the hosts of a group or name, or the single host with that name.
    pub(super) fn hosts(&self, name: &str) -> Vec<NodeId> {
        match self.groups.get(name) {
            Some(ranges) => ranges.iter().cloned().flatten().map(NodeId).collect(),
            None => member(&self.hosts, name).into_iter().collect(),
        }
    }

    /// Returns the routers of a name, or the single router with that name.
    pub(super) fn routers(&self, name: &str) -> Vec<NodeId> {
        match self.routers.get(name) {
            Some(range) => range.clone().map(NodeId).collect(),
            None => member(&self.routers, name).into_iter().collect(),
        }
    }
}

/// The node `NAME-i` of an entry with several nodes.
fn member(groups: &HashMap<String, Range<u32>>, name: &str) -> Option<NodeId> {
    let (group, place) = name.rsplit_once('-')?;
    let range = groups.get(group).filter(|range| range.len() > 1)?;
    let i: u32 = place.parse().ok()?;
    let exists = (i as usize) < range.len() && i.to_string() == place;
    exists.then(|| NodeId(range.start + i))
}

/// Rejects invalid names, and names that two nodes would share.
pub(super) fn check(
    hosts: &[HostGroup],
    routers: &[RouterGroup],
    at: &DottedPath,
) -> Result<(), Problem> {
    let hosts = hosts.iter().zip(0..);
    let hosts = hosts.map(|(h, i)| (h.name.as_str(), h.count, "host", i));
    let routers = routers.iter().zip(0..);
    let routers = routers.map(|(r, i)| (r.name.as_str(), r.count, "router", i));
    let mut seen = TakenNames::default();
    for (name, count, kind, i) in hosts.chain(routers) {
        let wrong = |message: String, help: &str| {
            let at = at.key(kind).index(i).key("name");
            Err(Problem::new(at, message).help(help))
        };
        if !is_name(name) {
            return wrong(
                format!("{name:?} cannot name a node"),
                "use letters, digits, - and _",
            );
        }
        if let Some(other) = seen.clash(name, count) {
            return wrong(
                format!("the name {name:?} is taken (by {other:?})"),
                "the nodes of an entry with `count` are named NAME-0, NAME-1 and so on; choose another name",
            );
        }
        seen.insert(name, count);
    }
    Ok(())
}

/// The names that are already taken.
#[derive(Default)]
struct TakenNames<'a> {
    counts: HashMap<&'a str, u32>,
    /// The smallest `i` among names like `NAME-i`, and that name; by `NAME`.
    members: HashMap<&'a str, (u32, &'a str)>,
}

impl<'a> TakenNames<'a> {
    fn insert(&mut self, name: &'a str, count: u32) {
        self.counts.insert(name, count);
        if let Some((group, place)) = split_member(name) {
            let least = self.members.entry(group).or_insert((place, name));
            if place < least.0 {
                *least = (place, name);
            }
        }
    }

    /// The name that clashes with `count` nodes called `name`.
    fn clash(&self, name: &str, count: u32) -> Option<&'a str> {
        if let Some((same, _)) = self.counts.get_key_value(name) {
            return Some(same);
        }
        if let Some((group, place)) = split_member(name)
            && let Some((group, &n)) = self.counts.get_key_value(group)
            && n > 1
            && place < n
        {
            return Some(group);
        }
        let (place, other) = self.members.get(name)?;
        (count > 1 && *place < count).then_some(*other)
    }
}

/// Splits a name like `NAME-i` into `NAME` and `i`.
fn split_member(name: &str) -> Option<(&str, u32)> {
    let (group, place) = name.rsplit_once('-')?;
    Some((group, place.parse().ok()?))
}

/// Returns the names in order, each once.
pub(super) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, count: u32, group: &str) -> HostGroup {
        HostGroup {
            name: name.to_owned(),
            count,
            addresses: 1,
            group: group.to_owned(),
        }
    }

    #[test]
    fn names_stand_for_groups_names_and_single_nodes() {
        let hosts = [host("a", 3, "web"), host("b", 1, "web"), host("c", 2, "c")];
        let routers = [("r", 2), ("core", 1)].map(|(name, count)| RouterGroup {
            name: name.to_owned(),
            count,
            middlebox: None,
        });
        let names = NodeRanges::new(&hosts, &routers);
        let ids = |found: Vec<NodeId>| found.iter().map(|n| n.0).collect::<Vec<_>>();
        for (name, nodes) in [
            ("web", vec![0, 1, 2, 3]),
            ("a", vec![0, 1, 2]),
            ("a-2", vec![2]),
            ("c-1", vec![5]),
            ("b", vec![3]),
            ("b-0", vec![]),
            ("a-3", vec![]),
            ("a-02", vec![]),
            ("r", vec![]),
        ] {
            assert_eq!(ids(names.hosts(name)), nodes, "{name}");
        }
        assert_eq!(ids(names.routers("r-1")), [7]);
        assert_eq!(ids(names.routers("core")), [8]);
    }

    #[test]
    fn two_nodes_of_one_name_are_found_in_any_order() {
        for hosts in [
            [("a", 1), ("a", 1)],
            [("a", 3), ("a-2", 1)],
            [("a-2", 1), ("a", 3)],
        ] {
            let hosts = hosts.map(|(name, count)| host(name, count, name));
            assert!(check(&hosts, &[], &"topology".into()).is_err(), "{hosts:?}");
        }
        for hosts in [
            [("a", 2), ("a-2", 1)],
            [("a-2", 1), ("a", 2)],
            [("a", 1), ("a-0", 1)],
        ] {
            let hosts = hosts.map(|(name, count)| host(name, count, name));
            assert!(check(&hosts, &[], &"topology".into()).is_ok(), "{hosts:?}");
        }
    }
}
