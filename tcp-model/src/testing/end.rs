//! One end point against a peer whose every segment the test writes.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};

use crate::connection::Connection;
use crate::model::{self, Input, OpenContext, Outputs, SendCall, Signal, TcpModel, TcpView};
use crate::options::{Options, TcpOption};
use crate::params::TcpParams;
use crate::segment::{ConnId, Flags, Segment};
use crate::seq::SeqNum;
use crate::state::State;
use crate::transmit::Transmit;

/// Initial sequence number of the end point.
pub const ISS: SeqNum = SeqNum(1_000);
/// Initial sequence number of its peer.
pub const IRS: SeqNum = SeqNum(500_000);

/// A list of options.
///
/// # Panics
/// When they do not fit into 40 octets.
pub fn options(list: &[TcpOption<'_>]) -> Options {
    let mut options = Options::NONE;
    for option in list {
        options.push(*option).expect("at most 40 octets of options");
    }
    options
}

/// An end point, the time, and the next sequence number of its peer, whose segments the test writes.
///
/// ```
/// use tcp_model::testing::End;
/// use tcp_model::{State, TcpParams};
///
/// let mut end = End::established(TcpParams::rfc9293());
/// assert_eq!(end.write(100).len(), 1);
/// end.get_ack();
/// assert_eq!((end.state(), end.view().send_queue), (State::Established, 0));
/// ```
#[derive(Debug)]
pub struct End<M = Connection> {
    /// The end point.
    pub tcp: M,
    /// The time of the next input.
    pub now: SimTime,
    /// Next octet of the peer.
    pub seq: SeqNum,
    /// The window the peer offers.
    pub window: u16,
    /// The signals to its application.
    pub news: Vec<Signal>,
    /// Everything sent, and when.
    pub sent: Vec<(SimTime, Transmit)>,
}

impl End {
    /// A closed end point of the library's TCP.
    pub fn new(params: TcpParams) -> End {
        End::of(params, Connection::new)
    }

    /// An end point that has sent its SYN.
    pub fn syn_sent(params: TcpParams) -> End {
        End::new(params).connecting()
    }

    /// An end point that opened actively; the peer's SYN-ACK carries these options.
    pub fn connected(params: TcpParams, list: &[TcpOption<'_>]) -> End {
        End::new(params).opened(list)
    }

    /// An established end point, whose peer takes segments of 1000 octets.
    pub fn established(params: TcpParams) -> End {
        End::connected(params, &[TcpOption::Mss(1_000)])
    }

    /// An end point in SYN-RECEIVED, created by a listener for a SYN with these options.
    pub fn syn_received(params: TcpParams, list: &[TcpOption<'_>]) -> End {
        let mut end = End::new(params);
        end.call(Input::Listen);
        let syn = Segment {
            flags: Flags::SYN,
            ack: SeqNum(0),
            options: options(list),
            ..end.segment(0)
        };
        end.get(syn);
        assert_eq!(end.state(), State::SynReceived);
        end
    }

    /// When segments were sent, in milliseconds after `since`.
    pub fn gaps(sent: &[(SimTime, Segment)], since: SimTime) -> Vec<u64> {
        sent.iter()
            .map(|(at, _)| at.since(since).as_millis())
            .collect()
    }
}

impl<M: TcpModel> End<M> {
    /// A closed end point with a TCP from `make`.
    pub fn of(params: TcpParams, make: impl FnOnce(OpenContext) -> M) -> End<M> {
        let end = |n: u8| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, n), u16::from(n));
        End {
            tcp: make(OpenContext {
                params: Arc::new(params),
                conn: ConnId::new(0, 0),
                traced: false,
                local: end(1),
                remote: end(2),
                iss: ISS,
                ts_offset: 0,
            }),
            now: SimTime::ZERO + SimDuration::from_secs(1),
            seq: IRS,
            window: u16::MAX,
            news: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Sends the SYN.
    #[must_use]
    pub fn connecting(mut self) -> End<M> {
        self.call(Input::Connect);
        self
    }

    /// Sends the SYN and gets a SYN-ACK with these options.
    #[must_use]
    pub fn opened(mut self, list: &[TcpOption<'_>]) -> End<M> {
        self.call(Input::Connect);
        self.accept_syn(list);
        assert_eq!(self.state(), State::Established);
        self.news.clear();
        self
    }

    /// Lets the peer answer the SYN, a little later.
    pub fn accept_syn(&mut self, list: &[TcpOption<'_>]) {
        self.now += SimDuration::from_millis(100);
        let syn_ack = Segment {
            flags: Flags::SYN_ACK,
            options: options(list),
            ..self.segment(0)
        };
        self.get(syn_ack);
    }

    /// The peer's next segment: `len` octets, and an acknowledgement of everything that was sent.
    /// The peer's sequence number advances when it is delivered.
    pub fn segment(&self, len: u32) -> Segment {
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

    /// The peer's next segment with other flags.
    pub fn flagged(&self, flags: Flags, len: u32) -> Segment {
        Segment {
            flags,
            ..self.segment(len)
        }
    }

    /// Delivers a segment; returns what is sent at once in answer.
    pub fn get(&mut self, segment: Segment) -> Vec<Segment> {
        if segment.seq == self.seq {
            self.seq = segment.seq_end();
        }
        self.call(Input::Segment(&segment))
    }

    /// Lets the peer send `len` octets.
    pub fn get_data(&mut self, len: u32) -> Vec<Segment> {
        self.get(self.segment(len))
    }

    /// Lets the peer acknowledge everything.
    pub fn get_ack(&mut self) -> Vec<Segment> {
        self.get(self.segment(0))
    }

    /// Gives it an input; returns what is sent at once in answer.
    pub fn call(&mut self, input: Input<'_>) -> Vec<Segment> {
        let mut out = Outputs::default();
        self.tcp.step(input, self.now, &mut out);
        self.keep(out)
    }

    /// Changes its parameters while it is open; returns what is sent at once.
    ///
    /// # Panics
    /// When the model cannot change them.
    pub fn change_params(&mut self, params: TcpParams) -> Vec<Segment> {
        let mut out = Outputs::default();
        let changed = self
            .tcp
            .change_params(&Arc::new(params), self.now, &mut out);
        assert!(changed, "the model cannot change its parameters");
        self.keep(out)
    }

    /// Stores the outputs of an input; returns the segments sent.
    fn keep(&mut self, out: Outputs) -> Vec<Segment> {
        self.news.extend(&out.signals);
        self.sent
            .extend(out.segments.iter().map(|t| (self.now, *t)));
        out.segments.into_iter().map(|t| t.segment).collect()
    }

    /// Lets the application write, with PUSH.
    pub fn write(&mut self, bytes: u64) -> Vec<Segment> {
        self.call(Input::Send(SendCall::pushed(bytes)))
    }

    /// Lets the application read.
    pub fn read(&mut self, bytes: u64) -> Vec<Segment> {
        self.call(Input::Receive(bytes))
    }

    /// Lets time pass; returns what is sent meanwhile.
    pub fn wait(&mut self, time: SimDuration) -> Vec<(SimTime, Segment)> {
        let (from, until) = (self.sent.len(), self.now + time);
        while let Some(at) = self.tcp.next_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.call(Input::Timeout);
        }
        self.now = until;
        self.sent[from..]
            .iter()
            .map(|(at, t)| (*at, t.segment))
            .collect()
    }

    /// Its externally visible state.
    pub fn view(&self) -> TcpView {
        self.tcp.view()
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.view().state
    }

    /// How it ended, if it did.
    pub fn end(&self) -> Option<model::ConnectionEnd> {
        self.news.iter().find_map(|s| match s {
            Signal::Ended(end) => Some(*end),
            _ => None,
        })
    }

    /// Whether the application has received this signal.
    pub fn signalled(&self, signal: Signal) -> bool {
        self.news.contains(&signal)
    }
}
