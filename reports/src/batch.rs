//! A batch: many runs of one scenario over swept values and replicas.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::figures::sweep;
use crate::html;
use crate::metrics;
use crate::render::{guarded, write_figures};
use crate::store::{ResultDir, StoreError, is_drawn, read_own_text, write_json, write_whole};

mod axis;
mod derived;
mod findings;
mod index;
mod layout;
mod status;
pub(crate) mod variants;

pub use axis::{Axis, AxisValues, Unit};
pub use derived::row_metrics;
pub use findings::batch_findings;
pub use layout::{Layout, MOST_CURVES, MOST_PANELS};
pub use status::RunStatus;

/// A batch as far as reports are concerned; kept in `batch.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchInfo {
    /// Name of the scenario.
    pub name: String,
    /// The question it answers.
    pub question: String,
    /// The command line that makes the batch again.
    pub command: String,
    /// Parameters that are the same for all runs.
    pub parameters: Vec<(String, String)>,
    /// The swept parameters.
    pub axes: Vec<Axis>,
    /// Metrics to be drawn and told; empty for a choice of our own.
    pub figures: Vec<MetricFigure>,
}

/// A metric against a swept parameter, one curve per value of another, a panel per combination of
/// the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetricFigure {
    /// Name of its files; empty for one made of the metric.
    pub name: String,
    /// Name of the metric.
    pub metric: String,
    /// Axis along x; empty for the first.
    pub x: String,
    /// Axis shown by colour; empty for the first of the others, if there are any.
    pub series: String,
    /// Only runs with these values are drawn: dotted path and value as written.
    pub only: Vec<(String, String)>,
}

/// One run of a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchRow {
    /// Identity of the run; its directory is `runs/ID`.
    pub id: String,
    /// Values of the swept parameters, in the order of the axes.
    pub values: Vec<String>,
    /// Seed.
    pub seed: u64,
    /// Replica, from 0.
    pub replica: u32,
    /// What became of it.
    pub status: RunStatus,
    /// Why it failed; empty otherwise.
    pub message: String,
    /// Its metrics.
    pub metrics: BTreeMap<String, f64>,
}

/// Everything `batch.json` holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct BatchFile {
    info: BatchInfo,
    rows: Vec<BatchRow>,
}

/// Figures drawn, and metrics told, when the scenario asks for none.
const OWN_FIGURES: usize = 4;

/// Writes `batch.json`, `index.csv`, `index.parquet`, figures and `report.html` of a batch to
/// `dir`, which is made. Files of these names are replaced without a look: to change a result
/// directory, write to the place that [`ResultDir::change`](crate::store::ResultDir::change) gives.
/// Returns what the runs have shown together, in words.
///
/// # Errors
/// When they cannot be written.
pub fn write_batch(
    dir: &Path,
    info: &BatchInfo,
    rows: &[BatchRow],
) -> Result<Vec<String>, StoreError> {
    std::fs::create_dir_all(dir).map_err(StoreError::io("create the directory", dir))?;
    let file = BatchFile {
        info: info.clone(),
        rows: rows.to_vec(),
    };
    write_json(&dir.join("batch.json"), &file)?;
    let metrics = metric_names(rows);
    write_whole(&dir.join("index.csv"), &index::csv(info, rows, &metrics))?;
    index::write_table(dir, info, rows, &metrics)?;
    render(dir, &file)
}

/// Draws the figures and the report of a batch directory again, from `batch.json` alone, and puts
/// them in place of those that are there. Returns what the runs have shown together, in words.
///
/// # Errors
/// When there is no complete batch or its files are damaged, or nothing can be written.
pub fn render_batch(dir: &Path) -> Result<Vec<String>, StoreError> {
    let mut place = ResultDir::open(dir)?;
    place.marker().verify(dir)?;
    let path = dir.join("batch.json");
    let file: BatchFile =
        serde_json::from_str(&read_own_text(&path)?).map_err(|e| StoreError::Damaged {
            path,
            why: e.to_string(),
        })?;
    let complete = place.marker().complete;
    place.change(
        |name| !is_drawn(name),
        complete,
        |aside| guarded(dir, || render(aside, &file)),
    )
}

fn render(dir: &Path, file: &BatchFile) -> Result<Vec<String>, StoreError> {
    let (info, rows) = (&file.info, file.rows.as_slice());
    let findings = batch_findings(info, rows);
    let metrics = telling(info, rows);
    let figures = sweep::figures(info, rows, &own_figures(info, rows))?;
    write_figures(dir, &figures)?;
    let html = html::batch::report(info, rows, &findings, &metrics, &figures);
    write_whole(&dir.join("report.html"), &html)?;
    Ok(findings)
}

/// Metrics to be drawn when the scenario asks for none: the first that vary.
fn own_figures(info: &BatchInfo, rows: &[BatchRow]) -> Vec<String> {
    let mut own = telling(info, rows);
    own.truncate(OWN_FIGURES);
    own
}

/// Metrics told in words, besides the failures of connects: those of the figures.
fn told_metrics(info: &BatchInfo, rows: &[BatchRow]) -> Vec<String> {
    let asked: Vec<String> = info.figures.iter().map(|f| f.metric.clone()).collect();
    let mut told: Vec<String> = if asked.is_empty() {
        own_figures(info, rows)
    } else {
        asked
    };
    let mut seen = BTreeSet::new();
    told.retain(|m| {
        let failure = m.starts_with("connects_failed") || m == "first_failure_s";
        !failure && seen.insert(m.clone())
    });
    told
}

/// Names of all metrics of all runs, sorted.
fn metric_names(rows: &[BatchRow]) -> Vec<String> {
    let names: BTreeSet<&String> = rows.iter().flat_map(|r| r.metrics.keys()).collect();
    names.into_iter().cloned().collect()
}

/// Metrics that are not the same for all runs: those drawn, those people ask for, the rest.
fn telling(info: &BatchInfo, rows: &[BatchRow]) -> Vec<String> {
    let varies = |name: &&String| {
        let mut values = rows
            .iter()
            .filter(|r| r.status.is_ok())
            .map(|r| r.metrics.get(*name));
        let first = values.next();
        values.any(|v| Some(v) != first) || rows.len() == 1
    };
    let all = metric_names(rows);
    let wanted = info.figures.iter().map(|f| f.metric.as_str());
    let mut chosen: Vec<String> = Vec::new();
    let varying: Vec<&String> = all.iter().filter(varies).collect();
    let others = varying.iter().map(|m| m.as_str());
    for name in wanted
        .chain(metrics::ranking().iter().copied())
        .chain(others)
    {
        let known = varying.iter().any(|m| *m == name);
        if known && !chosen.iter().any(|c| c == name) {
            chosen.push(name.to_owned());
        }
    }
    chosen
}
