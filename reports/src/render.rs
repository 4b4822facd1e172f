//! Figures and reports of runs and batches, from their directories alone.

use std::path::Path;

use crate::figures::{Figure, run_figures};
use crate::guard::guarded;
use crate::html;
use crate::store::{ResultDir, RunSummary, StoreError, is_drawn, write_whole};

mod batch;

pub use batch::{read_batch, render_batch, render_batch_in, write_batch, write_batch_of};

/// Draws the figures and the report of a run directory again, and puts them in place of those that
/// are there; a figure that the user has changed is kept as `NAME.kept-N`.
///
/// # Errors
/// When the directory is not a complete run or its files are damaged, or nothing can be written; then
/// nothing has changed.
pub fn render_run(dir: &Path) -> Result<RunSummary, StoreError> {
    render_run_in(&mut ResultDir::open(dir)?)
}

/// The same of a directory that is open, which then says what it has kept.
///
/// # Errors
/// As [`render_run`].
pub fn render_run_in(place: &mut ResultDir) -> Result<RunSummary, StoreError> {
    let dir = &place.path().to_path_buf();
    place.marker().verify(dir)?;
    let summary = RunSummary::read(dir)?;
    place.change(
        |name| !is_drawn(name),
        true,
        |aside| guarded(dir, || render_files(dir, &summary, aside)),
    )?;
    Ok(summary)
}

/// Draws the run whose tables are in `dir`; files go to `to`, which may be the same. What cannot be
/// drawn is left out, and the report names it with the reason.
pub(crate) fn render_files(dir: &Path, summary: &RunSummary, to: &Path) -> Result<(), StoreError> {
    let mut drawn = run_figures(dir, summary);
    write_figures(to, &drawn.figures)?;
    let html = html::run_page::report(dir, summary, &mut drawn);
    write_whole(&to.join("report.html"), &html)
}

/// Writes `figures/NAME.svg` and `figures/NAME.csv`.
pub(crate) fn write_figures(dir: &Path, figures: &[Figure]) -> Result<(), StoreError> {
    if figures.is_empty() {
        return Ok(());
    }
    let place = dir.join("figures");
    std::fs::create_dir_all(&place).map_err(StoreError::io("create the directory", &place))?;
    for figure in figures {
        write_whole(&place.join(format!("{}.svg", figure.name)), &figure.svg)?;
        write_whole(&place.join(format!("{}.csv", figure.name)), &figure.csv)?;
    }
    Ok(())
}
