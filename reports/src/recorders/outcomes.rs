//! Outcomes of the calls of connect: bins over time, totals, first failure, steady state.

use sim_core::SimTime;
use tcp_model::sample::{ConnectAttempt, ConnectOutcome, OpenResult};

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
    ("attempts", ColumnKind::Int),
    ("established", ColumnKind::Int),
    ("addr_not_available", ColumnKind::Int),
    ("refused", ColumnKind::Int),
    ("timed_out", ColumnKind::Int),
    ("aborted", ColumnKind::Int),
    ("connect_latency_s", ColumnKind::OptFloat),
    ("port_probes", ColumnKind::OptFloat),
];

/// Results in the order of the columns, with the names of their metrics.
const RESULTS: [(OpenResult, &str); 5] = [
    (OpenResult::Established, "connects_established"),
    (OpenResult::AddrNotAvailable, "connects_addr_not_available"),
    (OpenResult::Refused, "connects_refused"),
    (OpenResult::TimedOut, "connects_timed_out"),
    (OpenResult::Aborted, "connects_aborted"),
];

#[derive(Clone, Copy, Debug, Default)]
struct OutcomeTally {
    attempts: u64,
    results: [u64; 5],
    latency_ps: u128,
    probes: u64,
}

impl OutcomeTally {
    fn outcomes(&self) -> u64 {
        self.results.iter().sum()
    }
    fn failed(&self) -> u64 {
        self.outcomes() - self.results[0]
    }
}

/// Counts connects and their outcomes. The bin at t holds records with t <= time < t + width.
#[derive(Debug)]
pub(crate) struct Outcomes {
    table: TableWriter,
    bins: GridBins,
    in_bin: OutcomeTally,
    total: OutcomeTally,
    steady: OutcomeTally,
    window: (SimTime, SimTime),
    /// Times of the first and the last failure.
    failures: Option<(SimTime, SimTime)>,
    latency: Histogram,
    keeps_bins: bool,
    in_order: Option<SteadySeries>,
}

impl Outcomes {
    pub(crate) fn new(
        to: &Tables,
        record: &RecordOptions,
        window: (SimTime, SimTime),
    ) -> Result<Outcomes, StoreError> {
        Ok(Outcomes {
            table: TableWriter::create(to, "outcomes", COLUMNS)?,
            bins: GridBins::new(record.interval_s),
            in_bin: OutcomeTally::default(),
            total: OutcomeTally::default(),
            steady: OutcomeTally::default(),
            window,
            failures: None,
            latency: Histogram::default(),
            keeps_bins: record.histograms,
            in_order: record.warm_up.map(SteadySeries::new),
        })
    }

    /// Must be called with the time of every record before it is counted.
    pub(crate) fn advance(&mut self, time: SimTime) -> Result<(), StoreError> {
        while let Some((start, end)) = self.bins.over(time) {
            self.write_bin(start, end)?;
        }
        Ok(())
    }

    /// The time up to which, inclusive, [`Outcomes::advance`] has nothing to do.
    pub(crate) fn quiet_until(&self) -> SimTime {
        self.bins.quiet_until()
    }

    fn each(&mut self, time: SimTime, count: impl Fn(&mut OutcomeTally)) {
        count(&mut self.in_bin);
        count(&mut self.total);
        if self.window.0 <= time && time < self.window.1 {
            count(&mut self.steady);
        }
    }

    pub(crate) fn on_connect(&mut self, time: SimTime, attempt: &ConnectAttempt) {
        self.each(time, |tally| {
            tally.attempts += 1;
            tally.probes += u64::from(attempt.probes);
        });
    }

    pub(crate) fn on_outcome(&mut self, time: SimTime, outcome: &ConnectOutcome) {
        let kind = match outcome.result {
            OpenResult::Established => 0,
            OpenResult::AddrNotAvailable => 1,
            OpenResult::Refused => 2,
            OpenResult::TimedOut => 3,
            OpenResult::Aborted => 4,
        };
        if kind == 0 {
            self.latency.add(outcome.latency);
            if let Some(series) = &mut self.in_order {
                series.add(time, outcome.latency.as_secs_f64());
            }
        } else {
            self.failures = Some((self.failures.map_or(time, |f| f.0), time));
        }
        let latency_ps = if kind == 0 {
            outcome.latency.as_ps()
        } else {
            0
        };
        self.each(time, |tally| {
            tally.results[kind] += 1;
            tally.latency_ps += u128::from(latency_ps);
        });
    }

    fn write_bin(&mut self, start: SimTime, end: SimTime) -> Result<(), StoreError> {
        let bin = std::mem::take(&mut self.in_bin);
        let mean = |sum: f64, n: u64| (n > 0).then(|| sum / n as f64);
        let row = self.table.row().float(start.as_secs_f64());
        let row = row
            .float(end.since(start).as_secs_f64())
            .count(bin.attempts);
        let row = bin.results.iter().fold(row, |row, &n| row.count(n));
        row.opt(mean(bin.latency_ps as f64 / 1e12, bin.results[0]))
            .opt(mean(bin.probes as f64, bin.attempts))
            .end()
    }

    /// Writes the last bin, which ends at `end`, and adds the metrics.
    pub(crate) fn close(mut self, end: SimTime, metrics: &mut Metrics) -> Result<(), StoreError> {
        self.advance(GridBins::last_instant(end))?;
        if let Some((start, end)) = self.bins.cut_off(end) {
            self.write_bin(start, end)?;
        }
        let mut put = |name: &str, value: f64| metrics.put(name, value);
        put("connects_attempted", self.total.attempts as f64);
        for ((_, name), n) in RESULTS.into_iter().zip(self.total.results) {
            put(name, n as f64);
        }
        put("connects_failed", self.total.failed() as f64);
        put("connects_settled", self.total.outcomes() as f64);
        put("connects_failed_steady", self.steady.failed() as f64);
        put("connects_settled_steady", self.steady.outcomes() as f64);
        if self.total.outcomes() > 0 {
            let share = self.total.failed() as f64 / self.total.outcomes() as f64;
            put("connects_failed_share", share);
        }
        if self.total.attempts > 0 {
            let probes = self.total.probes as f64 / self.total.attempts as f64;
            put("port_probes_mean", probes);
        }
        if let Some((first, last)) = self.failures {
            put("first_failure_s", first.as_secs_f64());
            put("last_failure_s", last.as_secs_f64());
        }
        let window_s = self.window.1.min(end).since(self.window.0).as_secs_f64();
        if window_s > 0.0 && self.steady.outcomes() > 0 {
            let n = self.steady.outcomes() as f64;
            put(
                "connects_failed_share_steady",
                self.steady.failed() as f64 / n,
            );
            put(
                "connects_per_s_steady",
                self.steady.results[0] as f64 / window_s,
            );
            put(
                "offered_per_s_steady",
                self.steady.attempts as f64 / window_s,
            );
        }
        put_quantiles(&self.latency, "connect_latency", metrics);
        if self.keeps_bins {
            put_bins(&self.latency, "connect_latency", metrics);
        }
        if let Some(series) = &self.in_order {
            series.close("connect_latency", "_s", metrics);
        }
        self.table.close()
    }
}
