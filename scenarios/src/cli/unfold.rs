//! Repeats a run of which only the metrics are kept, when a command needs all its results.

use std::path::{Path, PathBuf};

use reports::RowMetrics;
use reports::store::parts::{PartRun, Parts};
use reports::store::{StoreError, new_run_place, read_text_file, run_place, runs_and_id};

use crate::batch::{self, RunControl, RunOutcome};
use crate::console::{CommandError, note};
use crate::execution::Execution;
use crate::interrupt::Interrupt;
use crate::problem::SourceText;
use crate::progress::BatchProgress;
use crate::sweep::Plan;

/// Creates the directory `BATCH/runs/ID` of a run of which the batch keeps only the metrics. Does nothing if
/// the directory exists, or if there is no such run. Returns the directory, which in a large batch is
/// `BATCH/runs/AB/ID`.
///
/// # Errors
/// When the run fails, or has other metrics than before.
pub(super) fn unfold(dir: &Path) -> Result<PathBuf, CommandError> {
    let Some((batch, id)) = place(dir).filter(|_| !dir.exists()) else {
        return Ok(dir.to_path_buf());
    };
    let runs = batch.join("runs");
    let there = run_place(&runs, id);
    if there.exists() {
        return Ok(there);
    }
    let wrong = |e: StoreError| CommandError::Run(format!("error: {e}"));
    let mut parts = Parts::read(batch).map_err(wrong)?;
    let Some(PartRun::Complete { metrics, .. }) = parts.runs.remove(id) else {
        return Ok(there);
    };
    let file = batch.join("batch.toml");
    let text = read_text_file(&file, u64::MAX)
        .map_err(|e| CommandError::Run(format!("error: cannot read {}: {e}", file.display())))?;
    let name = file.display().to_string();
    let plan =
        Plan::new(&SourceText { name, text }, &[]).map_err(|e| CommandError::Run(e.to_string()))?;
    let Some(spec) = plan.runs.iter().find(|run| run.id == id) else {
        return Ok(there);
    };
    let dir = new_run_place(&runs, id, plan.runs.len());
    let interrupt = Interrupt::on_signals();
    let lengths = std::iter::once(spec.scenario.duration);
    let progress = BatchProgress::new(lengths, false);
    let control = RunControl::new(&progress, &interrupt);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let execution = Execution::with_threads(processors);
    let outcome = batch::make_run_of_batch(spec, &dir, execution, control);
    progress.finish();
    match outcome {
        RunOutcome::Failed(error) => Err(CommandError::Run(format!("error: {error}"))),
        outcome => {
            note("only its metrics were kept: repeated with tables, figures and a page");
            match outcome.outline().map(|o| differing(&metrics, &o.metrics)) {
                Some(names) if !names.is_empty() => Err(CommandError::Run(format!(
                    "error: these metrics of the run differ from those in the batch: {}\n  = help: another version of synfin wrote the batch; `synfin run {} --force` repeats all its runs",
                    names.join(", "),
                    file.display()
                ))),
                _ => Ok(dir),
            }
        }
    }
}

/// Splits `BATCH/runs/ID` or `BATCH/runs/AB/ID` into the directory of the batch and the name of the run.
fn place(dir: &Path) -> Option<(&Path, &str)> {
    let (runs, id) = runs_and_id(dir)?;
    let batch = runs.parent()?;
    let batch = match batch.as_os_str().is_empty() {
        true => Path::new("."),
        false => batch,
    };
    Some((batch, id))
}

/// The metrics that differ between two runs.
fn differing(before: &RowMetrics, after: &RowMetrics) -> Vec<String> {
    let names = before.names().iter().chain(after.names().iter());
    let differ = names.filter(|name| before.get(name) != after.get(name));
    let mut differ: Vec<String> = differ.cloned().collect();
    differ.sort();
    differ.dedup();
    differ
}
