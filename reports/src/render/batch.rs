//! Index, figures and report of a batch.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::write_figures;
use crate::batch::{
    BatchInfo, BatchRow, batch_findings, chosen_metrics, index, metric_names, metrics_that_vary,
};
use crate::figures::sweep;
use crate::guard::guarded;
use crate::html;
use crate::store::{ResultDir, StoreError, is_drawn, read_own_text, write_json, write_whole};

/// Everything `batch.json` holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct BatchFile {
    info: BatchInfo,
    rows: Vec<BatchRow>,
}

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
    render_batch_in(&mut ResultDir::open(dir)?)
}

/// The same of a directory that is open, which then says what it has kept.
///
/// # Errors
/// As [`render_batch`].
pub fn render_batch_in(place: &mut ResultDir) -> Result<Vec<String>, StoreError> {
    let dir = &place.path().to_path_buf();
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
    let metrics = metrics_that_vary(info, rows);
    let drawn = sweep::figures(info, rows, &chosen_metrics(info, rows));
    write_figures(dir, &drawn.figures)?;
    let html = html::batch::report(info, rows, &findings, &metrics, &drawn);
    write_whole(&dir.join("report.html"), &html)?;
    Ok(findings)
}
