//! Metrics by which runs are compared, besides those they measured.

use super::super::MetricKind::{PerSecond, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn comparison(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Comparison, id, kind, words, doc)
}

pub(super) const COMPARISON: &[Metric] = &[
    comparison(
        "steady_from_s",
        Time,
        ("start of the steady window", "稳态时段的开始"),
        "",
    ),
    comparison(
        "steady_to_s",
        Time,
        ("end of the steady window", "稳态时段的结束"),
        "",
    ),
    comparison(
        "port_limit_per_s",
        PerSecond,
        ("connections the port supply allows", "端口供给允许的连接数"),
        "Ports towards all destinations divided by the time each is held.",
    )
    .absent("ports do not limit the load"),
];
