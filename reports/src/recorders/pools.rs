//! Clients' connection pools and their retries: what pools hold over time, how long requests wait,
//! why connections leave, and what happens to failed attempts.

use sim_core::SimTime;
use tcp_model::sample::{AfterFailure, PoolClose, PoolLevels, PoolSample, RetrySample};

use super::grid::GridBins;
use super::histogram::{Histogram, put_quantiles};
use super::level::Level;
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, TableWriter, Tables};

const COLUMNS: &[(&str, ColumnKind)] = &[
    ("time_s", ColumnKind::Float),
    ("width_s", ColumnKind::Float),
    ("busy", ColumnKind::Float),
    ("idle", ColumnKind::Float),
    ("waiting", ColumnKind::Float),
    ("sent", ColumnKind::Int),
    ("wait_mean_s", ColumnKind::OptFloat),
    ("wait_max_s", ColumnKind::OptFloat),
];

/// Why connections leave, as named in metrics, in the order of [`reason`].
const REASONS: [&str; 7] = [
    "idle",
    "lifetime",
    "max_requests",
    "surplus",
    "server",
    "given_up",
    BREAKER,
];

/// Few clients have circuit breakers: the metric exists only if one closed a connection.
const BREAKER: &str = "breaker";

fn reason(why: PoolClose) -> usize {
    match why {
        PoolClose::Idle => 0,
        PoolClose::Lifetime => 1,
        PoolClose::Requests => 2,
        PoolClose::Surplus => 3,
        PoolClose::Peer => 4,
        PoolClose::GivenUp => 5,
        PoolClose::Breaker => 6,
    }
}

/// Numbers of all pools together, and their integral since the start of a bin.
#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    now: PoolLevels,
    since: SimTime,
    /// Busy, idle and waiting, in units times picoseconds.
    areas: [i128; 3],
    sent: u64,
    waited_ps: u128,
    longest_ps: u64,
}

fn busy(levels: &PoolLevels) -> i64 {
    i64::from(levels.open) - i64::from(levels.idle)
}

impl Bin {
    fn advance(&mut self, time: SimTime) {
        let ps = i128::from(time.since(self.since).as_ps());
        let now = [
            busy(&self.now),
            i64::from(self.now.idle),
            i64::from(self.now.waiting),
        ];
        for (area, n) in self.areas.iter_mut().zip(now) {
            *area += i128::from(n) * ps;
        }
        self.since = time;
    }

    /// The next bin.
    fn next(&self) -> Bin {
        Bin {
            now: self.now,
            since: self.since,
            ..Bin::default()
        }
    }
}

/// Counts what pools do. Bins hold records with t <= time < t + width; nothing is written for a run
/// without pools.
#[derive(Debug)]
pub(crate) struct Pools {
    table: TableWriter,
    bins: GridBins,
    bin: Bin,
    open: Level,
    busy: Level,
    waiting: Level,
    opened: u64,
    sent: u64,
    reused: u64,
    raced: u64,
    closed: [u64; REASONS.len()],
    waits: Histogram,
}

impl Pools {
    pub(crate) fn new(
        to: &Tables,
        interval_s: f64,
        window: (SimTime, SimTime),
    ) -> Result<Pools, StoreError> {
        Ok(Pools {
            table: TableWriter::create(to, "pools", COLUMNS)?,
            bins: GridBins::new(interval_s),
            bin: Bin::default(),
            open: Level::new(window),
            busy: Level::new(window),
            waiting: Level::new(window),
            opened: 0,
            sent: 0,
            reused: 0,
            raced: 0,
            closed: [0; REASONS.len()],
            waits: Histogram::default(),
        })
    }

    fn advance(&mut self, time: SimTime) -> Result<(), StoreError> {
        while let Some((start, end)) = self.bins.over(time) {
            self.write_bin(start, end)?;
        }
        self.bin.advance(time);
        Ok(())
    }

    pub(crate) fn on_pool(&mut self, time: SimTime, sample: &PoolSample) -> Result<(), StoreError> {
        self.advance(time)?;
        match sample {
            PoolSample::Changed(by) => self.change(time, by),
            PoolSample::Opened => self.opened += 1,
            PoolSample::Sent { waited, reused } => {
                self.sent += 1;
                self.reused += u64::from(*reused);
                self.waits.add(*waited);
                self.bin.sent += 1;
                self.bin.waited_ps += u128::from(waited.as_ps());
                self.bin.longest_ps = self.bin.longest_ps.max(waited.as_ps());
            }
            PoolSample::Closed(why) => self.closed[reason(*why)] += 1,
            PoolSample::Raced => self.raced += 1,
        }
        Ok(())
    }

    fn change(&mut self, time: SimTime, by: &PoolLevels) {
        let now = &mut self.bin.now;
        now.open += by.open;
        now.idle += by.idle;
        now.waiting += by.waiting;
        self.open.add(i64::from(by.open), time);
        self.busy.add(busy(by), time);
        self.waiting.add(i64::from(by.waiting), time);
    }

    fn write_bin(&mut self, start: SimTime, end: SimTime) -> Result<(), StoreError> {
        self.bin.advance(end);
        let next = self.bin.next();
        let bin = std::mem::replace(&mut self.bin, next);
        let width = end.since(start);
        let some = |ps: f64| (bin.sent > 0).then_some(ps / 1e12);
        let row = self.table.row().float(start.as_secs_f64());
        let row = row.float(width.as_secs_f64());
        let mean = |area: &i128| *area as f64 / width.as_ps() as f64;
        let row = bin
            .areas
            .iter()
            .fold(row, |row, area| row.float(mean(area)));
        row.count(bin.sent)
            .opt(some(bin.waited_ps as f64 / bin.sent as f64))
            .opt(some(bin.longest_ps as f64))
            .end()
    }

    pub(crate) fn close(mut self, end: SimTime, metrics: &mut Metrics) -> Result<(), StoreError> {
        if self.opened == 0 {
            return self.table.discard();
        }
        self.advance(GridBins::last_instant(end))?;
        if let Some((start, end)) = self.bins.cut_off(end) {
            self.write_bin(start, end)?;
        }
        metrics.put("pool_connections_opened", self.opened as f64);
        metrics.put("pool_requests_sent", self.sent as f64);
        metrics.put("pool_requests_reused", self.reused as f64);
        if self.sent > 0 {
            let share = self.reused as f64 / self.sent as f64;
            metrics.put("pool_reuse_share", share);
        }
        metrics.put("pool_requests_raced", self.raced as f64);
        let is_reported = |(why, n): &(&&str, u64)| **why != BREAKER || *n > 0;
        for (why, n) in REASONS.iter().zip(self.closed).filter(is_reported) {
            metrics.put(&format!("pool_closed_{why}"), n as f64);
        }
        for (name, level) in [
            ("open", self.open),
            ("busy", self.busy),
            ("waiting", self.waiting),
        ] {
            metrics.put(&format!("pool_{name}_peak"), level.peak() as f64);
            metrics.put(&format!("pool_{name}_mean_steady"), level.means(end).1);
        }
        put_quantiles(&self.waits, "pool_wait", metrics);
        self.table.close()
    }
}

/// Counts failed attempts of clients that may retry.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RetryCounts {
    begun: u64,
    failed: u64,
    again: u64,
    last: u64,
    no_budget: u64,
    most: u32,
}

impl RetryCounts {
    pub(crate) fn on_retry(&mut self, sample: &RetrySample) {
        match *sample {
            RetrySample::Begun(n) => self.begun += n,
            RetrySample::Failed { attempt, then } => {
                self.failed += 1;
                self.most = self.most.max(attempt.saturating_add(1));
                match then {
                    AfterFailure::Again(_) => self.again += 1,
                    AfterFailure::LastAttempt => self.last += 1,
                    AfterFailure::NoBudget => self.no_budget += 1,
                }
            }
        }
    }

    pub(crate) fn close(&self, metrics: &mut Metrics) {
        if self.begun == 0 {
            return;
        }
        let failed = self.last + self.no_budget;
        metrics.put("exchanges_begun", self.begun as f64);
        metrics.put("exchanges_failed", failed as f64);
        metrics.put("exchanges_failed_share", failed as f64 / self.begun as f64);
        metrics.put("exchanges_failed_last_attempt", self.last as f64);
        metrics.put("exchanges_failed_no_budget", self.no_budget as f64);
        metrics.put("attempts_failed", self.failed as f64);
        metrics.put("retries_made", self.again as f64);
        let attempts = (self.begun + self.again) as f64;
        metrics.put("attempts_per_exchange", attempts / self.begun as f64);
        metrics.put("attempts_failed_in_a_row_max", f64::from(self.most));
    }
}

#[cfg(test)]
mod tests {
    use sim_core::SimDuration;

    use super::*;

    #[test]
    fn retries_are_counted_by_what_follows_a_failed_attempt() {
        let mut retries = RetryCounts::default();
        let wait = SimDuration::from_millis(1);
        for (attempt, then) in [
            (0, AfterFailure::Again(wait)),
            (1, AfterFailure::LastAttempt),
            (0, AfterFailure::NoBudget),
        ] {
            retries.on_retry(&RetrySample::Failed { attempt, then });
        }
        retries.on_retry(&RetrySample::Begun(4));
        retries.on_retry(&RetrySample::Begun(6));
        let mut metrics = Metrics::default();
        retries.close(&mut metrics);
        let metrics = metrics.finish().unwrap();
        let want = [
            ("exchanges_begun", 10.0),
            ("exchanges_failed", 2.0),
            ("exchanges_failed_share", 0.2),
            ("exchanges_failed_last_attempt", 1.0),
            ("exchanges_failed_no_budget", 1.0),
            ("attempts_failed", 3.0),
            ("retries_made", 1.0),
            ("attempts_per_exchange", 1.1),
            ("attempts_failed_in_a_row_max", 2.0),
        ];
        assert_eq!(metrics.len(), want.len());
        for (name, value) in want {
            assert!((metrics[name] - value).abs() < 1e-12, "{name}");
        }
    }
}
