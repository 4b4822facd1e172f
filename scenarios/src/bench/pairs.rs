//! `pairs`: bulk flows in and between four sites, for several threads.
//!
//! ```text
//! site-0 ══10 Gbit/s, 2 ms══ site-1 ══ site-2 ══ site-3 ══ site-0
//!   │ 100 Mbit/s, 20 us, 100 packets
//! hosts
//! ```
//!
//! Half of the pairs have both hosts at one site; the others have the receiver at the next site.

use sim_core::record::Discard;
use sim_core::{NetworkBuilder, NodeId, QueueLimit, Rate, SimDuration, SimTime};

use super::BenchError;
use super::dumbbell::{bulk_costs, delivered, params, receiver, sender};
use super::measure;
use super::text_table::Measurement;
use super::world::{BenchWorld, address};
use crate::execution::Execution;

const SITES: u32 = 4;

fn world(pairs: u32, end: SimTime) -> Result<BenchWorld, BenchError> {
    let mut net = NetworkBuilder::new();
    let sites: Vec<NodeId> = (0..SITES)
        .map(|i| net.router(format!("site-{i}")))
        .collect();
    let site = |i: u32| sites[(i % SITES) as usize];
    for i in 0..SITES {
        let between = SimDuration::from_millis(2);
        net.connect(site(i), site(i + 1), Rate::mbps(10_000), between);
    }
    for host in 0..2 * pairs {
        let (pair, is_receiver) = (host / 2, host % 2);
        // Pairs 0-3 stay within their sites, pairs 4-7 cross to the next, and so on.
        let crosses = (pair / SITES) % 2 * is_receiver;
        let node = net.host(format!("host-{host}"));
        let (rate, delay) = (Rate::mbps(100), SimDuration::from_micros(20));
        let [to_host, _] = net.connect(site(pair + crosses), node, rate, delay);
        net.link_mut(to_host).queue = QueueLimit::Packets(100).into();
    }
    let network = net.build().map_err(|e| e.to_string())?;
    let addresses: Vec<_> = (0..2 * pairs)
        .map(|host| address(&network, NodeId(SITES + host)))
        .collect();
    let apps = |node: NodeId| {
        let host = node.0 - SITES;
        let at = |host: u32| addresses[host as usize];
        if host.is_multiple_of(2) {
            vec![sender(host / 2, pairs, at(host), at(host + 1))]
        } else {
            vec![receiver()]
        }
    };
    Ok(BenchWorld::new(network, params(), end, apps))
}

/// Runs the workload once.
pub(super) fn run(
    pairs: u32,
    seconds: f64,
    execution: Execution,
) -> Result<(Measurement, String), BenchError> {
    let end = SimTime::ZERO + SimDuration::from_secs_f64(seconds);
    let ran = measure::run(|| world(pairs, end), execution, &mut Discard)?;
    let segments = delivered(&ran);
    let m = Measurement::default().with("segments", segments);
    Ok((bulk_costs(m, &ran, segments), ran.digest()))
}
