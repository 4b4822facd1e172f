//! The variants of a batch: runs that differ by their replica only.

use super::{BatchInfo, BatchRow};
use crate::format;
use crate::stats::Estimate;

/// Runs with the same swept values.
#[derive(Clone, Debug)]
pub(crate) struct Variant<'a> {
    /// In the order of the axes.
    pub(crate) values: &'a [String],
    /// Its complete runs.
    pub(crate) rows: Vec<&'a BatchRow>,
}

/// The complete runs by variant, in the order of the runs.
pub(crate) fn variants(rows: &[BatchRow]) -> Vec<Variant<'_>> {
    let mut all: Vec<Variant<'_>> = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    for row in rows.iter().filter(|r| r.status == "ok") {
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

impl Variant<'_> {
    /// Mean and interval of a metric over the replicas that have it.
    pub(crate) fn estimate(&self, metric: &str) -> Option<Estimate> {
        let values = self.rows.iter().filter_map(|r| r.metrics.get(metric));
        Estimate::of(&values.copied().collect::<Vec<f64>>())
    }

    /// The same as text with unit: "5.9 %", "5.9 % ± 0.2 %"; replicas that agree need no interval.
    pub(crate) fn text(&self, metric: &str) -> Option<String> {
        let e = self.estimate(metric)?;
        let mean = format::metric(metric, e.mean);
        Some(match e.half_width.filter(|half| *half > 0.0) {
            Some(half) => format!("{mean} ± {}", format::metric(metric, half)),
            None => mean,
        })
    }

    /// True when a connect failed in any of its runs; `None` where that is not known.
    pub(crate) fn failed(&self) -> Option<bool> {
        let share = || self.estimate("connects_failed_share");
        let failed = self.estimate("connects_failed").or_else(share)?;
        Some(failed.mean > 0.0)
    }
}

/// The numbers of an axis, if its values are numbers of one unit.
pub(crate) fn numbers(values: &[String]) -> Option<(Vec<f64>, &str)> {
    let split: Vec<(f64, &str)> = values.iter().map(|v| split(v)).collect::<Option<_>>()?;
    let unit = split.first()?.1;
    let alike = split.len() > 1 && split.iter().all(|n| n.1 == unit);
    alike.then(|| (split.iter().map(|n| n.0).collect(), unit))
}

/// Number and unit of "450/s" or "20 ms".
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e')))
        .unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    number.is_finite().then(|| (number, text[end..].trim()))
}

/// The axis that results are told along: the first of numbers, or else the first.
pub(crate) fn main_axis(info: &BatchInfo) -> Option<usize> {
    let of_numbers = info.axes.iter().position(|a| numbers(&a.values).is_some());
    of_numbers.or((!info.axes.is_empty()).then_some(0))
}
