//! Derived metrics of a run, needed only to compare runs.

use std::collections::BTreeMap;

use crate::analytic::{SCARCE_FROM_S, port_limit};
use crate::info::RunInfo;
use crate::store::RunSummary;

/// The metrics of a run plus derived ones: the window of the steady values (`steady_from_s`, `steady_to_s`)
/// and the connections per second that the ports allow (`port_limit_per_s`).
pub fn row_metrics(summary: &RunSummary) -> BTreeMap<String, f64> {
    with_derived(summary.metrics.clone(), &summary.info)
}

/// [`row_metrics`] from metrics and what was known in advance.
pub(crate) fn with_derived(
    mut all: BTreeMap<String, f64>,
    info: &RunInfo,
) -> BTreeMap<String, f64> {
    let hints = &info.analytic;
    let (from, to) = info.steady_window();
    let scarce = hints.theory.as_ref();
    let scarce = scarce.filter(|t| t.held_s.middle() >= SCARCE_FROM_S);
    let made = [
        ("steady_from_s", Some(from)),
        ("steady_to_s", Some(to)),
        ("port_limit_per_s", scarce.map(|t| port_limit(t).middle())),
    ];
    let known = made
        .into_iter()
        .filter_map(|(n, v)| Some((n.to_owned(), v?)));
    all.extend(known.filter(|(_, value)| value.is_finite()));
    all
}
