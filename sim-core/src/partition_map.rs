//! The assignment of nodes to partitions.

use std::sync::Arc;

use crate::event::NodeId;

/// The partition of each node, and the index of its host there.
#[derive(Debug)]
pub(crate) struct PartitionMap {
    pub(super) part_of: Vec<u32>,
    /// Place of a node's host in its partition's list; `NO_HOST` for routers.
    pub(super) place: Vec<u32>,
    pub(super) parts: usize,
}

const NO_HOST: u32 = u32::MAX;

impl PartitionMap {
    /// Assigns nodes to partitions as given; also returns the hosts of each partition, in order of node number.
    pub(crate) fn new<H>(
        part_of: Vec<u32>,
        hosts: Vec<Option<H>>,
    ) -> (Arc<PartitionMap>, Vec<Vec<(NodeId, H)>>) {
        let parts = part_of.iter().max().map_or(1, |m| *m as usize + 1);
        let mut split: Vec<Vec<(NodeId, H)>> = (0..parts).map(|_| Vec::new()).collect();
        let mut place = vec![NO_HOST; part_of.len()];
        for (i, host) in hosts.into_iter().enumerate() {
            if let Some(host) = host {
                let mine = &mut split[part_of[i] as usize];
                place[i] = mine.len() as u32;
                mine.push((NodeId(i as u32), host));
            }
        }
        let assignment = PartitionMap {
            part_of,
            place,
            parts,
        };
        (Arc::new(assignment), split)
    }

    /// Place of a node's host in its partition.
    pub(crate) fn place_of(&self, node: u32) -> u32 {
        self.place[node as usize]
    }

    /// The partition that owns a node.
    pub(crate) fn part_of(&self, node: NodeId) -> u32 {
        self.part_of.get(node.0 as usize).copied().unwrap_or(0)
    }
}
