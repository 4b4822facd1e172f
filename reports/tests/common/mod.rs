//! Made-up records of a client and a server, in the form a simulation would produce.
#![allow(dead_code, unreachable_pub)] // each test uses its own part

mod connection;

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use reports::{
    AnalyticHints, LinkInfo, NodeInfo, RecordOptions, RunInfo, SegmentsKept, Span, Theory,
    TimeWaitTheory,
};
use sim_core::link::LinkStats;
use sim_core::{NodeId, Record, RunStats, SimDuration, SimTime, Tie};
use tcp_model::diagnostics::SenderState;
use tcp_model::sample::*;
use tcp_model::{ConnId, State, TcpSample};

pub const CLIENT: NodeId = NodeId(0);
pub const SERVER: NodeId = NodeId(1);
const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
const ONE_WAY_MS: f64 = 10.0;

pub fn at(s: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs_f64(s)
}

/// Describes the records to make up.
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
