//! Chooses a partition for each node, so that one simulation can use several threads.
//!
//! A cut link of delay `L` forces all threads to synchronise every `L` of simulated time. So for several
//! look-aheads `L`, longest first, links shorter than `L` are contracted, the resulting clusters are
//! distributed evenly, and the look-ahead with the best estimated speed is chosen. Results of a run do
//! not depend on any of this.

use crate::event::NodeId;
use crate::network::{LinkSpec, Network};
use crate::time::SimDuration;

/// Cost of a window in events: waking threads and waiting for the last of them.
const WINDOW_COST: f64 = 200.0;
/// Estimated speed-up below which a second thread is not worth it.
const WORTH_IT: f64 = 1.2;

/// A partition for each node.
#[derive(Clone, Debug, PartialEq)]
pub struct Assigned {
    /// The partition of each node, by node number; for [`RunConfig`](crate::RunConfig).
    pub partition_of: Vec<u32>,
    /// Number of partitions.
    pub parts: u32,
    /// The smallest delay of a cut link; [`SimDuration::MAX`] if none is cut.
    pub look_ahead: SimDuration,
    /// Estimated speed relative to one thread.
    pub speed_up: f64,
}

/// Why more threads would not help.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoGain {
    /// Only one partition was requested, or only one node has work.
    #[error("there is nothing to divide")]
    OnePart,
    /// Most of the work is in one node.
    #[error("node {node:?} alone has {:.0} % of the work", .share * 100.0)]
    Unbalanced {
        /// The busiest node.
        node: String,
        /// Its share of all work, 0 to 1.
        share: f64,
    },
    /// The threads would spend more time synchronising than working.
    #[error(
        "links that can be cut have at most {look_ahead} of delay, in which only {events:.0} events happen"
    )]
    TooLittleWork {
        /// The longest look-ahead that divides the work.
        look_ahead: SimDuration,
        /// Events expected in that time.
        events: f64,
    },
}

/// Divides the nodes into at most `parts` partitions. `weights` are the events per simulated second
/// expected of each node; missing and NaN weights count as zero.
///
/// # Errors
/// When more than one partition would not be faster.
pub fn assign(network: &Network, weights: &[f64], parts: u32) -> Result<Assigned, NoGain> {
    let nodes = network.nodes().len();
    let usable = |w: &&f64| w.is_finite() && **w > 0.0;
    let weight = |i: usize| weights.get(i).filter(usable).copied().unwrap_or(0.0);
    let weights: Vec<f64> = (0..nodes).map(weight).collect();
    let total: f64 = weights.iter().sum();
    if parts < 2 || weights.iter().filter(|w| **w > 0.0).count() < 2 {
        return Err(NoGain::OnePart);
    }
    let mut best: Option<Assigned> = None;
    let mut divided: Option<SimDuration> = None;
    for look_ahead in candidates(network.links()) {
        let clusters = Clusters::new(network, &weights, look_ahead);
        let part_of = clusters.deal(parts as usize);
        let heaviest = heaviest(&clusters.weights, &part_of);
        if total / heaviest < WORTH_IT {
            continue;
        }
        divided = divided.or(Some(look_ahead));
        let meetings = if look_ahead == SimDuration::MAX {
            0.0
        } else {
            WINDOW_COST / look_ahead.as_secs_f64()
        };
        let speed_up = total / (heaviest + meetings);
        if best.as_ref().is_none_or(|b| speed_up > b.speed_up) {
            best = Some(clusters.assigned(&part_of, look_ahead, speed_up));
        }
    }
    match (best, divided) {
        (Some(best), _) if best.speed_up >= WORTH_IT => Ok(best),
        (_, Some(look_ahead)) => Err(NoGain::TooLittleWork {
            look_ahead,
            events: total * look_ahead.as_secs_f64(),
        }),
        (_, None) => {
            let busiest = (0..nodes).fold(0, |b, i| if weights[i] > weights[b] { i } else { b });
            Err(NoGain::Unbalanced {
                node: network.nodes()[busiest].name.clone(),
                share: weights[busiest] / total,
            })
        }
    }
}

/// Assigns nodes to partitions in turn, so that nearly every link is cut: slow, but every run must work with
/// it.
pub fn scatter(nodes: usize, parts: u32) -> Vec<u32> {
    (0..nodes as u32).map(|node| node % parts.max(1)).collect()
}

/// Look-aheads to try, longest first: first without any cut, then the shortest delay of each band.
fn candidates(links: &[LinkSpec]) -> Vec<SimDuration> {
    let mut delays: Vec<u64> = links.iter().map(|l| l.min_delay().as_ps()).collect();
    delays.sort_unstable_by(|a, b| b.cmp(a));
    let mut chosen = vec![SimDuration::MAX];
    let mut band = None;
    for (i, &delay) in delays.iter().enumerate() {
        let top = *band.get_or_insert(delay);
        let is_last_of_band = delays.get(i + 1).is_none_or(|&next| next < top - top / 4);
        if is_last_of_band {
            chosen.push(SimDuration::from_ps(delay));
            band = None;
        }
    }
    chosen
}

fn heaviest(weights: &[f64], part_of: &[u32]) -> f64 {
    let parts = part_of.iter().max().map_or(0, |p| *p as usize + 1);
    let mut loads = vec![0.0; parts];
    for (w, &p) in weights.iter().zip(part_of) {
        loads[p as usize] += w;
    }
    loads.into_iter().fold(0.0, f64::max)
}

/// Nodes that stay together because links shorter than the look-ahead join them.
struct Clusters {
    /// By node.
    cluster_of: Vec<u32>,
    /// By cluster.
    weights: Vec<f64>,
    /// Clusters, ordered so that neighbours are close to each other.
    order: Vec<u32>,
}

impl Clusters {
    fn new(network: &Network, weights: &[f64], look_ahead: SimDuration) -> Clusters {
        let mut root: Vec<u32> = (0..weights.len() as u32).collect();
        for link in network.links() {
            if link.min_delay() < look_ahead {
                let (a, b) = (find(&mut root, link.from.0), find(&mut root, link.to.0));
                root[a.max(b) as usize] = a.min(b);
            }
        }
        // Clusters are numbered in the order of their first nodes.
        let mut cluster_of = vec![u32::MAX; weights.len()];
        let mut sums: Vec<f64> = Vec::new();
        for node in 0..weights.len() {
            let first = find(&mut root, node as u32) as usize;
            if first == node {
                cluster_of[node] = sums.len() as u32;
                sums.push(0.0);
            }
            cluster_of[node] = cluster_of[first];
            sums[cluster_of[node] as usize] += weights[node];
        }
        let order = depth_first(network.links(), &cluster_of, sums.len());
        Clusters {
            cluster_of,
            weights: sums,
            order,
        }
    }

    /// Assigns each cluster to a partition, keeping neighbours together if the balance is nearly as
    /// good.
    fn deal(&self, parts: usize) -> Vec<u32> {
        let (near, even) = (self.deal_in_order(parts), self.deal_by_weight(parts));
        let (a, b) = (
            heaviest(&self.weights, &near),
            heaviest(&self.weights, &even),
        );
        if b < 0.9 * a { even } else { near }
    }

    /// Cuts the order into pieces of about equal weight.
    fn deal_in_order(&self, parts: usize) -> Vec<u32> {
        let mut part_of = vec![0; self.weights.len()];
        let (mut part, mut load) = (0, 0.0);
        let mut left: f64 = self.weights.iter().sum();
        for &c in &self.order {
            let w = self.weights[c as usize];
            let target = (left + load) / (parts - part) as f64;
            if part + 1 < parts && load > 0.0 && load + w / 2.0 > target {
                part += 1;
                load = 0.0;
            }
            part_of[c as usize] = part as u32;
            load += w;
            left -= w;
        }
        part_of
    }

    /// Assigns each cluster, heaviest first, to the partition with the least load so far.
    fn deal_by_weight(&self, parts: usize) -> Vec<u32> {
        let mut order = self.order.clone();
        let weight = |c: u32| self.weights[c as usize];
        order.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)));
        let mut loads = vec![0.0; parts];
        let mut part_of = vec![0; self.weights.len()];
        for c in order {
            let least = (0..parts).fold(0, |l, p| if loads[p] < loads[l] { p } else { l });
            loads[least] += weight(c);
            part_of[c as usize] = least as u32;
        }
        part_of
    }

    fn assigned(&self, part_of: &[u32], look_ahead: SimDuration, speed_up: f64) -> Assigned {
        let mut number = vec![u32::MAX; part_of.len() + 1];
        let mut parts = 0;
        let mut renumber = |part: u32| {
            let n = &mut number[part as usize];
            if *n == u32::MAX {
                *n = parts;
                parts += 1;
            }
            *n
        };
        let of_node = |&c: &u32| renumber(part_of[c as usize]);
        let partition_of = self.cluster_of.iter().map(of_node).collect();
        Assigned {
            partition_of,
            parts,
            look_ahead,
            speed_up,
        }
    }
}

/// The representative of a node's set, with the path to it halved.
fn find(root: &mut [u32], mut at: u32) -> u32 {
    while root[at as usize] != at {
        root[at as usize] = root[root[at as usize] as usize];
        at = root[at as usize];
    }
    at
}

/// All clusters in depth-first order over the links between them.
fn depth_first(links: &[LinkSpec], cluster_of: &[u32], clusters: usize) -> Vec<u32> {
    let cluster = |n: NodeId| cluster_of[n.0 as usize];
    let mut neighbours: Vec<Vec<u32>> = vec![Vec::new(); clusters];
    for link in links {
        let (a, b) = (cluster(link.from), cluster(link.to));
        if a != b {
            neighbours[a as usize].push(b);
            neighbours[b as usize].push(a);
        }
    }
    let mut order = Vec::with_capacity(clusters);
    let mut seen = vec![false; clusters];
    let mut stack = Vec::new();
    for start in 0..clusters as u32 {
        stack.push(start);
        while let Some(c) = stack.pop() {
            if !std::mem::replace(&mut seen[c as usize], true) {
                order.push(c);
                stack.extend(neighbours[c as usize].iter().rev());
            }
        }
    }
    order
}
