//! Rows of the registry: clients' pools of connections, and their retries.

use super::super::MetricKind::{Count, Duration, Number, Share};
use super::super::{Metric, MetricKind, MetricSource};

const fn pools(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Pools, id, kind, words, doc)
}

const NO_POOL: &str = "no client had a pool of connections";
const NO_RETRIES: &str = "no client retries";

#[rustfmt::skip]
pub(super) const POOLS: &[Metric] = &[
    pools("pool_connections_opened", Count, ("connections opened by pools", "连接池打开的连接数"), "").absent(NO_POOL),
    pools("pool_requests_sent", Count, ("requests sent by pools", "连接池发送的请求数"), "").absent(NO_POOL),
    pools("pool_requests_reused", Count, ("requests sent on a kept connection", "在保持的连接上发送的请求数"), "The connection had carried a request before.").absent(NO_POOL),
    pools("pool_reuse_share", Share, ("share of requests on a kept connection", "在保持的连接上发送的请求所占比例"), "").ratio("pool_requests_reused", "pool_requests_sent").absent(NO_POOL),
    pools("pool_requests_raced", Count, ("requests that met the server's close", "与服务器关闭相遇的请求数"), "Sent on a kept connection that the server closed or reset before a byte of the response came: a proxy then answers 502. A client should close idle connections before its server does.").absent(NO_POOL),
    pools("pool_closed_idle", Count, ("connections closed by pools, idle too long", "连接池因空闲过久而关闭的连接数"), "`idle_timeout` of the pool.").absent(NO_POOL),
    pools("pool_closed_lifetime", Count, ("connections closed by pools, too old", "连接池因过旧而关闭的连接数"), "`max_lifetime`.").absent(NO_POOL),
    pools("pool_closed_max_requests", Count, ("connections closed by pools, requests used up", "连接池因请求数用完而关闭的连接数"), "`max_requests`.").absent(NO_POOL),
    pools("pool_closed_surplus", Count, ("connections closed by pools, too many idle", "连接池因空闲过多而关闭的连接数"), "`idle` of the pool.").absent(NO_POOL),
    pools("pool_closed_server", Count, ("connections of pools closed by the server or never opened", "被服务器关闭或未能打开的连接池连接数"), "In order or by a reset.").absent(NO_POOL),
    pools("pool_closed_given_up", Count, ("connections closed by pools, request or connect given up", "连接池因放弃请求或 connect 而关闭的连接数"), "`request_timeout` or `connect_timeout` had expired.").absent(NO_POOL),
    pools("pool_open_peak", Count, ("connections in pools, most at a time", "连接池中的连接数，同时最多"), "Over all pools, including those being opened.").absent(NO_POOL),
    pools("pool_open_mean_steady", Number, ("connections in pools", "连接池中的连接数"), "").steady().absent(NO_POOL),
    pools("pool_busy_peak", Count, ("busy connections in pools, most at a time", "连接池中的忙连接数，同时最多"), "Carrying a request, or being opened for one.").absent(NO_POOL),
    pools("pool_busy_mean_steady", Number, ("busy connections in pools", "连接池中的忙连接数"), "").steady().absent(NO_POOL),
    pools("pool_waiting_peak", Count, ("requests waiting for a pool, most at a time", "等待连接池的请求数，同时最多"), "All connections allowed were busy.").absent(NO_POOL),
    pools("pool_waiting_mean_steady", Number, ("requests waiting for a pool", "等待连接池的请求数"), "").steady().absent(NO_POOL),
    pools("pool_wait_mean_s", Duration, ("wait for a pooled connection, mean", "等待连接池连接的时间，平均值"), "From the arrival of a request, or the start of its attempt, until it was sent, including the time to open a connection.").absent(NO_POOL),
    pools("pool_wait_p50_s", Duration, ("wait for a pooled connection, median", "等待连接池连接的时间，中位数"), "").absent(NO_POOL),
    pools("pool_wait_p99_s", Duration, ("wait for a pooled connection, 99th percentile", "等待连接池连接的时间，第 99 百分位"), "").absent(NO_POOL),
    pools("pool_wait_p999_s", Duration, ("wait for a pooled connection, 99.9th percentile", "等待连接池连接的时间，第 99.9 百分位"), "").absent(NO_POOL),
    pools("pool_wait_max_s", Duration, ("wait for a pooled connection, maximum", "等待连接池连接的时间，最大值"), "").absent(NO_POOL),
    pools("exchanges_begun", Count, ("exchanges begun by clients that may retry", "可重试客户端开始的交互数"), "Arrivals; from a pool, requests.").absent(NO_RETRIES),
    pools("exchanges_failed", Count, ("exchanges that failed for good", "最终失败的交互数"), "After the last attempt allowed, or because the retry budget was used up.").absent(NO_RETRIES),
    pools("exchanges_failed_share", Share, ("share of exchanges that failed for good", "最终失败的交互所占比例"), "").ratio("exchanges_failed", "exchanges_begun").absent(NO_RETRIES),
    pools("exchanges_failed_last_attempt", Count, ("exchanges that failed after their last attempt", "最后一次尝试后失败的交互数"), "").absent(NO_RETRIES),
    pools("exchanges_failed_no_budget", Count, ("exchanges that failed without budget for a retry", "因重试预算用完而失败的交互数"), "").absent(NO_RETRIES),
    pools("attempts_failed", Count, ("attempts that failed", "失败的尝试数"), "The connect or a request failed or was given up.").absent(NO_RETRIES),
    pools("retries_made", Count, ("further attempts", "重试次数"), "").absent(NO_RETRIES),
    pools("attempts_per_exchange", Number, ("attempts per exchange", "每次交互的尝试数"), "The load on the servers as a multiple of the demand.").absent(NO_RETRIES),
    pools("attempts_failed_in_a_row_max", Count, ("most failed attempts of one exchange", "一次交互中失败尝试的最大数"), "").absent(NO_RETRIES),
];
