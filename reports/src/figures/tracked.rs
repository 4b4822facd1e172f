//! Entries of NATs, firewalls and load balancers over time.

use std::collections::BTreeMap;

use super::chart::{Chart, Mark};
use super::data::RunData;
use super::style::SERIES;
use super::{Figure, not_drawn};
use crate::bilingual::say;
use crate::csv::Csv;
use crate::store::StoreError;

/// A curve for each node: the average number of entries in each time step.
pub(crate) fn entries(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = data.table("entries")? else {
        return Ok(None);
    };
    let (starts, widths) = (table.floats("time_s")?, table.floats("width_s")?);
    let (nodes, entries) = (table.texts("node")?, table.floats("entries")?);
    let mut csv = Csv::new(["time_s", "node", "entries"]);
    let mut curves: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for i in 0..starts.len() {
        csv.number(starts[i]);
        csv.text(&nodes[i]);
        csv.number(entries[i]);
        csv.end();
        let curve = curves.entry(&nodes[i]).or_default();
        curve.push((starts[i], entries[i]));
        curve.push((starts[i] + widths[i], entries[i]));
    }
    let end = starts.iter().zip(widths).map(|(t, w)| t + w);
    let end = end.fold(0.0, f64::max);
    let left_out = curves.len().saturating_sub(SERIES.len());
    let drawn = curves.into_iter().zip(SERIES);
    let marks = drawn.map(|((node, points), colour)| Mark::Line {
        label: node.to_owned(),
        colour,
        points,
        dashed: false,
    });
    let title = data.language.pick(
        "Entries of NATs, firewalls and balancers",
        "NAT、防火墙和均衡器的条目",
    );
    let chart = Chart {
        title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: data.language.pick("entries", "条目数"),
        x: (0.0, end),
        marks: marks.collect(),
        shaded: &data.outages,
        ..Chart::default()
    };
    let caption = say!(
        data.language,
        "Connections for which each node has an entry, averaged over each time step: open ones, and those whose \
         time-out is not over.{}{}",
        "每个节点持有条目的连接数，按时间段取平均：打开的连接，以及尚未超时的连接。{}{}",
        not_drawn(left_out, "node", "nodes", "个节点", data.language),
        data.shading()
    );
    Ok(Some(Figure {
        name: "middlebox-entries".into(),
        title: title.into(),
        caption,
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}
