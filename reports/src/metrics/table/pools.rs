//! Rows of the registry: pools of connections, retries of clients, and proxies.

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
const NO_ATTEMPTS: &str = "no workload asks for it (`exchange_times`)";
const NO_BREAKER: &str = "no circuit breaker opened";
const NO_CHECK: &str = "there are no health checks";
const NO_PROXY: &str = "no request went through a proxy";

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
    pools("pool_closed_breaker", Count, ("connections closed by pools, circuit breaker open", "连接池因断路器打开而关闭的连接数"), "The breaker of their server had opened.").absent("no circuit breaker closed a connection"),
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
    pools("exchange_time_mean_s", Duration, ("time per exchange with all attempts, mean", "一次交互连同所有尝试的时间，平均值"), "From its arrival (of a request, from a pool) until it is done or has failed for good, with failed attempts, back-off and waits for a connection. Measured for workloads with `exchange_times`.").absent(NO_ATTEMPTS),
    pools("exchange_time_p50_s", Duration, ("time per exchange with all attempts, median", "一次交互连同所有尝试的时间，中位数"), "").absent(NO_ATTEMPTS),
    pools("exchange_time_p95_s", Duration, ("time per exchange with all attempts, 95th percentile", "一次交互连同所有尝试的时间，第 95 百分位"), "").absent(NO_ATTEMPTS),
    pools("exchange_time_p99_s", Duration, ("time per exchange with all attempts, 99th percentile", "一次交互连同所有尝试的时间，第 99 百分位"), "").absent(NO_ATTEMPTS),
    pools("exchange_time_p999_s", Duration, ("time per exchange with all attempts, 99.9th percentile", "一次交互连同所有尝试的时间，第 99.9 百分位"), "").absent(NO_ATTEMPTS),
    pools("exchange_time_max_s", Duration, ("time per exchange with all attempts, maximum", "一次交互连同所有尝试的时间，最大值"), "").absent(NO_ATTEMPTS),
    pools("exchange_time_failed_mean_s", Duration, ("time until an exchange failed for good, mean", "交互到最终失败的时间，平均值"), "").absent("none failed, or it is not measured"),
    pools("exchanges_pending", Count, ("exchanges pending at the end of the run or at a crash", "运行结束或崩溃时未完成的交互数"), "Their times are not in `exchange_time_…`: if they are many, those times are too short.").absent("none was pending, or it is not measured"),
    pools("exchange_pending_wait_max_s", Duration, ("longest wait of an exchange pending at the end", "结束时未完成的交互的最长等待"), "").absent("none was pending, or it is not measured"),
    pools("breaker_opened", Count, ("times that circuit breakers opened", "断路器打开的次数"), "Of clients and proxies; also again after a failed trial.").absent(NO_BREAKER),
    pools("breaker_closed", Count, ("times that circuit breakers closed", "断路器闭合的次数"), "After a successful trial.").absent(NO_BREAKER),
    pools("breaker_rejected", Count, ("attempts that failed at once, all circuit breakers open", "因所有断路器打开而立即失败的尝试数"), "Of clients; a proxy answers 503.").absent(NO_BREAKER),
    pools("health_checks", Count, ("health checks", "健康检查数"), "By proxies; those not finished at the end do not count.").absent(NO_CHECK),
    pools("health_checks_failed", Count, ("health checks that failed", "失败的健康检查数"), "").absent(NO_CHECK),
    pools("health_down", Count, ("times that health checks took a server out of use", "健康检查停用服务器的次数"), "").absent(NO_CHECK),
    pools("health_up", Count, ("times that health checks took a server back into use", "健康检查恢复使用服务器的次数"), "").absent(NO_CHECK),
    pools("proxy_requests", Count, ("requests to proxies", "到达代理的请求数"), "Whole requests that arrived.").absent(NO_PROXY),
    pools("proxy_answered", Count, ("requests that proxies answered", "代理应答的请求数"), "With the response of a server.").absent(NO_PROXY),
    pools("proxy_errors", Count, ("requests that proxies answered with an error", "代理以错误应答的请求数"), "502, 503 or 504.").absent(NO_PROXY),
    pools("proxy_errors_share", Share, ("share of requests that proxies answered with an error", "代理以错误应答的请求所占比例"), "").ratio("proxy_errors", "proxy_requests").absent(NO_PROXY),
    pools("proxy_errors_502", Count, ("requests answered 502", "以 502 应答的请求数"), "The last try had no free port towards the server, or its connection was refused, reset or closed.").absent(NO_PROXY),
    pools("proxy_errors_503", Count, ("requests answered 503", "以 503 应答的请求数"), "No server could be used (health, circuit breaker), or too many requests were waiting.").absent(NO_PROXY),
    pools("proxy_errors_504", Count, ("requests answered 504", "以 504 应答的请求数"), "The last try took longer than `try_timeout` or `connect_timeout`.").absent(NO_PROXY),
    pools("proxy_client_gone", Count, ("requests whose client left while they waited", "等待期间客户端已离开的请求数"), "").absent(NO_PROXY),
    pools("proxy_pending", Count, ("requests in progress at proxies at the end of the run or at a crash", "运行结束或崩溃时代理正在处理的请求数"), "").absent(NO_PROXY),
    pools("proxy_never_sent", Count, ("requests that waited for a connection of a proxy at the end of the run or at a crash", "运行结束或崩溃时仍在等待代理连接的请求数"), "Among `proxy_pending`. They pile up if the pool is too small for the load.").absent("none was waiting, or no request went through a proxy"),
    pools("proxy_never_sent_wait_max_s", Duration, ("longest wait among them", "其中最长的等待"), "").absent("none was waiting, or no request went through a proxy"),
    pools("proxy_tries_failed", Count, ("tries of proxies that failed", "代理失败的尝试数"), "").absent(NO_PROXY),
    pools("proxy_tries_failed_no_port", Count, ("tries of proxies without a free port", "代理因没有空闲端口而失败的尝试数"), "EADDRNOTAVAIL.").absent(NO_PROXY),
    pools("proxy_tries_failed_connection", Count, ("tries of proxies whose connection failed", "代理因连接失败而失败的尝试数"), "Refused, reset, closed, or given up by TCP.").absent(NO_PROXY),
    pools("proxy_tries_failed_timed_out", Count, ("tries of proxies that took too long", "代理因超时而失败的尝试数"), "`try_timeout` or `connect_timeout`.").absent(NO_PROXY),
    pools("proxy_next_upstream", Count, ("requests that proxies tried again", "代理再次尝试的请求数"), "With the next server.").absent(NO_PROXY),
    pools("proxy_tries_per_request", Number, ("tries per request at proxies", "代理上每个请求的尝试数"), "Load on the servers as a multiple of the demand.").absent(NO_PROXY),
    pools("proxy_time_mean_s", Duration, ("time of a request at the proxy, mean", "请求在代理处的时间，平均值"), "From its last byte until the whole response of a server has arrived; answered requests only.").absent(NO_PROXY),
    pools("proxy_time_p50_s", Duration, ("time of a request at the proxy, median", "请求在代理处的时间，中位数"), "").absent(NO_PROXY),
    pools("proxy_time_p99_s", Duration, ("time of a request at the proxy, 99th percentile", "请求在代理处的时间，第 99 百分位"), "").absent(NO_PROXY),
    pools("proxy_time_p999_s", Duration, ("time of a request at the proxy, 99.9th percentile", "请求在代理处的时间，第 99.9 百分位"), "").absent(NO_PROXY),
    pools("proxy_time_max_s", Duration, ("time of a request at the proxy, maximum", "请求在代理处的时间，最大值"), "").absent(NO_PROXY),
];
