//! Metrics of a run that only a comparison of runs needs.

use std::collections::BTreeMap;

use crate::analytic::{port_limit_per_s, port_supply};
use crate::store::RunSummary;

/// The metrics of a run with those made of them: the window of the steady values
/// (`steady_from_s`, `steady_to_s`) and the connections per second that the ports allow
/// (`port_limit_per_s`).
pub fn row_metrics(summary: &RunSummary) -> BTreeMap<String, f64> {
    let mut all = summary.metrics.clone();
    let hints = &summary.info.analytic;
    let (from, to) = summary.info.steady_window();
    let limit = || {
        let held = hints.time_wait_s? + hints.hold_s.max(0.0);
        Some(port_limit_per_s(port_supply(hints)?, held))
    };
    let made = [
        ("steady_from_s", Some(from)),
        ("steady_to_s", Some(to)),
        ("port_limit_per_s", limit()),
    ];
    let known = made
        .into_iter()
        .filter_map(|(n, v)| Some((n.to_owned(), v?)));
    all.extend(known.filter(|(_, value)| value.is_finite()));
    all
}
