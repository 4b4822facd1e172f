//! Index and report of a batch that was stopped, or that several processes made, from the contents of its
//! directory.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use reports::BatchRow;
use reports::store::parts::{PartRun, Parts};
use reports::store::{
    ResultDir, StoreError, look_at_results, read_text_file, run_place, runs_with_directories,
};

use super::look::outline;
use super::{RunOutcome, RunOutline, go_on, row, rows, write_files};
use crate::existing::Existing;
use crate::problem::SourceText;
use crate::run::RunError;
use crate::sweep::Plan;

/// How much of a batch is complete.
#[derive(Clone, Debug)]
pub struct BatchStatus {
    /// Number of complete runs.
    pub made: usize,
    /// Number of runs that failed.
    pub failed: usize,
    /// Number of all runs.
    pub all: usize,
    /// Findings over the complete runs, in words.
    pub findings: Vec<String>,
    /// Where files of the batch that somebody had edited are kept.
    pub kept: Vec<PathBuf>,
    /// Lines of parts that cannot be used, each with the reason.
    pub damaged: Vec<String>,
}

/// Writes the index and the report of the existing runs of a batch that was stopped or executed in shards.
///
/// # Errors
/// When `batch.toml` is missing or changed, or the report cannot be written.
pub fn collect(dir: &Path) -> Result<BatchStatus, RunError> {
    let mut place = ResultDir::open(dir)?;
    place.marker().verify(dir)?;
    let file = dir.join("batch.toml");
    let name = file.display().to_string();
    let text = read_text_file(&file, u64::MAX).map_err(|source| StoreError::Io {
        what: "read",
        path: file.clone(),
        source,
    })?;
    let command = go_on(dir);
    let plan = Plan::new(&SourceText { name, text }, &[])
        .map_err(|e| RunError::Scenario(e.to_string()))?;
    let parts = Parts::read(dir)?;
    let is_complete = |run: &PartRun| matches!(run, PartRun::Complete { .. });
    let metrics_only = parts.runs.values().any(is_complete);
    let find = |spec: &crate::run_spec::RunSpec| match parts.runs.get(&spec.id) {
        Some(PartRun::Complete { metrics, .. }) => {
            RunOutcome::Kept(Box::new(RunOutline::of_metrics(metrics.clone())))
        }
        of_part => match Existing::look(spec, &run_place(&dir.join("runs"), &spec.id)) {
            Existing::Complete(summary) => RunOutcome::Kept(outline(*summary)),
            _ => RunOutcome::Failed(match of_part {
                Some(PartRun::Failed(why)) => RunError::Earlier(why.clone()),
                _ => RunError::Stopped,
            }),
        },
    };
    let outcomes: Vec<RunOutcome> = plan.runs.par_iter().map(find).collect();
    let rows: Vec<BatchRow> = plan
        .runs
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| plan.until.is_none() || !outcome.is_stopped())
        .map(|(spec, outcome)| row(&plan, spec, outcome))
        .collect();
    let info = rows::batch_info(&plan, &command, metrics_only);
    let made = outcomes.iter().filter(|o| o.outline().is_some()).count();
    // With `until` the number of runs is not known in advance.
    let stopped = match plan.until {
        Some(_) => 0,
        None => outcomes.iter().filter(|o| o.is_stopped()).count(),
    };
    let findings = write_files(&mut place, &info, &rows, stopped == 0)?;
    if stopped == 0 {
        place.remove_former_runs()?;
    }
    Ok(BatchStatus {
        made,
        failed: rows.len() - made - stopped,
        all: rows.len(),
        findings,
        kept: place.kept().to_vec(),
        damaged: parts.damaged,
    })
}

/// Returns the runs of a batch whose results are missing or damaged, and what is wrong with each.
///
/// # Errors
/// When its parts cannot be read.
pub fn damaged_runs(dir: &Path, runs: &BTreeSet<String>) -> Result<Vec<String>, StoreError> {
    let parts = Parts::read(dir)?;
    let is_in_part = |id: &str| matches!(parts.runs.get(id), Some(PartRun::Complete { .. }));
    let ids: Vec<&String> = runs.iter().filter(|id| !is_in_part(id)).collect();
    let damaged = |id: &&String| {
        let run = run_place(&dir.join("runs"), id);
        let checked = look_at_results(&run).and_then(|marker| marker.verify(&run));
        checked.err().map(|error| match error {
            StoreError::Damaged { path, why } => format!("{}: {why}", path.display()),
            other => other.to_string(),
        })
    };
    let of_runs: Vec<String> = ids.par_iter().filter_map(damaged).collect();
    // A damaged line is harmless if no run is missing because of it.
    Ok(match (of_runs.len(), parts.damaged.len()) {
        (0, _) | (_, 0) => of_runs,
        (n, lines) if lines >= n => parts.damaged.into_iter().take(n).collect(),
        _ => of_runs,
    })
}

/// Returns the complete runs in the directory of a batch, and why others failed, according to the names of
/// directories and the lines of parts.
///
/// # Errors
/// When the parts cannot be read.
pub fn runs_there(dir: &Path) -> Result<(HashSet<String>, HashMap<String, String>), StoreError> {
    let mut there = runs_with_directories(&dir.join("runs"));
    let mut failed = HashMap::new();
    for (id, why) in Parts::glance(dir)? {
        match why {
            None => drop(there.insert(id)),
            Some(why) => drop(failed.insert(id, why)),
        }
    }
    failed.retain(|id, _| !there.contains(id));
    Ok((there, failed))
}
