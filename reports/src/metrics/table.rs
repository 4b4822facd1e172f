//! The rows of the registry.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::MetricKind::{BitRate, Bytes, Count, Duration, Index, Number, PerSecond, Share, Time};
use super::{Metric, MetricKind, Source};

/// All tables, in the order of the reference.
pub(super) const TABLES: [&[Metric]; 9] = [
    CONNECTS, REQUESTS, SOCKETS, END_POINTS, FLOWS, HOSTS, NETWORK, COMPARISON, CUSTOM,
];

/// What people ask for first, most wanted first; other metrics follow by name.
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

/// Rows that stand for many.
pub(super) fn families() -> impl Iterator<Item = &'static Metric> {
    super::all().filter(|m| m.id.contains('<'))
}

const fn connects(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(Source::Connects, id, kind, words, doc)
}

const NO_CONNECT_SETTLED: &str = "no connect had come to an end";
const NONE_ESTABLISHED: &str = "no connection was established";

const CONNECTS: &[Metric] = &[
    connects("connects_attempted", Count, "connects", "Calls of connect."),
    connects("connects_settled", Count, "connects that succeeded or failed", "The others are still under way when the run ends."),
    connects("connects_established", Count, "connects that succeeded", ""),
    connects("connects_failed", Count, "connects that failed", "Without a free port, refused, timed out or given up."),
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
    connects("last_failure_s", Time, "time of last failure", "When the last connect failed.").absent("no connect failed"),
    connects("port_probes_mean", Count, "ports looked at per connect, mean", "The cost of finding a free port.").absent("nothing called connect"),
    connects("connect_latency_mean_s", Duration, "time to connect, mean", "From the call of connect until the connection is established; connects that fail do not count.").absent(NONE_ESTABLISHED),
    connects("connect_latency_p50_s", Duration, "time to connect, median", "").absent(NONE_ESTABLISHED),
    connects("connect_latency_p99_s", Duration, "time to connect, 99th percentile", "").absent(NONE_ESTABLISHED),
    connects("connect_latency_p999_s", Duration, "time to connect, 99.9th percentile", "").absent(NONE_ESTABLISHED),
    connects("connect_latency_max_s", Duration, "time to connect, maximum", "").absent(NONE_ESTABLISHED),
    connects("connect_unsettled_max_s", Duration, "longest connect under way at the end", "Of those that had neither succeeded nor failed, the time since the call.").absent("every connect had come to an end"),
];

const fn requests(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(Source::Requests, id, kind, words, doc)
}

const NO_REQUEST: &str = "no request was made";
const NO_RESPONSE: &str = "no request was answered";

const REQUESTS: &[Metric] = &[
    requests("requests_made", Count, "requests", "Begun on a connection; those of connects that failed are not.").absent(NO_REQUEST),
    requests("requests_done", Count, "requests answered", "Requests whose whole response arrived.").absent(NO_RESPONSE),
    requests("requests_unanswered", Count, "requests without an answer", "The whole response had not arrived when the connection ended, or when the run did. The eight metrics that follow say which.").absent(NO_REQUEST),
    requests("requests_unanswered_closed", Count, "requests without an answer, connection closed", "The server closed before the whole response was sent.").absent(NO_REQUEST),
    requests("requests_unanswered_reset", Count, "requests without an answer, connection reset", "ECONNRESET.").absent(NO_REQUEST),
    requests("requests_unanswered_timed_out", Count, "requests without an answer, connection timed out", "ETIMEDOUT.").absent(NO_REQUEST),
    requests("requests_unanswered_aborted", Count, "requests without an answer, connection aborted", "The client aborted.").absent(NO_REQUEST),
    requests("requests_unanswered_unreachable", Count, "requests without an answer, server unreachable", "").absent(NO_REQUEST),
    requests("requests_unanswered_given_up", Count, "requests given up by the client", "`request_timeout` was over.").absent("no client gave up a request"),
    requests("requests_unanswered_crashed", Count, "requests without an answer, client crashed", "The client's host went down.").absent(NO_REQUEST),
    requests("requests_unanswered_at_run_end", Count, "requests without an answer at the end of the run", "Their connections were still open.").absent(NO_REQUEST),
    requests("requests_unanswered_share", Share, "share of requests without an answer", "").ratio("requests_unanswered", "requests_made").absent(NO_REQUEST),
    requests("request_unanswered_first_s", Time, "time of the first request given up", "When the first connection with an unanswered request ended, or the run.").absent("every request was answered"),
    requests("request_unanswered_last_s", Time, "time of the last request given up", "").absent("every request was answered"),
    requests("request_unanswered_wait_max_s", Duration, "longest wait of a request without an answer", "").absent("every request was answered"),
    requests("request_latency_mean_s", Duration, "time per request, mean", "From the first byte of the request to the last byte of the response; requests without an answer do not count.").absent(NO_RESPONSE),
    requests("request_latency_p50_s", Duration, "time per request, median", "").absent(NO_RESPONSE),
    requests("request_latency_p99_s", Duration, "time per request, 99th percentile", "").absent(NO_RESPONSE),
    requests("request_latency_p999_s", Duration, "time per request, 99.9th percentile", "").absent(NO_RESPONSE),
    requests("request_latency_max_s", Duration, "time per request, maximum", "").absent(NO_RESPONSE),
    requests("request_with_connect_mean_s", Duration, "time per request with connecting, mean", "For the first request of a connection from the call of connect, for later ones from their first byte; where clients keep connections in a pool, from when the request came, which waits for one.").absent(NO_RESPONSE),
    requests("request_with_connect_p50_s", Duration, "time per request with connecting, median", "").absent(NO_RESPONSE),
    requests("request_with_connect_p99_s", Duration, "time per request with connecting, 99th percentile", "").absent(NO_RESPONSE),
    requests("request_with_connect_p999_s", Duration, "time per request with connecting, 99.9th percentile", "").absent(NO_RESPONSE),
    requests("request_with_connect_max_s", Duration, "time per request with connecting, maximum", "").absent(NO_RESPONSE),
    requests("requests_one_way", Count, "requests that have no response", "Written; the response they ask for has no byte.").absent("every request asked for a response"),
    requests("requests_never_sent", Count, "requests that never had a connection", "They waited for one of their client's pool until the run ended, or the client crashed. They do not count as made.").absent("none waited then"),
    requests("request_never_sent_wait_max_s", Duration, "longest wait of a request that never had a connection", "").absent("none waited then"),
    requests("connections_cut_short", Count, "connections that ended between two requests", "Before the client had made all its requests, and while none was under way: the server closed, or the connection was reset or timed out.").absent("none did"),
];

const fn sockets(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
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
        "<state>_end",
        Count,
        "sockets in <state>, end of the run",
        "",
    ),
    sockets(
        "<state>.<group>_peak",
        Count,
        "sockets of <group> in <state>, peak",
        "This and its kin are left out for states that no socket of the group ever was in, TIME-WAIT excepted.",
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
        "In any state but CLOSED.",
    ),
    sockets("sockets_mean", Count, "sockets, mean", ""),
    sockets("sockets_mean_steady", Count, "sockets, mean", "").steady(),
    sockets("sockets_end", Count, "sockets, end of the run", ""),
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
    sockets(
        "ports_in_use_end",
        Count,
        "local ports in use, end of the run",
        "",
    ),
];

const fn end_points(
    id: &'static str,
    kind: MetricKind,
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
        "ETIMEDOUT: retransmissions or keep-alive probes ran out of time.",
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
        "ended_unreachable",
        Count,
        "end points that the network reported unreachable",
        "",
    ),
    end_points(
        "ended_fin_wait_expired",
        Count,
        "end points that gave up in FIN-WAIT-2",
        "The application had closed, and the peer's FIN did not come in time (tcp_fin_timeout).",
    )
    .absent("none gave up in FIN-WAIT-2"),
    end_points(
        "ended_refused_first_s",
        Time,
        "time of the first end point that was refused",
        "",
    )
    .absent("none was refused"),
    end_points(
        "ended_refused_last_s",
        Time,
        "time of the last end point that was refused",
        "",
    )
    .absent("none was refused"),
    end_points(
        "ended_reset_first_s",
        Time,
        "time of the first end point that was reset",
        "",
    )
    .absent("none was reset"),
    end_points(
        "ended_reset_last_s",
        Time,
        "time of the last end point that was reset",
        "",
    )
    .absent("none was reset"),
    end_points(
        "ended_aborted_first_s",
        Time,
        "time of the first end point that was aborted",
        "",
    )
    .absent("none was aborted"),
    end_points(
        "ended_aborted_last_s",
        Time,
        "time of the last end point that was aborted",
        "",
    )
    .absent("none was aborted"),
    end_points(
        "ended_timed_out_first_s",
        Time,
        "time of the first end point that timed out",
        "",
    )
    .absent("none timed out"),
    end_points(
        "ended_timed_out_last_s",
        Time,
        "time of the last end point that timed out",
        "",
    )
    .absent("none timed out"),
    end_points(
        "ended_time_wait_overflow_first_s",
        Time,
        "time of the first end point that closed without TIME-WAIT",
        "",
    )
    .absent("none closed without TIME-WAIT"),
    end_points(
        "ended_time_wait_overflow_last_s",
        Time,
        "time of the last end point that closed without TIME-WAIT",
        "",
    )
    .absent("none closed without TIME-WAIT"),
    end_points(
        "ended_crashed_first_s",
        Time,
        "time of the first end point that was lost in a crash",
        "",
    )
    .absent("none was lost in a crash"),
    end_points(
        "ended_crashed_last_s",
        Time,
        "time of the last end point that was lost in a crash",
        "",
    )
    .absent("none was lost in a crash"),
    end_points(
        "ended_unreachable_first_s",
        Time,
        "time of the first end point that was unreachable",
        "",
    )
    .absent("none was unreachable"),
    end_points(
        "ended_unreachable_last_s",
        Time,
        "time of the last end point that was unreachable",
        "",
    )
    .absent("none was unreachable"),
    end_points(
        "ended_fin_wait_expired_first_s",
        Time,
        "time of the first end point that gave up in FIN-WAIT-2",
        "",
    )
    .absent("none gave up in FIN-WAIT-2"),
    end_points(
        "ended_fin_wait_expired_last_s",
        Time,
        "time of the last end point that gave up in FIN-WAIT-2",
        "",
    )
    .absent("none gave up in FIN-WAIT-2"),
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
    end_points(
        "duplicates_received",
        Count,
        "segments that brought nothing new",
        "All their data had arrived before: retransmissions that were not needed, and copies that the network made.",
    ),
    end_points(
        "undone_eifel",
        Count,
        "reductions undone by timestamps",
        "The peer echoed a timestamp older than the first retransmission, so nothing was lost (Eifel, RFC 3522).",
    ),
    end_points(
        "undone_dsack",
        Count,
        "reductions undone by D-SACK",
        "The peer reported every retransmission as a duplicate (RFC 3708).",
    ),
    end_points(
        "undone_frto",
        Count,
        "time-outs undone by F-RTO",
        "Data that were never sent again arrived after the time-out (RFC 5682).",
    ),
];

const fn flows(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(Source::Flows, id, kind, words, doc)
}

const NO_BULK: &str = "no sender had 50 kB acknowledged";
const NO_SIZE: &str = "no bulk flow came to an end or had a number of bytes";
const NONE_COMPLETED: &str = "no bulk flow was completed";

const FLOWS: &[Metric] = &[
    flows("flow_goodput_mean_bps", BitRate, "goodput of a sender of at least 50 kB over its own life, mean", "Payload acknowledged by the time from the opening of the connection to its end, or to the end of the run: bulk flows, and servers that have sent as much over one connection.").absent(NO_BULK),
    flows("flow_goodput_min_bps", BitRate, "goodput of a sender of at least 50 kB over its own life, least", "").absent(NO_BULK),
    flows("flow_goodput_max_bps", BitRate, "goodput of a sender of at least 50 kB over its own life, most", "").absent(NO_BULK),
    flows("flows_completed", Count, "bulk flows completed", "Flows of bulk workloads whose connection closed in order, with all bytes acknowledged.").absent(NO_SIZE),
    flows("flows_broken", Count, "bulk flows broken off", "Their connection failed, or was not established.").absent(NO_SIZE),
    flows("flows_unfinished", Count, "bulk flows under way at the end", "Flows with a number of bytes; those without have no end.").absent(NO_SIZE),
    flows("flow_unfinished_max_s", Duration, "longest that a bulk flow was under way at the end", "Of flows with a number of bytes, since the call of connect.").absent("no bulk flow with a number of bytes was under way"),
    flows("flows_small", Count, "bulk flows that had not got far", "Fewer than 50 kB had been acknowledged when the run ended, a second or more after the call of connect.").absent("there was none"),
    flows("flow_small_min_bytes", Bytes, "least that was acknowledged to such a flow", "").absent("there was none"),
    flows("flow_completion_mean_s", Duration, "time to complete a bulk flow, mean", "From the call of connect until the sender has closed, all its bytes and its FIN being acknowledged and the FIN of the peer received.").absent(NONE_COMPLETED),
    flows("flow_completion_p50_s", Duration, "time to complete a bulk flow, median", "").absent(NONE_COMPLETED),
    flows("flow_completion_p99_s", Duration, "time to complete a bulk flow, 99th percentile", "").absent(NONE_COMPLETED),
    flows("flow_completion_p999_s", Duration, "time to complete a bulk flow, 99.9th percentile", "").absent(NONE_COMPLETED),
    flows("flow_completion_max_s", Duration, "time to complete a bulk flow, maximum", "").absent(NONE_COMPLETED),
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

const fn hosts(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(Source::Hosts, id, kind, words, doc)
}

const fn spurious(id: &'static str, how: &'static str, doc: &'static str) -> Metric {
    Metric::new(Source::Hosts, id, Count, how, doc)
        .absent("no segment was sent again in vain by this rule")
}

const HOSTS: &[Metric] = &[
    hosts(
        "ports_in_use_destination_peak",
        Count,
        "local ports in use towards one destination, peak",
        "Of the destination (own address, peer's address and port) and the time with the most; reserved ports included.",
    ),
    hosts(
        "ports_in_use_destination_share_peak",
        Share,
        "share of local ports in use towards one destination, peak",
        "The same by the number of ports there are: 1 says that some destination ran out of ports, whatever others did.",
    ),
    hosts(
        "time_wait_fins_answered",
        Count,
        "FINs answered from TIME-WAIT",
        "FINs that came again, because their ACK was lost or late or the network made a copy, and were acknowledged again: what TIME-WAIT is for.",
    ),
    hosts(
        "retransmissions_spurious",
        Count,
        "segments sent again in vain",
        "All their data had arrived before, which only the simulator sees: the sum of those by rule. Retransmissions that the network loses, or that come before their original, are not judged.",
    ),
    spurious(
        "spurious_duplicate_acks",
        "segments sent again in vain for duplicate ACKs",
        "RFC 5681 section 3.2.",
    ),
    spurious(
        "spurious_partial_ack",
        "segments sent again in vain for a partial ACK",
        "RFC 6582 section 3.2.",
    ),
    spurious(
        "spurious_sack",
        "segments sent again in vain for SACK blocks",
        "RFC 6675.",
    ),
    spurious(
        "spurious_rack",
        "segments sent again in vain by RACK",
        "RFC 8985 section 6.",
    ),
    spurious(
        "spurious_tlp",
        "segments sent again in vain as tail loss probes",
        "RFC 8985 section 7: the probe repeats the last segment, lost or not.",
    ),
    spurious(
        "spurious_rto",
        "segments sent again in vain by the time-out",
        "RFC 6298: the first segment outstanding.",
    ),
    spurious(
        "spurious_after_rto",
        "segments sent again in vain in slow start after the time-out",
        "RFC 5681 section 3.1.",
    ),
    spurious(
        "spurious_after_frto",
        "segments sent again in vain in slow start after F-RTO",
        "RFC 5682 step 3a.",
    ),
    spurious(
        "spurious_other",
        "segments sent again in vain by other rules",
        "Window probes, and segments too big for the path.",
    ),
    hosts(
        "time_wait_reused",
        Count,
        "TIME-WAIT entries whose port was reused",
        "By a connect, under tcp_tw_reuse.",
    ),
    hosts(
        "time_wait_recycled",
        Count,
        "TIME-WAIT entries replaced by a new SYN",
        "",
    ),
    hosts(
        "time_wait_killed",
        Count,
        "TIME-WAIT entries ended by a reset",
        "TIME-WAIT assassination (RFC 1337).",
    ),
    hosts(
        "time_wait_lost",
        Count,
        "TIME-WAIT entries lost in crashes",
        "Their hosts went down, and came up without them.",
    )
    .absent("no host lost any"),
    hosts(
        "resets_sent",
        Count,
        "resets sent",
        "For connections there are and for segments that belong to none.",
    ),
    hosts(
        "listen_overflows",
        Count,
        "handshakes dropped at a full accept queue",
        "",
    ),
    hosts(
        "listen_drops",
        Count,
        "SYNs and ACKs dropped by listeners",
        "For any reason.",
    ),
    hosts(
        "end_points_stuck",
        Count,
        "end points open at the end with nothing scheduled",
        "The run was over before its time: no event pending, no packet on its way.",
    )
    .absent("something was scheduled at the end, or no connection was open"),
    hosts(
        "half_open_end",
        Count,
        "connections half-open at the end",
        "One end was lost in a crash, timed out, or was reset or aborted, a second or more before the end of the run; the other was still open.",
    )
    .absent("there was none"),
    hosts(
        "half_open_max_s",
        Duration,
        "longest time for which a connection had been half-open at the end",
        "",
    )
    .absent("there was none"),
    hosts("syn_cookies_sent", Count, "SYN-ACKs with a SYN cookie", "")
        .absent("no listener sent a SYN cookie"),
    hosts(
        "nat_mappings_made",
        Count,
        "mappings made by NATs",
        "One for each connection, over all NATs.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_mappings_expired",
        Count,
        "mappings of NATs that timed out",
        "Their connection was silent for the time-out of its state.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_mappings_peak",
        Count,
        "mappings of a NAT, peak",
        "Of the NAT and the time with the most.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_ports_in_use_peak",
        Count,
        "ports of a NAT in use towards one destination, peak",
        "Of the NAT, the destination (address and port) and the time with the most.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_ports_in_use_share_peak",
        Share,
        "share of a NAT's ports in use towards one destination, peak",
        "The same by the number of ports there are: 1 says that all were taken.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_syns_dropped",
        Count,
        "SYNs dropped by NATs without a free port",
        "Retransmitted SYNs count each time.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_packets_unmapped",
        Count,
        "packets dropped by NATs for want of a mapping",
        "They belonged to no connection that the NAT knew.",
    )
    .absent(NO_NAT),
    hosts(
        "nat.<name>_syns_dropped",
        Count,
        "SYNs dropped by <name> without a free port",
        "",
    )
    .absent("no NAT of that name ran out of ports"),
    hosts(
        "nat.<name>_first_drop_s",
        Time,
        "time when <name> first had no free port",
        "When it first dropped a SYN for that reason.",
    )
    .absent("no NAT of that name ran out of ports"),
];

const NO_NAT: &str = "no node is a NAT";

const fn network(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(Source::Network, id, kind, words, doc)
}

/// How long packets waited at the slowest of the recorded queues.
const fn queue_wait(id: &'static str, words: &'static str) -> Metric {
    let doc = "From arrival to the begin of transmission, of the packets sent by the recorded queue at \
               which packets waited longest in all.";
    network(id, Duration, words, doc).absent("no queue is recorded")
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
        "policed_drops_pkts",
        Count,
        "packets dropped by policers",
        "They exceeded rate and burst.",
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
        "By the loss models and scripted drops of links, or while a link or node was down.",
    ),
    queue_wait("queue_wait_mean_s", "queueing delay, mean"),
    queue_wait("queue_wait_p50_s", "queueing delay, median"),
    queue_wait("queue_wait_p99_s", "queueing delay, 99th percentile"),
    queue_wait("queue_wait_p999_s", "queueing delay, 99.9th percentile"),
    queue_wait("queue_wait_max_s", "queueing delay, longest"),
    network(
        "queue_backlog_max_bytes",
        Bytes,
        "longest queue",
        "Of the recorded queue at which packets waited longest in all.",
    )
    .absent("no queue is recorded"),
    network(
        "corrupted_pkts",
        Count,
        "segments dropped for a wrong checksum",
        "Bit errors of links (`corrupt`) damaged them, and their receivers dropped them.",
    )
    .absent("none was"),
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
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(Source::Comparison, id, kind, words, doc)
}

const COMPARISON: &[Metric] = &[
    comparison("steady_from_s", Time, "begin of the steady window", ""),
    comparison("steady_to_s", Time, "end of the steady window", ""),
    comparison(
        "port_limit_per_s",
        PerSecond,
        "connections the port supply allows",
        "Ports towards all destinations by the time that each is held.",
    )
    .absent("ports do not limit the load"),
];

const CUSTOM: &[Metric] = &[Metric::new(
    Source::Custom,
    "custom.<name>",
    Number,
    "<name>",
    "",
)];
