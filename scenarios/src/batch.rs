//! Makes all runs of a plan, in parallel, and what is drawn over them.
//!
//! Runs are made side by side, a thread for each; where there are fewer runs than threads, each
//! gets several and is divided among them if that helps.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use reports::store::DirLock;
use reports::{BatchInfo, BatchRow, RunSummary, row_metrics, write_batch};

use crate::engine::{Division, Engine};
use crate::parameters;
use crate::problem::Source;
use crate::progress::Progress;
use crate::run::{Job, Made};
use crate::run_spec::RunSpec;
use crate::sweep::{Axis, Plan, figure_for_report};
use sim_core::simulation::Progress as Seen;

/// How to make a batch.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the results go.
    pub dir: PathBuf,
    /// Make runs again that are there already.
    pub force: bool,
    /// How to make runs; its threads are shared by all of them.
    pub engine: Engine,
    /// The command line, for the report.
    pub command: String,
    /// The scenario's text with its changes, kept as `batch.toml`.
    pub text: String,
}

/// What became of a run.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Made now.
    Made(Box<Made>),
    /// It was there already.
    Kept(Box<RunSummary>),
    /// It failed, for this reason.
    Failed(String),
}

impl Outcome {
    /// Its results, if it has any.
    pub fn summary(&self) -> Option<&RunSummary> {
        match self {
            Outcome::Made(made) => Some(&made.summary),
            Outcome::Kept(summary) => Some(summary),
            Outcome::Failed(_) => None,
        }
    }

    /// How the network was divided, of a run made now.
    pub fn division(&self) -> Option<&Division> {
        match self {
            Outcome::Made(made) => Some(&made.division),
            _ => None,
        }
    }
}

/// A batch that was made.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What became of the runs, in plan order.
    pub outcomes: Vec<Outcome>,
    /// What they have shown together, in words.
    pub findings: Vec<String>,
}

/// Makes the runs of a plan under `dir/runs/ID` and the batch's own files; runs that are complete
/// are kept unless forced. A failed run does not stop the others.
///
/// # Errors
/// When the directory belongs to something else, or the batch's files cannot be written.
pub fn make(plan: &Plan, options: &Options, progress: &Progress) -> Result<Batch, String> {
    let dir = &options.dir;
    let _lock = claim(dir)?;
    // The end of an earlier batch is not that of this one.
    match std::fs::remove_file(dir.join("batch.json")) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!(
                "cannot remove batch.json of {}: {e}",
                dir.display()
            ));
        }
        _ => {}
    }
    write(&dir.join("batch.toml"), &options.text)?;
    let runs = dir.join("runs");
    std::fs::create_dir_all(&runs).map_err(|e| cannot_create(&runs, &e))?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.engine.threads)
        .build()
        .map_err(|e| format!("cannot start threads: {e}; try --threads 1"))?;
    let outcomes = pool.install(|| make_runs(plan, options, progress));
    progress.finish();
    let rows: Vec<BatchRow> = plan
        .runs
        .iter()
        .zip(&outcomes)
        .map(|(s, o)| row(s, o))
        .collect();
    let info = batch_info(plan, &options.command);
    let findings = write_batch(dir, &info, &rows).map_err(|e| e.to_string())?;
    Ok(Batch { outcomes, findings })
}

/// What became of each run of a plan.
fn make_runs(plan: &Plan, options: &Options, progress: &Progress) -> Vec<Outcome> {
    let place = |spec: &RunSpec| options.dir.join("runs").join(&spec.id);
    let mut outcomes: Vec<Option<Outcome>> = plan
        .runs
        .par_iter()
        .map(|spec| keep(spec, &place(spec), options.force, progress))
        .collect();
    let missing: Vec<&RunSpec> = (plan.runs.iter().zip(&outcomes))
        .filter(|(_, outcome)| outcome.is_none())
        .map(|(spec, _)| spec)
        .collect();
    let shares = Shares::new(options.engine.threads, missing.len());
    let made: Vec<Outcome> = missing
        .into_par_iter()
        // One run at a time for each thread: runs differ widely in length.
        .with_max_len(1)
        .map(|spec| {
            let threads = shares.take();
            let engine = Engine {
                threads,
                ..options.engine
            };
            let outcome = make_anew(spec, &place(spec), options.force, engine, progress);
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

/// Makes one run unless it is there and complete. What is left of the same run, with a summary that
/// cannot be read say, gives way.
pub fn make_run(
    spec: &RunSpec,
    dir: &Path,
    force: bool,
    engine: Engine,
    progress: &Progress,
) -> Outcome {
    keep(spec, dir, force, progress)
        .unwrap_or_else(|| make_anew(spec, dir, force, engine, progress))
}

/// The run if it is there and complete.
fn keep(spec: &RunSpec, dir: &Path, force: bool, progress: &Progress) -> Option<Outcome> {
    let kept = if force { None } else { complete(spec, dir) }?;
    progress.run().done(spec.scenario.duration);
    Some(Outcome::Kept(Box::new(kept)))
}

fn make_anew(
    spec: &RunSpec,
    dir: &Path,
    force: bool,
    engine: Engine,
    progress: &Progress,
) -> Outcome {
    let mut seen = progress.run();
    let damaged = dir.join("summary.json").is_file() && is_of(spec, dir);
    let job = Job {
        replace: force || damaged,
        engine,
        ..Job::new(spec, dir)
    };
    let outcome = match execute(&job, |p| seen.observe(p)) {
        Ok(made) => Outcome::Made(Box::new(made)),
        // Another process may have made it meanwhile; equal runs give equal results.
        Err(message) => match complete(spec, dir) {
            Some(summary) if !force => Outcome::Kept(Box::new(summary)),
            _ => Outcome::Failed(message),
        },
    };
    seen.done(spec.scenario.duration);
    outcome
}

/// Makes a run: one with threads of its own from a thread of its own, because a thread of a pool
/// that waits for others takes up another run meanwhile.
fn execute(job: &Job<'_>, mut observe: impl FnMut(Seen) + Send) -> Result<Made, String> {
    if job.engine.threads < 2 {
        return job.execute(&mut observe);
    }
    std::thread::scope(|scope| {
        let run = std::thread::Builder::new().spawn_scoped(scope, || job.execute(&mut observe));
        match run.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => Err("internal error: a run ended without a word".to_owned()),
            Err(e) => Err(format!("cannot start a thread: {e}; try --threads 1")),
        }
    })
}

/// The results in `dir` if they are those of this run: the summary is written last and proves that
/// all is there, the run's text proves whose they are.
pub fn complete(spec: &RunSpec, dir: &Path) -> Option<RunSummary> {
    if is_of(spec, dir) {
        RunSummary::read(dir).ok()
    } else {
        None
    }
}

fn is_of(spec: &RunSpec, dir: &Path) -> bool {
    std::fs::read_to_string(dir.join("run.toml")).is_ok_and(|text| text == spec.text())
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
}

/// Reports on the complete runs of a batch that was stopped.
///
/// # Errors
/// When `batch.toml` is no scenario, or the report cannot be written.
pub fn report_part(dir: &Path) -> Result<Part, String> {
    let file = dir.join("batch.toml");
    let name = file.display().to_string();
    let text = std::fs::read_to_string(&file).map_err(|e| format!("cannot read {name}: {e}"))?;
    let command = format!("synfin run {name} --out {}", dir.display());
    let plan = Plan::new(&Source { name, text }, &[])?;
    let outcomes: Vec<Option<Outcome>> = plan
        .runs
        .iter()
        .map(|spec| complete(spec, &dir.join("runs").join(&spec.id)))
        .map(|found| found.map(|summary| Outcome::Kept(Box::new(summary))))
        .collect();
    let rows: Vec<BatchRow> = plan
        .runs
        .iter()
        .zip(&outcomes)
        .map(|(spec, outcome)| match outcome {
            Some(outcome) => row(spec, outcome),
            None => BatchRow {
                status: "missing".to_owned(),
                ..row(spec, &Outcome::Failed("not made yet".to_owned()))
            },
        })
        .collect();
    let info = batch_info(&plan, &command);
    let findings = write_batch(dir, &info, &rows).map_err(|e| e.to_string())?;
    let made = outcomes.iter().flatten().count();
    if made < rows.len() {
        // It stands for a batch that has ended.
        let file = dir.join("batch.json");
        std::fs::remove_file(&file)
            .map_err(|e| format!("cannot remove {}: {e}", file.display()))?;
    }
    Ok(Part {
        made,
        all: rows.len(),
        findings,
    })
}

/// A batch may go to a new directory, an empty one, or one that holds a batch nobody else is
/// making.
fn claim(dir: &Path) -> Result<DirLock, String> {
    let shown = dir.display();
    if dir.join("run.toml").exists() {
        return Err(format!(
            "{shown} holds the results of a single run; choose another directory with --out DIR, or delete it"
        ));
    }
    std::fs::create_dir_all(dir).map_err(|e| cannot_create(dir, &e))?;
    let lock = DirLock::take(dir).map_err(|e| format!("cannot use {shown}: {e}"))?;
    if matches!(lock, DirLock::Theirs) {
        return Err(format!(
            "another synfin is making a batch in {shown}; wait until it is done, or choose another directory with --out DIR"
        ));
    }
    let ours = dir.join("batch.toml").exists();
    let empty = std::fs::read_dir(dir).map_or(true, |mut entries| entries.next().is_none());
    if !ours && !empty {
        return Err(format!(
            "{shown} exists and holds no results of synfin; it is left alone: choose another directory with --out DIR"
        ));
    }
    Ok(lock)
}

fn cannot_create(dir: &Path, error: &std::io::Error) -> String {
    format!(
        "cannot create {}: {error}; choose a directory you may write to with --out DIR",
        dir.display()
    )
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

fn row(spec: &RunSpec, outcome: &Outcome) -> BatchRow {
    let (status, message) = match outcome {
        Outcome::Failed(message) => ("failed", message.clone()),
        _ => ("ok", String::new()),
    };
    BatchRow {
        id: spec.id.clone(),
        values: spec
            .parameters
            .iter()
            .map(|(_, value)| value.clone())
            .collect(),
        seed: spec.seed,
        replica: spec.replica,
        status: status.to_owned(),
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
        figures: plan.figures.iter().map(figure_for_report).collect(),
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
