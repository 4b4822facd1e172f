//! What TCP costs, kernel by kernel: `cargo bench -p synfin-tcp-model`.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sim_core::record::Discard;
use sim_core::{Packet, Rate, Rng, SimDuration, SimTime, Simulation};
use tcp_model::model::SendCall;
use tcp_model::options::{Options, TcpOption};
use tcp_model::params::PortSelection;
use tcp_model::ports::{Destination, PortAllocator};
use tcp_model::spec::{
    AppSpec, Arrivals, ClientSpec, Distribution, Exchange, HostConfig, ServerSpec,
};
use tcp_model::testing::two_hosts;
use tcp_model::wire::{decode_ipv4, encode_ipv4};
use tcp_model::{
    ConnId, Connection, Flags, Input, OpenContext, Outputs, Segment, SeqNum, State, TcpHost,
    TcpModel as _, TcpParams,
};

const A: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 40_000);
const B: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 80);

fn params() -> TcpParams {
    TcpParams {
        initial_window: 1200,
        send_buffer: 1 << 24,
        receive_buffer: 1 << 24,
        hold_until_push: false,
        ..TcpParams::rfc9293()
    }
}

/// Two end points, joined by nothing but a loop: `testing::Pair` keeps a log, which would be measured
/// too.
struct Pair {
    ends: [Connection; 2],
    out: Outputs,
    now: SimTime,
}

impl Pair {
    fn closed(params: &Arc<TcpParams>) -> Pair {
        let end = |local, remote, iss| {
            Connection::new(OpenContext {
                params: Arc::clone(params),
                conn: ConnId::new(0, 0),
                traced: false,
                local,
                remote,
                iss: SeqNum(iss),
                ts_offset: 0,
            })
        };
        Pair {
            ends: [end(A, B, 1000), end(B, A, 9000)],
            out: Outputs::default(),
            now: SimTime::ZERO,
        }
    }

    fn established(params: &Arc<TcpParams>) -> Pair {
        let mut pair = Pair::closed(params);
        pair.give(1, Input::Listen);
        let syn = pair.give(0, Input::Connect);
        pair.exchange(1, syn);
        pair
    }

    /// Gives one end an input; its segments.
    fn give(&mut self, to: usize, input: Input<'_>) -> Vec<Segment> {
        self.out.clear();
        self.ends[to].step(input, self.now, &mut self.out);
        self.out.segments.iter().map(|t| t.segment).collect()
    }

    /// Delivers segments to one end, and what that answers to the other, until there are none.
    fn exchange(&mut self, to: usize, segments: Vec<Segment>) {
        let (mut to, mut segments) = (to, segments);
        while !segments.is_empty() {
            self.now += SimDuration::from_millis(1);
            let mut answers = Vec::new();
            for segment in &segments {
                answers.append(&mut self.give(to, Input::Segment(segment)));
            }
            (to, segments) = (1 - to, answers);
        }
    }

    fn write(&mut self, bytes: u64) -> Vec<Segment> {
        let call = SendCall {
            bytes,
            ..SendCall::default()
        };
        self.give(0, Input::Send(call))
    }
}

fn connections(c: &mut Criterion) {
    let params = Arc::new(params());
    let mut group = c.benchmark_group("connection");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("1000 data segments in, ACKs out", |b| {
        let setup = || {
            let mut pair = Pair::established(&params);
            let segments = pair.write(1000 * 1448);
            (pair, segments)
        };
        b.iter_batched_ref(
            setup,
            |(pair, segments)| {
                for segment in segments.iter() {
                    pair.out.clear();
                    pair.ends[1].step(Input::Segment(segment), pair.now, &mut pair.out);
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function(
        "500 ACKs that each SACK one segment more of every other",
        |b| {
            let setup = || {
                let mut pair = Pair::established(&params);
                let sent = pair.write(1000 * 1448);
                let every_other = sent.iter().skip(1).step_by(2);
                let acks: Vec<Segment> = every_other
                    .flat_map(|segment| {
                        let answers = pair.give(1, Input::Segment(segment));
                        assert!(
                            !answers.is_empty(),
                            "what is out of order is acknowledged at once"
                        );
                        answers
                    })
                    .collect();
                (pair, acks)
            };
            b.iter_batched_ref(
                setup,
                |(pair, acks)| {
                    for ack in acks.iter() {
                        pair.out.clear();
                        pair.ends[0].step(Input::Segment(ack), pair.now, &mut pair.out);
                    }
                },
                BatchSize::LargeInput,
            );
        },
    );
    group.throughput(Throughput::Elements(1));
    group.bench_function("handshake and close", |b| {
        b.iter(|| {
            let mut pair = Pair::established(&params);
            let fin = pair.give(0, Input::Close);
            pair.exchange(1, fin);
            let fin = pair.give(1, Input::Close);
            pair.exchange(0, fin);
            assert_eq!(pair.ends[0].view().state, State::TimeWait);
            assert_eq!(pair.ends[1].view().state, State::Closed);
        });
    });
    group.finish();
}

fn bytes(c: &mut Criterion) {
    let mut options = Options::timestamps_only(1, 2);
    options
        .push(TcpOption::WindowScale(7))
        .expect("there is room");
    let segment = Segment {
        src_port: 40_000,
        dst_port: 80,
        seq: SeqNum(1),
        ack: SeqNum(2),
        flags: Flags::ACK,
        window: 1000,
        len: 1448,
        options,
        ..Segment::default()
    };
    let packet = Packet {
        id: 1,
        src: *A.ip(),
        dst: *B.ip(),
        size: 20 + segment.header_len() + segment.len,
        ttl: 64,
        tos: 0,
        corrupt: false,
        payload: segment,
    };
    let mut buffer = Vec::new();
    let mut group = c.benchmark_group("wire");
    group.bench_function("encode a full segment", |b| {
        b.iter(|| {
            buffer.clear();
            encode_ipv4(&packet, &mut buffer)
        });
    });
    group.bench_function("decode a full segment", |b| b.iter(|| decode_ipv4(&buffer)));
    group.finish();
}

fn ports(c: &mut Criterion) {
    let to = Destination {
        local: *A.ip(),
        remote: B,
    };
    let mut group = c.benchmark_group("ports");
    for (name, selection) in [
        ("sequential", PortSelection::Sequential),
        ("random", PortSelection::Random),
        ("linux", PortSelection::Linux),
    ] {
        for used in [0, 28_000] {
            let mut rng = Rng::stream(1, "ports", 0);
            let mut ports = PortAllocator::new((32_768, 60_999), selection, 1);
            for _ in 0..used {
                ports.allocate(to, SimTime::ZERO, &mut rng);
            }
            group.bench_function(format!("{name}, {used} of 28,232 in use"), |b| {
                b.iter(|| {
                    let found = ports.allocate(to, SimTime::ZERO, &mut rng);
                    found.port.map(|port| ports.release(to, port))
                });
            });
        }
    }
    group.finish();
}

/// A client and a server with `n` connections, each with a request every second.
fn busy_hosts(n: u32) -> Simulation<TcpHost> {
    let addresses = n.div_ceil(30_000);
    let address = |i: u32| Ipv4Addr::from(u32::from(*A.ip()) + i);
    let exchange = Arc::new(Exchange {
        requests: u32::MAX,
        think: Distribution::Constant(1.0),
        ..Exchange::default()
    });
    let apps = [
        AppSpec::Client(ClientSpec {
            name: "busy".to_owned(),
            locals: (0..addresses).map(address).collect(),
            remotes: vec![SocketAddrV4::new(address(addresses), 80)].into(),
            start: SimTime::ZERO,
            stop: SimTime::MAX,
            limit: Some(n.into()),
            arrivals: Arrivals::Fixed(n.into()),
            exchange: Arc::clone(&exchange),
            ..ClientSpec::default()
        }),
        AppSpec::Server(ServerSpec {
            port: 80,
            backlog: 1 << 24,
            accept_rate: None,
            exchange,
            ..ServerSpec::default()
        }),
    ];
    let params = Arc::new(TcpParams {
        somaxconn: 1 << 24,
        max_syn_backlog: 1 << 24,
        port_range: (1024, 65_535),
        hold_until_push: false,
        ..TcpParams::rfc9293()
    });
    let [client, server] =
        apps.map(|app| TcpHost::new(HostConfig::new(Arc::clone(&params), vec![app])));
    let mut pair = two_hosts(client, server).with_links(|link| {
        (link.rate, link.delay) = (Some(Rate::mbps(100_000)), SimDuration::from_millis(1));
    });
    pair.addresses = addresses;
    pair.simulation()
}

/// Handles events until `until` says it is enough; how many.
fn advance(simulation: &mut Simulation<TcpHost>, until: impl Fn(SimTime, u64) -> bool) -> u64 {
    let mut begun = None;
    let mut done = 0;
    let ran = simulation.run(&mut Discard, &mut |progress| {
        let first = *begun.get_or_insert(progress.events);
        done = progress.events - first;
        if until(progress.now, done) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    ran.expect("nothing is written");
    done
}

fn hosts(c: &mut Criterion) {
    let mut group = c.benchmark_group("host");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(3));
    for n in [1_000, 100_000] {
        let mut simulation = busy_hosts(n);
        let warm = SimTime::ZERO + SimDuration::from_secs(2);
        advance(&mut simulation, |now, _| now >= warm);
        group.bench_function(format!("an event among {n} busy connections"), |b| {
            b.iter_custom(|wanted| {
                let begun = std::time::Instant::now();
                let done = advance(&mut simulation, |_, done| done >= wanted.max(50_000));
                begun.elapsed().mul_f64(wanted as f64 / done.max(1) as f64)
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = kernels;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = connections, bytes, ports, hosts
}
criterion_main!(kernels);
