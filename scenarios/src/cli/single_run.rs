//! Opens the directory of a single run for a command.

use std::path::{Path, PathBuf};

use reports::RunSummary;
use reports::store::{ResultKind, look_at_results, resolve};

use super::unfold::unfold;
use crate::console::CommandError;

/// Returns the path with symbolic links resolved, and the summary of the run.
///
/// # Errors
/// When the directory holds no run, or its results cannot be read.
pub(super) fn open(dir: &Path) -> Result<(PathBuf, RunSummary), CommandError> {
    let usage = |text: String| CommandError::Usage(format!("error: {text}"));
    let dir = resolve(dir).map_err(|e| usage(e.to_string()))?;
    let dir = unfold(&dir)?;
    let marker = look_at_results(&dir).map_err(|_| {
        usage(format!(
            "{} holds no synfin results\n  = help: name the directory of a run, as in results/teardown/runs/ID",
            dir.display()
        ))
    })?;
    if marker.kind != ResultKind::Run {
        return Err(usage(format!(
            "{} holds the runs of a batch\n  = help: name one of them: {}",
            dir.display(),
            dir.join("runs").join("ID").display()
        )));
    }
    let summary = RunSummary::read(&dir).map_err(|e| CommandError::Run(format!("error: {e}")))?;
    Ok((dir, summary))
}
