//! Requests and their responses, binned over time.

use sim_core::{SimDuration, SimTime};
use tcp_model::ConnectionEnd;
use tcp_model::sample::{Ending, RequestDone, RequestUnanswered, RequestsWaiting};

use super::grid::GridBins;
use super::histogram::{Histogram, put_bins, put_quantiles};
use super::long_run::SteadySeries;
use crate::info::RecordOptions;
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, TableWriter, Tables};

const COLUMNS: &[(&str, ColumnKind)] = &[
    ("time_s", ColumnKind::Float),
    ("width_s", ColumnKind::Float),
    ("requests", ColumnKind::Int),
    ("latency_mean_s", ColumnKind::OptFloat),
    ("latency_max_s", ColumnKind::OptFloat),
];

/// Counts requests; bins as for outcomes. Nothing is written for a run without requests.
#[derive(Debug)]
pub(crate) struct Requests {
    table: TableWriter,
    bins: GridBins,
    n: u64,
    sum_ps: u128,
    max_ps: u64,
    all: Histogram,
    with_connect: Histogram,
    /// Requests written that need no response.
    one_way: u64,
    unanswered: Unanswered,
    /// Requests that never got a connection from their pool, and the longest wait.
    waiting: (u64, SimDuration),
    cut_short: u64,
    keeps_bins: bool,
    in_order: Option<SteadySeries>,
}

/// Requests without a complete response.
#[derive(Clone, Copy, Debug, Default)]
struct Unanswered {
    by_cause: [u64; CAUSES.len()],
    /// When the first and the last of them were given up.
    times: Option<(SimTime, SimTime)>,
    longest: SimDuration,
}

/// Why requests get no answer, as written in the names of their metrics, in the order of [`cause`].
const CAUSES: [&str; 8] = [
    "closed",
    "reset",
    "timed_out",
    "aborted",
    "unreachable",
    GIVEN_UP,
    "crashed",
    "at_run_end",
];

/// Few clients give up: the metric exists only if one did.
const GIVEN_UP: &str = "given_up";

/// The index of a cause in [`CAUSES`].
fn cause(ending: Ending) -> usize {
    match ending {
        Ending::Connection(ConnectionEnd::Closed) => 0,
        // A refused connection carried no request, except with its SYN.
        Ending::Connection(ConnectionEnd::Reset | ConnectionEnd::Refused) => 1,
        Ending::Connection(ConnectionEnd::TimedOut | ConnectionEnd::FinWaitExpired) => 2,
        Ending::Connection(ConnectionEnd::Aborted) => 3,
        Ending::Connection(ConnectionEnd::Unreachable(_)) => 4,
        Ending::GivenUp => 5,
        Ending::Crash => 6,
        Ending::RunEnd => 7,
    }
}

impl Unanswered {
    fn add(&mut self, time: SimTime, request: &RequestUnanswered) {
        self.by_cause[cause(request.ending)] += 1;
        self.times = Some((self.times.map_or(time, |t| t.0), time));
        self.longest = self.longest.max(request.waited);
    }

    fn count(&self) -> u64 {
        self.by_cause.iter().sum()
    }

    /// Adds the metrics; `sent` is the number of requests that were answered or needed no answer.
    fn close(&self, sent: u64, metrics: &mut Metrics) {
        let (unanswered, made) = (self.count(), self.count() + sent);
        if made == 0 {
            return;
        }
        metrics.put("requests_made", made as f64);
        metrics.put("requests_unanswered", unanswered as f64);
        metrics.put("requests_unanswered_share", unanswered as f64 / made as f64);
        let is_reported = |(cause, n): &(&&str, u64)| **cause != GIVEN_UP || *n > 0;
        for (cause, n) in CAUSES.iter().zip(self.by_cause).filter(is_reported) {
            metrics.put(&format!("requests_unanswered_{cause}"), n as f64);
        }
        if let Some((first, last)) = self.times {
            metrics.put("request_unanswered_first_s", first.as_secs_f64());
            metrics.put("request_unanswered_last_s", last.as_secs_f64());
            metrics.put("request_unanswered_wait_max_s", self.longest.as_secs_f64());
        }
    }
}

impl Requests {
    pub(crate) fn new(to: &Tables, record: &RecordOptions) -> Result<Requests, StoreError> {
        Ok(Requests {
            table: TableWriter::create(to, "requests", COLUMNS)?,
            bins: GridBins::new(record.interval_s),
            n: 0,
            sum_ps: 0,
            max_ps: 0,
            all: Histogram::default(),
            with_connect: Histogram::default(),
            one_way: 0,
            unanswered: Unanswered::default(),
            waiting: (0, SimDuration::ZERO),
            cut_short: 0,
            keeps_bins: record.histograms,
            in_order: record.warm_up.map(SteadySeries::new),
        })
    }

    /// Advances to the bin of `time`.
    fn advance(&mut self, time: SimTime) -> Result<(), StoreError> {
        while let Some((start, end)) = self.bins.over(time) {
            self.write_bin(start, end)?;
        }
        Ok(())
    }

    pub(crate) fn on_request(
        &mut self,
        time: SimTime,
        request: &RequestDone,
    ) -> Result<(), StoreError> {
        self.advance(time)?;
        if !request.is_answered() {
            self.one_way += 1;
            return Ok(());
        }
        self.n += 1;
        self.sum_ps += u128::from(request.latency.as_ps());
        self.max_ps = self.max_ps.max(request.latency.as_ps());
        self.all.add(request.latency);
        if let Some(series) = &mut self.in_order {
            series.add(time, request.latency.as_secs_f64());
        }
        self.with_connect.add(request.with_connect);
        Ok(())
    }

    pub(crate) fn on_unanswered(&mut self, time: SimTime, request: &RequestUnanswered) {
        self.unanswered.add(time, request);
    }

    pub(crate) fn on_waiting(&mut self, waiting: &RequestsWaiting) {
        let (n, longest) = self.waiting;
        self.waiting = (n + waiting.requests, longest.max(waiting.longest));
    }

    /// A connection ended although its client had more requests to send.
    pub(crate) fn on_cut_short(&mut self) {
        self.cut_short += 1;
    }

    /// Adds the metrics of requests that were never sent, or that need no answer.
    fn close_others(&self, metrics: &mut Metrics) {
        let (waiting, longest) = self.waiting;
        if waiting > 0 {
            metrics.put("requests_never_sent", waiting as f64);
            metrics.put("request_never_sent_wait_max_s", longest.as_secs_f64());
        }
        if self.one_way > 0 {
            metrics.put("requests_one_way", self.one_way as f64);
        }
        if self.cut_short > 0 {
            metrics.put("connections_cut_short", self.cut_short as f64);
        }
    }

    fn write_bin(&mut self, start: SimTime, end: SimTime) -> Result<(), StoreError> {
        let some = |value: f64| (self.n > 0).then_some(value / 1e12);
        let (mean, max) = (
            some(self.sum_ps as f64 / self.n as f64),
            some(self.max_ps as f64),
        );
        let row = self.table.row().float(start.as_secs_f64());
        let row = row.float(end.since(start).as_secs_f64()).count(self.n);
        row.opt(mean).opt(max).end()?;
        (self.n, self.sum_ps, self.max_ps) = (0, 0, 0);
        Ok(())
    }

    pub(crate) fn close(mut self, end: SimTime, metrics: &mut Metrics) -> Result<(), StoreError> {
        self.unanswered
            .close(self.all.len() + self.one_way, metrics);
        self.close_others(metrics);
        if self.all.is_empty() {
            return self.table.discard();
        }
        self.advance(GridBins::last_instant(end))?;
        if let Some((start, end)) = self.bins.cut_off(end) {
            self.write_bin(start, end)?;
        }
        metrics.put("requests_done", self.all.len() as f64);
        put_quantiles(&self.all, "request_latency", metrics);
        put_quantiles(&self.with_connect, "request_with_connect", metrics);
        if self.keeps_bins {
            put_bins(&self.all, "request_latency", metrics);
        }
        if let Some(series) = &self.in_order {
            series.close("request_latency", "_s", metrics);
        }
        self.table.close()
    }
}
