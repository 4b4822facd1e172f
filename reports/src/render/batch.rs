//! Index, figures and report of a batch.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::write_figures;
use crate::batch::translated::in_language;
use crate::batch::{
    BatchInfo, BatchRow, batch_findings_in, chosen_metrics, index, metric_names, metrics_that_vary,
};
use crate::bilingual::Language;
use crate::expectations::Judgement;
use crate::figures::sweep;
use crate::guard::guarded;
use crate::html;
use crate::html::batch::PageSetting;
use crate::store::{
    ResultDir, StoreError, is_drawn, look_at_results, read_own_text, run_link, write_json,
    write_whole,
};

/// The contents of `batch.json`; the metrics of the rows are in `index.parquet`.
#[derive(Debug, Default, Deserialize)]
struct BatchFile {
    info: BatchInfo,
    rows: Vec<BatchRow>,
}

/// [`BatchFile`], borrowed for writing.
#[derive(Debug, Serialize)]
struct BatchFileOut<'a> {
    info: &'a BatchInfo,
    rows: &'a [BatchRow],
}

/// Writes `batch.json`, `index.csv`, `index.parquet`, `index.columns.csv`, figures and
/// `report.html` of a batch to `dir`, which is created if necessary. Existing files of these names
/// are overwritten without a check: to change a result directory, write to the place that
/// [`ResultDir::change`](crate::store::ResultDir::change) gives. Returns the findings over all
/// runs.
///
/// # Errors
/// When they cannot be written.
pub fn write_batch(
    dir: &Path,
    info: &BatchInfo,
    rows: &[BatchRow],
) -> Result<Vec<String>, StoreError> {
    write_batch_of(&dir.join("runs"), dir, info, rows)
}

/// Like [`write_batch`], with runs that are elsewhere: a batch of a few connections shows their
/// ladders.
///
/// # Errors
/// When the files cannot be written.
pub fn write_batch_of(
    runs: &Path,
    dir: &Path,
    info: &BatchInfo,
    rows: &[BatchRow],
) -> Result<Vec<String>, StoreError> {
    std::fs::create_dir_all(dir).map_err(StoreError::io("create the directory", dir))?;
    write_json(&dir.join("batch.json"), &BatchFileOut { info, rows })?;
    let metrics = metric_names(rows);
    index::write_csv(&dir.join("index.csv"), info, rows, &metrics)?;
    index::write_table(dir, info, rows, &metrics)?;
    let dictionary = index::dictionary(info, &metrics);
    write_whole(&dir.join("index.columns.csv"), &dictionary)?;
    render(runs, dir, (info, rows), Language::English).map(|rendered| rendered.findings)
}

/// Redraws the figures and the report of a batch directory from `batch.json` and `index.parquet`,
/// and replaces the old ones. Returns the findings over all runs.
///
/// # Errors
/// When there is no complete batch or its files are damaged, or nothing can be written.
pub fn render_batch(dir: &Path) -> Result<Vec<String>, StoreError> {
    render_batch_in(&mut ResultDir::open(dir)?, Language::English).map(|rendered| rendered.findings)
}

/// A batch whose figures and report have been drawn.
#[derive(Clone, Debug)]
pub struct RenderedBatch {
    /// The findings over all runs, in the language of the page.
    pub findings: Vec<String>,
    /// The verdicts on its expectations in the same language.
    pub judgements: Vec<Judgement>,
}

/// Like [`render_batch`], for an open directory, which then knows which files it has kept. The page
/// opens in `language`.
///
/// # Errors
/// As [`render_batch`].
pub fn render_batch_in(
    place: &mut ResultDir,
    language: Language,
) -> Result<RenderedBatch, StoreError> {
    let dir = &place.path().to_path_buf();
    place.marker().verify(dir)?;
    let file = read_file(dir)?;
    let complete = place.marker().complete;
    let runs = dir.join("runs");
    place.change(
        |name| !is_drawn(name),
        complete,
        |aside| {
            guarded(dir, || {
                render(&runs, aside, (&file.info, &file.rows), language)
            })
        },
    )
}

fn read_file(dir: &Path) -> Result<BatchFile, StoreError> {
    let path = dir.join("batch.json");
    let mut file: BatchFile =
        serde_json::from_str(&read_own_text(&path)?).map_err(|e| StoreError::Damaged {
            path,
            why: e.to_string(),
        })?;
    index::read_metrics(dir, &file.info, &mut file.rows)?;
    Ok(file)
}

/// Reads `batch.json` and `index.parquet` of a batch directory.
///
/// # Errors
/// When there is no batch, or its files are damaged.
pub fn read_batch(dir: &Path) -> Result<(BatchInfo, Vec<BatchRow>), StoreError> {
    look_at_results(dir)?.verify(dir)?;
    let BatchFile { info, rows } = read_file(dir)?;
    Ok((info, rows))
}

fn render(
    runs: &Path,
    dir: &Path,
    (info, rows): (&BatchInfo, &[BatchRow]),
    language: Language,
) -> Result<RenderedBatch, StoreError> {
    let lesson = html::lesson::Lesson::read(runs, info, rows, language);
    let named = in_language(info, rows, language);
    let (info, rows) = (&*named.0, &*named.1);
    let findings = batch_findings_in(info, rows, language);
    let metrics = metrics_that_vary(info, rows);
    let drawn = sweep::figures(info, rows, &chosen_metrics(info, rows), language);
    write_figures(dir, &drawn.figures)?;
    let setting = PageSetting {
        run_links: &|id| Some(format!("{}/report.html", run_link(runs, id)?)),
        language,
    };
    let html = html::batch::report(info, rows, &findings, &metrics, &drawn, &lesson, &setting);
    write_whole(&dir.join("report.html"), &html)?;
    let judgements = info.expectations.iter();
    let judgements = judgements.map(|e| e.judge_in(&info.axes, rows, language));
    Ok(RenderedBatch {
        judgements: judgements.collect(),
        findings,
    })
}
