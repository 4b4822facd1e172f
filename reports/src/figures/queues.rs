//! Recorded queues over time: how long packets waited, and how much did.

use std::collections::BTreeMap;

use super::data::RunData;
use super::samples::{Series, shaded_time_series};
use super::style::SERIES;
use super::{Figure, not_drawn};
use crate::store::StoreError;
use crate::store::reader::Table;

/// Samples of a column of the table of queues, a series for each queue that was ever used.
/// Of more than there are colours the largest, and how many they leave out.
fn series(table: &Table, column: &str, scale: f64) -> Result<(Vec<Series>, usize), StoreError> {
    let (from, to) = (table.texts("from_node")?, table.texts("to_node")?);
    let times = table.floats("time_s")?;
    let values: Vec<f64> = match column {
        "backlog_max_bytes" => table.ints(column)?.iter().map(|n| *n as f64).collect(),
        _ => table.floats(column)?.to_vec(),
    };
    let pkts = table.ints("pkts")?;
    let mut all: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for i in (0..table.len()).filter(|i| pkts[*i] > 0) {
        let name = format!("{} to {}", from[i], to[i]);
        all.entry(name)
            .or_default()
            .push((times[i], values[i] * scale));
    }
    let total = |samples: &[(f64, f64)]| samples.iter().map(|s| s.1).sum::<f64>();
    let mut all: Vec<(String, Vec<(f64, f64)>)> = all.into_iter().collect();
    all.sort_by(|a, b| total(&b.1).total_cmp(&total(&a.1)));
    all.retain(|(_, samples)| total(samples) > 0.0);
    let left_out = all.len().saturating_sub(SERIES.len());
    all.truncate(SERIES.len());
    let shown = all
        .into_iter()
        .map(|(name, samples)| Series::new(name, samples));
    Ok((shown.collect(), left_out))
}

fn draw(
    data: &RunData<'_>,
    name: &str,
    title: &str,
    (column, label, scale): (&str, &str, f64),
    caption: &str,
) -> Result<Option<Figure>, StoreError> {
    let Some(table) = data.table("queues")? else {
        return Ok(None);
    };
    let (shown, left_out) = series(&table, column, scale)?;
    let figure = shaded_time_series((name, title, label), &shown, &data.outages)?;
    Ok(figure.map(|figure| Figure {
        caption: caption.to_owned()
            + &not_drawn(left_out, "smaller queue", "smaller queues")
            + data.shading(),
        ..figure
    }))
}

/// Mean wait in each step of time.
pub(crate) fn waits(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    draw(
        data,
        "queue-delay",
        "Queueing delay",
        ("wait_mean_s", "wait (ms)", 1e3),
        "How long packets waited at each recorded queue before they were sent, on average over each step \
         of time; queues without waits are left out.",
    )
}

/// Largest backlog in each step of time.
pub(crate) fn backlogs(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    draw(
        data,
        "queue-backlog",
        "Queue length",
        ("backlog_max_bytes", "backlog (kB)", 1e-3),
        "The most bytes that waited at each recorded queue in each step of time.",
    )
}
