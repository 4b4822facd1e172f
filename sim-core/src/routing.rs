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
    /// By node: for a leaf, its only link; for others, none.
    uplink: Vec<u32>,
    /// By node: how others reach it.
    ways: Vec<Way>,
    /// By node: its row in the table; for leaves, none.
    row: Vec<u32>,
    /// `table[row + column]`, link number or `NONE`.
    table: Vec<u32>,
}

/// How a node is reached.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// For a leaf, its neighbour; for others, itself.
    attached_to: NodeId,
    /// For a leaf, the link from its neighbour to it.
    downlink: u32,
    /// The column of `attached_to` in the table.
    column: u32,
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
        let mut uplink = vec![NONE; n];
        let mut ways: Vec<Way> = (0..n as u32)
            .map(|node| Way {
                attached_to: NodeId(node),
                downlink: NONE,
                column: NONE,
            })
            .collect();
        for i in 0..n {
            if let ([only], true) = (outgoing[i].as_slice(), is_host(i))
                && let Some(down) = back(*only)
                && !(is_host(end(*only).0 as usize) && uplink[end(*only).0 as usize] != NONE)
            {
                uplink[i] = only.0;
                ways[i].downlink = down.0;
                ways[i].attached_to = end(*only);
            }
        }
        let core: Vec<usize> = (0..n).filter(|&i| uplink[i] == NONE).collect();
        let mut row = vec![NONE; n];
        for (k, &i) in core.iter().enumerate() {
            row[i] = (k * core.len()) as u32;
            ways[i].column = k as u32;
        }
        for i in 0..n {
            ways[i].column = ways[ways[i].attached_to.0 as usize].column;
        }
        let mut table = vec![NONE; core.len() * core.len()];
        for (k, &source) in core.iter().enumerate() {
            let first = first_links(source, &outgoing, links, &is_host, n);
            for (column, &target) in core.iter().enumerate() {
                table[k * core.len() + column] = first[target].map_or(NONE, |l| l.0);
            }
        }
        Routes {
            uplink,
            ways,
            row,
            table,
        }
    }

    /// The link `from` uses towards host `to`; `None` when there is no way or they are the same.
    #[inline]
    pub fn next_link(&self, from: NodeId, to: NodeId) -> Option<LinkId> {
        if from == to {
            return None;
        }
        let up = self.uplink[from.0 as usize];
        if up != NONE {
            return Some(LinkId(up));
        }
        let way = self.ways[to.0 as usize];
        let link = if way.attached_to == from {
            way.downlink
        } else {
            self.table[self.row[from.0 as usize] as usize + way.column as usize]
        };
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
