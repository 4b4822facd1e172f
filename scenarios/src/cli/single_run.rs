//! The directory of a single run that a command is about.

use std::path::{Path, PathBuf};

use reports::RunSummary;
use reports::store::{ResultKind, look_at_results, resolve};

use super::unfold::unfold;
use crate::console::Failure;

/// The directory with its links resolved, and its summary.
///
/// # Errors
/// When there are no results of a run, or they cannot be read.
pub(super) fn open(dir: &Path) -> Result<(PathBuf, RunSummary), Failure> {
    let usage = |text: String| Failure::Usage(format!("error: {text}"));
    let dir = resolve(dir).map_err(|e| usage(e.to_string()))?;
    unfold(&dir)?;
    let marker = look_at_results(&dir).map_err(|_| {
        usage(format!(
            "{} holds no results of synfin\n  = help: name the directory of a run, as in results/teardown/runs/ID",
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
    let summary = RunSummary::read(&dir).map_err(|e| Failure::Run(format!("error: {e}")))?;
    Ok((dir, summary))
}
