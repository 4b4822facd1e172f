//! `time-wait`: a given number of entries in TIME-WAIT at once.
//!
//! [`churn`](super::churn) with a fiftieth of that number per second, for a minute, so that all entries exist
//! before the first expires.

use super::BenchError;
use super::churn::{self, ChurnResult, CloseArgs};
use super::idle::table_bytes;
use super::text_table::Measurement;
use crate::execution::Execution;

/// Seconds over which connections are opened.
const OPENING: u32 = 50;
/// Simulated seconds.
const SECONDS: f64 = 60.0;

/// Runs the workload once.
pub(super) fn run(
    n: u32,
    close: &CloseArgs,
    execution: Execution,
) -> Result<ChurnResult, BenchError> {
    let rate = n.div_ceil(OPENING);
    let mut churned = churn::run(rate, Some(u64::from(n)), SECONDS, close, execution)?;
    let ran = &churned.ran;
    let entries = ran.time_waits();
    if entries != u64::from(n) {
        return Err(format!(
            "{entries} entries of {n} connections; is TIME-WAIT shorter than a minute?"
        )
        .into());
    }
    let each = |bytes: f64| bytes / entries as f64;
    let sizes = ran.hosts.iter().map(|h| h.memory().per_time_wait);
    churned.total = Measurement::default()
        .with("entries", entries)
        .with("events", ran.stats.events)
        .with("cpu_s", ran.cpu_s)
        .with("wall_s", ran.wall_s)
        .with("cpu_us_per_connection", each(1e6 * ran.cpu_s))
        .with("ns_per_event", 1e9 * ran.cpu_s / ran.stats.events as f64)
        .with("entry_bytes", sizes.max().unwrap_or(0) as u64)
        .with("table_bytes_per_entry", each(table_bytes(ran) as f64))
        .with("bytes_per_entry", each(ran.grown_bytes))
        .with("peak_rss_mib", ran.peak_bytes / 1024.0 / 1024.0)
        .with("threads", ran.threads as u64);
    Ok(churned)
}
