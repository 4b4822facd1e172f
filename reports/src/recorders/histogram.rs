//! Quantiles of durations, in constant memory.

use std::collections::BTreeMap;

pub(crate) use sim_core::histogram::Histogram;

use crate::metrics::{Metrics, bin_id};

/// Adds mean, median, 99th and 99.9th percentile, and maximum as `NAME_mean_s`, `NAME_p50_s`,
/// `NAME_p99_s`, `NAME_p999_s`, `NAME_max_s`; adds none if the histogram is empty.
pub(crate) fn put_quantiles(of: &Histogram, name: &str, metrics: &mut Metrics) {
    for (statistic, value) in [
        ("mean", of.mean_s()),
        ("p50", of.quantile_s(0.5)),
        ("p99", of.quantile_s(0.99)),
        ("p999", of.quantile_s(0.999)),
        ("max", of.max_s()),
    ] {
        metrics.put_known(&format!("{name}_{statistic}_s"), value);
    }
}

/// Adds the counts of the bins that are not empty.
pub(crate) fn put_bins(of: &Histogram, name: &str, metrics: &mut Metrics) {
    let mut bins: BTreeMap<String, u64> = BTreeMap::new();
    for (seconds, n) in of.buckets() {
        *bins.entry(bin_id(name, seconds)).or_default() += n;
    }
    for (id, n) in bins {
        metrics.put(&id, n as f64);
    }
}
