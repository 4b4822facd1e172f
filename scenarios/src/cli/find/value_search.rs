//! Tries values, each with as many replicas as its expectations need.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;
use reports::store::{ResultDir, look_at_results, run_place};
use reports::{Axis, BatchRow, Verdict};
use toml::Value;

use super::with_replicas;
use crate::batch::{self, BatchOptions, Keep, RunControl, RunOutcome};
use crate::cli::args::FindArgs;
use crate::cli::run::changed_text;
use crate::console::CommandError;
use crate::execution::Execution;
use crate::interrupt::Interrupt;
use crate::overrides::Override;
use crate::problem::SourceText;
use crate::progress::BatchProgress;
use crate::sweep::Plan;

/// A value that was tried.
pub(super) struct TriedValue {
    pub(super) value: Value,
    pub(super) replicas: u32,
    pub(super) verdict: Verdict,
    pub(super) words: String,
}

/// The settings of a search.
pub(super) struct ValueSearch<'a> {
    pub(super) changes: &'a [Override],
    pub(super) dir: &'a Path,
    pub(super) replicas: u32,
    pub(super) most_replicas: u32,
    pub(super) threads: usize,
    pub(super) command: &'a str,
    pub(super) interrupt: &'a Interrupt,
}

impl ValueSearch<'_> {
    /// Determines whether all expectations hold at a value, with as many replicas as needed to decide.
    pub(super) fn test(
        &self,
        value: &Value,
        combination: &[(String, String)],
        planned: &dyn Fn(u32) -> Result<Plan, CommandError>,
    ) -> Result<TriedValue, CommandError> {
        let mut replicas = self.replicas;
        loop {
            let plan = planned(replicas)?;
            let rows = self.rows(&plan, combination)?;
            let axes: Vec<Axis> = plan.axes.iter().map(|a| a.for_report()).collect();
            let judged = plan.expectations.iter().map(|e| e.judge(&axes, &rows));
            let judged: Vec<_> = judged.collect();
            let verdict = judged
                .iter()
                .map(|j| j.verdict)
                .max()
                .unwrap_or(Verdict::Fails);
            if verdict != Verdict::Undecided || replicas >= self.most_replicas {
                let words: Vec<&str> = judged.iter().map(|j| j.words.as_str()).collect();
                return Ok(TriedValue {
                    value: value.clone(),
                    replicas,
                    verdict,
                    words: format!("{} ({replicas} replicas)", words.join(" ")),
                });
            }
            replicas = (replicas * 2).min(self.most_replicas);
        }
    }

    /// Claims the directory, which must be new or hold a search that began with the same runs.
    pub(super) fn claim(&self, plan: &Plan, force: bool) -> Result<(), CommandError> {
        let mut ids: BTreeSet<String> = plan.runs.iter().map(|run| run.id.clone()).collect();
        if let Ok(there) = look_at_results(self.dir)
            && !there.runs.is_disjoint(&ids)
        {
            ids.extend(there.runs);
        }
        let claimed = ResultDir::claim_for_batch(self.dir, ids, force);
        claimed.map_err(|e| CommandError::Run(format!("error: {e}")))?;
        std::fs::create_dir_all(self.dir.join("runs")).map_err(|e| {
            CommandError::Run(format!(
                "error: cannot create {}/runs: {e}",
                self.dir.display()
            ))
        })
    }

    /// Returns the rows of the runs of a combination, after executing the missing ones.
    pub(super) fn rows(
        &self,
        plan: &Plan,
        combination: &[(String, String)],
    ) -> Result<Vec<BatchRow>, CommandError> {
        let runs: Vec<_> = plan
            .runs
            .iter()
            .filter(|r| r.parameters == combination)
            .collect();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build();
        let pool =
            pool.map_err(|e| CommandError::Run(format!("error: cannot start threads: {e}")))?;
        let lengths = runs.iter().map(|r| r.scenario.duration);
        let progress = BatchProgress::new(lengths, true);
        let control = self.control(&progress);
        let outcomes: Vec<RunOutcome> = pool.install(|| {
            let make = |spec: &&crate::run_spec::RunSpec| {
                let place = run_place(&self.dir.join("runs"), &spec.id);
                batch::make_run_of_batch(spec, &place, Execution::default(), control)
            };
            runs.par_iter().with_max_len(1).map(make).collect()
        });
        let mut rows = Vec::new();
        for (spec, outcome) in runs.iter().zip(&outcomes) {
            match outcome {
                outcome if outcome.is_stopped() => {
                    return Err(CommandError::Stopped {
                        message: "stopped: completed runs are kept; repeat the command to continue"
                            .to_owned(),
                        code: self.interrupt.exit_code(),
                    });
                }
                RunOutcome::Failed(error) => {
                    return Err(CommandError::Run(format!(
                        "error: run {}: {error}",
                        spec.id
                    )));
                }
                outcome => rows.push(batch::row(plan, spec, outcome)),
            }
        }
        Ok(rows)
    }

    /// True if all runs in the directory belong to this plan.
    pub(super) fn fits(&self, plan: &Plan) -> bool {
        let ids: BTreeSet<&String> = plan.runs.iter().map(|run| &run.id).collect();
        look_at_results(self.dir).is_ok_and(|m| m.runs.iter().all(|id| ids.contains(id)))
    }

    pub(super) fn control<'b>(&'b self, progress: &'b BatchProgress) -> RunControl<'b> {
        RunControl {
            command: self.command,
            ..RunControl::new(progress, self.interrupt)
        }
    }

    /// Writes the index and report of everything that was tried, as a batch that sweeps the values. `lines`
    /// is the log of the search.
    pub(super) fn report(
        &self,
        source: &SourceText,
        values: &[Value],
        replicas: u32,
        args: &FindArgs,
        lines: Vec<String>,
    ) -> Result<(), CommandError> {
        let mut changes = self.changes.to_vec();
        changes.push(with_replicas(replicas));
        let text = changed_text(source, &changes);
        let mut table: toml::Table = text.parse().unwrap_or_default();
        let sweep = table
            .entry("sweep")
            .or_insert_with(|| toml::Table::new().into());
        if let (Some(sweep), false) = (sweep.as_table_mut(), values.is_empty()) {
            sweep.insert(args.vary.clone(), Value::Array(values.to_vec()));
        }
        let metric = args
            .expect
            .as_deref()
            .and_then(|e| e.split(['<', '>']).next());
        let is_drawn = table.contains_key("figure") || values.is_empty();
        if let (Some(metric), false) = (metric, is_drawn) {
            let mut figure = toml::Table::new();
            figure.insert("name".to_owned(), "search".into());
            figure.insert("x".to_owned(), args.vary.clone().into());
            figure.insert("y".to_owned(), metric.trim().into());
            table.insert(
                "figure".to_owned(),
                Value::Array(vec![Value::Table(figure)]),
            );
        }
        let text = toml::to_string(&table).unwrap_or(text);
        let source = SourceText {
            name: "batch.toml".to_owned(),
            text: text.clone(),
        };
        let mut plan = Plan::new(&source, &[]).map_err(|e| CommandError::Run(e.to_string()))?;
        // A value that was decided early has fewer replicas.
        let is_there = |id: &str| run_place(&self.dir.join("runs"), id).is_dir();
        plan.runs.retain(|run| is_there(&run.id));
        let progress = BatchProgress::new(std::iter::empty(), true);
        let options = BatchOptions {
            dir: self.dir.to_path_buf(),
            execution: Execution::with_threads(self.threads),
            command: args.command(),
            text,
            keep: Keep::Everything,
            search: lines,
        };
        let control = RunControl {
            force: args.force && !self.fits(&plan),
            ..self.control(&progress)
        };
        batch::make(&plan, &options, control)
            .map(|_| ())
            .map_err(|e| CommandError::Run(format!("error: {e}")))
    }
}
