//! Calls of connect.

use super::super::MetricKind::{Count, Duration, PerSecond, Share, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn connects(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Connects, id, kind, words, doc)
}

const NO_CONNECT_SETTLED: &str = "no connect had completed";
const NONE_ESTABLISHED: &str = "no connection was established";

pub(super) const CONNECTS: &[Metric] = &[
    connects("connects_attempted", Count, "connects", "Calls of connect."),
    connects("connects_settled", Count, "connects that succeeded or failed", "The others are pending when the run ends."),
    connects("connects_established", Count, "connects that succeeded", ""),
    connects("connects_failed", Count, "connects that failed", "Without a free port, refused, timed out or given up."),
    connects("connects_addr_not_available", Count, "connects without a free port", "EADDRNOTAVAIL: all local ports towards the destination were in use."),
    connects("connects_refused", Count, "connects that were refused", "ECONNREFUSED: the SYN was answered with a reset."),
    connects("connects_timed_out", Count, "connects that timed out", "ETIMEDOUT: no answer to the SYN and its retransmissions."),
    connects("connects_aborted", Count, "connects that were given up", "By the application, or because the network reported the peer unreachable."),
    connects("connects_failed_share", Share, "share of connects that failed", "")
        .ratio("connects_failed", "connects_settled").absent(NO_CONNECT_SETTLED),
    connects("connects_settled_steady", Count, "connects that succeeded or failed", "").steady(),
    connects("connects_failed_steady", Count, "connects that failed", "").steady(),
    connects("connects_failed_share_steady", Share, "share of connects that failed", "")
        .ratio("connects_failed_steady", "connects_settled_steady").steady().absent("no connect completed in the window"),
    connects("connects_per_s_steady", PerSecond, "connections established", "").steady().absent("no connect completed in the window"),
    connects("offered_per_s_steady", PerSecond, "connections offered", "Calls of connect per second.").steady().absent("no connect completed in the window"),
    connects("first_failure_s", Time, "time of first failure", "When the first connect failed.").absent("no connect failed"),
    connects("last_failure_s", Time, "time of last failure", "When the last connect failed.").absent("no connect failed"),
    connects("port_probes_mean", Count, "ports tried per connect, mean", "The cost of finding a free port.").absent("nothing called connect"),
    connects("connect_latency_mean_s", Duration, "time to connect, mean", "From the call of connect until the connection is established; failed connects do not count.").absent(NONE_ESTABLISHED),
    connects("connect_latency_p50_s", Duration, "time to connect, median", "").absent(NONE_ESTABLISHED),
    connects("connect_latency_p99_s", Duration, "time to connect, 99th percentile", "").absent(NONE_ESTABLISHED),
    connects("connect_latency_p999_s", Duration, "time to connect, 99.9th percentile", "").absent(NONE_ESTABLISHED),
    connects("connect_latency_max_s", Duration, "time to connect, maximum", "").absent(NONE_ESTABLISHED),
    connects("connect_unsettled_max_s", Duration, "longest pending connect at the end", "Time since the call, of connects that had neither succeeded nor failed.").absent("every connect had completed"),
];
