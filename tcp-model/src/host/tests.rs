//! Two hosts and a link between them, run by the engine.

mod closing;
mod features;
mod listening;
mod opening;
mod ports;
mod refusing;
mod worlds;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::network::Impairments;
use sim_core::{Finished, Record, SimDuration, SimTime};

use super::*;
use crate::app::spec::{
    AppSpec, Arrivals, ClientSpec, Distribution, Exchange, HostConfig, ServerSpec,
};
use crate::params::TcpParams;
use crate::sample::{ConnectOutcome, EndReason, EndpointSummary, OpenResult, SegmentTrace, Side};
use crate::segment::{ConnId, Flags};
use crate::state::State;
use crate::testing::{A, B, TwoHosts, two_hosts};

const SERVER: SocketAddrV4 = SocketAddrV4::new(B, 80);

fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

fn at(n: u64) -> SimTime {
    SimTime::ZERO + ms(n)
}

fn host(params: TcpParams, apps: Vec<AppSpec>) -> TcpHost {
    TcpHost::new(HostConfig::new(params, apps).tracing(10))
}

/// No delayed ACKs, so that segment sequences are easy to predict.
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
        remotes: vec![SERVER].into(),
        start: SimTime::ZERO,
        stop: SimTime::MAX,
        limit: None,
        arrivals,
        exchange: Arc::clone(exchange),
        ..ClientSpec::default()
    }
}

fn server(exchange: &Arc<Exchange>) -> ServerSpec {
    ServerSpec {
        port: 80,
        backlog: 4096,
        accept_rate: None,
        exchange: Arc::clone(exchange),
        ..ServerSpec::default()
    }
}

/// Two hosts for 100 s.
fn joined(a: TcpHost, b: TcpHost) -> TwoHosts {
    two_hosts(a, b).until(at(100_000))
}

/// A client and a server of the same exchange.
fn pair(arrivals: Arrivals, exchange: Exchange) -> TwoHosts {
    let exchange = Arc::new(exchange);
    let client = AppSpec::Client(client(arrivals, &exchange));
    let server = AppSpec::Server(server(&exchange));
    joined(host(params(), vec![client]), host(params(), vec![server]))
}

/// A finished run.
type Done = Finished<TcpHost>;

/// Queries on a finished run.
trait Ask {
    fn a(&self) -> &TcpHost;
    fn b(&self) -> &TcpHost;
    /// "time in ms, S|R a|b, flags, relative seq:end, ack" of each segment sent.
    fn sent(&self) -> Vec<String>;
    /// The states an end point went through, with times in ms.
    fn states(&self, conn: ConnId, side: Side) -> Vec<(u64, State)>;
    fn summaries(&self, side: Side) -> Vec<&EndpointSummary>;
    fn outcomes(&self) -> Vec<(u64, ConnectOutcome)>;
    fn count_outcomes(&self, result: OpenResult) -> usize;
}

impl Ask for Done {
    fn a(&self) -> &TcpHost {
        self.hosts[0].as_ref().unwrap()
    }

    fn b(&self) -> &TcpHost {
        self.hosts[1].as_ref().unwrap()
    }

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
