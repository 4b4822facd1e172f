//! Pools of connections, checked.

use tcp_model::spec::{Arrivals, PoolSpec};

use super::arrivals;
use crate::dotted_path::DottedPath;
use crate::file::workload::{PoolFile, WorkloadFile};
use crate::problem::Problem;

/// Checks the pool of an exchange, and that no key for single connections is given with it.
///
/// # Errors
/// When a number is zero, or keys contradict the pool.
pub(super) fn read(file: &WorkloadFile, at: &DottedPath) -> Result<Option<PoolSpec>, Problem> {
    let Some(pool) = &file.pool else {
        return Ok(None);
    };
    let others = [
        ("requests", file.requests.is_some()),
        ("think", file.think.is_some()),
        ("respond_after", file.respond_after.is_some()),
        ("close", file.close.is_some()),
        ("how", file.how.is_some()),
        ("close_after", file.close_after.is_some()),
        ("linger", file.linger.is_some()),
        ("fast_open", file.fast_open.is_some()),
    ];
    if let Some((key, _)) = others.iter().find(|(_, given)| *given) {
        return Err(Problem::new(
            at.key(key),
            format!("`{key}` applies to single connections, but this workload has a pool"),
        )
        .help("leave it out; max_requests, max_lifetime and idle_timeout of `pool` decide when connections end"));
    }
    if let Some(Ok(Arrivals::Closed { .. })) = file
        .arrivals
        .as_ref()
        .map(|file| arrivals::read(file, &at.key("arrivals")))
    {
        return Err(Problem::new(
            at.key("arrivals").key("kind"),
            "the users of a closed loop have their own connections, so they cannot have a pool",
        )
        .help("write kind = \"poisson\" with the rate of requests, or leave `pool` out"));
    }
    let at_pool = at.key("pool");
    let numbers = numbers(pool, &at_pool)?;
    let single = [
        ("breaker", file.breaker.is_some()),
        ("proxy", file.proxy.is_some()),
    ];
    if numbers.streams > 1
        && let Some((key, _)) = single.iter().find(|(_, given)| *given)
    {
        return Err(Problem::new(
            at.key(key),
            format!("`{key}` cannot be combined with several `streams` of a connection"),
        )
        .help("write streams = 1 in `pool`, or http = \"http/1.1\""));
    }
    Ok(Some(numbers))
}

/// Checks the numbers of a pool.
///
/// # Errors
/// When one is zero.
pub(super) fn numbers(pool: &PoolFile, at: &DottedPath) -> Result<PoolSpec, Problem> {
    for (key, value) in [
        ("max", pool.max),
        ("max_requests", pool.max_requests),
        ("streams", pool.streams),
    ] {
        if value == Some(0) {
            return Err(
                Problem::new(at.key(key), format!("`{key}` must be at least 1"))
                    .help("leave it out for no limit"),
            );
        }
    }
    let max = pool.max.unwrap_or(u32::MAX);
    Ok(PoolSpec {
        max,
        idle: pool.idle.unwrap_or(max),
        idle_timeout: pool.idle_timeout,
        max_lifetime: pool.max_lifetime,
        max_requests: pool.max_requests,
        streams: pool.streams.unwrap_or(1),
    })
}

/// Writes the numbers of a pool.
pub(super) fn numbers_to_file(pool: &PoolSpec) -> PoolFile {
    let limit = |n: u32| (n != u32::MAX).then_some(n);
    PoolFile {
        max: limit(pool.max),
        idle: limit(pool.idle),
        idle_timeout: pool.idle_timeout,
        max_lifetime: pool.max_lifetime,
        max_requests: pool.max_requests,
        streams: (pool.streams > 1).then_some(pool.streams),
    }
}

/// Writes the pool into a workload's file, without the keys that cannot be combined with it.
pub(super) fn to_file(pool: &PoolSpec, written: WorkloadFile) -> WorkloadFile {
    WorkloadFile {
        requests: None,
        think: None,
        close: None,
        how: None,
        close_after: None,
        linger: None,
        fast_open: None,
        pool: Some(numbers_to_file(pool)),
        ..written
    }
}
