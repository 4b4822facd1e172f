//! Executes the runs of a batch in parallel.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use reports::SharedNames;
use reports::store::new_run_place;
use reports::store::parts::{PartRun, PartWriter, Parts};
use sim_core::simulation::SimulationProgress;

use super::look::{MissingRun, NamedBy, RunLookup, find, find_only, outline};
use super::shares::Shares;
use super::{BatchOptions, Keep, MadeNow, RunControl, RunOutcome, RunOutline, Shard, shard};
use crate::execution::Execution;
use crate::existing::Existing;
use crate::process::provenance;
use crate::run::{FinishedRun, Job, RunError};
use crate::run_spec::RunSpec;
use crate::sweep::Plan;

/// Executes the runs of a plan with all threads. Also returns the lines of parts that cannot be used.
pub(super) fn all_runs(
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

/// The runs of a batch during their execution.
struct RunsInProgress<'a> {
    plan: &'a Plan,
    options: &'a BatchOptions,
    control: RunControl<'a>,
    /// The runs found in parts.
    parts: std::collections::HashMap<String, PartRun>,
    writer: Option<PartWriter>,
    metrics_only: bool,
    names: Mutex<SharedNames>,
}

impl RunsInProgress<'_> {
    pub(super) fn place(&self, spec: &RunSpec) -> PathBuf {
        let runs = self.options.dir.join("runs");
        new_run_place(&runs, &spec.id, self.plan.runs.len())
    }

    /// Executes the runs and returns the outcome of each run of the plan.
    pub(super) fn make(&self) -> Vec<RunOutcome> {
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
        // Each thread takes the next run when it has finished one, because runs differ widely in length.
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
    pub(super) fn find(&self, place: usize, spec: &RunSpec) -> RunLookup {
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
            // An existing directory is repaired, not replaced by a line in a part.
            Some(writer) if self.metrics_only && !how.replace => {
                self.make_metrics(spec, execution, how, writer)
            }
            _ => make_missing(spec, &self.place(spec), how, execution, control),
        };
        if let (RunOutcome::Failed(error), Some(writer)) = (&outcome, &self.writer)
            && !outcome.is_stopped()
        {
            // The line tells other processes of the batch about the failure. If it cannot be written, the run
            // has failed all the same.
            let _ = writer.add(&spec.id, &PartRun::Failed(error.to_string()));
        }
        let failed = matches!(outcome, RunOutcome::Failed(_)) && !outcome.is_stopped();
        has_failed.fetch_or(failed, Ordering::Relaxed);
        shares.give_back(threads);
        outcome
    }

    /// The outcome of a run that could not be started.
    pub(super) fn failed(&self, spec: &RunSpec, error: RunError) -> RunOutcome {
        if let Some(writer) = &self.writer {
            let _ = writer.add(&spec.id, &PartRun::Failed(error.to_string()));
        }
        RunOutcome::Failed(error)
    }

    /// Executes a run and keeps only its metrics, in a part.
    fn make_metrics(
        &self,
        spec: &RunSpec,
        execution: Execution,
        how: MissingRun,
        writer: &PartWriter,
    ) -> RunOutcome {
        let mut seen = self.control.progress.run();
        let watch = self.control.progress.watch(spec);
        let job = Job {
            execution,
            watch: watch.as_ref(),
            interrupt: Some(self.control.interrupt),
            time_s: self.control.limits.time_s,
            ..Job::new(spec, Path::new(""))
        };
        let made = beside(
            &job,
            |job, observe| job.metrics(observe),
            |p| seen.observe(p),
        );
        if let Some(watch) = watch {
            watch.ended(made.as_ref().ok().map(|made| &made.metrics), None);
        }
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
                missing: Vec::new(),
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

pub(super) fn make_missing(
    spec: &RunSpec,
    dir: &Path,
    how: MissingRun,
    execution: Execution,
    control: RunControl<'_>,
) -> RunOutcome {
    let mut seen = control.progress.run();
    let watch = control.progress.watch(spec);
    let job = Job {
        watch: watch.as_ref(),
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
    if let Some(watch) = watch {
        watch.ended(
            made.as_ref().ok().map(|made| &made.summary.metrics),
            Some(dir),
        );
    }
    let outcome = match made {
        Ok(made) => RunOutcome::Made {
            made: Box::new(made.into()),
            because: how.because,
        },
        // Another process may have completed it in the meantime; equal runs give equal results.
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
pub(super) fn beside<T: Send>(
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
