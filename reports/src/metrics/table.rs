//! The rows of the registry.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Kind::{BitRate, Bytes, Count, Duration, Index, Number, PerSecond, Share, Time};
use super::{Kind, Metric, Source};

/// All tables, in the order of the reference.
pub(super) const TABLES: [&[Metric]; 8] = [
    CONNECTS, REQUESTS, SOCKETS, END_POINTS, FLOWS, NETWORK, COMPARISON, CUSTOM,
];

/// What people ask for first, most wanted first; other metrics follow by name.
pub(super) const RANKING: &[&str] = &[
    "connects_failed_share_steady",
    "connects_failed_share",
    "first_failure_s",
    "time_wait_mean_steady",
    "connects_per_s_steady",
    "goodput_bps",
    "jain_index",
    "retransmissions",
    "request_latency_mean_s",
    "connect_latency_p99_s",
];

/// A row that stands for one metric.
pub(super) fn exact(id: &str) -> Option<&'static Metric> {
    static BY_ID: LazyLock<HashMap<&'static str, &'static Metric>> = LazyLock::new(|| {
        let single = super::all().filter(|m| !m.id.contains('<'));
        single.map(|m| (m.id, m)).collect()
    });
    BY_ID.get(id).copied()
}

/// Rows that stand for many.
pub(super) fn families() -> impl Iterator<Item = &'static Metric> {
    super::all().filter(|m| m.id.contains('<'))
}

const fn connects(id: &'static str, kind: Kind, words: &'static str, doc: &'static str) -> Metric {
    Metric::new(Source::Connects, id, kind, words, doc)
}

const NO_CONNECT_SETTLED: &str = "no connect had come to an end";
const NONE_ESTABLISHED: &str = "no connection was established";

const CONNECTS: &[Metric] = &[
    connects("connects_attempted", Count, "connects", "Calls of connect."),
    connects("connects_settled", Count, "connects that succeeded or failed", "The others are still under way when the run ends."),
    connects("connects_established", Count, "connects that succeeded", ""),
    connects("connects_failed", Count, "connects that failed", "For any of the reasons below."),
    connects("connects_addr_not_available", Count, "connects without a free port", "EADDRNOTAVAIL: every local port towards the destination was in use."),
    connects("connects_refused", Count, "connects that were refused", "ECONNREFUSED: the SYN was answered by a reset."),
    connects("connects_timed_out", Count, "connects that timed out", "ETIMEDOUT: no answer to the SYN and its retransmissions."),
    connects("connects_aborted", Count, "connects that were given up", "By the application, or because the network reported the peer unreachable."),
    connects("connects_failed_share", Share, "share of connects that failed", "")
        .ratio("connects_failed", "connects_settled").absent(NO_CONNECT_SETTLED),
    connects("connects_settled_steady", Count, "connects that succeeded or failed", "").steady(),
    connects("connects_failed_steady", Count, "connects that failed", "").steady(),
    connects("connects_failed_share_steady", Share, "share of connects that failed", "")
        .ratio("connects_failed_steady", "connects_settled_steady").steady().absent("no connect came to an end in the window"),
    connects("connects_per_s_steady", PerSecond, "connections established", "").steady().absent("no connect came to an end in the window"),
    connects("offered_per_s_steady", PerSecond, "connections offered", "Calls of connect per second.").steady().absent("no connect came to an end in the window"),
    connects("first_failure_s", Time, "time of first failure", "When the first connect failed.").absent("no connect failed"),
    connects("port_probes_mean", Count, "ports looked at per connect, mean", "The cost of finding a free port.").absent("nothing called connect"),
    connects("connect_latency_mean_s", Duration, "time to connect, mean", "From the call of connect until the connection is established; connects that fail do not count.").absent(NONE_ESTABLISHED),
    connects("connect_latency_p50_s", Duration, "time to connect, median", "").absent(NONE_ESTABLISHED),
    connects("connect_latency_p99_s", Duration, "time to connect, 99th percentile", "").absent(NONE_ESTABLISHED),
    connects("connect_latency_max_s", Duration, "time to connect, maximum", "").absent(NONE_ESTABLISHED),
];

const fn requests(id: &'static str, kind: Kind, words: &'static str, doc: &'static str) -> Metric {
    Metric::new(Source::Requests, id, kind, words, doc)
}

const NO_RESPONSE: &str = "no request was answered";

const REQUESTS: &[Metric] = &[
    requests("requests_done", Count, "requests answered", "Requests whose whole response arrived.").absent(NO_RESPONSE),
    requests("request_latency_mean_s", Duration, "time per request, mean", "From the first byte of the request to the last byte of the response; requests without an answer do not count.").absent(NO_RESPONSE),
    requests("request_latency_p50_s", Duration, "time per request, median", "").absent(NO_RESPONSE),
    requests("request_latency_p99_s", Duration, "time per request, 99th percentile", "").absent(NO_RESPONSE),
    requests("request_latency_max_s", Duration, "time per request, maximum", "").absent(NO_RESPONSE),
];

const fn sockets(id: &'static str, kind: Kind, words: &'static str, doc: &'static str) -> Metric {
    Metric::new(Source::Sockets, id, kind, words, doc)
}

const SOCKETS: &[Metric] = &[
    sockets(
        "<state>_peak",
        Count,
        "sockets in <state>, peak",
        "Most at a time.",
    ),
    sockets(
        "<state>_mean",
        Count,
        "sockets in <state>, mean",
        "Average over the whole run.",
    ),
    sockets("<state>_mean_steady", Count, "sockets in <state>, mean", "").steady(),
    sockets(
        "<state>.<group>_peak",
        Count,
        "sockets of <group> in <state>, peak",
        "",
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
        "time_wait_peak_at_s",
        Time,
        "time of the peak of TIME-WAIT",
        "When the peak was first reached.",
    ),
    sockets(
        "sockets_peak",
        Count,
        "sockets, peak",
        "In any state but CLOSED.",
    ),
    sockets("sockets_mean", Count, "sockets, mean", ""),
    sockets("sockets_mean_steady", Count, "sockets, mean", "").steady(),
    sockets(
        "ports_in_use_peak",
        Count,
        "local ports in use, peak",
        "Ports of active openers, TIME-WAIT included; one port towards several destinations counts for each.",
    ),
    sockets("ports_in_use_mean", Count, "local ports in use, mean", ""),
    sockets(
        "ports_in_use_mean_steady",
        Count,
        "local ports in use, mean",
        "",
    )
    .steady(),
];

const fn end_points(
    id: &'static str,
    kind: Kind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(Source::EndPoints, id, kind, words, doc)
}

const END_POINTS: &[Metric] = &[
    end_points("endpoints_ended", Count, "end points that ended", ""),
    end_points("ended_closed", Count, "end points that closed in order", ""),
    end_points(
        "ended_refused",
        Count,
        "end points that were refused",
        "The peer answered the SYN with a reset.",
    ),
    end_points(
        "ended_reset",
        Count,
        "end points reset by the peer",
        "ECONNRESET: the peer sent a reset.",
    ),
    end_points(
        "ended_aborted",
        Count,
        "end points that were aborted",
        "This end sent the reset.",
    ),
    end_points(
        "ended_timed_out",
        Count,
        "end points that timed out",
        "ETIMEDOUT: retransmissions, keep-alive probes or FIN-WAIT-2 ran out of time.",
    ),
    end_points(
        "ended_time_wait_overflow",
        Count,
        "end points that closed without TIME-WAIT",
        "The TIME-WAIT table was full (tcp_max_tw_buckets).",
    ),
    end_points(
        "ended_crashed",
        Count,
        "end points lost in a crash",
        "The host went down.",
    ),
    end_points(
        "open_at_end",
        Count,
        "end points open at the end",
        "TIME-WAIT entries are over and do not count.",
    ),
    end_points(
        "bytes_acked",
        Bytes,
        "bytes acknowledged",
        "Payload that peers acknowledged.",
    ),
    end_points(
        "bytes_received",
        Bytes,
        "bytes received",
        "Payload received in order.",
    ),
    end_points(
        "segments_sent",
        Count,
        "segments sent",
        "Retransmissions included; resets and ACKs of hosts without a connection are not.",
    ),
    end_points("segments_received", Count, "segments received", ""),
    end_points(
        "retransmissions",
        Count,
        "segments sent again",
        "SYN and FIN included.",
    ),
    end_points("timeouts", Count, "retransmission time-outs", ""),
    end_points("fast_recoveries", Count, "fast recoveries", ""),
    end_points(
        "old_duplicate_bytes",
        Bytes,
        "bytes of earlier connections accepted",
        "Payload that an earlier incarnation of the connection had sent: the corruption that TIME-WAIT prevents.",
    ),
];

const fn flows(id: &'static str, kind: Kind, words: &'static str, doc: &'static str) -> Metric {
    Metric::new(Source::Flows, id, kind, words, doc)
}

const FLOWS: &[Metric] = &[
    flows(
        "goodput_bps",
        BitRate,
        "goodput over the whole run",
        "Payload acknowledged to all senders, by the simulated time.",
    )
    .absent("nothing was acknowledged"),
    flows(
        "flow_goodput.<flow>_bps",
        BitRate,
        "goodput of <flow>",
        "Payload acknowledged by the time from the flow's first sample to its end, or to the end of the run. For the first 16 traced senders of at least 50 kB.",
    ),
    flows(
        "jain_index",
        Index,
        "Jain's fairness index",
        "Of the bytes of traced senders of at least 50 kB while all of them were active.",
    )
    .absent("there were not two such senders at a time"),
];

const fn network(id: &'static str, kind: Kind, words: &'static str, doc: &'static str) -> Metric {
    Metric::new(Source::Network, id, kind, words, doc)
}

const NETWORK: &[Metric] = &[
    network(
        "queue_drops_pkts",
        Count,
        "packets dropped by queues",
        "They were full.",
    ),
    network(
        "early_drops_pkts",
        Count,
        "packets dropped early by queue disciplines",
        "To signal congestion.",
    ),
    network(
        "ce_marks_pkts",
        Count,
        "packets marked by queue disciplines",
        "Congestion experienced (CE, RFC 3168).",
    ),
    network(
        "wire_losses_pkts",
        Count,
        "packets lost by links",
        "By the loss, corruption or scripted drops of links.",
    ),
    network("unrouted_pkts", Count, "packets without a route", ""),
    network(
        "busiest_link_utilisation",
        Share,
        "utilisation of the busiest link",
        "Of all link directions with a bit rate, over the whole run.",
    )
    .absent("no link has a bit rate"),
    network(
        "events",
        Count,
        "events",
        "What the engine did; no property of the network.",
    ),
    network(
        "records",
        Count,
        "records",
        "Observations that hosts recorded.",
    ),
];

const fn comparison(
    id: &'static str,
    kind: Kind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(Source::Comparison, id, kind, words, doc)
}

const COMPARISON: &[Metric] = &[
    comparison("steady_from_s", Time, "begin of the steady window", ""),
    comparison("steady_to_s", Time, "end of the steady window", ""),
    comparison("port_limit_per_s", PerSecond, "connections the port supply allows", "Ports towards all destinations by the time that each is held.").absent("ports do not limit the load"),
    comparison("request_with_connect_mean_s", Duration, "time per request with its share of connecting, mean", "Mean time of a request plus the mean time to connect by the number of requests that a connection carried.").absent(NO_RESPONSE),
];

const CUSTOM: &[Metric] = &[Metric::new(
    Source::Custom,
    "custom.<name>",
    Number,
    "<name>",
    "",
)];
