//! Calls of connect.

use super::super::MetricKind::{Count, Duration, PerSecond, Share, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn connects(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Connects, id, kind, words, doc)
}

const NO_CONNECT_SETTLED: &str = "no connect had completed";
const NONE_ESTABLISHED: &str = "no connection was established";

pub(super) const CONNECTS: &[Metric] = &[
    connects("connects_attempted", Count, ("connects", "connect 调用次数"), "Calls of connect."),
    connects("connects_settled", Count, ("connects that succeeded or failed", "已有结果的 connect 次数"), "The others are pending when the run ends."),
    connects("connects_established", Count, ("connects that succeeded", "成功的 connect 次数"), ""),
    connects("connects_failed", Count, ("connects that failed", "失败的 connect 次数"), "Without a free port, refused, timed out or given up."),
    connects("connects_addr_not_available", Count, ("connects without a free port", "无空闲端口的 connect 次数"), "EADDRNOTAVAIL: all local ports towards the destination were in use."),
    connects("connects_refused", Count, ("connects that were refused", "被拒绝的 connect 次数"), "ECONNREFUSED: the SYN was answered with a reset."),
    connects("connects_timed_out", Count, ("connects that timed out", "超时的 connect 次数"), "ETIMEDOUT: no answer to the SYN and its retransmissions."),
    connects("connects_aborted", Count, ("connects that were given up", "被放弃的 connect 次数"), "By the application, or because the network reported the peer unreachable."),
    connects("connects_failed_share", Share, ("share of connects that failed", "失败的 connect 所占比例"), "")
        .ratio("connects_failed", "connects_settled").absent(NO_CONNECT_SETTLED),
    connects("connects_settled_steady", Count, ("connects that succeeded or failed", "已有结果的 connect 次数"), "").steady(),
    connects("connects_failed_steady", Count, ("connects that failed", "失败的 connect 次数"), "").steady(),
    connects("connects_failed_share_steady", Share, ("share of connects that failed", "失败的 connect 所占比例"), "")
        .ratio("connects_failed_steady", "connects_settled_steady").steady().absent("no connect completed in the window"),
    connects("connects_per_s_steady", PerSecond, ("connections established", "建立的连接数"), "").steady().absent("no connect completed in the window"),
    connects("offered_per_s_steady", PerSecond, ("connections offered", "请求建立的连接数"), "Calls of connect per second.").steady().absent("no connect completed in the window"),
    connects("first_failure_s", Time, ("time of first failure", "首次失败的时刻"), "When the first connect failed.").absent("no connect failed"),
    connects("last_failure_s", Time, ("time of last failure", "最后一次失败的时刻"), "When the last connect failed.").absent("no connect failed"),
    connects("port_probes_mean", Count, ("ports tried per connect, mean", "每次 connect 尝试的端口数，平均值"), "The cost of finding a free port.").absent("nothing called connect"),
    connects("connect_latency_mean_s", Duration, ("time to connect, mean", "建立连接的时间，平均值"), "From the call of connect until the connection is established; failed connects do not count.").absent(NONE_ESTABLISHED),
    connects("connect_latency_p50_s", Duration, ("time to connect, median", "建立连接的时间，中位数"), "").absent(NONE_ESTABLISHED),
    connects("connect_latency_p99_s", Duration, ("time to connect, 99th percentile", "建立连接的时间，第 99 百分位"), "").absent(NONE_ESTABLISHED),
    connects("connect_latency_p999_s", Duration, ("time to connect, 99.9th percentile", "建立连接的时间，第 99.9 百分位"), "").absent(NONE_ESTABLISHED),
    connects("connect_latency_max_s", Duration, ("time to connect, maximum", "建立连接的时间，最大值"), "").absent(NONE_ESTABLISHED),
    connects("connect_unsettled_max_s", Duration, ("longest pending connect at the end", "运行结束时等待最久的 connect"), "Time since the call, of connects that had neither succeeded nor failed.").absent("every connect had completed"),
];
