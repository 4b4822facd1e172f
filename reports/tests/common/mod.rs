//! Made-up records of a client and a server, as a simulation would hand them over.
#![allow(dead_code, unreachable_pub)] // each test uses its own part

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

use reports::{
    AnalyticHints, LinkInfo, NodeInfo, RecordOptions, RunInfo, SegmentsKept, Span, Theory,
    TimeWaitTheory,
};
use sim_core::link::LinkStats;
use sim_core::{LossCause, NodeId, Record, RunStats, SimDuration, SimTime, Tie};
use tcp_model::diagnostics::SenderState;
use tcp_model::options::{Options, TcpOption};
use tcp_model::sample::*;
use tcp_model::segment::Tag;
use tcp_model::{ConnId, Flags, RetransmitReason, Segment, SeqNum, State, TcpSample};

pub const CLIENT: NodeId = NodeId(0);
pub const SERVER: NodeId = NodeId(1);
const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
const ONE_WAY_MS: f64 = 10.0;

pub fn at(s: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs_f64(s)
}

/// What is to be made up.
#[derive(Clone, Copy)]
pub struct Story {
    pub duration_s: f64,
    pub per_s: f64,
    pub ports: usize,
    pub time_wait_s: f64,
    /// Connections with segments.
    pub traced: u32,
}

impl Story {
    pub const EXHAUSTION: Story = Story {
        duration_s: 180.0,
        per_s: 60.0,
        ports: 2823,
        time_wait_s: 60.0,
        traced: 4,
    };

    pub fn info(&self) -> RunInfo {
        let node = |i: usize, name: &str, group: &str| NodeInfo {
            name: name.into(),
            group: group.into(),
            addresses: vec![ADDRESSES[i]],
        };
        let link = |from: u32, to: u32| LinkInfo {
            from,
            to,
            rate_bps: Some(1e9),
            delay_s: ONE_WAY_MS / 1e3,
        };
        RunInfo {
            name: "port-exhaustion".into(),
            question: "At what connection rate does a client run out of ports?".into(),
            command: "synfin run port-exhaustion --set clients.rate=60/s".into(),
            parameters: vec![
                ("clients.rate".into(), format!("{}/s", self.per_s)),
                ("tcp.time_wait".into(), format!("{} s", self.time_wait_s)),
                ("tcp.profile".into(), "linux".into()),
            ],
            seed: 1,
            duration_s: self.duration_s,
            nodes: vec![node(0, "client", "clients"), node(1, "server", "servers")],
            links: vec![link(0, 1), link(1, 0)],
            expectations: Vec::new(),
            record: RecordOptions {
                pcapng: true,
                segments: SegmentsKept::All,
                states: 100,
                ..RecordOptions::default()
            },
            analytic: AnalyticHints {
                time_wait_s: Some(self.time_wait_s),
                time_wait_group: Some("clients".into()),
                ports_per_destination: Some(self.ports as u64),
                destinations: 1,
                offered_per_s: vec![(0.0, self.per_s)],
                theory: Some(self.theory()),
                no_closed_form: Vec::new(),
            },
            ..RunInfo::default()
        }
    }

    fn theory(&self) -> Theory {
        let hold_s = 6.0 * ONE_WAY_MS / 1e3;
        let exactly = |s: f64| Span { low: s, high: s };
        Theory {
            ports: self.ports as f64,
            pairs: 1.0,
            held_s: exactly(hold_s + self.time_wait_s),
            settles_s: Some(hold_s + self.time_wait_s),
            time_wait: Some(TimeWaitTheory {
                group: "clients".into(),
                after_s: exactly(hold_s),
                stay_s: self.time_wait_s,
            }),
            ..Theory::default()
        }
    }

    pub fn stats(&self) -> RunStats {
        let link = LinkStats {
            offered_pkts: 1000,
            sent_pkts: 990,
            sent_bytes: 60_000,
            queue_drops: 10,
            wire_losses: 2,
            max_backlog_pkts: 7,
            busy: SimDuration::from_millis(480),
            ..LinkStats::default()
        };
        RunStats {
            events: 123_456,
            links: vec![link, link],
            reached: at(self.duration_s),
            ..RunStats::default()
        }
    }

    /// All records in canonical order.
    pub fn records(&self) -> Vec<Record<TcpSample>> {
        let mut made = Made::default();
        made.state(
            0.0,
            SERVER,
            ConnId(u64::MAX),
            Side::Passive,
            State::Closed,
            State::Listen,
        );
        let mut busy: VecDeque<f64> = VecDeque::new();
        let count = (self.duration_s * self.per_s) as u32;
        for serial in 0..count {
            let t = f64::from(serial) / self.per_s + 1e-4;
            while busy.front().is_some_and(|free| *free <= t) {
                busy.pop_front();
            }
            let conn = ConnId::new(CLIENT.0, serial);
            let free = busy.len() < self.ports;
            let port = 32_768 + (serial as usize % self.ports.max(1)) as u16;
            let probes = 1 + (busy.len() * 40 / self.ports.max(1)) as u32;
            made.sample(
                t,
                CLIENT,
                TcpSample::Connect(ConnectAttempt {
                    conn,
                    local_port: free.then_some(port),
                    probes,
                }),
            );
            if !free {
                made.outcome(t, conn, OpenResult::AddrNotAvailable, 0.0);
                continue;
            }
            let traced = serial < self.traced;
            busy.push_back(made.connection(
                t,
                conn,
                port,
                traced,
                matches!(serial, 1 | 2),
                self.time_wait_s,
            ));
        }
        made.records.retain(|r| r.time < at(self.duration_s));
        made.records.sort_by_key(|r| (r.time, r.tie));
        made.records
    }
}

/// Records being made up.
#[derive(Default)]
pub struct Made {
    pub records: Vec<Record<TcpSample>>,
    packets: u64,
}

struct Sending {
    conn: ConnId,
    from: NodeId,
    port: u16,
    flags: Flags,
    seq: u32,
    ack: u32,
    len: u32,
    states: (State, State),
    lost: bool,
    again: bool,
}

impl Made {
    pub fn sample(&mut self, t: f64, node: NodeId, sample: TcpSample) {
        let tie = Tie::new(node, self.records.len() as u64);
        self.records.push(Record {
            time: at(t),
            tie,
            node,
            sample,
        });
    }

    pub fn state(
        &mut self,
        t: f64,
        node: NodeId,
        conn: ConnId,
        side: Side,
        from: State,
        to: State,
    ) {
        let change = StateChange {
            conn,
            side,
            from,
            to,
        };
        self.sample(t, node, TcpSample::State(change));
    }

    fn outcome(&mut self, t: f64, conn: ConnId, result: OpenResult, latency_s: f64) {
        let latency = SimDuration::from_secs_f64(latency_s);
        let outcome = ConnectOutcome {
            conn,
            result,
            latency,
        };
        self.sample(t, CLIENT, TcpSample::Outcome(outcome));
    }

    fn send(&mut self, t: f64, s: &Sending) {
        self.packets += 1;
        let (src, dst) = (s.from.0 as usize, 1 - s.from.0 as usize);
        let ports = if s.from == CLIENT {
            (s.port, 80)
        } else {
            (80, s.port)
        };
        let mut options = Options::NONE;
        if s.flags.is_syn() {
            options.push(TcpOption::Mss(1460)).unwrap();
            options.push(TcpOption::SackPermitted).unwrap();
        }
        let segment = Segment {
            src_port: ports.0,
            dst_port: ports.1,
            seq: SeqNum(s.seq),
            ack: SeqNum(s.ack),
            flags: s.flags,
            window: 65_535,
            options,
            len: s.len,
            tag: Tag {
                conn: s.conn,
                offset: 0,
                traced: true,
                ..Tag::default()
            },
            ..Segment::default()
        };
        let mut trace = SegmentTrace {
            packet: self.packets,
            at: None,
            number: 0,
            event: SegmentEvent::Sent,
            src: ADDRESSES[src],
            dst: ADDRESSES[dst],
            ttl: 64,
            tos: 0,
            state: Some(s.states.0),
            retransmission: s.again.then_some(RetransmitReason::Timeout),
            spurious: None,
            segment,
        };
        let sent = TcpSample::Segment(Box::new(trace.clone()));
        if s.lost {
            trace.event = SegmentEvent::Lost(LossCause::Scripted);
            trace.state = None;
            let lost = TcpSample::Segment(Box::new(trace));
            // A full queue speaks before the sender has recorded what it sent; a wire later.
            let order = if s.conn.serial().is_multiple_of(2) {
                [sent, lost]
            } else {
                [lost, sent]
            };
            order
                .into_iter()
                .for_each(|sample| self.sample(t, s.from, sample));
            return;
        }
        self.sample(t, s.from, sent);
        trace.event = SegmentEvent::Received;
        trace.state = Some(s.states.1);
        let node = NodeId(dst as u32);
        self.sample(
            t + ONE_WAY_MS / 1e3,
            node,
            TcpSample::Segment(Box::new(trace)),
        );
    }

    /// A whole connection that begins at `t`; its data segment is lost once if `lossy`. Returns
    /// when its port is free again.
    fn connection(
        &mut self,
        t: f64,
        conn: ConnId,
        port: u16,
        traced: bool,
        lossy: bool,
        time_wait_s: f64,
    ) -> f64 {
        use State::*;
        let d = ONE_WAY_MS / 1e3;
        let (a, p) = (Side::Active, Side::Passive);
        // The data leave when the handshake is done, or a retransmission time-out later.
        let data = t + 2.0 * d + if lossy { 0.2 } else { 0.0 };
        let close = data + 2.0 * d;
        let wait = close + 2.0 * d;
        for (time, node, side, from, to) in [
            (t, CLIENT, a, Closed, SynSent),
            (t + d, SERVER, p, Listen, SynReceived),
            (t + 2.0 * d, CLIENT, a, SynSent, Established),
            (t + 3.0 * d, SERVER, p, SynReceived, Established),
            (close, CLIENT, a, Established, FinWait1),
            (close + d, SERVER, p, Established, CloseWait),
            (close + d + 0.001, SERVER, p, CloseWait, LastAck),
            (wait, CLIENT, a, FinWait1, FinWait2),
            (wait + 0.001, CLIENT, a, FinWait2, TimeWait),
            (wait + d + 0.001, SERVER, p, LastAck, Closed),
            (wait + 0.001 + time_wait_s, CLIENT, a, TimeWait, Closed),
        ] {
            self.state(time, node, conn, side, from, to);
        }
        self.outcome(t + 2.0 * d, conn, OpenResult::Established, 2.0 * d);
        for (node, side, ended) in [(CLIENT, a, wait + 0.001), (SERVER, p, wait + d + 0.001)] {
            let socket = |i: usize, port: u16| SocketAddrV4::new(ADDRESSES[i], port);
            let ends = [socket(0, port), socket(1, 80)];
            let me = node.0 as usize;
            let summary = EndpointSummary {
                undone: Default::default(),
                marked: Default::default(),
                conn,
                side,
                local: ends[me],
                remote: ends[1 - me],
                opened: at(t),
                established: Some(at(t + 2.0 * d)),
                app_closed: Some(at(close)),
                ended: at(ended),
                reason: EndReason::Closed,
                closed_first: side == a,
                time_wait: side == a,
                counts: ConnectionCounts {
                    bytes_acked: if side == a { 100 } else { 0 },
                    bytes_received: if side == a { 0 } else { 100 },
                    segments_sent: 5,
                    segments_received: 5,
                    retransmissions: u32::from(lossy && side == a),
                    ..ConnectionCounts::default()
                },
                srtt: Some(SimDuration::from_millis(20)),
            };
            self.sample(ended, node, TcpSample::Ended(Box::new(summary)));
        }
        if traced {
            self.segments(t, conn, port, lossy, (data, close, wait));
        }
        wait + 0.001 + time_wait_s
    }

    fn segments(&mut self, t: f64, conn: ConnId, port: u16, lossy: bool, times: (f64, f64, f64)) {
        use State::*;
        let (x, y) = (1_000_000 + conn.serial() * 7, 4_000_000_000);
        let ((data, close, wait), d) = (times, ONE_WAY_MS / 1e3);
        let (psh, fin) = (Flags::PSH | Flags::ACK, Flags::FIN | Flags::ACK);
        let mut list = vec![
            (
                t,
                CLIENT,
                Flags::SYN,
                x,
                0,
                0,
                (SynSent, SynReceived),
                false,
                false,
            ),
            (
                t + d,
                SERVER,
                Flags::SYN_ACK,
                y,
                x + 1,
                0,
                (SynReceived, Established),
                false,
                false,
            ),
            (
                t + 2.0 * d,
                CLIENT,
                Flags::ACK,
                x + 1,
                y + 1,
                0,
                (Established, Established),
                false,
                false,
            ),
            (
                data,
                CLIENT,
                psh,
                x + 1,
                y + 1,
                100,
                (Established, Established),
                false,
                lossy,
            ),
            (
                data + d,
                SERVER,
                Flags::ACK,
                y + 1,
                x + 101,
                0,
                (Established, Established),
                false,
                false,
            ),
            (
                close,
                CLIENT,
                fin,
                x + 101,
                y + 1,
                0,
                (FinWait1, CloseWait),
                false,
                false,
            ),
            (
                close + d,
                SERVER,
                Flags::ACK,
                y + 1,
                x + 102,
                0,
                (CloseWait, FinWait2),
                false,
                false,
            ),
            (
                close + d + 0.001,
                SERVER,
                fin,
                y + 1,
                x + 102,
                0,
                (LastAck, TimeWait),
                false,
                false,
            ),
            (
                wait + 0.001,
                CLIENT,
                Flags::ACK,
                x + 102,
                y + 2,
                0,
                (TimeWait, Closed),
                false,
                false,
            ),
        ];
        if lossy {
            let first = t + 2.0 * d + 1e-5;
            list.push((
                first,
                CLIENT,
                psh,
                x + 1,
                y + 1,
                100,
                (Established, Closed),
                true,
                false,
            ));
        }
        for (time, from, flags, seq, ack, len, states, lost, again) in list {
            let sending = Sending {
                conn,
                from,
                port,
                flags,
                seq,
                ack,
                len,
                states,
                lost,
                again,
            };
            self.send(time, &sending);
        }
    }

    /// Two bulk senders that share a bottleneck in the manner of a sawtooth.
    pub fn bulk(&mut self, duration_s: f64) {
        for sender in 0..2u32 {
            let conn = ConnId::new(CLIENT.0, sender);
            let (mut cwnd, mut ssthresh, mut acked) = (14_600.0, None, 0.0);
            let mut t = f64::from(sender) * 0.5;
            while t < duration_s {
                let rtt = 0.04 + cwnd / 12_500_000.0;
                self.sample(
                    t,
                    CLIENT,
                    TcpSample::Sender(Box::new(SenderSample {
                        conn,
                        side: Side::Active,
                        cwnd: cwnd as u64,
                        ssthresh,
                        in_flight: cwnd as u32,
                        snd_wnd: 4_000_000,
                        srtt: Some(SimDuration::from_secs_f64(rtt)),
                        rto: SimDuration::from_secs_f64(rtt * 1.5 + 0.2),
                        acked: acked as u64,
                        state: SenderState::default(),
                    })),
                );
                acked += cwnd;
                cwnd = match ssthresh {
                    Some(s) if cwnd >= s as f64 => cwnd + 1460.0 * 8.0,
                    _ => cwnd * 2.0,
                };
                if cwnd > 600_000.0 {
                    cwnd *= 0.5;
                    ssthresh = Some(cwnd as u64);
                }
                t += rtt;
            }
        }
        self.records.sort_by_key(|r| (r.time, r.tie));
    }
}
