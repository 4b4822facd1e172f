//! `churn`: short connections at a fixed rate, and the TIME-WAIT they leave.
//!
//! A client and a server, joined by 10 Gbit/s with a round trip of 10 ms. Each connection carries a request of
//! 100 bytes and a response of 1000. The client uses its ports in turn and has enough addresses that no
//! 4-tuple is reused while in TIME-WAIT.

use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use sim_core::{NetworkBuilder, NodeId, NodeKind, Rate, Record, Recorder, SimDuration, SimTime};
use tcp_model::TcpParams;
use tcp_model::params::{ModelChoice, PortSelection};
use tcp_model::sample::{OpenResult, TcpSample};
use tcp_model::spec::{AppSpec, Arrivals, ClientSpec, Closer, Exchange, ServerSpec};
use tcp_model::state::State;

use super::BenchError;
use super::measure::{self, TimedRun};
use super::text_table::{Measurement, TextTable};
use super::world::{BenchWorld, address};
use crate::execution::Execution;
use crate::process;

const PORT: u16 = 80;
/// Ports for active opens.
pub(super) const PORTS: (u16, u16) = (1024, 65535);

/// Who closes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FirstCloser {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// The TCP of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ChurnModel {
    /// `model = "full"`.
    Full,
    /// `model = "lifecycle"`.
    Lifecycle,
    /// `model = "lifecycle"` with `lifecycle_segments = false`; the client must close first.
    WithoutSegments,
}

/// How connections end.
#[derive(Clone, Debug, Args)]
pub(crate) struct CloseArgs {
    /// The TCP of the connections
    #[arg(long, value_enum, default_value = "full")]
    model: ChurnModel,
    /// Who closes first, and so enters TIME-WAIT
    #[arg(long, value_enum, default_value = "server")]
    first: FirstCloser,
    /// Time in TIME-WAIT, seconds
    #[arg(long, value_name = "S", default_value_t = 240, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    time_wait: u64,
}

impl Default for CloseArgs {
    fn default() -> Self {
        CloseArgs {
            model: ChurnModel::Full,
            first: FirstCloser::Server,
            time_wait: 240,
        }
    }
}

impl CloseArgs {
    /// Another TCP than the full one, in words.
    pub(super) fn model_name(&self) -> &'static str {
        match self.model {
            ChurnModel::Full => "",
            ChurnModel::Lifecycle => ", lifecycle",
            ChurnModel::WithoutSegments => ", lifecycle without segments",
        }
    }

    /// Who closes first, in words.
    pub(super) fn first_name(&self) -> &'static str {
        match self.first {
            FirstCloser::Client => "client",
            FirstCloser::Server => "server",
        }
    }
}

/// The outcome of a run.
#[derive(Debug)]
pub(super) struct ChurnResult {
    pub(super) total: Measurement,
    pub(super) digest: String,
    pub(super) intervals: Vec<(String, Measurement)>,
    pub(super) ran: TimedRun,
}

/// TCP for many short connections.
pub(super) fn params(time_wait: SimDuration) -> TcpParams {
    TcpParams {
        min_rto: SimDuration::from_millis(200),
        hold_until_push: false,
        time_wait,
        port_range: PORTS,
        port_selection: PortSelection::Sequential,
        somaxconn: 1 << 24,
        max_syn_backlog: 1 << 24,
        ..TcpParams::rfc9293()
    }
}

pub(super) fn world(
    rate: u32,
    limit: Option<u64>,
    seconds: f64,
    close: &CloseArgs,
) -> Result<BenchWorld, BenchError> {
    let time_wait = SimDuration::from_secs(close.time_wait);
    // Enough addresses for twice the ports in use at a time, including those of open connections.
    let held = seconds.min(close.time_wait as f64 + 5.0) * f64::from(rate);
    let addresses = (2.0 * held / f64::from(PORTS.1 - PORTS.0)).ceil() as u32;
    let mut net = NetworkBuilder::new();
    let client = net.node("client", NodeKind::Host { addresses });
    let server = net.host("server");
    let delay = SimDuration::from_millis(5);
    net.connect(client, server, Rate::mbps(10_000), delay);
    let network = net.build().map_err(|e| e.to_string())?;
    let locals = network.addresses(client).collect::<Vec<_>>();
    let remote = SocketAddrV4::new(address(&network, server), PORT);
    let exchange = Arc::new(Exchange {
        closer: match close.first {
            FirstCloser::Client => Closer::Client,
            FirstCloser::Server => Closer::Server,
        },
        ..Exchange::default()
    });
    let end = SimTime::ZERO + SimDuration::from_secs_f64(seconds);
    let apps = |node: NodeId| {
        vec![if node == client {
            AppSpec::Client(ClientSpec {
                name: "churn".to_owned(),
                locals: locals.clone(),
                remotes: vec![remote].into(),
                start: SimTime::ZERO,
                stop: SimTime::MAX,
                limit,
                arrivals: Arrivals::Fixed(f64::from(rate)),
                exchange: Arc::clone(&exchange),
                ..ClientSpec::default()
            })
        } else {
            AppSpec::Server(ServerSpec {
                port: PORT,
                backlog: 1 << 24,
                accept_rate: None,
                exchange: Arc::clone(&exchange),
                ..ServerSpec::default()
            })
        }]
    };
    let mut params = params(time_wait);
    if close.model != ChurnModel::Full {
        params.model =
            ModelChoice::named("lifecycle").ok_or("no model \"lifecycle\"".to_owned())?;
        params.lifecycle_segments = close.model == ChurnModel::Lifecycle;
    }
    Ok(BenchWorld::new(network, params, end, apps))
}

/// Runs the workload once, with at most `limit` connections.
pub(super) fn run(
    rate: u32,
    limit: Option<u64>,
    seconds: f64,
    close: &CloseArgs,
    execution: Execution,
) -> Result<ChurnResult, BenchError> {
    let mut tally = IntervalTally::new(if seconds >= 20.0 { 10 } else { 1 });
    let make = || world(rate, limit, seconds, close);
    let ran = measure::run(make, execution, &mut tally)?;
    let connections = tally.now.connects as f64;
    let total = Measurement::default()
        .with("connections", tally.now.connects)
        .with("completed", tally.now.completed)
        .with("failed", tally.now.failed)
        .with("time_wait_end", ran.time_waits())
        .with("time_wait_peak", tally.peak)
        .with("events", ran.stats.events)
        .with("most_pending", ran.stats.max_pending as u64)
        .with(
            "events_per_connection",
            ran.stats.events as f64 / connections,
        )
        .with("setup_cpu_s", ran.setup_cpu_s)
        .with("wall_s", ran.wall_s)
        .with("cpu_s", ran.cpu_s)
        .with("cpu_us_per_connection", 1e6 * ran.cpu_s / connections)
        .with("ns_per_event", 1e9 * ran.cpu_s / ran.stats.events as f64)
        .with("bytes_per_connection", ran.grown_bytes / connections)
        .with("peak_rss_mib", ran.peak_bytes / 1024.0 / 1024.0)
        .with("threads", ran.threads as u64);
    Ok(ChurnResult {
        total,
        digest: ran.digest(),
        intervals: tally.intervals(),
        ran,
    })
}

/// A table of the cost of a connection while the number of sockets in TIME-WAIT grows.
pub(super) fn flatness(title: String, intervals: Vec<(String, Measurement)>) -> TextTable {
    TextTable {
        title: format!("{title}, by time"),
        by: "until_s",
        columns: intervals,
    }
}

/// The counters at one time.
#[derive(Clone, Copy, Debug, Default)]
struct CounterReadings {
    connects: u64,
    completed: u64,
    failed: u64,
    time_wait: u64,
}

/// A recorder that only counts, and reads the clock at intervals.
#[derive(Debug)]
struct IntervalTally {
    every: SimDuration,
    next: SimTime,
    now: CounterReadings,
    peak: u64,
    /// (simulated time, processor time, counters).
    marks: Vec<(SimTime, f64, CounterReadings)>,
}

impl IntervalTally {
    fn new(every_s: u64) -> IntervalTally {
        let every = SimDuration::from_secs(every_s);
        IntervalTally {
            every,
            next: SimTime::ZERO + every,
            now: CounterReadings::default(),
            peak: 0,
            marks: vec![(SimTime::ZERO, process::cpu_s(), CounterReadings::default())],
        }
    }

    fn count(&mut self, sample: &TcpSample) {
        match sample {
            TcpSample::State(change) if change.to == State::TimeWait => {
                self.now.time_wait += 1;
                self.peak = self.peak.max(self.now.time_wait);
            }
            TcpSample::State(change) if change.from == State::TimeWait => {
                self.now.time_wait = self.now.time_wait.saturating_sub(1);
            }
            TcpSample::Connect(_) => self.now.connects += 1,
            TcpSample::Outcome(outcome) if outcome.result != OpenResult::Established => {
                self.now.failed += 1;
            }
            TcpSample::Request(_) => self.now.completed += 1,
            _ => {}
        }
    }

    /// The cost of each interval.
    fn intervals(&self) -> Vec<(String, Measurement)> {
        let between = |pair: &[(SimTime, f64, CounterReadings)]| {
            let [(_, cpu, before), (at, later, after)] = pair else {
                return None;
            };
            let connections = (after.connects - before.connects) as f64;
            let m = Measurement::default()
                .with("connections", connections)
                .with("time_wait", after.time_wait)
                .with("cpu_us_per_connection", 1e6 * (later - cpu) / connections);
            Some((format!("{:.1}", at.as_secs_f64()), m))
        };
        self.marks.windows(2).filter_map(between).collect()
    }
}

impl Recorder<TcpSample> for IntervalTally {
    fn write(&mut self, batch: &[Record<TcpSample>]) -> io::Result<()> {
        batch.iter().for_each(|record| self.count(&record.sample));
        let Some(last) = batch.last() else {
            return Ok(());
        };
        if last.time >= self.next {
            self.marks.push((last.time, process::cpu_s(), self.now));
            while self.next <= last.time {
                self.next += self.every;
            }
        }
        Ok(())
    }

    fn finish(&mut self, end: SimTime) -> io::Result<()> {
        if self
            .marks
            .last()
            .is_some_and(|(_, _, counted)| counted.connects < self.now.connects)
        {
            self.marks.push((end, process::cpu_s(), self.now));
        }
        Ok(())
    }
}
