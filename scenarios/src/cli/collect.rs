//! `synfin collect`: index and report of a batch that several processes executed.

use std::path::Path;

use reports::store::resolve;

use super::drawings::note_kept;
use crate::batch::{self, go_on};
use crate::console::{CommandError, note, print};
use crate::run::RunError;

/// Maximum number of damaged lines that are named one by one.
const MOST_NAMED: usize = 5;

/// Writes the index and the report of all runs in the directory.
pub(super) fn collect(dir: &Path) -> Result<(), CommandError> {
    let dir = &resolve(dir).map_err(|e| CommandError::Usage(format!("error: {e}")))?;
    let part = batch::collect(dir).map_err(|e| match e {
        RunError::Scenario(text) => CommandError::Run(text),
        other => CommandError::Run(format!("error: {other}")),
    })?;
    note_kept(&part.kept);
    part.findings.iter().try_for_each(|f| print(f))?;
    print(&format!("report: {}", dir.join("report.html").display()))?;
    let missing = part.all - part.made - part.failed;
    if missing > 0 {
        for line in part.damaged.iter().take(MOST_NAMED) {
            note(&format!("not used: {line}"));
        }
        note(&format!(
            "{} of {} runs are complete, {} failed; `{}` runs the others",
            part.made,
            part.all,
            part.failed,
            go_on(dir)
        ));
    }
    match part.failed {
        0 => Ok(()),
        n => Err(CommandError::Run(format!(
            "error: {n} of {} runs failed; `{}` repeats them",
            part.all,
            go_on(dir)
        ))),
    }
}
