//! Executes all runs of a plan in parallel, and draws the figures over them.
//!
//! Each run takes one thread; with fewer runs than threads, each gets several and is divided among them if
//! that helps. The longest are begun first.
//!
//! Each run of a small batch has a directory `runs/ID` with tables, figures and a page. Of the runs
//! of a large one only the metrics are kept ([`Keep`]), many in one file (see
//! [`reports::store::parts`]); `synfin report DIR/runs/ID` makes one of them with everything.

mod look;
mod outcome;
mod rows;
mod shard;
mod shares;
mod status;
mod until;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use reports::store::parts::{PartRun, PartWriter, Parts};
use reports::store::{ResultDir, StoreError};
use reports::{BatchInfo, BatchRow, Judgement, SharedNames, write_batch_of};
use sim_core::simulation::SimulationProgress;

use crate::estimate::{CostEstimate, bytes};
use crate::execution::Execution;
use crate::existing::Existing;
use crate::interrupt::Interrupt;
use crate::output_dir::shell_words;
use crate::problem::SourceText;
use crate::process::provenance;
use crate::progress::BatchProgress;
use crate::run::{FinishedRun, Job, RunError};
use crate::run_spec::RunSpec;
use crate::sweep::Plan;
use look::{MissingRun, NamedBy, RunLookup, find, find_only, outline};
pub use outcome::{MadeNow, RunOutcome, RunOutline};
pub(crate) use rows::row;
pub use shard::{Shard, ShardChoice, ShardError};
use shares::Shares;
pub use status::{BatchStatus, collect, damaged_runs, runs_there};

/// Batches of more runs keep the metrics only, unless requested otherwise.
pub const LARGE: usize = 100;

/// About what a run of which the metrics are kept takes on disk, its rows of the index included.
pub(crate) const BYTES_OF_METRICS: f64 = 3000.0;

/// What is kept of each run of a batch. No part of the identity of a run: its metrics are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Everything, or the metrics only where there are more than [`LARGE`] runs.
    #[default]
    BySize,
    /// A directory with tables, figures and a page.
    Everything,
    /// The metrics, many runs in one file.
    Metrics,
}

impl Keep {
    /// True where runs of a batch of so many get no directory.
    pub(crate) fn metrics_only(self, runs: usize) -> bool {
        match self {
            Keep::BySize => runs > LARGE,
            Keep::Everything => false,
            Keep::Metrics => true,
        }
    }
}

/// How to execute a batch.
#[derive(Clone, Debug)]
pub struct BatchOptions {
    /// Where the results go.
    pub dir: PathBuf,
    /// How to execute runs, which share its threads.
    pub execution: Execution,
    /// The command line, for the report.
    pub command: String,
    /// The scenario's text with its changes, kept as `batch.toml`.
    pub text: String,
    /// What is kept of each run.
    pub keep: Keep,
    /// How a search has led to these runs, a sentence each; shown in the report.
    pub search: Vec<String>,
}

impl BatchOptions {
    /// Results of this scenario in `dir`, on all processors.
    pub fn new(dir: impl Into<PathBuf>, source: &SourceText) -> BatchOptions {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        BatchOptions {
            dir: dir.into(),
            execution: Execution::with_threads(processors),
            command: String::new(),
            text: source.text.clone(),
            keep: Keep::BySize,
            search: Vec::new(),
        }
    }
}

/// A finished batch.
#[derive(Debug)]
pub struct Batch {
    /// Outcomes of the runs, in plan order.
    pub outcomes: Vec<RunOutcome>,
    /// Findings over all runs, as sentences.
    pub findings: Vec<String>,
    /// The verdicts on the expectations.
    pub judgements: Vec<Judgement>,
    /// Where edited files of the batch are kept.
    pub kept: Vec<PathBuf>,
    /// Lines of parts that cannot be used, with the reason; their runs count as missing.
    pub damaged: Vec<String>,
}

/// Makes the runs of a plan under `dir/runs/ID` or in parts, and the batch's own files; runs that are
/// complete and undamaged are kept unless forced. A failed run does not stop the others. When a signal
/// stops the batch, its index and report cover the runs that are complete.
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

/// Makes the runs of one shard, which may be done beside other processes that make other shards of the
/// same plan in the same directory. Index and report are left to [`collect`].
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

/// Makes the directory ready for shards: they may begin at once, and other files may lie in it.
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

/// What a run may take; a run that would take more fails. No part of its identity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunLimits {
    /// Time by the clock, seconds.
    pub time_s: Option<f64>,
    /// Memory as estimated, bytes.
    pub memory_bytes: Option<f64>,
}

impl RunLimits {
    /// Whether a run may be begun.
    fn admit(&self, spec: &RunSpec) -> Result<(), RunError> {
        let Some(limit) = self.memory_bytes else {
            return Ok(());
        };
        let estimate = CostEstimate::of_all(std::slice::from_ref(spec));
        let estimate = estimate.map_err(|p| RunError::Scenario(p.message))?;
        match estimate.first().map(|e| e.memory_bytes) {
            Some(needed) if needed > limit => Err(RunError::TooLarge(bytes(needed), bytes(limit))),
            _ => Ok(()),
        }
    }
}

/// Which runs to execute, and what watches and stops them.
#[derive(Clone, Copy, Debug)]
pub struct RunControl<'a> {
    /// Repeat completed runs.
    pub force: bool,
    /// For each run in plan order, whether to execute it; all if `None`. Other completed runs are kept.
    pub only: Option<&'a [bool]>,
    /// Start no more runs once one has failed.
    pub fail_fast: bool,
    /// What a run may take.
    pub limits: RunLimits,
    /// The command line, for the provenance of runs.
    pub command: &'a str,
    /// Receives the progress of runs.
    pub progress: &'a BatchProgress,
    /// Stops the runs when set.
    pub interrupt: &'a Interrupt,
}

impl<'a> RunControl<'a> {
    /// What is missing, without limits.
    pub fn new(progress: &'a BatchProgress, interrupt: &'a Interrupt) -> RunControl<'a> {
        RunControl {
            force: false,
            only: None,
            fail_fast: false,
            limits: RunLimits::default(),
            command: "",
            progress,
            interrupt,
        }
    }

    fn is_chosen(&self, place: usize) -> bool {
        self.only.is_none_or(|only| only.get(place) == Some(&true))
    }
}

/// Makes the runs of a plan with all threads; also the lines of parts that cannot be used.
fn all_runs(
    plan: &Plan,
    options: &BatchOptions,
    control: RunControl<'_>,
    shard: Option<Shard>,
) -> Result<(Vec<RunOutcome>, Vec<String>), RunError> {
    let parts = Parts::read(&options.dir)?;
    let metrics_only = options.keep.metrics_only(plan.runs.len());
    let name = shard.map_or_else(|| "run".to_owned(), Shard::name);
    let by = provenance(&options.command, shard.map(|s| s.to_string()));
    let writer = match metrics_only || shard.is_some() {
        true => Some(PartWriter::new(&options.dir, &name, &by)?),
        false => None,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.execution.threads)
        .build()
        .map_err(|e| RunError::Threads(e.to_string()))?;
    let runs = RunsInProgress {
        plan,
        options,
        control,
        parts: parts.runs,
        writer,
        metrics_only,
        names: Mutex::default(),
    };
    let outcomes = pool.install(|| runs.make());
    control.progress.finish();
    runs.writer.map_or(Ok(()), PartWriter::finish)?;
    Ok((outcomes, parts.damaged))
}

/// The runs of a batch while they are made.
struct RunsInProgress<'a> {
    plan: &'a Plan,
    options: &'a BatchOptions,
    control: RunControl<'a>,
    /// What lies in parts.
    parts: std::collections::HashMap<String, PartRun>,
    writer: Option<PartWriter>,
    metrics_only: bool,
    names: Mutex<SharedNames>,
}

impl RunsInProgress<'_> {
    fn place(&self, spec: &RunSpec) -> PathBuf {
        self.options.dir.join("runs").join(&spec.id)
    }

    /// What became of each run of the plan.
    fn make(&self) -> Vec<RunOutcome> {
        let runs = &self.plan.runs;
        let found: Vec<RunLookup> = runs
            .par_iter()
            .enumerate()
            .map(|(i, spec)| self.find(i, spec))
            .collect();
        let mut outcomes: Vec<Option<RunOutcome>> = Vec::with_capacity(found.len());
        let mut missing: Vec<(usize, Mutex<Option<MissingRun>>)> = Vec::new();
        for (i, found) in found.into_iter().enumerate() {
            match found {
                RunLookup::Ended(outcome) => outcomes.push(Some(outcome)),
                RunLookup::Missing(how) => {
                    outcomes.push(None);
                    missing.push((i, Mutex::new(Some(how))));
                }
            }
        }
        let specs: Vec<RunSpec> = missing.iter().map(|(i, _)| runs[*i].clone()).collect();
        let order = shard::longest_first(&specs);
        drop(specs);
        let shares = Shares::new(self.options.execution.threads, missing.len());
        let failed_already = |o: &Option<RunOutcome>| matches!(o, Some(RunOutcome::Failed(_)));
        let has_failed = AtomicBool::new(outcomes.iter().any(failed_already));
        let next = AtomicUsize::new(0);
        // Each thread takes the next run when it has done one: runs differ widely in length.
        let made = rayon::broadcast(|_| {
            let mut made = Vec::new();
            while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (place, how) = &missing[at];
                let how = how.lock().unwrap_or_else(PoisonError::into_inner).take();
                let how = how.unwrap_or_default();
                made.push((*place, self.make_one(*place, how, &shares, &has_failed)));
            }
            made
        });
        for (place, outcome) in made.into_iter().flatten() {
            outcomes[place] = Some(outcome);
        }
        outcomes.into_iter().flatten().collect()
    }

    /// Looks for a run in the parts and in its directory.
    fn find(&self, place: usize, spec: &RunSpec) -> RunLookup {
        let control = self.control;
        let wants_directory = self.options.keep == Keep::Everything;
        if let Some(PartRun::Complete { metrics, .. }) = self.parts.get(&spec.id)
            && !(control.is_chosen(place) && (control.force || wants_directory))
        {
            control.progress.kept(spec.scenario.duration);
            let outline = RunOutline::of_metrics(metrics.clone());
            return RunLookup::Ended(RunOutcome::Kept(Box::new(outline)));
        }
        let dir = self.place(spec);
        match control.is_chosen(place) {
            true => find(spec, &dir, NamedBy::Batch, control),
            false => find_only(spec, &dir, control),
        }
    }

    fn make_one(
        &self,
        place: usize,
        how: MissingRun,
        shares: &Shares,
        has_failed: &AtomicBool,
    ) -> RunOutcome {
        let (spec, control) = (&self.plan.runs[place], self.control);
        if control.fail_fast && has_failed.load(Ordering::Relaxed) {
            return RunOutcome::LeftOut("another run had failed");
        }
        if let Err(error) = control.limits.admit(spec) {
            return self.failed(spec, error);
        }
        let threads = shares.take();
        let execution = Execution {
            threads,
            ..self.options.execution
        };
        let outcome = match &self.writer {
            // A directory that is there is mended, and not forgotten.
            Some(writer) if self.metrics_only && !how.replace => {
                self.make_metrics(spec, execution, how, writer)
            }
            _ => make_missing(spec, &self.place(spec), how, execution, control),
        };
        if let (RunOutcome::Failed(error), Some(writer)) = (&outcome, &self.writer)
            && !outcome.is_stopped()
        {
            // Others of its batch hear of it if that can be written; it has failed in any case.
            let _ = writer.add(&spec.id, &PartRun::Failed(error.to_string()));
        }
        let failed = matches!(outcome, RunOutcome::Failed(_)) && !outcome.is_stopped();
        has_failed.fetch_or(failed, Ordering::Relaxed);
        shares.give_back(threads);
        outcome
    }

    /// A run that was not begun.
    fn failed(&self, spec: &RunSpec, error: RunError) -> RunOutcome {
        if let Some(writer) = &self.writer {
            let _ = writer.add(&spec.id, &PartRun::Failed(error.to_string()));
        }
        RunOutcome::Failed(error)
    }

    /// Makes a run of which the metrics are kept, in a part.
    fn make_metrics(
        &self,
        spec: &RunSpec,
        execution: Execution,
        how: MissingRun,
        writer: &PartWriter,
    ) -> RunOutcome {
        let mut seen = self.control.progress.run();
        let job = Job {
            execution,
            interrupt: Some(self.control.interrupt),
            time_s: self.control.limits.time_s,
            ..Job::new(spec, Path::new(""))
        };
        let made = beside(
            &job,
            |job, observe| job.metrics(observe),
            |p| seen.observe(p),
        );
        let made = made.and_then(|made| {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            let metrics = names.share(made.metrics.into());
            drop(names);
            let run = PartRun::Complete {
                metrics: metrics.clone(),
                simulation_s: made.simulation_s,
            };
            writer.add(&spec.id, &run)?;
            Ok(MadeNow {
                outline: RunOutline::of_metrics(metrics),
                division: None,
                kept: Vec::new(),
            })
        });
        seen.done(spec.scenario.duration);
        match made {
            Ok(made) => RunOutcome::Made {
                made: Box::new(made),
                because: how.because,
            },
            Err(error) => RunOutcome::Failed(error),
        }
    }
}

/// Executes the only run of a scenario, unless it is complete and undamaged.
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

/// Executes a run of a batch in its directory, unless it is complete and undamaged.
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

fn make_missing(
    spec: &RunSpec,
    dir: &Path,
    how: MissingRun,
    execution: Execution,
    control: RunControl<'_>,
) -> RunOutcome {
    let mut seen = control.progress.run();
    let job = Job {
        replace: how.replace,
        execution,
        interrupt: Some(control.interrupt),
        time_s: control.limits.time_s,
        command: control.command,
        ..Job::new(spec, dir)
    };
    let made: Result<FinishedRun, RunError> = beside(
        &job,
        |job, observe| job.execute(observe),
        |p| seen.observe(p),
    );
    let outcome = match made {
        Ok(made) => RunOutcome::Made {
            made: Box::new(made.into()),
            because: how.because,
        },
        // Another process may have completed it meanwhile; equal runs give equal results.
        Err(error) => match Existing::look(spec, dir) {
            Existing::Complete(summary) if !control.force => RunOutcome::Kept(outline(*summary)),
            _ => RunOutcome::Failed(error),
        },
    };
    seen.done(spec.scenario.duration);
    outcome
}

/// Executes a run. One that uses several threads gets a new thread to wait on, because a thread of the pool
/// would start another run while it waits.
fn beside<T: Send>(
    job: &Job<'_>,
    make: impl FnOnce(&Job<'_>, &mut dyn FnMut(SimulationProgress)) -> Result<T, RunError> + Send,
    mut observe: impl FnMut(SimulationProgress) + Send,
) -> Result<T, RunError> {
    if job.execution.threads < 2 {
        return make(job, &mut observe);
    }
    std::thread::scope(|scope| {
        let run = std::thread::Builder::new().spawn_scoped(scope, || make(job, &mut observe));
        match run.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => Err(RunError::Internal("a run gave no result".to_owned())),
            Err(e) => Err(RunError::Threads(e.to_string())),
        }
    })
}

/// The command that executes the missing runs of the batch in `dir`.
pub fn go_on(dir: &Path) -> String {
    let batch = dir.join("batch.toml").display().to_string();
    shell_words(["synfin", "run", &batch, "--out", &dir.display().to_string()])
}
