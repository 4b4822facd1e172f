//! Figures and report of a run, from its directory alone.

use std::path::Path;

use crate::figures::{Figure, run_figures};
use crate::html;
use crate::store::{RunSummary, StoreError, write_whole};

/// Makes `figures/` and `report.html` of a run directory anew.
///
/// # Errors
/// When the directory is no complete run, or cannot be written.
pub fn render_run(dir: &Path) -> Result<RunSummary, StoreError> {
    let summary = RunSummary::read(dir)?;
    render_files(dir, &summary)?;
    Ok(summary)
}

/// Makes the figures and the report of the run whose tables are in `dir`.
pub(crate) fn render_files(dir: &Path, summary: &RunSummary) -> Result<(), StoreError> {
    let figures = run_figures(dir, summary)?;
    write_figures(dir, &figures)?;
    let html = html::run::report(dir, summary, &figures)?;
    write_whole(&dir.join("report.html"), &html)
}

/// Writes `figures/NAME.svg` and `figures/NAME.csv`; figures that are no longer made disappear.
pub(crate) fn write_figures(dir: &Path, figures: &[Figure]) -> Result<(), StoreError> {
    let place = dir.join("figures");
    match std::fs::remove_dir_all(&place) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::io("replace the directory", &place)(e));
        }
        _ => {}
    }
    std::fs::create_dir(&place).map_err(StoreError::io("create the directory", &place))?;
    for figure in figures {
        write_whole(&place.join(format!("{}.svg", figure.name)), &figure.svg)?;
        write_whole(&place.join(format!("{}.csv", figure.name)), &figure.csv)?;
    }
    Ok(())
}
