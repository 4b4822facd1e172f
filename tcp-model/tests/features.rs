//! What a connection can do beside the plain handshake, transfer and close: one end point, with the
//! test as its peer.

#[path = "features/control.rs"]
mod control;
#[path = "features/defer_accept.rs"]
mod defer_accept;
#[path = "features/duplicates.rs"]
mod duplicates;
#[path = "features/ecn.rs"]
mod ecn;
#[path = "features/fast_open.rs"]
mod fast_open;
#[path = "features/icmp.rs"]
mod icmp;
#[path = "features/limits.rs"]
mod limits;
#[path = "features/old_clocks.rs"]
mod old_clocks;
#[path = "features/reasons.rs"]
mod reasons;
#[path = "features/small_segments.rs"]
mod small_segments;
#[path = "features/syn_cookies.rs"]
mod syn_cookies;
#[path = "features/urgent.rs"]
mod urgent;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};
use tcp_model::congestion::AnyCc;
use tcp_model::model::{Input, OpenContext, Outputs, SendCall, Signal, TcpModel};
use tcp_model::options::{Options, TcpOption};
use tcp_model::{ConnId, Connection, Flags, Segment, SeqNum, State, TcpParams};

/// The end point's initial sequence number; the peer's is 0.
const ISS: u32 = 1000;
const MSS: u32 = 1000;

fn ms(n: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(n)
}

fn secs(n: u64) -> SimDuration {
    SimDuration::from_secs(n)
}

/// No timestamps, every ACK at once: numbers that are easy to foresee.
fn plain() -> TcpParams {
    TcpParams {
        timestamps: false,
        window_scaling: false,
        delayed_ack: SimDuration::ZERO,
        ..TcpParams::rfc9293()
    }
}

/// An end point and what it put out since last asked.
struct End {
    tcp: Connection,
    now: SimTime,
    out: Outputs,
}

impl End {
    fn new(params: TcpParams) -> End {
        let control = AnyCc::new(&params);
        End::with_control(params, control)
    }

    fn with_control(params: TcpParams, control: AnyCc) -> End {
        let end = |n: u8| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, n), 7);
        let context = OpenContext {
            params: Arc::new(params),
            conn: ConnId::new(0, 0),
            traced: false,
            local: end(1),
            remote: end(2),
            iss: SeqNum(ISS),
            ts_offset: 0,
        };
        End {
            tcp: Connection::with_congestion(context, control),
            now: SimTime::ZERO,
            out: Outputs::default(),
        }
    }

    /// Established by a peer with this MSS that offers SACK.
    fn established(params: TcpParams) -> End {
        let mut end = End::new(params);
        end.step(Input::Listen);
        end.arrives(syn());
        end.arrives(ack(1, 1));
        assert_eq!(end.state(), State::Established);
        end.take();
        end
    }

    fn state(&self) -> State {
        self.tcp.view().state
    }

    fn step(&mut self, input: Input<'_>) {
        self.tcp.step(input, self.now, &mut self.out);
    }

    fn arrives(&mut self, segment: Segment) {
        self.step(Input::Segment(&segment));
    }

    /// Runs the timers up to `to`; when each segment left meanwhile, in milliseconds.
    fn runs_to(&mut self, to: SimTime) -> Vec<(u64, Segment)> {
        let mut sent = Vec::new();
        while let Some(at) = self.tcp.next_timeout().filter(|at| *at <= to) {
            self.now = self.now.max(at);
            self.step(Input::Timeout);
            let at = self.now.since(SimTime::ZERO).as_millis();
            sent.extend(self.take().into_iter().map(|s| (at, s)));
        }
        self.now = to;
        sent
    }

    fn writes(&mut self, bytes: u64) {
        self.step(Input::Send(SendCall {
            bytes,
            push: true,
            ..SendCall::default()
        }));
    }

    fn changes(&mut self, change: impl FnOnce(&mut TcpParams), params: &TcpParams) {
        let mut params = params.clone();
        change(&mut params);
        let changed = self
            .tcp
            .change_params(&Arc::new(params), self.now, &mut self.out);
        assert!(changed);
    }

    /// The segments put out.
    fn take(&mut self) -> Vec<Segment> {
        self.out.segments.drain(..).map(|t| t.segment).collect()
    }

    /// The news put out.
    fn news(&mut self) -> Vec<Signal> {
        self.out.signals.drain(..).collect()
    }

    /// Sequence number, relative, and length of the segments put out.
    fn text(&mut self) -> Vec<(u32, u32)> {
        self.take().iter().map(range).collect()
    }
}

/// Sequence number, relative to the SYN's, and payload length.
fn range(segment: &Segment) -> (u32, u32) {
    (segment.seq.offset_from(SeqNum(ISS)), segment.len)
}

/// The peer's SYN.
fn syn() -> Segment {
    let mut options = Options::NONE;
    for option in [TcpOption::Mss(MSS as u16), TcpOption::SackPermitted] {
        options.push(option).unwrap();
    }
    Segment {
        src_port: 7,
        dst_port: 7,
        flags: Flags::SYN,
        window: 60_000,
        options,
        ..Segment::default()
    }
}

/// The peer's SYN-ACK of the end point's octets before `acked`, relative to its SYN.
fn syn_ack(acked: u32) -> Segment {
    Segment {
        flags: Flags::SYN_ACK,
        ack: SeqNum(ISS) + acked,
        ..syn()
    }
}

/// The peer's ACK at `seq` of the end point's octets before `acked`, relative to its SYN.
fn ack(seq: u32, acked: u32) -> Segment {
    Segment {
        src_port: 7,
        dst_port: 7,
        seq: SeqNum(seq),
        ack: SeqNum(ISS) + acked,
        flags: Flags::ACK,
        window: 60_000,
        ..Segment::default()
    }
}

/// The peer's data.
fn data(seq: u32, len: u32) -> Segment {
    Segment {
        len,
        flags: Flags::ACK | Flags::PSH,
        ..ack(seq, 1)
    }
}

fn sack(segment: &Segment) -> Vec<(u32, u32)> {
    let blocks = segment.options.sack_blocks();
    blocks.map(|(a, b)| (a.0, b.0)).collect()
}
