//! Executes all runs of a plan in parallel, and draws the figures over them.
//!
//! Each run takes one thread; if there are fewer runs than threads, each run gets several and is divided
//! among them if that helps. The longest runs are started first.
//!
//! Each run of a small batch has a directory `runs/ID` with tables, figures and a page. Of the runs of a
//! large batch only the metrics are kept ([`Keep`]), those of many runs in one file (see
//! [`reports::store::parts`]); `synfin report DIR/runs/ID` repeats one of them and keeps everything.

mod look;
mod options;
mod outcome;
mod rows;
mod runs;
mod shard;
mod shares;
mod status;
mod until;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reports::store::{ResultDir, StoreError};
use reports::{BatchInfo, BatchRow, Judgement, write_batch_of};

use crate::execution::Execution;
use crate::output_dir::shell_words;
use crate::run::RunError;
use crate::run_spec::RunSpec;
use crate::sweep::Plan;
use look::{NamedBy, RunLookup, find};
pub(crate) use options::BYTES_OF_METRICS;
pub use options::{BatchOptions, Keep, LARGE, RunControl, RunLimits};
pub use outcome::{MadeNow, RunOutcome, RunOutline};
pub(crate) use rows::row;
use runs::{all_runs, make_missing};
pub use shard::{Shard, ShardChoice, ShardError};
pub use status::{BatchStatus, collect, damaged_runs, runs_there};

/// A finished batch.
#[derive(Debug)]
pub struct Batch {
    /// Outcomes of the runs, in plan order.
    pub outcomes: Vec<RunOutcome>,
    /// Findings over all runs, as sentences.
    pub findings: Vec<String>,
    /// The verdicts on the expectations.
    pub judgements: Vec<Judgement>,
    /// Where files of the batch that somebody had edited are kept.
    pub kept: Vec<PathBuf>,
    /// Lines of parts that cannot be used, each with the reason; their runs count as missing.
    pub damaged: Vec<String>,
}

/// Executes the runs of a plan, with results in `dir/runs/ID` or in parts, and writes the batch's own files.
/// Existing runs that are complete and undamaged are kept unless `force` is set. A failed run does not stop
/// the others. If a signal stops the batch, its index and report cover the complete runs.
///
/// # Errors
/// When the directory belongs to something else, or the batch's files cannot be written.
pub fn make(
    plan: &Plan,
    options: &BatchOptions,
    control: RunControl<'_>,
) -> Result<Batch, RunError> {
    let dir = &options.dir;
    let mut place = ResultDir::claim_for_batch(dir, ids(plan), control.force)?;
    place.put("batch.toml", &options.text)?;
    let (outcomes, damaged) = match &plan.until {
        Some(until) => until::all_runs(plan, options, control, until)?,
        None => all_runs(plan, options, control, None)?,
    };
    let metrics_only = options.keep.metrics_only(plan.runs.len());
    let rows: Vec<BatchRow> = plan
        .runs
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| !matches!(outcome, RunOutcome::LeftOut(until::ENOUGH)))
        .map(|(spec, outcome)| row(plan, spec, outcome))
        .collect();
    let info = BatchInfo {
        search: options.search.clone(),
        ..rows::batch_info(plan, &options.command, metrics_only)
    };
    let is_left_out =
        |o: &RunOutcome| matches!(o, RunOutcome::LeftOut(why) if *why != until::ENOUGH);
    let is_missing = |o: &RunOutcome| o.is_stopped() || is_left_out(o);
    let complete = !outcomes.iter().any(is_missing);
    let findings = write_files(&mut place, &info, &rows, complete)?;
    if complete {
        place.remove_former_runs()?;
    }
    let expected = info.expectations.iter();
    Ok(Batch {
        outcomes,
        findings,
        judgements: expected.map(|e| e.judge(&info.axes, &rows)).collect(),
        kept: place.kept().to_vec(),
        damaged,
    })
}

/// Executes the runs of one shard. Other processes may execute other shards of the same plan in the same
/// directory at the same time. Index and report are left to [`collect`].
///
/// # Errors
/// As [`make`].
pub fn make_shard(
    plan: &Plan,
    options: &BatchOptions,
    control: RunControl<'_>,
    shard: Shard,
) -> Result<Vec<RunOutcome>, RunError> {
    ResultDir::join_batch(&options.dir, ids(plan), &options.text, control.force)?;
    let (outcomes, _) = all_runs(plan, options, control, Some(shard))?;
    Ok(outcomes)
}

/// Prepares the directory for shards, which may start at the same time. It may contain other files.
///
/// # Errors
/// When the directory belongs to something else, or cannot be written.
pub fn prepare(plan: &Plan, dir: &Path, text: &str) -> Result<(), StoreError> {
    ResultDir::join_batch(dir, ids(plan), text, false)
}

fn ids(plan: &Plan) -> BTreeSet<String> {
    plan.runs.iter().map(|run| run.id.clone()).collect()
}

/// Replaces the files of the batch itself.
fn write_files(
    place: &mut ResultDir,
    info: &BatchInfo,
    rows: &[BatchRow],
    complete: bool,
) -> Result<Vec<String>, StoreError> {
    let stays = |name: &str| name == "batch.toml";
    let runs = place.path().join("runs");
    place.change(stays, complete, |aside| {
        write_batch_of(runs.as_path(), aside, info, rows)
    })
}

/// Executes the only run of a scenario, unless complete and undamaged results exist.
pub fn make_run(
    spec: &RunSpec,
    dir: &Path,
    execution: Execution,
    control: RunControl<'_>,
) -> RunOutcome {
    match find(spec, dir, NamedBy::User, control) {
        RunLookup::Ended(outcome) => outcome,
        RunLookup::Missing(how) => make_missing(spec, dir, how, execution, control),
    }
}

/// Executes a run of a batch in its directory, unless complete and undamaged results exist.
pub(crate) fn make_run_of_batch(
    spec: &RunSpec,
    dir: &Path,
    execution: Execution,
    control: RunControl<'_>,
) -> RunOutcome {
    match find(spec, dir, NamedBy::Batch, control) {
        RunLookup::Ended(outcome) => outcome,
        RunLookup::Missing(how) => make_missing(spec, dir, how, execution, control),
    }
}

/// Returns the command that executes the missing runs of the batch in `dir`.
pub fn go_on(dir: &Path) -> String {
    let batch = dir.join("batch.toml").display().to_string();
    shell_words(["synfin", "run", &batch, "--out", &dir.display().to_string()])
}
