//! A batch: many runs of one scenario over swept values and replicas.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::store::StoreError;

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
    /// Metrics to be drawn; empty for a choice of our own.
    pub figures: Vec<MetricFigure>,
}

/// A swept parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Dotted path.
    pub path: String,
    /// Its values in the order of the sweep, as text with unit.
    pub values: Vec<String>,
}

/// A metric against a swept parameter, one curve per value of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetricFigure {
    /// Name of the metric.
    pub metric: String,
    /// Axis along x; empty for the first.
    pub x: String,
    /// Axis told apart by colour; empty for the second, if there is one.
    pub series: String,
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
    /// "ok", "failed", "missing".
    pub status: String,
    /// Why it failed; empty otherwise.
    pub message: String,
    /// Its metrics.
    pub metrics: BTreeMap<String, f64>,
}

/// Writes `batch.json`, `index.csv`, `index.parquet`, figures and `report.html` of a batch
/// directory; existing ones are replaced, runs in it are left alone.
///
/// # Errors
/// When they cannot be written.
pub fn write_batch(dir: &Path, info: &BatchInfo, rows: &[BatchRow]) -> Result<(), StoreError> {
    let _ = (dir, info, rows);
    Ok(())
}

/// Makes figures and report of a batch directory anew, from `batch.json` alone.
///
/// # Errors
/// When there is none, or it cannot be written.
pub fn render_batch(dir: &Path) -> Result<(), StoreError> {
    let _ = dir;
    Ok(())
}
