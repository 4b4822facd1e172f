//! Sockets by state, and local ports.

use super::super::MetricKind::{Count, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn sockets(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Sockets, id, kind, words, doc)
}

pub(super) const SOCKETS: &[Metric] = &[
    sockets(
        "<state>_peak",
        Count,
        ("sockets in <state>, peak", "处于 <state> 的套接字数，峰值"),
        "Maximum over time.",
    ),
    sockets(
        "<state>_mean",
        Count,
        (
            "sockets in <state>, mean",
            "处于 <state> 的套接字数，平均值",
        ),
        "Average over the whole run.",
    ),
    sockets(
        "<state>_mean_steady",
        Count,
        (
            "sockets in <state>, mean",
            "处于 <state> 的套接字数，平均值",
        ),
        "",
    )
    .steady(),
    sockets(
        "<state>_end",
        Count,
        (
            "sockets in <state>, end of the run",
            "处于 <state> 的套接字数，运行结束时",
        ),
        "",
    ),
    sockets(
        "<state>.<group>_peak",
        Count,
        (
            "sockets of <group> in <state>, peak",
            "<group> 处于 <state> 的套接字数，峰值",
        ),
        "Metrics of a group are left out for states, other than TIME-WAIT, that its sockets never entered.",
    ),
    sockets(
        "<state>.<group>_mean",
        Count,
        (
            "sockets of <group> in <state>, mean",
            "<group> 处于 <state> 的套接字数，平均值",
        ),
        "",
    ),
    sockets(
        "<state>.<group>_mean_steady",
        Count,
        (
            "sockets of <group> in <state>, mean",
            "<group> 处于 <state> 的套接字数，平均值",
        ),
        "",
    )
    .steady(),
    sockets(
        "<state>.<group>_end",
        Count,
        (
            "sockets of <group> in <state>, end of the run",
            "<group> 处于 <state> 的套接字数，运行结束时",
        ),
        "",
    ),
    sockets(
        "time_wait_peak_at_s",
        Time,
        ("time of the peak of TIME-WAIT", "TIME-WAIT 达到峰值的时刻"),
        "When the peak was first reached.",
    ),
    sockets(
        "sockets_peak",
        Count,
        ("sockets, peak", "套接字数，峰值"),
        "In any state except CLOSED.",
    ),
    sockets(
        "sockets_mean",
        Count,
        ("sockets, mean", "套接字数，平均值"),
        "",
    ),
    sockets(
        "sockets_mean_steady",
        Count,
        ("sockets, mean", "套接字数，平均值"),
        "",
    )
    .steady(),
    sockets(
        "sockets_end",
        Count,
        ("sockets, end of the run", "套接字数，运行结束时"),
        "",
    ),
    sockets(
        "ports_in_use_peak",
        Count,
        ("local ports in use, peak", "在用的本地端口数，峰值"),
        "Ports of active openers, including TIME-WAIT; a port used towards several destinations counts once for each.",
    ),
    sockets(
        "ports_in_use_mean",
        Count,
        ("local ports in use, mean", "在用的本地端口数，平均值"),
        "",
    ),
    sockets(
        "ports_in_use_mean_steady",
        Count,
        ("local ports in use, mean", "在用的本地端口数，平均值"),
        "",
    )
    .steady(),
    sockets(
        "ports_in_use_end",
        Count,
        (
            "local ports in use, end of the run",
            "在用的本地端口数，运行结束时",
        ),
        "",
    ),
];
