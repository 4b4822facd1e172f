//! Rows of the registry: means of one long run (`record.warm_up`), and bins of distributions
//! (`record.histograms`).

use super::super::MetricKind::{Count, Duration, Number, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn long(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::LongRun, id, kind, words, doc).absent(NOT_ASKED)
}

const NOT_ASKED: &str = "`record.warm_up` is not given, there was nothing to average, or MSER-5 says that the run is too short to have settled";
const BY_BATCHES: &str = "By the means of twenty batches; left out when there are fewer than forty values, or when neighbouring batches depend on each other (correlation above 0.3), because the interval would be too narrow.";
const BIN: &str =
    "Bin k holds durations from 10^(k/20) to 10^((k+1)/20) nanoseconds, to within 0.8 %.";
const NO_BINS: &str = "`record.histograms` is false, or the bin is empty";

#[rustfmt::skip]
pub(super) const LONG_RUN: &[Metric] = &[
    long("long_run_connect_latency_mean_s", Duration, ("time to connect after the warm-up, mean", "预热后建立连接的时间，平均值"), ""),
    long("long_run_connect_latency_low_s", Duration, ("time to connect after the warm-up, lower end of the 95 % interval", "预热后建立连接的时间，95 % 区间下限"), BY_BATCHES),
    long("long_run_connect_latency_high_s", Duration, ("time to connect after the warm-up, upper end of the 95 % interval", "预热后建立连接的时间，95 % 区间上限"), BY_BATCHES),
    long("long_run_connect_latency_warm_up_s", Time, ("end of the warm-up of the time to connect", "建立连接时间的预热结束时刻"), ""),
    long("long_run_connect_latency_correlation", Number, ("correlation of neighbouring batches of the time to connect", "建立连接时间的相邻批次相关系数"), ""),
    long("long_run_request_latency_mean_s", Duration, ("time per request after the warm-up, mean", "预热后每个请求的时间，平均值"), ""),
    long("long_run_request_latency_low_s", Duration, ("time per request after the warm-up, lower end of the 95 % interval", "预热后每个请求的时间，95 % 区间下限"), BY_BATCHES),
    long("long_run_request_latency_high_s", Duration, ("time per request after the warm-up, upper end of the 95 % interval", "预热后每个请求的时间，95 % 区间上限"), BY_BATCHES),
    long("long_run_request_latency_warm_up_s", Time, ("end of the warm-up of the time per request", "请求时间的预热结束时刻"), ""),
    long("long_run_request_latency_correlation", Number, ("correlation of neighbouring batches of the time per request", "请求时间的相邻批次相关系数"), ""),
    long("long_run_<state>_mean", Count, ("sockets in <state> after the warm-up, mean", "预热后处于 <state> 的套接字数，平均值"), "Of the averages over the intervals of the census (`record.census_interval`)."),
    long("long_run_<state>_low", Count, ("sockets in <state> after the warm-up, lower end of the 95 % interval", "预热后处于 <state> 的套接字数，95 % 区间下限"), BY_BATCHES),
    long("long_run_<state>_high", Count, ("sockets in <state> after the warm-up, upper end of the 95 % interval", "预热后处于 <state> 的套接字数，95 % 区间上限"), BY_BATCHES),
    long("long_run_<state>_warm_up_s", Time, ("end of the warm-up of sockets in <state>", "<state> 套接字数的预热结束时刻"), ""),
    long("long_run_<state>_correlation", Number, ("correlation of neighbouring batches of sockets in <state>", "<state> 套接字数的相邻批次相关系数"), ""),
    bin("connect_latency_bin.<name>", ("connects in bin <name> of the time to connect", "建立连接时间第 <name> 组的 connect 数")),
    bin("request_latency_bin.<name>", ("requests in bin <name> of the time per request", "请求时间第 <name> 组的请求数")),
    bin("flow_completion_bin.<name>", ("flows in bin <name> of the completion time", "完成时间第 <name> 组的流数")),
];

const fn bin(id: &'static str, words: (&'static str, &'static str)) -> Metric {
    Metric::new(MetricSource::LongRun, id, Count, words, BIN).absent(NO_BINS)
}
