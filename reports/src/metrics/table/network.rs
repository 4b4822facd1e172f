//! Links, queues and the engine.

use super::super::MetricKind::{Bytes, Count, Duration, Share};
use super::super::{Metric, MetricKind, MetricSource};

const fn network(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Network, id, kind, words, doc)
}

/// How long packets waited at the slowest of the recorded queues.
const fn queue_wait(id: &'static str, words: (&'static str, &'static str)) -> Metric {
    let doc = "From arrival to the start of transmission, at the recorded queue with the longest total \
               wait.";
    network(id, Duration, words, doc).absent("no queue is recorded")
}

pub(super) const NETWORK: &[Metric] = &[
    network(
        "queue_drops_pkts",
        Count,
        ("packets dropped by queues", "队列丢弃的分组数"),
        "They were full.",
    ),
    network(
        "early_drops_pkts",
        Count,
        (
            "packets dropped early by queue disciplines",
            "排队规则提前丢弃的分组数",
        ),
        "To signal congestion.",
    ),
    network(
        "policed_drops_pkts",
        Count,
        ("packets dropped by policers", "限速器丢弃的分组数"),
        "They exceeded rate and burst.",
    ),
    network(
        "ce_marks_pkts",
        Count,
        (
            "packets marked by queue disciplines",
            "排队规则标记的分组数",
        ),
        "Congestion experienced (CE, RFC 3168).",
    ),
    network(
        "ce_marks_bytes",
        Bytes,
        ("bytes marked by queue disciplines", "排队规则标记的字节数"),
        "Size of the packets marked with CE, IP header included.",
    ),
    network(
        "wire_losses_pkts",
        Count,
        ("packets lost by links", "链路丢失的分组数"),
        "By the loss models and scripted drops of links, or while a link or node was down.",
    ),
    queue_wait(
        "queue_wait_mean_s",
        ("queueing delay, mean", "排队时延，平均值"),
    ),
    queue_wait(
        "queue_wait_p50_s",
        ("queueing delay, median", "排队时延，中位数"),
    ),
    queue_wait(
        "queue_wait_p99_s",
        ("queueing delay, 99th percentile", "排队时延，第 99 百分位"),
    ),
    queue_wait(
        "queue_wait_p999_s",
        (
            "queueing delay, 99.9th percentile",
            "排队时延，第 99.9 百分位",
        ),
    ),
    queue_wait(
        "queue_wait_max_s",
        ("queueing delay, longest", "排队时延，最长"),
    ),
    network(
        "queue_backlog_max_bytes",
        Bytes,
        ("longest queue", "最长队列"),
        "Of the recorded queue with the longest total wait.",
    )
    .absent("no queue is recorded"),
    network(
        "corrupted_pkts",
        Count,
        (
            "segments dropped for a wrong checksum",
            "因校验和错误而丢弃的报文段数",
        ),
        "Bit errors of links (`corrupt`) damaged them, and their receivers dropped them.",
    )
    .absent("none was"),
    network(
        "unrouted_pkts",
        Count,
        ("packets without a route", "无路由的分组数"),
        "",
    ),
    network(
        "busiest_link_utilisation",
        Share,
        ("utilisation of the busiest link", "最忙链路的利用率"),
        "Of all link directions with a bit rate, over the whole run.",
    )
    .absent("no link has a bit rate"),
    network(
        "events",
        Count,
        ("events", "事件数"),
        "Events processed by the engine; not a property of the network.",
    ),
    network(
        "records",
        Count,
        ("records", "记录数"),
        "Observations that hosts recorded.",
    ),
];
