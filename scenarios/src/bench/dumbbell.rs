//! `dumbbell`: bulk flows through one bottleneck.
//!
//! ```text
//! sender-i ──100 Mbit/s, 1 ms── left ══N x 10 Mbit/s, 8 ms══ right ── receiver-i
//! ```
//!
//! The round trip is 20 ms. The drop-tail queue holds one bandwidth-delay product of 1500-byte packets, or as many as
//! asked for, at least two packets, not counting the packet in service. Segments of 1448 bytes, SACK, timestamps, an ACK every
//! two segments, NewReno; starts spread evenly over the first 100 ms. Another congestion control and another
//! queue discipline can be chosen by name. Nothing is random by default, as in the ns-3 program it is compared with;
//! a processing time makes the flows share fairly.

use std::net::SocketAddrV4;

use sim_core::queue_disc::{self, QueueSpec};
use sim_core::record::Discard;
use sim_core::{NetworkBuilder, NodeId, QueueLimit, Rate, SimDuration, SimTime, Simulation};
use tcp_model::congestion::Control;
use tcp_model::host::StateMemory;
use tcp_model::spec::{AppSpec, BulkSpec, SinkSpec};
use tcp_model::{State, TcpHost, TcpParams};

use super::BenchError;
use super::measure::{self, TimedRun};
use super::text_table::Measurement;
use super::world::{BenchWorld, address};
use crate::execution::Execution;

/// Payload of a full segment, bytes.
const SEGMENT: f64 = 1448.0;
const PORT: u16 = 5000;

/// Options of the workload.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct DumbbellOptions {
    /// Congestion control of the senders, by name [default: NewReno]
    #[arg(long, value_name = "NAME")]
    control: Option<String>,
    /// Queue discipline of the bottleneck, by name, with its default parameters [default: drop-tail]
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// What the drop-tail queue holds, in bandwidth-delay products [default: 1]
    #[arg(long, value_name = "BDPS", value_parser = buffer)]
    buffer: Option<f64>,
    /// Largest random processing time of a packet in hosts, such as "50 us", which prevents phase effects
    /// [default: none]
    #[arg(long, value_name = "TIME")]
    processing: Option<SimDuration>,
}

/// Reads the size of a buffer.
fn buffer(text: &str) -> Result<f64, String> {
    let bdps: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match (0.0..=1000.0).contains(&bdps) {
        true => Ok(bdps),
        false => Err("outside 0 to 1000 bandwidth-delay products".to_owned()),
    }
}

impl DumbbellOptions {
    /// The options as an addition to the title.
    pub(super) fn title(&self) -> String {
        let processing = self.processing.map(|time| format!("processing {time}"));
        let buffer = self.buffer.map(|bdps| format!("{bdps} BDP"));
        let given = [&self.control, &self.queue, &buffer, &processing]
            .into_iter()
            .flatten();
        given.map(|name| format!(", {name}")).collect()
    }

    fn params(&self) -> Result<TcpParams, BenchError> {
        let mut params = params();
        if let Some(name) = &self.control {
            params.congestion = Control::named(name).map_err(|e| e.to_string())?;
        }
        Ok(params)
    }

    /// The queue of the bottleneck, of `packets` packets if it is drop-tail.
    fn queue(&self, packets: u32) -> Result<QueueSpec, BenchError> {
        let Some(name) = self.queue.as_deref().filter(|name| *name != "drop-tail") else {
            return Ok(QueueLimit::Packets(packets).into());
        };
        if self.buffer.is_some() {
            let text = format!("--buffer is for drop-tail: `{name}` has its own limit");
            return Err(text.into());
        }
        let queue = queue_disc::built_in().plugin(name, &[]);
        Ok(queue.map_err(|e| e.to_string())?.into())
    }
}

/// TCP parameters of the bulk flows.
pub(super) fn params() -> TcpParams {
    TcpParams {
        send_buffer: 512 * 1024,
        receive_buffer: 512 * 1024,
        min_rto: SimDuration::from_millis(200),
        hold_until_push: false,
        ..TcpParams::rfc9293()
    }
}

/// The bulk sender of flow `i` among `n`.
pub(super) fn sender(i: u32, n: u32, local: std::net::Ipv4Addr, to: std::net::Ipv4Addr) -> AppSpec {
    let stagger = SimDuration::from_nanos(100_000_000 * u64::from(i) / u64::from(n));
    AppSpec::Bulk(BulkSpec {
        name: "bulk".to_owned(),
        local,
        remote: SocketAddrV4::new(to, PORT),
        start: SimTime::ZERO + stagger,
        bytes: None,
    })
}

/// The application that receives a flow.
pub(super) fn receiver() -> AppSpec {
    AppSpec::Sink(SinkSpec {
        port: PORT,
        backlog: 16,
        read_rate: None,
        ..SinkSpec::default()
    })
}

pub(super) fn world(
    n: u32,
    options: &DumbbellOptions,
    end: SimTime,
) -> Result<BenchWorld, BenchError> {
    let (core, access) = (Rate::mbps(10 * u64::from(n)), Rate::mbps(100));
    let one_ms = SimDuration::from_millis(1);
    let mut net = NetworkBuilder::new();
    let (left, right) = (net.router("left"), net.router("right"));
    let bdps = options.buffer.unwrap_or(1.0);
    let queue_pkts = (bdps * core.as_bps() as f64 * 0.020 / 8.0 / 1500.0)
        .ceil()
        .max(2.0) as u32;
    // The limit of a queue also counts the packet in service.
    let [bottleneck, _] = net.connect(left, right, core, SimDuration::from_millis(8));
    net.link_mut(bottleneck).queue = options.queue(queue_pkts + 1)?;
    for (side, router) in [("sender", left), ("receiver", right)] {
        for i in 0..n {
            let host = net.host(format!("{side}-{i}"));
            let [up, _] = net.connect(host, router, access, one_ms);
            net.link_mut(up).impairments.processing = options.processing.unwrap_or_default();
        }
    }
    let network = net.build().map_err(|e| e.to_string())?;
    let addresses: Vec<_> = (2..2 + 2 * n)
        .map(|i| address(&network, NodeId(i)))
        .collect();
    let apps = |node: NodeId| {
        let i = node.0 - 2;
        let at = |i: u32| addresses[i as usize];
        if i < n {
            vec![sender(i, n, at(i), at(n + i))]
        } else {
            vec![receiver()]
        }
    };
    Ok(BenchWorld::new(network, options.params()?, end, apps))
}

/// Runs the workload once.
pub(super) fn run(
    n: u32,
    options: &DumbbellOptions,
    seconds: f64,
    execution: Execution,
) -> Result<(Measurement, String), BenchError> {
    let end = SimTime::ZERO + SimDuration::from_secs_f64(seconds);
    let ran = measure::run(|| world(n, options, end), execution, &mut Discard)?;
    let segments = delivered(&ran);
    let drops: u64 = ran.stats.links.iter().map(|l| l.queue_drops).sum();
    let goodput = segments * SEGMENT * 8.0 / seconds / 1e6;
    let m = Measurement::default()
        .with("segments", segments)
        .with("goodput_mbps", goodput)
        .with("utilisation", goodput / (10.0 * f64::from(n)))
        .with("jain_index", jain_index(&ran))
        .with("drops", drops);
    let m = bulk_costs(m, &ran, segments)
        .with("object_bytes_per_flow", object_bytes(&ran) / f64::from(n))
        .with("kib_per_flow", ran.grown_bytes / 1024.0 / f64::from(n))
        .with("peak_rss_mib", ran.peak_bytes / 1024.0 / 1024.0);
    Ok((m, ran.digest()))
}

/// Bytes of the links and of the hosts with their tables and connections at the end. Leaves out packets in
/// flight and in queues, the routers, and the memory of applications.
fn object_bytes(ran: &TimedRun) -> f64 {
    let core = Simulation::<TcpHost>::object_bytes();
    let of_host = |host: &TcpHost| {
        let (memory, states) = (host.memory(), host.memory_by_state());
        // The slots of connections are already counted with the tables.
        let beside = |s: &StateMemory| s.bytes - s.count * memory.per_connection as u64;
        let connections = states.iter().filter(|(s, _)| **s != State::TimeWait);
        let beside = connections.map(|(_, s)| beside(s)).sum::<u64>();
        core.node + core.host + memory.total() + beside as usize
    };
    let hosts: usize = ran.hosts.iter().map(of_host).sum();
    (hosts + ran.stats.links.len() * core.link) as f64
}

/// Jain's index of the flows' goodputs: 1 when all are equal, 1/n when one has all.
fn jain_index(ran: &TimedRun) -> f64 {
    let received = ran.counts().into_iter().map(|c| c.bytes_received as f64);
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for bytes in received.filter(|&bytes| bytes > 0.0) {
        n += 1.0;
        sum += bytes;
        squares += bytes * bytes;
    }
    sum * sum / (n * squares)
}

/// The bytes that reached receivers, as a number of full segments.
pub(super) fn delivered(ran: &TimedRun) -> f64 {
    let received = ran.counts().iter().map(|c| c.bytes_received).sum::<u64>();
    (received as f64 / SEGMENT).floor()
}

/// Adds the costs of a bulk workload.
pub(super) fn bulk_costs(m: Measurement, ran: &TimedRun, segments: f64) -> Measurement {
    let counts = ran.counts();
    let events = ran.stats.events as f64;
    m.with(
        "retransmissions",
        counts
            .iter()
            .map(|c| u64::from(c.retransmissions))
            .sum::<u64>(),
    )
    .with(
        "timeouts",
        counts.iter().map(|c| u64::from(c.timeouts)).sum::<u64>(),
    )
    .with("events", ran.stats.events)
    .with("packet_hops", ran.packet_hops())
    .with("events_per_packet_hop", events / ran.packet_hops() as f64)
    .with("setup_cpu_s", ran.setup_cpu_s)
    .with("wall_s", ran.wall_s)
    .with("cpu_s", ran.cpu_s)
    .with("segments_per_cpu_s", segments / ran.cpu_s)
    .with("events_per_cpu_s", events / ran.cpu_s)
    .with("ns_per_event", 1e9 * ran.cpu_s / events)
    .with("threads", ran.threads as u64)
}
