//! Makes all runs of a plan, in parallel, and what is drawn over them.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use reports::store::DirLock;
use reports::{BatchInfo, BatchRow, MetricFigure, RunSummary, row_metrics, write_batch};

use crate::parameters;
use crate::problem::Source;
use crate::progress::Progress;
use crate::run;
use crate::run_spec::RunSpec;
use crate::sweep::{Plan, label};

/// How to make a batch.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the results go.
    pub dir: PathBuf,
    /// Make runs again that are there already.
    pub force: bool,
    /// Threads; `None` for as many as there are processors.
    pub threads: Option<usize>,
    /// The command line, for the report.
    pub command: String,
    /// The scenario's text with its changes, kept as `batch.toml`.
    pub text: String,
}

/// What became of a run.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Made now.
    Made(Box<RunSummary>),
    /// It was there already.
    Kept(Box<RunSummary>),
    /// It failed, for this reason.
    Failed(String),
}

impl Outcome {
    /// Its results, if it has any.
    pub fn summary(&self) -> Option<&RunSummary> {
        match self {
            Outcome::Made(summary) | Outcome::Kept(summary) => Some(summary),
            Outcome::Failed(_) => None,
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
        .num_threads(options.threads.unwrap_or(0))
        .build()
        .map_err(|e| format!("cannot start threads: {e}; try --threads 1"))?;
    let outcomes: Vec<Outcome> = pool.install(|| {
        plan.runs
            .par_iter()
            // One run at a time for each thread: runs differ widely in length.
            .with_max_len(1)
            .map(|spec| {
                make_run(
                    spec,
                    &dir.join("runs").join(&spec.id),
                    options.force,
                    progress,
                )
            })
            .collect()
    });
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

/// Makes one run unless it is there and complete. What is left of the same run, with a summary that
/// cannot be read say, gives way.
pub fn make_run(spec: &RunSpec, dir: &Path, force: bool, progress: &Progress) -> Outcome {
    let mut seen = progress.run();
    let kept = if force { None } else { complete(spec, dir) };
    let outcome = match kept {
        Some(summary) => Outcome::Kept(Box::new(summary)),
        None => {
            let damaged = dir.join("summary.json").is_file() && is_of(spec, dir);
            let replace = force || damaged;
            match run::execute(spec, dir, replace, &mut |p| seen.observe(p)) {
                Ok(summary) => Outcome::Made(Box::new(summary)),
                // Another process may have made it meanwhile; equal runs give equal results.
                Err(message) => match complete(spec, dir) {
                    Some(summary) if !force => Outcome::Kept(Box::new(summary)),
                    _ => Outcome::Failed(message),
                },
            }
        }
    };
    seen.done(spec.scenario.duration);
    outcome
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
        axes: plan
            .axes
            .iter()
            .map(|a| reports::Axis {
                path: a.name.clone(),
                values: a.values.iter().map(label).collect(),
            })
            .collect(),
        figures: plan
            .figures
            .iter()
            .map(|f| MetricFigure {
                name: f.name.clone(),
                metric: f.y.clone(),
                x: f.x.clone(),
                series: f.series.clone().unwrap_or_default(),
            })
            .collect(),
    }
}
