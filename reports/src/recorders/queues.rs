//! Queues over time, and how long packets waited at each.

use sim_core::link::QueueTrace;
use sim_core::{NodeId, RunStats};

use super::histogram::put_quantiles;
use super::row_texts::NodeNames;
use crate::info::LinkInfo;
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, SharedText, TableWriter, Tables};

const OVER_TIME: &[(&str, ColumnKind)] = &[
    ("from_node", ColumnKind::Text),
    ("to_node", ColumnKind::Text),
    ("time_s", ColumnKind::Float),
    ("pkts", ColumnKind::Int),
    ("wait_mean_s", ColumnKind::OptFloat),
    ("wait_max_s", ColumnKind::OptFloat),
    ("backlog_max_pkts", ColumnKind::Int),
    ("backlog_max_bytes", ColumnKind::Int),
    ("drops", ColumnKind::Int),
    ("marks", ColumnKind::Int),
    ("utilisation", ColumnKind::Float),
];

const WAITS: &[(&str, ColumnKind)] = &[
    ("from_node", ColumnKind::Text),
    ("to_node", ColumnKind::Text),
    ("wait_s", ColumnKind::Float),
    ("pkts", ColumnKind::Int),
];

/// Writes `queues` and `queue_waits`, and the metrics of the queue with the longest total wait.
/// There are no tables if no queue was recorded.
pub(crate) fn write(
    to: &Tables,
    links: &[LinkInfo],
    names: &NodeNames,
    stats: &RunStats,
    metrics: &mut Metrics,
) -> Result<(), StoreError> {
    if stats.queues.is_empty() {
        return Ok(());
    }
    let mut over_time = TableWriter::create(to, "queues", OVER_TIME)?;
    let mut waits = TableWriter::create(to, "queue_waits", WAITS)?;
    for trace in &stats.queues {
        let Some(info) = links.get(trace.link.0 as usize) else {
            continue;
        };
        let ends = [info.from, info.to].map(|node| names.node(NodeId(node)));
        cells(&mut over_time, &ends, trace, stats.reached.as_secs_f64())?;
        for (wait_s, pkts) in trace.waits.buckets() {
            waits
                .row()
                .text(ends[0])
                .text(ends[1])
                .float(wait_s)
                .count(pkts)
                .end()?;
        }
    }
    over_time.close()?;
    waits.close()?;
    let total = |t: &&QueueTrace| t.waits.sum_s();
    let slowest = stats.queues.iter().rev();
    if let Some(slowest) = slowest.max_by(|a, b| total(a).total_cmp(&total(b))) {
        put_quantiles(&slowest.waits, "queue_wait", metrics);
        let most = slowest.cells.iter().map(|c| c.max_bytes).max();
        metrics.put("queue_backlog_max_bytes", most.unwrap_or(0) as f64);
    }
    Ok(())
}

/// A row for each cell until the end of the run.
fn cells(
    table: &mut TableWriter,
    ends: &[&SharedText; 2],
    trace: &QueueTrace,
    reached_s: f64,
) -> Result<(), StoreError> {
    let step_s = trace.step.as_secs_f64();
    for (i, cell) in trace.cells.iter().enumerate() {
        let time_s = i as f64 * step_s;
        if time_s >= reached_s {
            break;
        }
        let waited = cell.pkts > 0;
        let mean = cell.wait.as_secs_f64() / f64::from(cell.pkts);
        let length = step_s.min(reached_s - time_s);
        table
            .row()
            .text(ends[0])
            .text(ends[1])
            .float(time_s)
            .int(cell.pkts)
            .opt(waited.then_some(mean))
            .opt(waited.then(|| cell.max_wait.as_secs_f64()))
            .int(cell.max_pkts)
            .count(cell.max_bytes)
            .int(cell.drops)
            .int(cell.marks)
            .float((cell.busy.as_secs_f64() / length).min(1.0))
            .end()?;
    }
    Ok(())
}
