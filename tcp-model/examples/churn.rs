//! How long a connection takes to simulate: connect, 100 bytes, 1000 bytes back, close, TIME-WAIT.
//!
//! `cargo run --release -p synfin-tcp-model --example churn [CONNECTIONS] [RATE] [MODEL]` prints time
//! per connection with the TCP `full` or `lifecycle`, both hosts included, and memory per TIME-WAIT entry.

use std::net::SocketAddrV4;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use sim_core::record::Discard;
use sim_core::{SimDuration, SimTime};
use tcp_model::own_model::ModelChoice;
use tcp_model::spec::{AppSpec, Arrivals, ClientSpec, Exchange, HostConfig, ServerSpec};
use tcp_model::testing::{B, two_hosts};
use tcp_model::{TcpHost, TcpParams};

fn main() {
    let mut args = std::env::args()
        .skip(1)
        .map_while(|a| a.parse::<u64>().ok());
    let connections = args.next().unwrap_or(1_000_000);
    let rate = args.next().unwrap_or(20_000);
    let model = std::env::args().nth(3).unwrap_or("full".to_owned());
    let model = ModelChoice::named(&model).expect("full or lifecycle");
    let servers: u16 = 64;
    let exchange = Arc::new(Exchange::default());
    let params = Arc::new(TcpParams {
        max_tw_buckets: None,
        model,
        ..TcpParams::linux()
    });
    let server_at = |i: u16| SocketAddrV4::new(B, 80 + i);
    let client = AppSpec::Client(ClientSpec {
        name: "client".to_owned(),
        locals: Vec::new(),
        remotes: (0..servers).map(server_at).collect(),
        start: SimTime::ZERO,
        stop: SimTime::MAX,
        limit: Some(connections),
        arrivals: Arrivals::Fixed(rate as f64),
        exchange: Arc::clone(&exchange),
        ..ClientSpec::default()
    });
    let listen = |i: u16| {
        AppSpec::Server(ServerSpec {
            port: 80 + i,
            backlog: 4096,
            accept_rate: None,
            exchange: Arc::clone(&exchange),
            ..ServerSpec::default()
        })
    };
    let host = |apps| TcpHost::new(HostConfig::new(Arc::clone(&params), apps));
    let end = SimTime::ZERO
        + SimDuration::from_secs_f64(connections as f64 / rate as f64)
        + SimDuration::from_secs(1);
    let servers = host((0..servers).map(listen).collect());
    let pair = two_hosts(host(vec![client]), servers).until(end);
    let mut simulation = pair.simulation();
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
