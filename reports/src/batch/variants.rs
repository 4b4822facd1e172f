//! The variants of a batch: groups of runs that differ only in their replica.

use super::{Axis, BatchRow};
use crate::format;
use crate::metrics;
use crate::stats::Estimate;

/// Runs with the same swept values.
#[derive(Clone, Debug)]
pub(crate) struct Variant<'a> {
    /// The swept values, in the order of the axes.
    pub(crate) values: &'a [String],
    /// Its complete runs.
    pub(crate) rows: Vec<&'a BatchRow>,
}

/// The complete runs by variant, in the order of the runs.
pub(crate) fn variants(rows: &[BatchRow]) -> Vec<Variant<'_>> {
    let mut all: Vec<Variant<'_>> = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    for row in rows.iter().filter(|r| r.status.is_ok()) {
        let place = *places.entry(&row.values).or_insert_with(|| {
            all.push(Variant {
                values: &row.values,
                rows: Vec::new(),
            });
            all.len() - 1
        });
        all[place].rows.push(row);
    }
    all
}

/// Mean and interval of a metric over runs that differ only by their replica; `None` if none of
/// them has the metric.
pub fn estimate_of<'a>(rows: impl Iterator<Item = &'a BatchRow>, metric: &str) -> Option<Estimate> {
    estimate(rows, metric)
}

/// Mean and interval of a metric over the runs that have it: for a share of counts from the counts,
/// otherwise from the values, within the metric's range.
pub(crate) fn estimate<'a>(
    rows: impl Iterator<Item = &'a BatchRow>,
    metric: &str,
) -> Option<Estimate> {
    let having: Vec<&BatchRow> = rows.filter(|r| r.metrics.has(metric)).collect();
    let found = metrics::find(metric);
    if let Some((part, whole)) = found.as_ref().and_then(|f| f.metric.ratio) {
        let counts = |r: &&BatchRow| Some((r.metrics.get(part)?, r.metrics.get(whole)?));
        let counts: Option<Vec<(f64, f64)>> = having.iter().map(counts).collect();
        if let Some(estimate) = counts.and_then(|counts| Estimate::of_counts(&counts)) {
            return Some(estimate);
        }
    }
    let values: Vec<f64> = having
        .iter()
        .filter_map(|r| r.metrics.get(metric))
        .collect();
    let mut estimate = Estimate::of_values(&values, metrics::kind(metric).range())?;
    if let [only] = having.as_slice() {
        estimate.interval = interval_of_long_run(only, metric);
    }
    Some(estimate)
}

/// The interval given by a single run: that of its mean after the warm-up.
fn interval_of_long_run(row: &BatchRow, metric: &str) -> Option<(f64, f64)> {
    let ids = metrics::long_run_of(metric)?;
    Some((row.metrics.get(&ids.low)?, row.metrics.get(&ids.high)?))
}

impl Variant<'_> {
    /// Mean and interval of a metric over the replicas that have it.
    pub(crate) fn estimate(&self, metric: &str) -> Option<Estimate> {
        estimate(self.rows.iter().copied(), metric)
    }

    /// The same as text with unit: "5.9 %", or "5.9 % [5.7 % … 6.1 %]" if replicas differ.
    pub(crate) fn text(&self, metric: &str) -> Option<String> {
        let e = self.estimate(metric)?;
        let text = |value: f64| format::metric(metric, value);
        let mean = text(e.mean);
        let (low, high) = e.ends();
        Some(if text(low) == mean && text(high) == mean {
            mean
        } else {
            format!("{mean} [{} … {}]", text(low), text(high))
        })
    }

    /// Returns true if a connect failed in any of its runs; `None` if unknown.
    pub(crate) fn failed(&self) -> Option<bool> {
        let share = || self.estimate("connects_failed_share");
        let failed = self.estimate("connects_failed").or_else(share)?;
        Some(failed.mean > 0.0)
    }
}

/// The axis along which results are listed: the first with numbers, otherwise the first. Axes with
/// a single value come last.
pub(crate) fn main_axis(axes: &[Axis]) -> Option<usize> {
    let varies = |a: &Axis| a.values.len() > 1;
    let of_numbers = axes.iter().position(|a| varies(a) && a.numbers().is_some());
    let first = axes.iter().position(varies);
    of_numbers.or(first).or((!axes.is_empty()).then_some(0))
}
