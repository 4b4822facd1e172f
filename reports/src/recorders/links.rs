//! Counters of each direction of each link.

use sim_core::{NodeId, RunStats};

use super::row_texts::NodeNames;
use crate::info::LinkInfo;
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, TableWriter, Tables};

const COLUMNS: &[(&str, ColumnKind)] = &[
    ("from_node", ColumnKind::Text),
    ("to_node", ColumnKind::Text),
    ("rate_bps", ColumnKind::OptFloat),
    ("delay_s", ColumnKind::Float),
    ("offered_pkts", ColumnKind::Int),
    ("sent_pkts", ColumnKind::Int),
    ("sent_bytes", ColumnKind::Int),
    ("queue_drops", ColumnKind::Int),
    ("early_drops", ColumnKind::Int),
    ("policed_drops", ColumnKind::Int),
    ("ce_marks", ColumnKind::Int),
    ("ce_marks_bytes", ColumnKind::Int),
    ("wire_losses", ColumnKind::Int),
    ("random_losses", ColumnKind::Int),
    ("max_backlog_pkts", ColumnKind::Int),
    ("busy_s", ColumnKind::Float),
    ("utilisation", ColumnKind::OptFloat),
];

/// Writes `links` and adds the engine's numbers to the metrics. Links beyond `links` are written
/// without ends.
pub(crate) fn write(
    to: &Tables,
    links: &[LinkInfo],
    names: &NodeNames,
    stats: &RunStats,
    metrics: &mut Metrics,
) -> Result<(), StoreError> {
    let mut table = TableWriter::create(to, "links", COLUMNS)?;
    let reached_s = stats.reached.as_secs_f64();
    let (mut drops, mut early, mut policed) = (0, 0, 0);
    let (mut marks, mut marked_bytes) = (0, 0);
    let (mut losses, mut busiest) = (0, None::<f64>);
    let unknown = LinkInfo {
        from: u32::MAX,
        to: u32::MAX,
        ..LinkInfo::default()
    };
    for (i, link) in stats.links.iter().enumerate() {
        let info = links.get(i).unwrap_or(&unknown);
        let busy_s = link.busy.as_secs_f64();
        let limited = info.rate_bps.is_some() && reached_s > 0.0;
        // The last transmission may extend beyond the end of the run.
        let utilisation = limited.then(|| (busy_s / reached_s).min(1.0));
        drops += link.queue_drops;
        early += link.early_drops;
        policed += link.policed_drops;
        marks += link.ce_marks;
        marked_bytes += link.ce_marks_bytes;
        losses += link.wire_losses;
        busiest = utilisation.map_or(busiest, |u| Some(busiest.map_or(u, |b| b.max(u))));
        table
            .row()
            .text(names.node(NodeId(info.from)))
            .text(names.node(NodeId(info.to)))
            .opt(info.rate_bps)
            .float(info.delay_s)
            .count(link.offered_pkts)
            .count(link.sent_pkts)
            .count(link.sent_bytes)
            .count(link.queue_drops)
            .count(link.early_drops)
            .count(link.policed_drops)
            .count(link.ce_marks)
            .count(link.ce_marks_bytes)
            .count(link.wire_losses)
            .count(link.random_losses)
            .int(link.max_backlog_pkts)
            .float(busy_s)
            .opt(utilisation)
            .end()?;
    }
    metrics.put("events", stats.events as f64);
    metrics.put("queue_drops_pkts", drops as f64);
    metrics.put("early_drops_pkts", early as f64);
    metrics.put("policed_drops_pkts", policed as f64);
    metrics.put("ce_marks_pkts", marks as f64);
    metrics.put("ce_marks_bytes", marked_bytes as f64);
    metrics.put("wire_losses_pkts", losses as f64);
    metrics.put("unrouted_pkts", stats.unrouted_pkts as f64);
    if let Some(share) = busiest {
        metrics.put("busiest_link_utilisation", share);
    }
    table.close()
}
