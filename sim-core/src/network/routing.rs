//! Shortest-path routing, computed once.
//!
//! Paths minimise propagation delay, then hops, then the number of the first link. Leaves out link
//! state: a link that goes down during the run keeps its routes, and packets on it are lost.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::{LinkSpec, NodeSpec};
use crate::event::{LinkId, NodeId};
use crate::time::SimDuration;

/// Next hops for every pair of nodes.
///
/// A host with a single link (a leaf) is reached through its neighbour: only the other nodes (the core) have
/// rows and columns in the table, so that 10^5 hosts behind 100 routers need 10^4 entries.
#[derive(Clone, Debug)]
pub struct Routes {
    /// By node: for a leaf, its only link; for others, none.
    uplink: Vec<u32>,
    /// By node: how others reach it.
    ways: Vec<Route>,
    /// By node: its row in the table; for leaves, none.
    row: Vec<u32>,
    /// `table[row + column]`, link number or `NONE`.
    table: Vec<u32>,
    /// Links from a host to itself.
    loopbacks: FxHashMap<NodeId, LinkId>,
}

/// How a node is reached.
#[derive(Clone, Copy, Debug)]
struct Route {
    /// For a leaf, its neighbour; for others, itself.
    attached_to: NodeId,
    /// For a leaf, the link from its neighbour to it.
    downlink: u32,
    /// The column of `attached_to` in the table.
    column: u32,
}

const NONE: u32 = u32::MAX;

impl Routes {
    /// Runs Dijkstra's algorithm from every core node. Hosts are only ends of paths.
    pub fn shortest_paths(nodes: &[NodeSpec], links: &[LinkSpec]) -> Routes {
        let n = nodes.len();
        let mut outgoing: Vec<Vec<LinkId>> = vec![Vec::new(); n];
        let mut loopbacks = FxHashMap::default();
        for (i, link) in links.iter().enumerate() {
            if link.from == link.to {
                loopbacks.entry(link.from).or_insert(LinkId(i as u32));
                continue;
            }
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
        let is_host = |i: usize| !nodes[i].kind.forwards();
        let mut uplink = vec![NONE; n];
        let mut ways: Vec<Route> = (0..n as u32)
            .map(|node| Route {
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
        // Leaves are not in the table, and no path leads through them.
        for of_node in &mut outgoing {
            of_node.retain(|&l| uplink[end(l).0 as usize] == NONE);
        }
        let mut table = vec![NONE; core.len() * core.len()];
        let mut search = Search::new(n);
        for (k, &source) in core.iter().enumerate() {
            search.from(source, &outgoing, links, &is_host);
            for (column, &target) in core.iter().enumerate() {
                table[k * core.len() + column] = search.first(target);
            }
            search.clear(&core);
        }
        Routes {
            uplink,
            ways,
            row,
            table,
            loopbacks,
        }
    }

    /// The link that `from` uses towards host `to`; `None` if there is no route, or both are the same and have no
    /// loopback.
    #[inline(always)]
    pub fn next_link(&self, from: NodeId, to: NodeId) -> Option<LinkId> {
        if from == to {
            return self.loopback(from);
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

    /// The link from a host to itself, if it has one.
    #[cold]
    fn loopback(&self, host: NodeId) -> Option<LinkId> {
        self.loopbacks.get(&host).copied()
    }
}

/// Cost of a path: delay, hops, number of its first link.
type Cost = (SimDuration, u32, u32);

/// Dijkstra's algorithm; its memory is reused for every source.
struct Search {
    /// Of the best path to each node.
    best: Vec<Cost>,
    heap: BinaryHeap<Reverse<(Cost, usize)>>,
}

impl Search {
    const FAR: Cost = (SimDuration::MAX, u32::MAX, NONE);

    fn new(nodes: usize) -> Search {
        Search {
            best: vec![Search::FAR; nodes],
            heap: BinaryHeap::new(),
        }
    }

    /// Finds the best paths from `source`.
    fn from(
        &mut self,
        source: usize,
        outgoing: &[Vec<LinkId>],
        links: &[LinkSpec],
        is_host: &dyn Fn(usize) -> bool,
    ) {
        let Search { best, heap } = self;
        best[source] = (SimDuration::ZERO, 0, NONE);
        heap.push(Reverse((best[source], source)));
        while let Some(Reverse((cost, at))) = heap.pop() {
            if cost > best[at] || at != source && is_host(at) {
                continue;
            }
            let (delay, hops, via) = cost;
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
    }

    /// The first link of the best path found to a node.
    fn first(&self, target: usize) -> u32 {
        self.best[target].2
    }

    fn clear(&mut self, nodes: &[usize]) {
        for &node in nodes {
            self.best[node] = Search::FAR;
        }
    }
}
