//! Rows of the registry: clients' pools of connections, and their retries.

use super::super::MetricKind::{Count, Duration, Number, Share};
use super::super::{Metric, MetricKind, MetricSource};

const fn pools(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Pools, id, kind, words, doc)
}

const NO_POOL: &str = "no client had a pool of connections";
const NO_RETRIES: &str = "no client retries";

#[rustfmt::skip]
pub(super) const POOLS: &[Metric] = &[
    pools("pool_connections_opened", Count, "connections opened by pools", "").absent(NO_POOL),
    pools("pool_requests_sent", Count, "requests sent by pools", "").absent(NO_POOL),
    pools("pool_requests_reused", Count, "requests sent on a kept connection", "The connection had carried a request before.").absent(NO_POOL),
    pools("pool_reuse_share", Share, "share of requests on a kept connection", "").ratio("pool_requests_reused", "pool_requests_sent").absent(NO_POOL),
    pools("pool_requests_raced", Count, "requests that met the server's close", "Sent on a kept connection that the server closed or reset before a byte of the response came: a proxy then answers 502. A client should close idle connections before its server does.").absent(NO_POOL),
    pools("pool_closed_idle", Count, "connections closed by pools, idle too long", "`idle_timeout` of the pool.").absent(NO_POOL),
    pools("pool_closed_lifetime", Count, "connections closed by pools, too old", "`max_lifetime`.").absent(NO_POOL),
    pools("pool_closed_max_requests", Count, "connections closed by pools, requests used up", "`max_requests`.").absent(NO_POOL),
    pools("pool_closed_surplus", Count, "connections closed by pools, too many idle", "`idle` of the pool.").absent(NO_POOL),
    pools("pool_closed_server", Count, "connections of pools closed by the server or never opened", "In order or by a reset.").absent(NO_POOL),
    pools("pool_closed_given_up", Count, "connections closed by pools, request or connect given up", "`request_timeout` or `connect_timeout` had expired.").absent(NO_POOL),
    pools("pool_open_peak", Count, "connections in pools, most at a time", "Over all pools, including those being opened.").absent(NO_POOL),
    pools("pool_open_mean_steady", Number, "connections in pools", "").steady().absent(NO_POOL),
    pools("pool_busy_peak", Count, "busy connections in pools, most at a time", "Carrying a request, or being opened for one.").absent(NO_POOL),
    pools("pool_busy_mean_steady", Number, "busy connections in pools", "").steady().absent(NO_POOL),
    pools("pool_waiting_peak", Count, "requests waiting for a pool, most at a time", "All connections allowed were busy.").absent(NO_POOL),
    pools("pool_waiting_mean_steady", Number, "requests waiting for a pool", "").steady().absent(NO_POOL),
    pools("pool_wait_mean_s", Duration, "wait for a pooled connection, mean", "From the arrival of a request, or the start of its attempt, until it was sent, including the time to open a connection.").absent(NO_POOL),
    pools("pool_wait_p50_s", Duration, "wait for a pooled connection, median", "").absent(NO_POOL),
    pools("pool_wait_p99_s", Duration, "wait for a pooled connection, 99th percentile", "").absent(NO_POOL),
    pools("pool_wait_p999_s", Duration, "wait for a pooled connection, 99.9th percentile", "").absent(NO_POOL),
    pools("pool_wait_max_s", Duration, "wait for a pooled connection, maximum", "").absent(NO_POOL),
    pools("exchanges_begun", Count, "exchanges begun by clients that may retry", "Arrivals; from a pool, requests.").absent(NO_RETRIES),
    pools("exchanges_failed", Count, "exchanges that failed for good", "After the last attempt allowed, or because the retry budget was used up.").absent(NO_RETRIES),
    pools("exchanges_failed_share", Share, "share of exchanges that failed for good", "").ratio("exchanges_failed", "exchanges_begun").absent(NO_RETRIES),
    pools("exchanges_failed_last_attempt", Count, "exchanges that failed after their last attempt", "").absent(NO_RETRIES),
    pools("exchanges_failed_no_budget", Count, "exchanges that failed without budget for a retry", "").absent(NO_RETRIES),
    pools("attempts_failed", Count, "attempts that failed", "The connect or a request failed or was given up.").absent(NO_RETRIES),
    pools("retries_made", Count, "further attempts", "").absent(NO_RETRIES),
    pools("attempts_per_exchange", Number, "attempts per exchange", "The load on the servers as a multiple of the demand.").absent(NO_RETRIES),
    pools("attempts_failed_in_a_row_max", Count, "most failed attempts of one exchange", "").absent(NO_RETRIES),
];
