//! The assignment of nodes to partitions.

use std::sync::Arc;

use crate::event::NodeId;

/// The partition of each node, and the index of its host there.
#[derive(Debug)]
pub(crate) struct PartitionMap {
    pub(super) part_of: Vec<u32>,
    /// Index of a node's host in its partition's list; `NO_HOST` for routers.
    pub(super) place: Vec<u32>,
    pub(super) parts: usize,
}

const NO_HOST: u32 = u32::MAX;

impl PartitionMap {
    /// Assigns nodes to partitions as given; also returns the hosts of each partition, in order of node number.
    pub(crate) fn new<H>(
        part_of: Vec<u32>,
        hosts: Vec<Option<H>>,
    ) -> (Arc<PartitionMap>, Vec<Vec<H>>) {
        let parts = part_of.iter().max().map_or(1, |m| *m as usize + 1);
        let mut counts = vec![0u32; parts];
        let mut place = vec![NO_HOST; part_of.len()];
        for (i, _) in hosts.iter().enumerate().filter(|(_, host)| host.is_some()) {
            let count = &mut counts[part_of[i] as usize];
            place[i] = *count;
            *count += 1;
        }
        let split = if parts == 1 {
            // In place: hosts are large, and there may be many.
            vec![hosts.into_iter().flatten().collect()]
        } else {
            let empty = counts.iter().map(|n| Vec::with_capacity(*n as usize));
            let mut split: Vec<Vec<H>> = empty.collect();
            for (host, part) in hosts.into_iter().zip(&part_of) {
                split[*part as usize].extend(host);
            }
            split
        };
        let assignment = PartitionMap {
            part_of,
            place,
            parts,
        };
        (Arc::new(assignment), split)
    }

    /// The nodes of a partition that have hosts, in the order of their hosts.
    pub(crate) fn nodes_with_hosts(&self, part: u32) -> impl Iterator<Item = NodeId> {
        let nodes = self.part_of.iter().zip(&self.place).zip(0..);
        nodes.filter_map(move |((of, place), node)| {
            (*of == part && *place != NO_HOST).then_some(NodeId(node))
        })
    }

    /// The hosts of all partitions, by node number; `None` for routers.
    pub(crate) fn join<H>(&self, mut split: Vec<Vec<H>>) -> Vec<Option<H>> {
        if self.parts != 1 {
            let mut split: Vec<_> = split.into_iter().map(Vec::into_iter).collect();
            let nodes = self.part_of.iter().zip(&self.place);
            let host = |(part, place): (&u32, &u32)| match *place {
                NO_HOST => None,
                _ => split[*part as usize].next(),
            };
            return nodes.map(host).collect();
        }
        // In place, as in `new`, and then spread out, starting from the last one.
        let hosts = split.pop().unwrap_or_default();
        let mut all: Vec<Option<H>> = hosts.into_iter().map(Some).collect();
        all.resize_with(self.place.len(), || None);
        for (node, place) in self.place.iter().enumerate().rev() {
            if *place != NO_HOST && *place as usize != node {
                all.swap(*place as usize, node);
            }
        }
        all
    }

    /// Index of a node's host in its partition.
    pub(crate) fn place_of(&self, node: u32) -> u32 {
        self.place[node as usize]
    }

    /// The partition that owns a node.
    pub(crate) fn part_of(&self, node: NodeId) -> u32 {
        self.part_of.get(node.0 as usize).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_come_back_to_their_nodes() {
        let hosts = |routers: &[usize]| -> Vec<Option<String>> {
            let named = |i: usize| (!routers.contains(&i)).then(|| format!("host {i}"));
            (0..7).map(named).collect()
        };
        for routers in [&[] as &[usize], &[0], &[6], &[0, 1, 4], &[1, 3, 5]] {
            for part_of in [vec![0; 7], vec![1, 0, 1, 2, 0, 2, 1]] {
                let parts = part_of.iter().max().unwrap() + 1;
                let (map, split) = PartitionMap::new(part_of.clone(), hosts(routers));
                for part in 0..parts {
                    let nodes: Vec<NodeId> = map.nodes_with_hosts(part).collect();
                    let mine = &split[part as usize];
                    assert_eq!(nodes.len(), mine.len());
                    for (place, node) in nodes.iter().enumerate() {
                        assert_eq!(mine[place], format!("host {}", node.0));
                        assert_eq!(map.place_of(node.0) as usize, place);
                        assert_eq!(part_of[node.0 as usize], part);
                    }
                }
                assert_eq!(map.join(split), hosts(routers), "{routers:?}");
            }
        }
    }
}
