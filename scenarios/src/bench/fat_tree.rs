//! `fat-tree`: bulk flows in a data centre, for several threads.
//!
//! K pods of K/2 edge and K/2 aggregation routers, (K/2)^2 core routers, K/2 hosts on each edge
//! router (Al-Fares, Loukissas, Vahdat 2008). All links have 1 Gbit/s, delays of 5 us within a pod and
//! 25 us to the core, and queues of 100 packets. Every other host sends to the next pod, the rest within
//! their own.
//!
//! Leaves out ECMP: each pair of routers has one shortest path. Delays of equal paths differ by
//! nanoseconds, in a different order for each pod, so that the routes of the pods spread over the core.

use sim_core::record::Discard;
use sim_core::{LinkSpec, NetworkBuilder, NodeId, QueueLimit, Rate, SimDuration, SimTime};

use super::BenchError;
use super::dumbbell::{bulk_costs, delivered, params, receiver, sender};
use super::measure;
use super::text_table::Measurement;
use super::world::{BenchWorld, address};
use crate::execution::Execution;

const RATE: Rate = Rate::mbps(1000);

fn join(net: &mut NetworkBuilder, from: NodeId, to: NodeId, nanos: u64) {
    let link = LinkSpec::new(from, to, Some(RATE), SimDuration::from_nanos(nanos));
    net.join(link.with_queue(QueueLimit::Packets(100)));
}

/// Number of hosts in a tree of `k` pods.
pub(super) const fn host_count(k: u32) -> u32 {
    k * k * k / 4
}

fn world(k: u32, flows: u32, end: SimTime) -> Result<BenchWorld, BenchError> {
    let half = k / 2;
    let mut net = NetworkBuilder::new();
    let hosts: Vec<NodeId> = (0..host_count(k))
        .map(|i| net.host(format!("host-{i}")))
        .collect();
    let mut routers = |name: &str, count: u32| -> Vec<NodeId> {
        let names = (0..count).map(|i| format!("{name}-{i}"));
        names.map(|name| net.router(name)).collect()
    };
    let edges = routers("edge", k * half);
    let aggregations = routers("aggregation", k * half);
    let cores = routers("core", half * half);
    for (i, &host) in (0u32..).zip(&hosts) {
        join(&mut net, host, edges[(i / half) as usize], 5_000);
    }
    for pod in 0..k {
        for a in 0..half {
            let aggregation = aggregations[(pod * half + a) as usize];
            for e in 0..half {
                let edge = edges[(pod * half + e) as usize];
                let turn = (a + e + pod) % half;
                join(&mut net, edge, aggregation, 5_000 + u64::from(turn));
            }
            for c in 0..half {
                let core = cores[(a * half + c) as usize];
                let turn = (c + pod) % half;
                join(&mut net, aggregation, core, 25_000 + u64::from(half * turn));
            }
        }
    }
    let network = net.build().map_err(|e| e.to_string())?;
    let addresses: Vec<_> = hosts.iter().map(|&h| address(&network, h)).collect();
    let count = host_count(k);
    let of_pod = half * half;
    let apps = |node: NodeId| {
        let i = node.0;
        // The host in the same place of the next pod, or the neighbour in the same pod.
        let to = if i.is_multiple_of(2) {
            (i + of_pod) % count
        } else {
            i / of_pod * of_pod + (i + 1) % of_pod
        };
        let send = |flow: u32| {
            let at = |i: u32| addresses[i as usize];
            sender(i * flows + flow, count * flows, at(i), at(to))
        };
        let mut apps: Vec<_> = (0..flows).map(send).collect();
        apps.push(receiver());
        apps
    };
    Ok(BenchWorld::new(network, params(), end, apps))
}

/// Runs the workload once.
pub(super) fn run(
    k: u32,
    flows: u32,
    seconds: f64,
    execution: Execution,
) -> Result<(Measurement, String), BenchError> {
    if !k.is_multiple_of(2) {
        return Err(format!("a fat tree has an even number of pods, and {k} is odd").into());
    }
    let end = SimTime::ZERO + SimDuration::from_secs_f64(seconds);
    let ran = measure::run(|| world(k, flows, end), execution, &mut Discard)?;
    let segments = delivered(&ran);
    let connections = f64::from(host_count(k) * flows);
    let m = Measurement::default()
        .with("hosts", u64::from(host_count(k)))
        .with("segments", segments);
    let m = bulk_costs(m, &ran, segments)
        .with("bytes_per_connection", ran.grown_bytes / connections)
        .with("peak_rss_mib", ran.peak_bytes / 1024.0 / 1024.0);
    Ok((m, ran.digest()))
}
