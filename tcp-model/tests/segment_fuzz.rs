//! Any segments, calls and time-outs in any order: no panic, `SND.UNA <= SND.NXT`, no timer that
//! fires for ever at the same instant, no flood, and memory bounded by the buffers.
//!
//! `SYNFIN_CASES` sets the number of cases.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use proptest::prelude::*;
use sim_core::{SimDuration, SimTime};
use tcp_model::icmp::{IcmpError, IcmpKind};
use tcp_model::model::{Input, OpenContext, Outputs, SendCall, TcpModel};
use tcp_model::options::Options;
use tcp_model::params::EcnMode;
use tcp_model::{ConnId, Connection, Ecn, Flags, Segment, SeqNum, State, TcpParams, Transmit};

/// What happens to an end point.
#[derive(Clone, Debug)]
enum FuzzEvent {
    Arrive(Arrival),
    Send(u64, bool, bool),
    Receive(u64),
    Call(u8),
    Icmp(u8, u8, u16, i32),
    /// Lets time pass; timers fire when they are due.
    Wait(u64),
    /// A time-out before it is due, which must be harmless.
    Early,
    Params(Box<TcpParams>),
}

/// A segment, relative to what the end point expects, or absolute.
#[derive(Clone, Debug)]
struct Arrival {
    flags: u16,
    seq: i32,
    ack: i32,
    absolute: bool,
    len: u32,
    window: u16,
    urgent: u16,
    options: Vec<u8>,
    ecn: u8,
}

/// Near the interesting values, or anywhere.
fn offset() -> impl Strategy<Value = i32> {
    prop_oneof![
        4 => Just(0),
        4 => -3..=3i32,
        3 => -3_000..=5_000i32,
        1 => any::<i32>(),
    ]
}

fn flags() -> impl Strategy<Value = u16> {
    let ack = Flags::ACK.0;
    prop_oneof![
        4 => Just(ack),
        2 => Just(ack | Flags::PSH.0),
        1 => Just(ack | Flags::FIN.0),
        1 => Just(Flags::SYN.0),
        1 => Just(Flags::SYN.0 | ack),
        1 => Just(Flags::RST.0),
        2 => any::<u16>().prop_map(|f| f & 0x1ff),
        2 => any::<u16>().prop_map(|f| f & 0x1fb), // anything but a reset
    ]
}

fn options() -> impl Strategy<Value = Vec<u8>> {
    let timestamps = any::<(u32, u32)>()
        .prop_map(|(val, echo)| Options::timestamps_only(val, echo).as_bytes().to_vec());
    let sack = prop::collection::vec(any::<u8>(), 16).prop_map(|mut bytes| {
        bytes.splice(0..0, [1, 1, 5, 18]);
        bytes
    });
    prop_oneof![
        4 => Just(Vec::new()),
        1 => timestamps,
        1 => sack,
        2 => prop::collection::vec(any::<u8>(), 0..=40),
    ]
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let numbers = (offset(), offset(), prop::bool::weighted(0.1));
    let len = prop_oneof![4 => Just(0u32), 3 => 1..4u32, 3 => 1..1_500u32, 1 => 0..65_495u32];
    let window = prop_oneof![1 => Just(0u16), 3 => any::<u16>(), 2 => 0..3_000u16];
    let rest = (any::<u16>(), options(), 0u8..4);
    (flags(), numbers, len, window, rest).prop_map(
        |(flags, (seq, ack, absolute), len, window, (urgent, options, ecn))| Arrival {
            flags,
            seq,
            ack,
            absolute,
            len,
            window,
            urgent,
            options,
            ecn,
        },
    )
}

fn params() -> impl Strategy<Value = TcpParams> {
    let sizes = (
        prop::sample::select(vec![68u16, 100, 576, 1_500, 9_000, u16::MAX]),
        prop::sample::select(vec![0u32, 1, 500, 4_000, 70_000]),
        prop::sample::select(vec![0u32, 1, 4_000, 100_000]),
    );
    (any::<[bool; 16]>(), sizes, 0u64..300).prop_map(|(on, (mtu, receive, send), delay)| {
        let base = if on[0] {
            TcpParams::linux()
        } else {
            TcpParams::rfc9293()
        };
        TcpParams {
            mtu,
            receive_buffer: receive,
            send_buffer: send,
            timestamps: on[1],
            sack: on[2],
            window_scaling: on[3],
            nagle: on[4],
            hold_until_push: on[5],
            probe_with_octet: on[6],
            rfc1337: on[7],
            tw_accept_syn: on[8],
            keepalive: on[9].then(|| SimDuration::from_secs(30)),
            fin_timeout: on[10].then(|| SimDuration::from_secs(20)),
            cork: on[11],
            user_timeout: on[12].then(|| SimDuration::from_secs(700)),
            keepalive_interval: SimDuration::from_secs(if on[13] { 1 } else { 75 }),
            keepalive_probes: if on[14] { 9 } else { 1_000 },
            ecn: if on[15] {
                EcnMode::Active
            } else {
                EcnMode::Passive
            },
            delayed_ack: SimDuration::from_millis(delay),
            ..base
        }
    })
}

fn event() -> impl Strategy<Value = FuzzEvent> {
    prop_oneof![
        12 => arrival().prop_map(FuzzEvent::Arrive),
        3 => (0u64..20_000, any::<bool>(), any::<bool>()).prop_map(|(n, p, u)| FuzzEvent::Send(n, p, u)),
        2 => (0u64..20_000).prop_map(FuzzEvent::Receive),
        1 => any::<u8>().prop_map(FuzzEvent::Call),
        1 => (any::<u8>(), any::<u8>(), any::<u16>(), offset())
            .prop_map(|(t, c, mtu, seq)| FuzzEvent::Icmp(t % 16, c % 16, mtu, seq)),
        3 => prop_oneof![0u64..500, 0u64..400_000].prop_map(FuzzEvent::Wait),
        1 => Just(FuzzEvent::Early),
        1 => params().prop_map(|p| FuzzEvent::Params(Box::new(p))),
    ]
}

/// The end point under test, and its rules.
struct Target {
    tcp: Connection,
    now: SimTime,
    out: Outputs,
    /// Octets that the buffers may hold, with all parameters that it has had.
    most: u64,
}

impl Target {
    fn new(params: TcpParams) -> Target {
        let end = |n: u8| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, n), u16::from(n));
        let most = u64::from(params.send_buffer.max(params.receive_buffer));
        Target {
            tcp: Connection::new(OpenContext {
                params: Arc::new(params),
                conn: ConnId::new(0, 0),
                traced: false,
                local: end(1),
                remote: end(2),
                iss: SeqNum(u32::MAX - 2_000),
                ts_offset: 77,
            }),
            now: SimTime::ZERO + SimDuration::from_millis(5),
            out: Outputs::default(),
            most,
        }
    }

    fn step(&mut self, input: Input<'_>) -> Result<(), TestCaseError> {
        self.out.clear();
        self.tcp.step(input, self.now, &mut self.out);
        self.check()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let view = self.tcp.view();
        prop_assert!(view.snd_una.at_or_before(view.snd_nxt), "{view:?}");
        prop_assert!(view.readable <= self.most.max(65_535), "{view:?}");
        prop_assert!(view.send_queue <= self.most, "{view:?}");
        if view.state == State::Closed {
            prop_assert_eq!(self.tcp.next_timeout(), None);
        }
        // One input sends at most what was written, in segments of one octet, and an ACK or two.
        let data: u64 = self
            .out
            .segments
            .iter()
            .map(|t| u64::from(t.segment.len))
            .sum();
        let empty = self.out.segments.iter().filter(|t| t.segment.len == 0);
        let empty = empty.count();
        prop_assert!(
            data <= 2 * self.most && empty <= 4,
            "{} segments",
            self.out.segments.len()
        );
        for Transmit { segment, .. } in &self.out.segments {
            prop_assert!(segment.options.as_bytes().len() <= 40);
            prop_assert!(segment.ipv4_len() <= 65_535);
        }
        Ok(())
    }

    /// Fires the timers due until `until`: they must not fire for ever at one instant, nor cause a
    /// flood.
    fn wait(&mut self, until: SimTime) -> Result<(), TestCaseError> {
        let (mut fired, mut at_this_moment) = (0, 0);
        while let Some(at) = self.tcp.next_timeout().filter(|at| *at <= until) {
            at_this_moment = if at > self.now { 0 } else { at_this_moment + 1 };
            prop_assert!(at_this_moment < 8, "a timer fires for ever at {at}");
            self.now = self.now.max(at);
            self.step(Input::Timeout)?;
            fired += 1;
            // With the smallest time-out, 200 ms, there are five a second.
            let seconds = until.since(SimTime::ZERO).as_millis() / 1_000 + 1;
            prop_assert!(
                fired <= 50 + 10 * seconds,
                "{fired} time-outs until {until}"
            );
        }
        self.now = self.now.max(until);
        Ok(())
    }

    fn segment(&self, a: &Arrival) -> Segment {
        let view = self.tcp.view();
        let place = |base: SeqNum, offset: i32| {
            if a.absolute {
                SeqNum(offset as u32)
            } else {
                base + offset as u32
            }
        };
        Segment {
            src_port: 2,
            dst_port: 1,
            seq: place(view.rcv_nxt, a.seq),
            ack: place(view.snd_nxt, a.ack),
            flags: Flags(a.flags),
            reserved: a.ecn,
            window: a.window,
            urgent: a.urgent,
            options: Options::from_bytes(&a.options).unwrap_or(Options::NONE),
            len: a.len,
            ecn: [Ecn::NotEct, Ecn::Ect0, Ecn::Ect1, Ecn::Ce][usize::from(a.ecn)],
            ..Segment::default()
        }
    }

    fn happen(&mut self, event: &FuzzEvent) -> Result<(), TestCaseError> {
        match event {
            FuzzEvent::Arrive(arrival) => {
                let segment = self.segment(arrival);
                self.step(Input::Segment(&segment))
            }
            FuzzEvent::Send(bytes, push, urgent) => self.step(Input::Send(SendCall {
                bytes: *bytes,
                push: *push,
                urgent: *urgent,
                more: bytes % 3 == 0,
                ends_record: bytes % 5 == 1,
            })),
            FuzzEvent::Receive(bytes) => self.step(Input::Receive(*bytes)),
            FuzzEvent::Call(which) => self.step(match which % 8 {
                0 => Input::Connect,
                1 => Input::Listen,
                2 | 3 => Input::Shutdown,
                4 => Input::Close,
                5 => Input::Abort,
                n => Input::QuickAck(n == 6),
            }),
            FuzzEvent::Icmp(kind, code, mtu, seq) => match IcmpKind::from_v4(*kind, *code, *mtu) {
                Some(kind) => {
                    let seq = self.tcp.view().snd_una + *seq as u32;
                    self.step(Input::Icmp(&IcmpError { kind, seq }))
                }
                None => Ok(()),
            },
            FuzzEvent::Wait(millis) => self.wait(self.now + SimDuration::from_millis(*millis)),
            FuzzEvent::Early => {
                self.step(Input::Timeout)?;
                let due = self.tcp.next_timeout().is_some_and(|at| at <= self.now);
                prop_assert!(!due, "a time-out leaves its timer due");
                Ok(())
            }
            FuzzEvent::Params(params) => {
                self.most = self
                    .most
                    .max(u64::from(params.send_buffer.max(params.receive_buffer)));
                let params = Arc::new((**params).clone());
                self.out.clear();
                self.tcp.change_params(&params, self.now, &mut self.out);
                self.check()
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("SYNFIN_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(3_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_arrives_a_connection_keeps_its_rules(
        params in params(),
        opened in 0u8..4,
        events in prop::collection::vec(event(), 1..60),
    ) {
        let mut target = Target::new(params);
        let syn = Segment { seq: SeqNum(9_000), flags: Flags::SYN, window: 8_000, ..Segment::default() };
        match opened {
            0 => {}
            1 => target.step(Input::Connect)?,
            2 => target.step(Input::Listen)?,
            _ => {
                target.step(Input::Connect)?;
                let ack = target.tcp.view().snd_nxt;
                let segment = Segment { flags: Flags::SYN_ACK, ack, ..syn };
                target.step(Input::Segment(&segment))?;
                prop_assert_eq!(target.tcp.view().state, State::Established);
            }
        }
        for event in &events {
            target.happen(event)?;
        }
        // Its memory is bounded by its buffers: at most one run of octets for every second octet.
        let size = format!("{:?}", target.tcp).len() as u64;
        prop_assert!(size < 20_000 + 60 * target.most.max(65_535), "{size} bytes to show");
        // Left alone, it becomes idle, or continues at the pace of its timers.
        let end = target.now + SimDuration::from_secs(3_600);
        target.wait(end)?;
    }

    #[test]
    fn a_connection_that_has_ended_keeps_no_timer(
        calls in prop::collection::vec(event(), 0..4),
        quick in any::<bool>(),
        params in params(),
        arrival in arrival(),
    ) {
        // The application's calls come before the connection is opened; then its SYN is answered by
        // a segment that may also carry anything else.
        let mut target = Target::new(params);
        for call in &calls {
            target.happen(call)?;
        }
        target.step(Input::Close)?;
        target.step(Input::Connect)?;
        target.step(Input::QuickAck(quick))?;
        let (seq, ack) = (arrival.seq, 0);
        let flags = arrival.flags | Flags::SYN_ACK.0;
        target.happen(&FuzzEvent::Arrive(Arrival { flags, seq, ack, absolute: false, ..arrival }))?;
        target.wait(target.now + SimDuration::from_secs(10))?;
        target.step(Input::Close)?;
        target.step(Input::Abort)?;
        prop_assert_eq!(target.tcp.view().state, State::Closed);
    }

    #[test]
    fn whatever_arrives_time_wait_answers_by_one_segment_at_most(
        params in params().prop_map(|p| TcpParams {
            receive_buffer: p.receive_buffer.max(100), // room for a FIN
            ..p
        }),
        arrivals in prop::collection::vec(arrival(), 1..30),
    ) {
        let mut target = Target::new(params);
        target.step(Input::Connect)?;
        let syn_ack = Segment {
            seq: SeqNum(9_000),
            ack: target.tcp.view().snd_nxt,
            flags: Flags::SYN_ACK,
            window: 8_000,
            ..Segment::default()
        };
        target.step(Input::Segment(&syn_ack))?;
        target.step(Input::Close)?;
        let ack = target.tcp.view().snd_nxt;
        let fin = Segment { seq: SeqNum(9_001), ack, flags: Flags(Flags::FIN.0 | Flags::ACK.0), ..syn_ack };
        target.step(Input::Segment(&Segment { options: Options::NONE, ..fin }))?;
        prop_assert_eq!(target.tcp.view().state, State::TimeWait);
        for arrival in &arrivals {
            let segment = target.segment(arrival);
            target.step(Input::Segment(&segment))?;
            prop_assert!(target.out.segments.len() <= 1);
            let state = target.tcp.view().state;
            prop_assert!(matches!(state, State::TimeWait | State::Closed));
        }
    }
}

/// A change to Linux's parameters while data are unread: their memory counts too, so that the buffer is not overdrawn.
#[test]
fn data_that_arrived_under_other_parameters_fill_the_buffer() {
    let with = |profile: TcpParams, receive_buffer| TcpParams {
        mtu: 100,
        receive_buffer,
        window_scaling: false,
        ..profile
    };
    let mut target = Target::new(with(TcpParams::rfc9293(), 70_000));
    let arrive = |target: &mut Target, flags: Flags, len| {
        let view = target.tcp.view();
        let (seq, ack) = match view.state {
            State::SynSent => (SeqNum(9_000), view.snd_nxt),
            _ => (view.rcv_nxt, view.snd_nxt),
        };
        let segment = Segment {
            seq,
            ack,
            flags,
            len,
            window: 8_000,
            ..Segment::default()
        };
        target.step(Input::Segment(&segment)).unwrap();
    };
    target.step(Input::Connect).unwrap();
    arrive(&mut target, Flags::SYN_ACK, 0);
    arrive(&mut target, Flags::ACK, 1_663);
    let linux = FuzzEvent::Params(Box::new(with(TcpParams::linux(), 70_000)));
    target.happen(&linux).unwrap();
    for len in [536, 54_182, 13_620, 13_620] {
        arrive(&mut target, Flags::ACK, len);
        assert!(
            target.tcp.view().readable <= 70_000,
            "{:?}",
            target.tcp.view()
        );
    }
}
