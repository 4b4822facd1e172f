//! Sockets by state, and local ports.

use super::super::MetricKind::{Count, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn sockets(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Sockets, id, kind, words, doc)
}

pub(super) const SOCKETS: &[Metric] = &[
    sockets(
        "<state>_peak",
        Count,
        "sockets in <state>, peak",
        "Maximum over time.",
    ),
    sockets(
        "<state>_mean",
        Count,
        "sockets in <state>, mean",
        "Average over the whole run.",
    ),
    sockets("<state>_mean_steady", Count, "sockets in <state>, mean", "").steady(),
    sockets(
        "<state>_end",
        Count,
        "sockets in <state>, end of the run",
        "",
    ),
    sockets(
        "<state>.<group>_peak",
        Count,
        "sockets of <group> in <state>, peak",
        "Metrics of a group are left out for states, other than TIME-WAIT, that its sockets never entered.",
    ),
    sockets(
        "<state>.<group>_mean",
        Count,
        "sockets of <group> in <state>, mean",
        "",
    ),
    sockets(
        "<state>.<group>_mean_steady",
        Count,
        "sockets of <group> in <state>, mean",
        "",
    )
    .steady(),
    sockets(
        "<state>.<group>_end",
        Count,
        "sockets of <group> in <state>, end of the run",
        "",
    ),
    sockets(
        "time_wait_peak_at_s",
        Time,
        "time of the peak of TIME-WAIT",
        "When the peak was first reached.",
    ),
    sockets(
        "sockets_peak",
        Count,
        "sockets, peak",
        "In any state except CLOSED.",
    ),
    sockets("sockets_mean", Count, "sockets, mean", ""),
    sockets("sockets_mean_steady", Count, "sockets, mean", "").steady(),
    sockets("sockets_end", Count, "sockets, end of the run", ""),
    sockets(
        "ports_in_use_peak",
        Count,
        "local ports in use, peak",
        "Ports of active openers, including TIME-WAIT; a port used towards several destinations counts once for each.",
    ),
    sockets("ports_in_use_mean", Count, "local ports in use, mean", ""),
    sockets(
        "ports_in_use_mean_steady",
        Count,
        "local ports in use, mean",
        "",
    )
    .steady(),
    sockets(
        "ports_in_use_end",
        Count,
        "local ports in use, end of the run",
        "",
    ),
];
