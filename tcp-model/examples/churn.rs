//! How long a connection takes to simulate: connect, 100 bytes, 1000 bytes back, close, TIME-WAIT.
//!
//! `cargo run --release -p synfin-tcp-model --example churn [CONNECTIONS] [RATE]` prints time per
//! connection, both hosts included, and memory per TIME-WAIT entry.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use sim_core::record::Discard;
use sim_core::{
    LinkSpec, Network, NodeId, NodeKind, NodeSpec, RunConfig, SimDuration, SimTime, Simulation,
};
use tcp_model::spec::{AppSpec, Arrivals, ClientSpec, Exchange, HostConfig, ServerSpec, TraceSpec};
use tcp_model::{TcpHost, TcpParams};

fn main() {
    let mut args = std::env::args()
        .skip(1)
        .map_while(|a| a.parse::<u64>().ok());
    let connections = args.next().unwrap_or(1_000_000);
    let rate = args.next().unwrap_or(20_000);
    let servers: u16 = 64;
    let exchange = Arc::new(Exchange::default());
    let params = Arc::new(TcpParams {
        max_tw_buckets: None,
        ..TcpParams::linux()
    });
    let server_at = |i: u16| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 80 + i);
    let client = AppSpec::Client(ClientSpec {
        name: "client".to_owned(),
        locals: Vec::new(),
        remotes: (0..servers).map(server_at).collect(),
        start: SimTime::ZERO,
        stop: SimTime::MAX,
        limit: Some(connections),
        arrivals: Arrivals::Fixed(rate as f64),
        exchange: Arc::clone(&exchange),
    });
    let listen = |i: u16| {
        AppSpec::Server(ServerSpec {
            port: 80 + i,
            backlog: 4096,
            accept_rate: None,
            exchange: Arc::clone(&exchange),
        })
    };
    let host = |apps| {
        TcpHost::new(HostConfig {
            params: Arc::clone(&params),
            apps,
            trace: TraceSpec::default(),
        })
    };
    let node = |name: &str| NodeSpec {
        name: name.to_owned(),
        kind: NodeKind::Host { addresses: 1 },
    };
    let link = LinkSpec::new(NodeId(0), NodeId(1), None, SimDuration::from_millis(10));
    let network = Network::new(
        vec![node("a"), node("b")],
        vec![link.clone(), link.reversed()],
    )
    .expect("a link with delay joins two nodes");
    let end = SimTime::ZERO
        + SimDuration::from_secs_f64(connections as f64 / rate as f64)
        + SimDuration::from_secs(1);
    let hosts = vec![
        Some(host(vec![client])),
        Some(host((0..servers).map(listen).collect())),
    ];
    let mut simulation = Simulation::new(Arc::new(network), hosts, &RunConfig::new(1, end));
    let start = Instant::now();
    let stats = simulation
        .run(&mut Discard, &mut |_| ControlFlow::Continue(()))
        .expect("nothing is written");
    let took = start.elapsed();
    let hosts = simulation.into_hosts();
    println!(
        "{connections} connections, {} events: {:.3} s, {:.2} us per connection, {:.0} ns per event",
        stats.events,
        took.as_secs_f64(),
        took.as_secs_f64() * 1e6 / connections as f64,
        took.as_secs_f64() * 1e9 / stats.events as f64,
    );
    for host in hosts.into_iter().flatten() {
        let memory = host.memory();
        println!("{:?}\n{memory:?}", host.stats());
        if host.time_waits() > 0 {
            let bytes = memory.time_wait + memory.demux;
            let each = bytes as f64 / f64::from(host.time_waits());
            println!("{each:.1} bytes per TIME-WAIT entry");
        }
    }
}
