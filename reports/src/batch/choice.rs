//! Chooses which metrics of a batch are drawn, listed and described.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::{BatchInfo, BatchRow};
use crate::metrics;

/// Number of metrics drawn and described if the scenario requests none.
const OWN_FIGURES: usize = 4;

/// Metrics to draw if the scenario requests none: the first that vary.
pub(crate) fn chosen_metrics(info: &BatchInfo, rows: &[BatchRow]) -> Vec<String> {
    let mut own = metrics_that_vary(info, rows);
    own.retain(|metric| is_comparable(metric, rows));
    own.truncate(OWN_FIGURES);
    own
}

/// False for numbers of events in steady windows of different length.
pub(crate) fn is_comparable(metric: &str, rows: &[BatchRow]) -> bool {
    !is_count_of_window(metric) || windows_are_as_long(rows)
}

/// True when the steady windows of all runs have the same length.
fn windows_are_as_long(rows: &[BatchRow]) -> bool {
    let length = |row: &BatchRow| {
        let at = |name: &str| row.metrics.get(name);
        Some(at("steady_to_s")? - at("steady_from_s")?)
    };
    let mut lengths = rows.iter().filter_map(length);
    let first = lengths.next();
    lengths.all(|l| first.is_some_and(|first| (l - first).abs() <= 1e-6 * first))
}

/// True for event counts in the steady window, which cannot be compared over windows of different length.
fn is_count_of_window(metric: &str) -> bool {
    matches!(metric, "connects_settled_steady" | "connects_failed_steady")
}

/// Metrics described as sentences, apart from failed connects: the metrics of the figures.
pub(super) fn described_metrics(info: &BatchInfo, rows: &[BatchRow]) -> Vec<String> {
    let asked: Vec<String> = info.figures.iter().map(|f| f.metric.clone()).collect();
    let mut described: Vec<String> = if asked.is_empty() {
        chosen_metrics(info, rows)
    } else {
        asked
    };
    let mut seen = BTreeSet::new();
    described.retain(|m| {
        let failure = m.starts_with("connects_failed") || m == "first_failure_s";
        !failure && is_comparable(m, rows) && seen.insert(m.clone())
    });
    described
}

/// Names of all metrics of all runs, sorted.
pub(crate) fn metric_names(rows: &[BatchRow]) -> Vec<String> {
    // Runs share their lists of names: each list is read once.
    let mut lists: Vec<&Arc<[String]>> = Vec::new();
    let mut seen = HashSet::new();
    for row in rows {
        let list = row.metrics.names();
        if seen.insert(Arc::as_ptr(list)) {
            lists.push(list);
        }
    }
    let names: BTreeSet<&String> = lists.into_iter().flat_map(|l| l.iter()).collect();
    names.into_iter().cloned().collect()
}

/// Metrics that differ between runs: first those drawn, then those most requested, then the rest.
pub(crate) fn metrics_that_vary(info: &BatchInfo, rows: &[BatchRow]) -> Vec<String> {
    let varies = |name: &&String| {
        let mut values = rows
            .iter()
            .filter(|r| r.status.is_ok() && !metrics::is_bin(name))
            .map(|r| r.metrics.get(name));
        let Some(first) = values.next() else {
            return false;
        };
        values.any(|v| v != first) || rows.len() == 1
    };
    let all = metric_names(rows);
    let wanted = info.figures.iter().map(|f| f.metric.as_str());
    let mut chosen: Vec<String> = Vec::new();
    let varying: Vec<&String> = all.iter().filter(varies).collect();
    let others = varying.iter().map(|m| m.as_str());
    for name in wanted
        .chain(metrics::ranking().iter().copied())
        .chain(others)
    {
        let known = varying.iter().any(|m| *m == name);
        if known && !chosen.iter().any(|c| c == name) {
            chosen.push(name.to_owned());
        }
    }
    chosen
}
