//! Two hosts and a link between them, run by the engine.

mod closing;
mod features;
mod listening;
mod opening;
mod ports;
mod refusing;
mod worlds;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::network::Impairments;
use sim_core::record::Collect;
use sim_core::{
    LinkSpec, Network, NodeId, NodeKind, NodeSpec, Record, RunConfig, SimDuration, SimTime,
    Simulation,
};

use super::*;
use crate::app::spec::{
    AppSpec, Arrivals, ClientSpec, Distribution, Exchange, HostConfig, ServerSpec, TraceSpec,
};
use crate::params::TcpParams;
use crate::sample::{ConnectOutcome, EndReason, EndpointSummary, OpenResult, SegmentTrace, Side};
use crate::segment::{ConnId, Flags};
use crate::state::State;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SERVER: SocketAddrV4 = SocketAddrV4::new(B, 80);

fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

fn at(n: u64) -> SimTime {
    SimTime::ZERO + ms(n)
}

/// Two hosts, `a` and `b`, with 10 ms between them each way.
struct Pair {
    a: TcpHost,
    b: TcpHost,
    end: SimTime,
    /// From a to b, and back.
    impairments: [Impairments; 2],
}

/// What a run leaves behind.
struct Done {
    records: Vec<Record<TcpSample>>,
    a: TcpHost,
    b: TcpHost,
}

fn host(params: TcpParams, apps: Vec<AppSpec>) -> TcpHost {
    TcpHost::new(HostConfig {
        params: Arc::new(params),
        apps,
        trace: TraceSpec {
            segments: 10,
            ..TraceSpec::default()
        },
    })
}

/// No delayed ACKs, so that segment sequences are easy to foresee.
fn params() -> TcpParams {
    TcpParams {
        quick_acks: 1000,
        ..TcpParams::linux()
    }
}

fn client(arrivals: Arrivals, exchange: &Arc<Exchange>) -> ClientSpec {
    ClientSpec {
        name: "client".to_owned(),
        locals: Vec::new(),
        remotes: vec![SERVER],
        start: SimTime::ZERO,
        stop: SimTime::MAX,
        limit: None,
        arrivals,
        exchange: Arc::clone(exchange),
    }
}

fn server(exchange: &Arc<Exchange>) -> ServerSpec {
    ServerSpec {
        port: 80,
        backlog: 4096,
        accept_rate: None,
        exchange: Arc::clone(exchange),
    }
}

/// A client and a server of the same exchange.
fn pair(arrivals: Arrivals, exchange: Exchange) -> Pair {
    let exchange = Arc::new(exchange);
    let client = AppSpec::Client(client(arrivals, &exchange));
    let server = AppSpec::Server(server(&exchange));
    Pair::new(host(params(), vec![client]), host(params(), vec![server]))
}

impl Pair {
    fn new(a: TcpHost, b: TcpHost) -> Pair {
        Pair {
            a,
            b,
            end: at(100_000),
            impairments: Default::default(),
        }
    }

    fn until(mut self, end: SimTime) -> Pair {
        self.end = end;
        self
    }

    fn run(self) -> Done {
        let node = |name: &str| NodeSpec {
            name: name.to_owned(),
            kind: NodeKind::Host { addresses: 1 },
        };
        let mut there = LinkSpec::new(NodeId(0), NodeId(1), None, ms(10));
        let mut back = there.reversed();
        [there.impairments, back.impairments] = self.impairments;
        let network = Network::new(vec![node("a"), node("b")], vec![there, back]).unwrap();
        let config = RunConfig::new(1, self.end);
        let hosts = vec![Some(self.a), Some(self.b)];
        let mut simulation = Simulation::new(Arc::new(network), hosts, &config);
        let mut records = Collect::default();
        simulation
            .run(&mut records, &mut |_| ControlFlow::Continue(()))
            .unwrap();
        let mut hosts = simulation.into_hosts().into_iter().flatten();
        Done {
            records: records.0,
            a: hosts.next().unwrap(),
            b: hosts.next().unwrap(),
        }
    }
}

impl Done {
    /// "time in ms, S|R a|b, flags, relative seq:end, ack" of each segment sent.
    fn sent(&self) -> Vec<String> {
        let mut isn: [Option<u32>; 2] = [None; 2];
        let mut lines = Vec::new();
        for record in &self.records {
            let TcpSample::Segment(trace) = &record.sample else {
                continue;
            };
            if trace.event != SegmentEvent::Sent {
                continue;
            }
            lines.push(line(record.time, trace, &mut isn));
        }
        lines
    }

    /// The states an end point went through, with times in ms.
    fn states(&self, conn: ConnId, side: Side) -> Vec<(u64, State)> {
        let of = |r: &Record<TcpSample>| match &r.sample {
            TcpSample::State(c) if c.conn == conn && c.side == side => {
                Some((r.time.since(SimTime::ZERO).as_millis(), c.to))
            }
            _ => None,
        };
        self.records.iter().filter_map(of).collect()
    }

    fn summaries(&self, side: Side) -> Vec<&EndpointSummary> {
        let of = |r| match r {
            &Record {
                sample: TcpSample::Ended(ref s),
                ..
            } if s.side == side => Some(&**s),
            _ => None,
        };
        self.records.iter().filter_map(of).collect()
    }

    fn outcomes(&self) -> Vec<(u64, ConnectOutcome)> {
        let of = |r: &Record<TcpSample>| match r.sample {
            TcpSample::Outcome(o) => Some((r.time.since(SimTime::ZERO).as_millis(), o)),
            _ => None,
        };
        self.records.iter().filter_map(of).collect()
    }

    fn count_outcomes(&self, result: OpenResult) -> usize {
        self.outcomes()
            .iter()
            .filter(|(_, o)| o.result == result)
            .count()
    }
}

/// One segment relative to the initial sequence numbers seen so far.
fn line(time: SimTime, trace: &SegmentTrace, isn: &mut [Option<u32>; 2]) -> String {
    let s = &trace.segment;
    let (own, name) = if trace.src == A { (0, "a") } else { (1, "b") };
    let base = *isn[own].get_or_insert(s.seq.0);
    let peer = isn[1 - own].unwrap_or(0);
    let seq = s.seq.0.wrapping_sub(base);
    let ack = if s.flags.is_ack() {
        format!(" ack {}", s.ack.0.wrapping_sub(peer))
    } else {
        String::new()
    };
    let ms = time.since(SimTime::ZERO).as_millis();
    format!("{ms} {name} {} {seq}({}){ack}", s.flags, s.len)
}

const C0: ConnId = ConnId::new(0, 0);
