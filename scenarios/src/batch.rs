//! Makes all runs of a plan, in parallel, and what is drawn over them.
//!
//! Runs are made side by side, a thread for each; where there are fewer runs than threads, each
//! gets several and is divided among them if that helps.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use reports::store::{ResultDir, StoreError, look_at_results, read_text_file, set_aside};
use reports::{BatchInfo, BatchRow, Judgement, RunStatus, RunSummary, row_metrics, write_batch};

use crate::execution::{Division, Execution};
use crate::existing::Existing;
use crate::interrupt::Interrupt;
use crate::parameters;
use crate::place::shell_words;
use crate::problem::Source;
use crate::progress::BatchProgress;
use crate::run::{Job, Made, RunError};
use crate::run_spec::RunSpec;
use crate::sweep::{Axis, Plan, figure_for_report};
use sim_core::simulation::Progress;

/// How to make a batch.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the results go.
    pub dir: PathBuf,
    /// How to make runs; its threads are shared by all of them.
    pub execution: Execution,
    /// The command line, for the report.
    pub command: String,
    /// The scenario's text with its changes, kept as `batch.toml`.
    pub text: String,
}

/// What became of a run.
#[derive(Debug)]
pub enum RunOutcome {
    /// Made now.
    Made {
        /// The run.
        made: Box<Made>,
        /// What was wrong with the results that were there before.
        because: Option<String>,
    },
    /// It was there already.
    Kept(Box<RunSummary>),
    /// It failed, for this reason.
    Failed(RunError),
    /// It was not to be made now, for this reason.
    LeftOut(&'static str),
}

impl RunOutcome {
    /// Its results, if it has any.
    pub fn summary(&self) -> Option<&RunSummary> {
        match self {
            RunOutcome::Made { made, .. } => Some(&made.summary),
            RunOutcome::Kept(summary) => Some(summary),
            RunOutcome::Failed(_) | RunOutcome::LeftOut(_) => None,
        }
    }

    /// How the network was divided, of a run made now.
    pub fn division(&self) -> Option<&Division> {
        match self {
            RunOutcome::Made { made, .. } => Some(&made.division),
            _ => None,
        }
    }

    /// True when a signal has kept it from being made.
    pub fn is_stopped(&self) -> bool {
        matches!(self, RunOutcome::Failed(RunError::Stopped))
    }
}

/// A batch that was made.
#[derive(Debug)]
pub struct Batch {
    /// What became of the runs, in plan order.
    pub outcomes: Vec<RunOutcome>,
    /// What they have shown together, in words.
    pub findings: Vec<String>,
    /// The verdicts on what is expected of them.
    pub judgements: Vec<Judgement>,
    /// Files of the batch that somebody had changed: where they are kept.
    pub kept: Vec<PathBuf>,
}

/// Makes the runs of a plan under `dir/runs/ID` and the batch's own files; runs that are complete
/// and undamaged are kept unless forced. A failed run does not stop the others. When a signal stops
/// the batch, its index and report cover the runs that are complete.
///
/// # Errors
/// When the directory belongs to something else, or the batch's files cannot be written.
pub fn make(plan: &Plan, options: &Options, making: Making<'_>) -> Result<Batch, RunError> {
    let dir = &options.dir;
    let ids: BTreeSet<String> = plan.runs.iter().map(|run| run.id.clone()).collect();
    let mut place = ResultDir::claim_for_batch(dir, ids, making.force)?;
    place.put("batch.toml", &options.text)?;
    let runs = dir.join("runs");
    std::fs::create_dir_all(&runs).map_err(|source| StoreError::Io {
        what: "create the directory",
        path: runs,
        source,
    })?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.execution.threads)
        .build()
        .map_err(|e| RunError::Threads(e.to_string()))?;
    let outcomes = pool.install(|| make_runs(plan, options, making));
    making.progress.finish();
    let rows: Vec<BatchRow> = plan
        .runs
        .iter()
        .zip(&outcomes)
        .map(|(spec, outcome)| row(plan, spec, outcome))
        .collect();
    let info = batch_info(plan, &options.command);
    let is_missing = |o: &RunOutcome| o.is_stopped() || matches!(o, RunOutcome::LeftOut(_));
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
    })
}

/// Puts the files of the batch itself in place of those that are there.
fn write_files(
    place: &mut ResultDir,
    info: &BatchInfo,
    rows: &[BatchRow],
    complete: bool,
) -> Result<Vec<String>, StoreError> {
    let stays = |name: &str| name == "batch.toml";
    place.change(stays, complete, |aside| write_batch(aside, info, rows))
}

/// How runs are made.
#[derive(Clone, Copy, Debug)]
pub struct Making<'a> {
    /// Make runs again that are there already.
    pub force: bool,
    /// Which runs are to be made, in plan order; all of them if `None`. Others that are there are
    /// kept.
    pub only: Option<&'a [bool]>,
    /// Begin no more runs after one has failed.
    pub fail_fast: bool,
    /// Where to tell how far they are.
    pub progress: &'a BatchProgress,
    /// What may stop them.
    pub interrupt: &'a Interrupt,
}

/// What became of each run of a plan.
fn make_runs(plan: &Plan, options: &Options, making: Making<'_>) -> Vec<RunOutcome> {
    let place = |spec: &RunSpec| options.dir.join("runs").join(&spec.id);
    let is_chosen = |i: usize| making.only.is_none_or(|only| only.get(i) == Some(&true));
    let found: Vec<Found> = plan
        .runs
        .par_iter()
        .enumerate()
        .map(|(i, spec)| match is_chosen(i) {
            true => find(spec, &place(spec), Inside::Batch, making),
            false => find_only(spec, &place(spec), making),
        })
        .collect();
    let mut outcomes: Vec<Option<RunOutcome>> = Vec::with_capacity(found.len());
    let mut missing: Vec<(&RunSpec, Missing)> = Vec::new();
    for (spec, found) in plan.runs.iter().zip(found) {
        match found {
            Found::Ended(outcome) => outcomes.push(Some(outcome)),
            Found::Missing(how) => {
                outcomes.push(None);
                missing.push((spec, how));
            }
        }
    }
    let shares = Shares::new(options.execution.threads, missing.len());
    let failed_already = |o: &Option<RunOutcome>| matches!(o, Some(RunOutcome::Failed(_)));
    let has_failed = AtomicBool::new(outcomes.iter().any(failed_already));
    let made: Vec<RunOutcome> = missing
        .into_par_iter()
        // One run at a time for each thread: runs differ widely in length.
        .with_max_len(1)
        .map(|(spec, how)| {
            if making.fail_fast && has_failed.load(Ordering::Relaxed) {
                return RunOutcome::LeftOut("not begun, because another run had failed");
            }
            let threads = shares.take();
            let execution = Execution {
                threads,
                ..options.execution
            };
            let outcome = make_missing(spec, &place(spec), how, execution, making);
            let failed = matches!(outcome, RunOutcome::Failed(_)) && !outcome.is_stopped();
            has_failed.fetch_or(failed, Ordering::Relaxed);
            shares.give_back(threads);
            outcome
        })
        .collect();
    let mut made = made.into_iter();
    for outcome in &mut outcomes {
        if outcome.is_none() {
            *outcome = made.next();
        }
    }
    outcomes.into_iter().flatten().collect()
}

/// Threads that runs share: each takes its part of those not taken when it begins.
#[derive(Debug)]
struct Shares(Mutex<Shared>);

#[derive(Debug)]
struct Shared {
    free: usize,
    /// Runs that have not begun.
    waiting: usize,
}

impl Shares {
    fn new(threads: usize, runs: usize) -> Shares {
        Shares(Mutex::new(Shared {
            free: threads,
            waiting: runs,
        }))
    }

    fn take(&self) -> usize {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = (shared.free / shared.waiting.max(1)).max(1);
        shared.free = shared.free.saturating_sub(threads);
        shared.waiting = shared.waiting.saturating_sub(1);
        threads
    }

    fn give_back(&self, threads: usize) {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.free += threads;
    }
}

/// Makes the only run of a scenario, unless it is there, complete and undamaged.
pub fn make_run(
    spec: &RunSpec,
    dir: &Path,
    execution: Execution,
    making: Making<'_>,
) -> RunOutcome {
    match find(spec, dir, Inside::Alone, making) {
        Found::Ended(outcome) => outcome,
        Found::Missing(how) => make_missing(spec, dir, how, execution, making),
    }
}

/// Makes a run of a batch in its place, unless it is there, complete and undamaged.
pub(crate) fn make_run_of_batch(
    spec: &RunSpec,
    dir: &Path,
    execution: Execution,
    making: Making<'_>,
) -> RunOutcome {
    match find(spec, dir, Inside::Batch, making) {
        Found::Ended(outcome) => outcome,
        Found::Missing(how) => make_missing(spec, dir, how, execution, making),
    }
}

/// Whether a run's directory was named by the user, or by us within a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Alone,
    Batch,
}

/// What is to be done about a run.
enum Found {
    /// Nothing.
    Ended(RunOutcome),
    /// It is to be made.
    Missing(Missing),
}

/// How a run that is not there is to be made.
struct Missing {
    /// In place of results of ours.
    replace: bool,
    /// What was wrong with these.
    because: Option<String>,
}

/// Looks for a run that is not to be made.
fn find_only(spec: &RunSpec, dir: &Path, making: Making<'_>) -> Found {
    making.progress.kept(spec.scenario.duration);
    Found::Ended(match Existing::look(spec, dir) {
        Existing::Complete(summary) => RunOutcome::Kept(summary),
        _ => RunOutcome::LeftOut("not chosen"),
    })
}

/// Looks for a run.
fn find(spec: &RunSpec, dir: &Path, inside: Inside, making: Making<'_>) -> Found {
    let missing = |replace, because| Found::Missing(Missing { replace, because });
    match Existing::look(spec, dir) {
        Existing::Absent => missing(false, None),
        Existing::Complete(_) if making.force => missing(true, None),
        Existing::Complete(summary) => {
            making.progress.kept(spec.scenario.duration);
            Found::Ended(RunOutcome::Kept(summary))
        }
        Existing::Damaged(why) => missing(true, Some(why)),
        Existing::Other(StoreError::Exists(_) | StoreError::OtherKind { .. })
            if inside == Inside::Alone && making.force =>
        {
            missing(true, None)
        }
        Existing::Other(error) if inside == Inside::Batch && gives_way(&error) => {
            match set_aside(dir) {
                Ok(kept) => missing(false, Some(moved_away(&error, &kept))),
                Err(error) => Found::Ended(RunOutcome::Failed(error.into())),
            }
        }
        Existing::Other(error) => Found::Ended(RunOutcome::Failed(error.into())),
    }
}

/// What was wrong with what stood there, and where it is now. What a user could do about it is of no
/// use here.
fn moved_away(error: &StoreError, kept: &Path) -> String {
    let text = error.to_string().replace(" is left alone: ", ": ");
    let text = text.split("; choose another").next().unwrap_or_default();
    format!("{text}; it is now {}", kept.display())
}

/// True for what stands in a batch where one of its runs belongs, and is not this run.
fn gives_way(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Exists(_)
            | StoreError::OtherKind { .. }
            | StoreError::Unrecognised { .. }
            | StoreError::Newer { .. }
    )
}

fn make_missing(
    spec: &RunSpec,
    dir: &Path,
    how: Missing,
    execution: Execution,
    making: Making<'_>,
) -> RunOutcome {
    let mut seen = making.progress.run();
    let job = Job {
        replace: how.replace,
        execution,
        interrupt: Some(making.interrupt),
        ..Job::new(spec, dir)
    };
    let outcome = match execute(&job, |p| seen.observe(p)) {
        Ok(made) => RunOutcome::Made {
            made: Box::new(made),
            because: how.because,
        },
        // Another process may have made it meanwhile; equal runs give equal results.
        Err(error) => match Existing::look(spec, dir) {
            Existing::Complete(summary) if !making.force => RunOutcome::Kept(summary),
            _ => RunOutcome::Failed(error),
        },
    };
    seen.done(spec.scenario.duration);
    outcome
}

/// Makes a run: one with threads of its own from a thread of its own, because a thread of a pool
/// that waits for others takes up another run meanwhile.
fn execute(job: &Job<'_>, mut observe: impl FnMut(Progress) + Send) -> Result<Made, RunError> {
    if job.execution.threads < 2 {
        return job.execute(&mut observe);
    }
    std::thread::scope(|scope| {
        let run = std::thread::Builder::new().spawn_scoped(scope, || job.execute(&mut observe));
        match run.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => Err(RunError::Internal("a run gave no result".to_owned())),
            Err(e) => Err(RunError::Threads(e.to_string())),
        }
    })
}

/// A batch that was stopped.
#[derive(Clone, Debug)]
pub struct Part {
    /// Number of complete runs.
    pub made: usize,
    /// Number of all.
    pub all: usize,
    /// What the complete ones have shown together, in words.
    pub findings: Vec<String>,
    /// Files of the batch that somebody had changed: where they are kept.
    pub kept: Vec<PathBuf>,
}

/// Reports on the complete runs of a batch that was stopped.
///
/// # Errors
/// When `batch.toml` is missing or changed, or the report cannot be written.
pub fn report_part(dir: &Path) -> Result<Part, RunError> {
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
    let plan =
        Plan::new(&Source { name, text }, &[]).map_err(|e| RunError::Scenario(e.to_string()))?;
    let outcomes: Vec<Option<RunOutcome>> = plan
        .runs
        .par_iter()
        .map(
            |spec| match Existing::look(spec, &dir.join("runs").join(&spec.id)) {
                Existing::Complete(summary) => Some(RunOutcome::Kept(summary)),
                _ => None,
            },
        )
        .collect();
    let rows: Vec<BatchRow> = plan
        .runs
        .iter()
        .zip(&outcomes)
        .map(|(spec, outcome)| {
            let missing = RunOutcome::Failed(RunError::Stopped);
            row(&plan, spec, outcome.as_ref().unwrap_or(&missing))
        })
        .collect();
    let info = batch_info(&plan, &command);
    let made = outcomes.iter().flatten().count();
    let findings = write_files(&mut place, &info, &rows, made == rows.len())?;
    Ok(Part {
        made,
        all: rows.len(),
        findings,
        kept: place.kept().to_vec(),
    })
}

/// The runs of a batch whose results are missing or damaged, each with what is wrong.
pub fn damaged_runs(dir: &Path, runs: &BTreeSet<String>) -> Vec<String> {
    let ids: Vec<&String> = runs.iter().collect();
    ids.par_iter()
        .filter_map(|id| {
            let run = dir.join("runs").join(id);
            let checked = look_at_results(&run).and_then(|marker| marker.verify(&run));
            checked.err().map(|error| match error {
                StoreError::Damaged { path, why } => format!("{}: {why}", path.display()),
                other => other.to_string(),
            })
        })
        .collect()
}

/// The command that makes what is missing of the batch in `dir`.
pub fn go_on(dir: &Path) -> String {
    let batch = dir.join("batch.toml").display().to_string();
    shell_words(["synfin", "run", &batch, "--out", &dir.display().to_string()])
}

pub(crate) fn row(plan: &Plan, spec: &RunSpec, outcome: &RunOutcome) -> BatchRow {
    let value = |axis: &Axis| {
        let mut parameters = spec.parameters.iter();
        let found = parameters.find(|(name, _)| *name == axis.name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let (status, message) = match outcome {
        RunOutcome::Failed(RunError::Stopped) => (RunStatus::Missing, "not made yet".to_owned()),
        RunOutcome::Failed(error) => (RunStatus::Failed, error.to_string()),
        RunOutcome::LeftOut(why) => (RunStatus::Missing, (*why).to_owned()),
        _ => (RunStatus::Ok, String::new()),
    };
    BatchRow {
        id: spec.id.clone(),
        values: plan.axes.iter().map(value).collect(),
        seed: spec.seed,
        replica: spec.replica,
        status,
        message,
        metrics: outcome.summary().map(row_metrics).unwrap_or_default(),
    }
}

fn batch_info(plan: &Plan, command: &str) -> BatchInfo {
    let shown: Vec<Vec<(String, String)>> = plan
        .runs
        .iter()
        .map(|r| parameters::shown(&r.scenario))
        .collect();
    let first = shown.first().cloned().unwrap_or_default();
    BatchInfo {
        name: plan.name.clone(),
        question: plan.question.clone(),
        command: command.to_owned(),
        parameters: first
            .into_iter()
            .filter(|p| shown.iter().all(|all| all.contains(p)))
            .collect(),
        axes: plan.axes.iter().map(Axis::for_report).collect(),
        figures: plan
            .figures
            .iter()
            .map(|figure| figure_for_report(figure, &plan.runs))
            .collect(),
        expectations: plan.expectations.clone(),
        notes: plan.notes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_share_the_threads_there_are() {
        let all = |threads, runs| {
            let shares = Shares::new(threads, runs);
            (0..runs).map(|_| shares.take()).collect::<Vec<_>>()
        };
        assert_eq!(all(8, 1), [8]);
        assert_eq!(all(8, 3), [2, 3, 3]);
        assert_eq!(all(2, 2), [1, 1]);
        assert_eq!(all(1, 3), [1, 1, 1]);
        let shares = Shares::new(4, 6);
        assert_eq!([(); 4].map(|()| shares.take()), [1; 4]);
        shares.give_back(1);
        assert_eq!(shares.take(), 1);
        // The last run has all that is left.
        (0..3).for_each(|_| shares.give_back(1));
        assert_eq!(shares.take(), 3);
    }
}
