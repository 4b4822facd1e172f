//! One end point against a peer whose every segment the test writes.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};
use tcp_model::model::{End, Input, OpenContext, Outputs, SendCall, Signal, TcpModel, TcpView};
use tcp_model::options::{Options, TcpOption};
use tcp_model::{ConnId, Connection, Flags, Segment, SeqNum, State, TcpParams};

pub(super) const ISS: SeqNum = SeqNum(1_000);
pub(super) const IRS: SeqNum = SeqNum(500_000);
pub(super) const FIN_ACK: Flags = Flags(Flags::FIN.0 | Flags::ACK.0);
pub(super) const RST_ACK: Flags = Flags(Flags::RST.0 | Flags::ACK.0);

pub(super) fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

pub(super) fn secs(n: u64) -> SimDuration {
    SimDuration::from_secs(n)
}

/// The `rfc9293` profile, without the options that only make segments longer to read.
pub(super) fn plain() -> TcpParams {
    TcpParams {
        timestamps: false,
        sack: false,
        window_scaling: false,
        hold_until_push: false,
        ..TcpParams::rfc9293()
    }
}

pub(super) fn options(list: &[TcpOption<'_>]) -> Options {
    let mut options = Options::NONE;
    for option in list {
        options.push(*option).unwrap();
    }
    options
}

/// An end point, the time, and the peer's place in its stream.
pub(super) struct Rig {
    pub(super) tcp: Connection,
    pub(super) now: SimTime,
    /// Next octet of the peer.
    pub(super) seq: SeqNum,
    /// The window the peer offers.
    pub(super) window: u16,
    /// News not yet looked at.
    pub(super) news: Vec<Signal>,
    /// Everything sent: when, what, whether again.
    pub(super) sent: Vec<(SimTime, Segment, bool)>,
}

impl Rig {
    /// A closed end point.
    pub(super) fn new(params: TcpParams) -> Rig {
        let end = |n: u8| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, n), u16::from(n));
        Rig {
            tcp: Connection::new(OpenContext {
                params: Arc::new(params),
                conn: ConnId::new(0, 0),
                traced: false,
                local: end(1),
                remote: end(2),
                iss: ISS,
                ts_offset: 0,
            }),
            now: SimTime::ZERO + secs(1),
            seq: IRS,
            window: u16::MAX,
            news: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// One that has sent its SYN.
    pub(super) fn syn_sent(params: TcpParams) -> Rig {
        let mut rig = Rig::new(params);
        rig.call(Input::Connect);
        rig
    }

    /// One that opened actively; the peer's SYN-ACK carries these options.
    pub(super) fn connected(params: TcpParams, list: &[TcpOption<'_>]) -> Rig {
        let mut rig = Rig::syn_sent(params);
        rig.accept_syn(list);
        assert_eq!(rig.state(), State::Established);
        rig.news.clear();
        rig
    }

    /// The peer answers the SYN, a little later.
    pub(super) fn accept_syn(&mut self, list: &[TcpOption<'_>]) {
        self.now += ms(100);
        let syn_ack = Segment {
            flags: Flags::SYN_ACK,
            options: options(list),
            ..self.segment(0)
        };
        self.get(syn_ack);
    }

    /// An established one, whose peer takes segments of 1000 octets.
    pub(super) fn established(params: TcpParams) -> Rig {
        Rig::connected(params, &[TcpOption::Mss(1_000)])
    }

    /// One that a listener made of a SYN with these options, in SYN-RECEIVED.
    pub(super) fn syn_received(params: TcpParams, list: &[TcpOption<'_>]) -> Rig {
        let mut rig = Rig::new(params);
        rig.call(Input::Listen);
        let syn = Segment {
            flags: Flags::SYN,
            ack: SeqNum(0),
            options: options(list),
            ..rig.segment(0)
        };
        rig.get(syn);
        assert_eq!(rig.state(), State::SynReceived);
        rig
    }

    /// The peer's next segment: these octets, and an acknowledgement of all that was sent. Its
    /// place does not advance until it is delivered.
    pub(super) fn segment(&self, len: u32) -> Segment {
        Segment {
            src_port: 2,
            dst_port: 1,
            seq: self.seq,
            ack: self.view().snd_nxt,
            flags: Flags::ACK,
            window: self.window,
            len,
            ..Segment::default()
        }
    }

    /// The same with other flags.
    pub(super) fn flagged(&self, flags: Flags, len: u32) -> Segment {
        Segment {
            flags,
            ..self.segment(len)
        }
    }

    /// Delivers a segment; what is sent at once in answer.
    pub(super) fn get(&mut self, segment: Segment) -> Vec<Segment> {
        if segment.seq == self.seq {
            self.seq = segment.seq_end();
        }
        self.call(Input::Segment(&segment))
    }

    /// The peer sends octets.
    pub(super) fn get_data(&mut self, len: u32) -> Vec<Segment> {
        self.get(self.segment(len))
    }

    /// The peer acknowledges all.
    pub(super) fn get_ack(&mut self) -> Vec<Segment> {
        self.get(self.segment(0))
    }

    pub(super) fn call(&mut self, input: Input<'_>) -> Vec<Segment> {
        let mut out = Outputs::default();
        self.tcp.step(input, self.now, &mut out);
        self.news.extend(&out.signals);
        let now = self.now;
        self.sent.extend(
            out.segments
                .iter()
                .map(|t| (now, t.segment, t.is_retransmission())),
        );
        out.segments.into_iter().map(|t| t.segment).collect()
    }

    pub(super) fn write(&mut self, bytes: u64) -> Vec<Segment> {
        self.call(Input::Send(SendCall {
            bytes,
            push: true,
            ..SendCall::default()
        }))
    }

    pub(super) fn read(&mut self, bytes: u64) -> Vec<Segment> {
        self.call(Input::Receive(bytes))
    }

    /// Lets time pass; what is sent meanwhile.
    pub(super) fn wait(&mut self, time: SimDuration) -> Vec<(SimTime, Segment)> {
        let (from, until) = (self.sent.len(), self.now + time);
        while let Some(at) = self.tcp.next_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.call(Input::Timeout);
        }
        self.now = until;
        self.sent[from..]
            .iter()
            .map(|(at, s, _)| (*at, *s))
            .collect()
    }

    /// When segments left, in milliseconds since the first of them.
    pub(super) fn gaps(sent: &[(SimTime, Segment)], since: SimTime) -> Vec<u64> {
        sent.iter()
            .map(|(at, _)| at.since(since).as_millis())
            .collect()
    }

    pub(super) fn view(&self) -> TcpView {
        self.tcp.view()
    }

    pub(super) fn state(&self) -> State {
        self.view().state
    }

    /// How it ended, if it did.
    pub(super) fn end(&self) -> Option<End> {
        self.news.iter().find_map(|s| match s {
            Signal::Ended(end) => Some(*end),
            _ => None,
        })
    }

    pub(super) fn was_told(&self, signal: Signal) -> bool {
        self.news.contains(&signal)
    }
}

/// Flags and length of segments.
pub(super) fn shapes(segments: &[Segment]) -> Vec<(Flags, u32)> {
    segments.iter().map(|s| (s.flags, s.len)).collect()
}

/// A bare ACK, at SND.NXT, of RCV.NXT.
pub(super) fn is_ack(rig: &Rig, segments: &[Segment]) -> bool {
    let view = rig.view();
    matches!(segments, [s] if s.flags == Flags::ACK && s.len == 0
        && s.seq == view.snd_nxt && s.ack == view.rcv_nxt)
}
