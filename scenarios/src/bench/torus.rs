//! `torus`: bulk flows over many hops, for several threads.
//!
//! N x N routers, each joined to its four neighbours by links of 10 Gbit/s and 1 ms that wrap around at the
//! edges. Each router has a host on a link of 100 Mbit/s and 50 us with queues of 100 packets. Each host
//! sends to the host that is N/4 rows and N/4 columns away.

use sim_core::record::Discard;
use sim_core::{LinkSpec, NetworkBuilder, NodeId, QueueLimit, Rate, SimDuration, SimTime};

use super::BenchError;
use super::dumbbell::{bulk_costs, delivered, params, receiver, sender};
use super::measure;
use super::text_table::Measurement;
use super::world::{BenchWorld, address};
use crate::execution::Execution;

fn world(n: u32, end: SimTime) -> Result<BenchWorld, BenchError> {
    let mut net = NetworkBuilder::new();
    let hosts: Vec<NodeId> = (0..n * n).map(|i| net.host(format!("host-{i}"))).collect();
    let routers: Vec<NodeId> = (0..n * n)
        .map(|i| net.router(format!("router-{i}")))
        .collect();
    let place = |row: u32, column: u32| (row % n * n + column % n) as usize;
    for row in 0..n {
        for column in 0..n {
            let here = place(row, column);
            for next in [place(row + 1, column), place(row, column + 1)] {
                let delay = SimDuration::from_millis(1);
                net.connect(routers[here], routers[next], Rate::mbps(10_000), delay);
            }
            let (rate, delay) = (Some(Rate::mbps(100)), SimDuration::from_micros(50));
            let access = LinkSpec::new(routers[here], hosts[here], rate, delay);
            net.join(access.with_queue(QueueLimit::Packets(100)));
        }
    }
    let network = net.build().map_err(|e| e.to_string())?;
    let addresses: Vec<_> = hosts.iter().map(|&h| address(&network, h)).collect();
    let on = (n / 4).max(1);
    let apps = |node: NodeId| {
        let to = place(node.0 / n + on, node.0 % n + on);
        let from = addresses[node.0 as usize];
        vec![sender(node.0, n * n, from, addresses[to]), receiver()]
    };
    Ok(BenchWorld::new(network, params(), end, apps))
}

/// Runs the workload once.
pub(super) fn run(
    n: u32,
    seconds: f64,
    execution: Execution,
) -> Result<(Measurement, String), BenchError> {
    let end = SimTime::ZERO + SimDuration::from_secs_f64(seconds);
    let ran = measure::run(|| world(n, end), execution, &mut Discard)?;
    let segments = delivered(&ran);
    let m = Measurement::default()
        .with("hosts", u64::from(n * n))
        .with("segments", segments);
    let m = bulk_costs(m, &ran, segments)
        .with("bytes_per_connection", ran.grown_bytes / f64::from(n * n))
        .with("peak_rss_mib", ran.peak_bytes / 1024.0 / 1024.0);
    Ok((m, ran.digest()))
}
