//! Shortest-path routing, computed once.
//!
//! Paths minimise propagation delay, then hops, then the number of the first link. Leaves out link
//! state: a link that goes down in mid-run keeps its routes, and packets on it are lost.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use crate::event::{LinkId, NodeId};
use crate::network::{LinkSpec, NodeKind, NodeSpec};
use crate::time::SimDuration;

/// Next hops for every pair of nodes.
///
/// A host with one link hangs on its neighbour: only the others (the core) have rows and columns
/// in the table, so that 10^5 hosts behind 100 routers need 10^4 entries.
#[derive(Debug)]
pub struct Routes {
    /// For a leaf, its only link; for others, none.
    uplink: Vec<Option<LinkId>>,
    /// For a leaf, the link from its neighbour to it.
    downlink: Vec<Option<LinkId>>,
    /// For a leaf, its neighbour; for others, itself.
    attached_to: Vec<NodeId>,
    /// Place of a core node in the table.
    core_index: Vec<u32>,
    core_count: usize,
    /// `table[from * core_count + to]`, link number or `NONE`.
    table: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Routes {
    /// Dijkstra from every core node. Hosts are ends of paths, never in between.
    pub fn shortest_paths(nodes: &[NodeSpec], links: &[LinkSpec]) -> Routes {
        let n = nodes.len();
        let mut outgoing: Vec<Vec<LinkId>> = vec![Vec::new(); n];
        for (i, link) in links.iter().enumerate() {
            outgoing[link.from.0 as usize].push(LinkId(i as u32));
        }
        let end = |l: LinkId| links[l.0 as usize].to;
        let mut joining = FxHashMap::default();
        for (i, link) in links.iter().enumerate() {
            joining
                .entry((link.from, link.to))
                .or_insert(LinkId(i as u32));
        }
        let back = |l: LinkId| joining.get(&(end(l), links[l.0 as usize].from)).copied();
        let is_host = |i: usize| matches!(nodes[i].kind, NodeKind::Host { .. });
        let (mut uplink, mut downlink) = (vec![None; n], vec![None; n]);
        let mut attached_to: Vec<NodeId> = (0..n as u32).map(NodeId).collect();
        for i in 0..n {
            if let ([only], true) = (outgoing[i].as_slice(), is_host(i))
                && let Some(down) = back(*only)
                && !(is_host(end(*only).0 as usize) && uplink[end(*only).0 as usize].is_some())
            {
                uplink[i] = Some(*only);
                downlink[i] = Some(down);
                attached_to[i] = end(*only);
            }
        }
        let mut core_index = vec![NONE; n];
        let core: Vec<usize> = (0..n).filter(|&i| uplink[i].is_none()).collect();
        for (k, &i) in core.iter().enumerate() {
            core_index[i] = k as u32;
        }
        let mut table = vec![NONE; core.len() * core.len()];
        for (row, &source) in core.iter().enumerate() {
            let first = first_links(source, &outgoing, links, &is_host, n);
            for (column, &target) in core.iter().enumerate() {
                table[row * core.len() + column] = first[target].map_or(NONE, |l| l.0);
            }
        }
        Routes {
            uplink,
            downlink,
            attached_to,
            core_index,
            core_count: core.len(),
            table,
        }
    }

    /// The link `from` uses towards host `to`; `None` when there is no way or they are the same.
    pub fn next_link(&self, from: NodeId, to: NodeId) -> Option<LinkId> {
        if from == to {
            return None;
        }
        if let Some(up) = self.uplink[from.0 as usize] {
            return Some(up);
        }
        let target = self.attached_to[to.0 as usize];
        if target == from {
            return self.downlink[to.0 as usize];
        }
        let row = self.core_index[from.0 as usize] as usize;
        let column = self.core_index[target.0 as usize] as usize;
        let link = self.table[row * self.core_count + column];
        (link != NONE).then_some(LinkId(link))
    }
}

/// For each node, the first link of the best path from `source`.
fn first_links(
    source: usize,
    outgoing: &[Vec<LinkId>],
    links: &[LinkSpec],
    is_host: &dyn Fn(usize) -> bool,
    n: usize,
) -> Vec<Option<LinkId>> {
    // Cost of a path: delay, hops, number of its first link.
    let mut best = vec![(SimDuration::MAX, u32::MAX, NONE); n];
    let mut first = vec![None; n];
    let mut heap = BinaryHeap::new();
    best[source] = (SimDuration::ZERO, 0, NONE);
    heap.push(Reverse((best[source], source)));
    while let Some(Reverse((cost, at))) = heap.pop() {
        if cost > best[at] {
            continue;
        }
        let (delay, hops, via) = cost;
        if at != source {
            first[at] = Some(LinkId(via));
            if is_host(at) {
                continue;
            }
        }
        for &l in &outgoing[at] {
            let link = &links[l.0 as usize];
            let to = link.to.0 as usize;
            let via = if at == source { l.0 } else { via };
            let next = (delay + link.delay, hops + 1, via);
            if next < best[to] {
                best[to] = next;
                heap.push(Reverse((next, to)));
            }
        }
    }
    first
}
