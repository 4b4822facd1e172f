//! `idle`: established connections on which nothing happens.
//!
//! Four pairs of client and server. The opens are spread evenly over 20 s, and each connection carries one
//! request and response; then each side waits for the other to close. Keep-alive is off, the default in
//! RFC 9293.

use std::net::SocketAddrV4;
use std::sync::Arc;

use sim_core::record::Discard;
use sim_core::{NetworkBuilder, NodeId, NodeKind, Rate, SimDuration, SimTime};
use tcp_model::spec::{AppSpec, Arrivals, ClientSpec, Closer, Exchange, ServerSpec};

use super::BenchError;
use super::churn::{PORTS, params};
use super::measure::{self, TimedRun};
use super::text_table::Measurement;
use super::world::{BenchWorld, address};
use crate::execution::Execution;

const PAIRS: u32 = 4;
const PORT: u16 = 80;
/// Seconds over which connections are opened.
const OPENING: f64 = 20.0;
/// Start and end of the idle minute, seconds.
const IDLE: (u64, u64) = (30, 90);

/// Four pairs of client and server with `n` connections between them, opened at equal intervals over
/// `opening` seconds. Their ends run the given exchanges.
pub(super) fn four_pairs(
    n: u32,
    opening: f64,
    [of_client, of_server]: [Arc<Exchange>; 2],
    end: SimTime,
) -> Result<BenchWorld, BenchError> {
    let of_pair = |i: u32| n / PAIRS + u32::from(i < n % PAIRS);
    // At most half of an address's ports are used.
    let addresses = (2 * n.div_ceil(PAIRS)).div_ceil(u32::from(PORTS.1 - PORTS.0));
    let mut net = NetworkBuilder::new();
    for i in 0..PAIRS {
        let client = net.node(format!("client-{i}"), NodeKind::Host { addresses });
        let server = net.host(format!("server-{i}"));
        let delay = SimDuration::from_millis(5);
        net.connect(client, server, Rate::mbps(10_000), delay);
    }
    let network = net.build().map_err(|e| e.to_string())?;
    let locals: Vec<Vec<_>> = (0..2 * PAIRS)
        .map(|i| network.addresses(NodeId(i)).collect())
        .collect();
    let remotes: Vec<_> = (0..2 * PAIRS)
        .map(|i| SocketAddrV4::new(address(&network, NodeId(i)), PORT))
        .collect();
    let apps = |node: NodeId| {
        let (i, count) = (node.0 as usize, of_pair(node.0 / 2));
        if node.0 % 2 == 1 {
            return vec![AppSpec::Server(ServerSpec {
                port: PORT,
                backlog: 1 << 24,
                accept_rate: None,
                exchange: Arc::clone(&of_server),
                ..ServerSpec::default()
            })];
        }
        vec![AppSpec::Client(ClientSpec {
            name: "pairs".to_owned(),
            locals: locals[i].clone(),
            remotes: vec![remotes[i + 1]].into(),
            start: SimTime::ZERO,
            stop: SimTime::MAX,
            limit: Some(u64::from(count)),
            arrivals: Arrivals::Fixed(f64::from(count.max(1)) / opening),
            exchange: Arc::clone(&of_client),
            ..ClientSpec::default()
        })]
    };
    let time_wait = SimDuration::from_secs(240);
    Ok(BenchWorld::new(network, params(time_wait), end, apps))
}

fn world(n: u32, end: SimTime) -> Result<BenchWorld, BenchError> {
    // Each side waits for the other.
    let waits_for = |closer| {
        Arc::new(Exchange {
            closer,
            ..Exchange::default()
        })
    };
    let both = [waits_for(Closer::Server), waits_for(Closer::Client)];
    four_pairs(n, OPENING, both, end)
}

/// Runs the workload with and without the idle minute; the difference is the cost of that minute.
pub(super) fn run(n: u32, execution: Execution) -> Result<(Measurement, String), BenchError> {
    let until = |seconds: u64| {
        let end = SimTime::ZERO + SimDuration::from_secs(seconds);
        measure::run(|| world(n, end), execution, &mut Discard)
    };
    let ran = until(IDLE.1)?;
    let end_points = ran.end_points();
    if end_points != 2 * u64::from(n) {
        return Err(format!("{end_points} end points of {n} connections").into());
    }
    let (digest, bytes) = (ran.digest(), table_bytes(&ran));
    let (events, cpu_s) = (ran.stats.events, ran.cpu_s);
    let (grown, peak) = (ran.grown_bytes, ran.peak_bytes);
    drop(ran);
    let before = until(IDLE.0)?;
    let each = |bytes: f64| bytes / end_points as f64;
    let m = Measurement::default()
        .with("connections", u64::from(n))
        .with("end_points", end_points)
        .with("events", events)
        .with("events_in_idle_minute", events - before.stats.events)
        .with("opening_cpu_s", before.cpu_s)
        .with("opening_cpu_us_each", 1e6 * before.cpu_s / f64::from(n))
        .with("cpu_s", cpu_s)
        .with("table_bytes_per_end_point", each(bytes as f64))
        .with("bytes_per_end_point", each(grown))
        .with("peak_rss_mib", peak / 1024.0 / 1024.0);
    Ok((m, digest))
}

/// Bytes of the hosts' tables, as reported by the hosts.
pub(super) fn table_bytes(ran: &TimedRun) -> usize {
    ran.hosts.iter().map(|h| h.memory().total()).sum()
}
