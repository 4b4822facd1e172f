//! Features of a connection beyond plain handshake, transfer and close: one end point, with the
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
#[path = "features/hazards.rs"]
mod hazards;
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
#[path = "features/undo.rs"]
mod undo;
#[path = "features/urgent.rs"]
mod urgent;

use std::ops::{Deref, DerefMut};

use sim_core::{SimDuration, SimTime};
use tcp_model::congestion::AnyCc;
use tcp_model::model::{Input, SendCall, Signal, TcpModel};
use tcp_model::options::{Options, TcpOption};
use tcp_model::{Connection, ConnectionEnd, Flags, Segment, SeqNum, State, TcpParams, testing};

/// The end point's initial sequence number; the peer's is 0.
const ISS: u32 = testing::ISS.0;
const MSS: u32 = 1000;

fn ms(n: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(n)
}

fn secs(n: u64) -> SimDuration {
    SimDuration::from_secs(n)
}

/// No timestamps, every ACK at once: sequence numbers and times that are easy to predict.
fn plain() -> TcpParams {
    TcpParams {
        timestamps: false,
        window_scaling: false,
        delayed_ack: SimDuration::ZERO,
        ..TcpParams::rfc9293()
    }
}

/// An end point, and its outputs since they were last taken. Time begins at zero.
struct TestEnd(testing::End);

impl Deref for TestEnd {
    type Target = testing::End;
    fn deref(&self) -> &testing::End {
        &self.0
    }
}

impl DerefMut for TestEnd {
    fn deref_mut(&mut self) -> &mut testing::End {
        &mut self.0
    }
}

impl TestEnd {
    fn new(params: TcpParams) -> TestEnd {
        let control = params.make_control();
        TestEnd::with_control(params, control)
    }

    fn with_control(params: TcpParams, control: AnyCc) -> TestEnd {
        let make = |context| Connection::with_congestion(context, control);
        let mut end = testing::End::of(params, make);
        end.now = SimTime::ZERO;
        TestEnd(end)
    }

    /// Established by a peer with this MSS that offers SACK.
    fn established(params: TcpParams) -> TestEnd {
        TestEnd::established_after(params, SimDuration::ZERO)
    }

    /// [`TestEnd::established`] with a handshake whose round trip takes this time.
    fn established_after(params: TcpParams, rtt: SimDuration) -> TestEnd {
        let mut end = TestEnd::new(params);
        end.step(Input::Listen);
        end.arrives(syn());
        end.now += rtt;
        end.arrives(ack(1, 1));
        assert_eq!(end.state(), State::Established);
        end.take();
        end
    }

    fn step(&mut self, input: Input<'_>) {
        self.call(input);
    }

    fn arrives(&mut self, segment: Segment) {
        self.step(Input::Segment(&segment));
    }

    /// Runs the timers up to `to`; returns the segments sent, with their times in milliseconds.
    fn runs_to(&mut self, to: SimTime) -> Vec<(u64, Segment)> {
        let waits = to.since(self.now);
        let sent = self.wait(waits);
        self.sent.clear();
        sent.into_iter()
            .map(|(at, s)| (at.since(SimTime::ZERO).as_millis(), s))
            .collect()
    }

    fn writes(&mut self, bytes: u64) {
        self.write(bytes);
    }

    fn changes(&mut self, change: impl FnOnce(&mut TcpParams), params: &TcpParams) {
        let mut params = params.clone();
        change(&mut params);
        self.change_params(params);
    }

    /// The segments among the outputs.
    fn take(&mut self) -> Vec<Segment> {
        self.sent.drain(..).map(|(_, sent)| sent.segment).collect()
    }

    /// The signals among the outputs.
    fn news(&mut self) -> Vec<Signal> {
        self.news.drain(..).collect()
    }

    /// How the connection ended, if it has ended since outputs were last taken.
    fn ended(&mut self) -> Option<ConnectionEnd> {
        self.news().iter().find_map(|signal| match signal {
            Signal::Ended(why) => Some(*why),
            _ => None,
        })
    }

    /// Relative sequence number and length of the segments among the outputs.
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

/// [`ack`] with a SACK block from `from` to `to`, relative to the end point's SYN.
fn sack_of(acked: u32, from: u32, to: u32) -> Segment {
    let mut segment = ack(1, acked);
    let blocks = [(SeqNum(ISS) + from, SeqNum(ISS) + to)];
    segment.options.push_sack(&blocks);
    segment
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
