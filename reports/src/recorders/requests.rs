//! Requests and their responses, binned over time.

use std::path::Path;

use sim_core::SimTime;
use tcp_model::sample::RequestDone;

use super::grid::Grid;
use super::histogram::Histogram;
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::store::table::{Kind, TableWriter};

const COLUMNS: &[(&str, Kind)] = &[
    ("time_s", Kind::Float),
    ("width_s", Kind::Float),
    ("requests", Kind::Int),
    ("latency_mean_s", Kind::OptFloat),
    ("latency_max_s", Kind::OptFloat),
];

/// Counts requests; bins as for outcomes. Nothing is written of a run without requests.
#[derive(Debug)]
pub(crate) struct Requests {
    table: TableWriter,
    grid: Grid,
    bin: Option<SimTime>,
    n: u64,
    sum_ps: u128,
    max_ps: u64,
    all: Histogram,
}

impl Requests {
    pub(crate) fn new(dir: &Path, interval_s: f64) -> Result<Requests, StoreError> {
        Ok(Requests {
            table: TableWriter::create(dir, "requests", COLUMNS)?,
            grid: Grid::new(interval_s),
            bin: None,
            n: 0,
            sum_ps: 0,
            max_ps: 0,
            all: Histogram::default(),
        })
    }

    /// Goes to the bin of `time`.
    fn advance(&mut self, time: SimTime) -> Result<(), StoreError> {
        let after = SimTime::from_ps(time.as_ps().saturating_add(1));
        while let Some(start) = self.grid.pass(after) {
            if let Some(before) = self.bin.replace(start) {
                self.write_bin(before, start)?;
            }
        }
        Ok(())
    }

    pub(crate) fn on_request(
        &mut self,
        time: SimTime,
        request: &RequestDone,
    ) -> Result<(), StoreError> {
        self.advance(time)?;
        self.n += 1;
        self.sum_ps += u128::from(request.latency.as_ps());
        self.max_ps = self.max_ps.max(request.latency.as_ps());
        self.all.add(request.latency);
        Ok(())
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
        if self.all.len() == 0 {
            return self.table.discard();
        }
        self.advance(SimTime::from_ps(end.as_ps().saturating_sub(1)))?;
        if let Some(start) = self.bin
            && end > start
        {
            self.write_bin(start, end)?;
        }
        metrics.put("requests_done", self.all.len() as f64);
        let statistics = [
            ("request_latency_mean_s", self.all.mean_s()),
            ("request_latency_p50_s", self.all.quantile_s(0.5)),
            ("request_latency_p99_s", self.all.quantile_s(0.99)),
            ("request_latency_max_s", self.all.max_s()),
        ];
        for (name, value) in statistics {
            metrics.put_known(name, value);
        }
        self.table.close()
    }
}
