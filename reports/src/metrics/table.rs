//! The rows of the registry: a file for each subject.

mod comparison;
mod connects;
mod end_points;
mod flows;
mod hosts;
mod long_run;
mod middleboxes;
mod network;
mod pools;
mod requests;
mod sockets;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Metric, MetricKind, MetricSource};

/// All tables, in the order of the reference.
pub(super) const TABLES: [&[Metric]; 12] = [
    connects::CONNECTS,
    requests::REQUESTS,
    pools::POOLS,
    sockets::SOCKETS,
    end_points::END_POINTS,
    flows::FLOWS,
    hosts::HOSTS,
    middleboxes::MIDDLEBOXES,
    network::NETWORK,
    long_run::LONG_RUN,
    comparison::COMPARISON,
    CUSTOM,
];

/// The metrics that people ask for first, in order; other metrics follow by name.
pub(super) const RANKING: &[&str] = &[
    "connects_failed_share_steady",
    "connects_failed_share",
    "first_failure_s",
    "time_wait_mean_steady",
    "connects_per_s_steady",
    "flow_goodput_mean_bps",
    "goodput_bps",
    "flow_completion_mean_s",
    "jain_index",
    "retransmissions",
    "request_latency_mean_s",
    "connect_latency_p99_s",
    "requests_unanswered_share",
];

/// A row that stands for one metric.
pub(super) fn exact(id: &str) -> Option<&'static Metric> {
    static BY_ID: LazyLock<HashMap<&'static str, &'static Metric>> = LazyLock::new(|| {
        let single = super::all().filter(|m| !m.id.contains('<'));
        single.map(|m| (m.id, m)).collect()
    });
    BY_ID.get(id).copied()
}

/// Rows that stand for many metrics.
pub(super) fn families() -> impl Iterator<Item = &'static Metric> {
    super::all().filter(|m| m.id.contains('<'))
}

const CUSTOM: &[Metric] = &[Metric::new(
    MetricSource::Custom,
    "custom.<name>",
    MetricKind::Number,
    ("<name>", "<name>"),
    "",
)];
