//! `synfin run`.

mod batch_output;
mod language;
mod shard;
mod viewers;

use std::path::Path;

use reports::store::parts::Parts;
use reports::store::{StoreError, look_at_results, run_place};
use reports::{Judgement, Unit, Verdict};

use super::args::RunArgs;
use super::cost::RunsCost;
use super::drawings::{note_changed_drawings, note_changed_runs, note_kept, note_missing};
use super::junit;
use super::report::print_report;
use super::wanted::WantedRuns;
use crate::batch::{self, Batch, BatchOptions, RunControl, RunLimits, RunOutcome, Shard};
use crate::console::{CommandError, note, print};
use crate::execution::Execution;
use crate::interrupt::Interrupt;
use crate::list_file;
use crate::output_dir::overwrites_input;
use crate::overrides::{Override, read_value};
use crate::problem::SourceText;
use crate::progress::BatchProgress;
use crate::quantity::quantity;
use crate::run_spec::RunSpec;
use crate::sweep::Plan;
use batch_output::{BatchOutput, note_first};
use language::{redraw_batch, redraw_run, to_redraw};
use shard::{chosen, of_shard};
use viewers::Viewers;

/// Largest batch that prints a line per run without --verbose.
const MOST_LINES: usize = 12;

/// Maximum number of failed or damaged runs that are named one by one.
const MOST_NAMED: usize = 5;

/// Runs a scenario and prints its findings.
pub(super) fn run(args: &RunArgs) -> Result<(), CommandError> {
    let WantedRuns {
        source,
        changes,
        plan,
        dir,
        only,
    } = WantedRuns::new(&args.scenario, args.out.as_deref(), args.filter.as_deref())?;
    let shard = shard::asked_for(args)?;
    let only = chosen(&plan, only, shard);
    let cost = RunsCost::new(&still_to_make(&plan, &dir, args.force, only.as_deref())?)?;
    let cost = cost.keeping(args.keep.into(), plan.runs.len());
    let threads = execution(args).threads;
    if !args.allow_large {
        cost.refuse_too_large(threads)?;
    }
    if !args.quiet {
        note_edited_run(&plan);
        cost.announce(threads);
    }
    let interrupt = Interrupt::on_signals();
    let lengths = plan.runs.iter().map(|r| r.scenario.duration);
    let limits = limits(args)?;
    let viewers = Viewers::start(args, &plan, &dir)?;
    let progress = BatchProgress::new(lengths, args.quiet || args.live)
        .with_file(args.progress.clone())
        .with_board(viewers.board(), args.live);
    let command = args.scenario.command();
    let control = RunControl {
        command: &command,
        force: args.force,
        only: only.as_deref(),
        fail_fast: args.fail_fast,
        limits,
        progress: &progress,
        interrupt: &interrupt,
    };
    let text = || changed_text(&source, &changes);
    let done = make(&plan, &dir, args, control, shard, text);
    viewers.finish(done, &dir, &interrupt)
}

/// Executes the runs and prints their findings; `text` is the text of the scenario.
fn make(
    plan: &Plan,
    dir: &Path,
    args: &RunArgs,
    control: RunControl<'_>,
    shard: Option<Shard>,
    text: impl FnOnce() -> String,
) -> Result<(), CommandError> {
    match plan.runs.as_slice() {
        [_] if plan.is_single() && shard.is_some() => Err(CommandError::Usage(
            "error: --shard divides the runs of a batch, but this is a single run".to_owned(),
        )),
        _ if plan.until.is_some() && shard.is_some() => Err(CommandError::Usage(
            "error: --shard needs the number of runs beforehand, but with `until` it depends on their results\n  = help: give `replicas` in place of `until`".to_owned(),
        )),
        [only] if plan.is_single() => {
            let text = only.text();
            spare_input(args, dir, ("run.toml", &text))?;
            single(only, dir, args, control)
        }
        _ => {
            let text = text();
            spare_input(args, dir, ("batch.toml", &text))?;
            let options = BatchOptions {
                dir: dir.to_path_buf(),
                execution: execution(args),
                command: control.command.to_owned(),
                text,
                keep: args.keep.into(),
                search: Vec::new(),
            };
            match shard {
                Some(shard) => of_shard(plan, &options, args, control, shard),
                None => all(plan, &options, args, control),
            }
        }
    }
}

/// Returns the chosen runs without complete results in `dir`, according to their lists of files.
pub(super) fn still_to_make(
    plan: &Plan,
    dir: &Path,
    force: bool,
    only: Option<&[bool]>,
) -> Result<Vec<RunSpec>, CommandError> {
    let wrong = |e: StoreError| CommandError::Run(format!("error: {e}"));
    let in_parts = Parts::glance(dir).map_err(wrong)?;
    let runs = dir.join("runs");
    let place = |spec: &RunSpec| match plan.is_single() {
        true => dir.to_path_buf(),
        false => run_place(&runs, &spec.id),
    };
    let is_there = |spec: &RunSpec| {
        let in_part = matches!(in_parts.get(&spec.id), Some(None));
        in_part || look_at_results(&place(spec)).is_ok_and(|m| m.complete)
    };
    let is_chosen = |i: usize| only.is_none_or(|only| only.get(i) == Some(&true));
    let runs = plan.runs.iter().enumerate();
    let missing = runs.filter(|(i, spec)| is_chosen(*i) && (force || !is_there(spec)));
    Ok(missing.map(|(_, spec)| spec.clone()).collect())
}

fn spare_input(args: &RunArgs, dir: &Path, own: (&str, &str)) -> Result<(), CommandError> {
    match overwrites_input(args.scenario.file(), dir, own, args.force) {
        Some(message) => Err(CommandError::Usage(message)),
        None => Ok(()),
    }
}

/// Prints a note if a `run.toml` no longer describes the run whose identity it names.
fn note_edited_run(plan: &Plan) {
    if let [run] = plan.runs.as_slice()
        && let Some(was) = &run.scenario.run
        && was.id != run.id
    {
        note(&format!(
            "note: this was run {}; because of changed values or another version of synfin it is now run {}",
            was.id, run.id
        ));
    }
}

fn single(
    spec: &RunSpec,
    dir: &Path,
    args: &RunArgs,
    control: RunControl<'_>,
) -> Result<(), CommandError> {
    let outcome = batch::make_run(spec, dir, execution(args), control);
    control.progress.finish();
    if args.verbose
        && let Some(division) = outcome.division()
    {
        note(&format!("made {}: {division}", spec.id));
    }
    if outcome.is_stopped() {
        return Err(CommandError::Stopped {
            message: "stopped: the run was incomplete and nothing of it is kept; repeat the command to run it".to_owned(),
            code: control.interrupt.exit_code(),
        });
    }
    let are_new = matches!(outcome, RunOutcome::Made { .. });
    let outline = match outcome {
        RunOutcome::Failed(error) => return Err(CommandError::Run(format!("error: {error}"))),
        RunOutcome::LeftOut(why) => {
            return Err(CommandError::Run(format!("error: not started: {why}")));
        }
        RunOutcome::Kept(outline) => {
            if !args.quiet {
                note("this run is complete already; --force repeats it");
                note_changed_drawings(dir);
            }
            *outline
        }
        RunOutcome::Made { made, because } => {
            if let Some(why) = because.filter(|_| !args.quiet) {
                note(&format!("repeated, because results were damaged: {why}"));
            }
            if !args.quiet {
                note_kept(&made.kept);
                note_missing(&made.missing);
            }
            made.outline
        }
    };
    if args.verbose {
        note(&format!("result hash {}", outline.result_hash));
    }
    let judged = outline.judge(&spec.expectations);
    if let Some(file) = &args.junit {
        junit::write(file, &spec.scenario.name, &spec.expectations, &judged, &[])?;
    }
    let (findings, judged) = match to_redraw(args, are_new) {
        None => (outline.findings, judged),
        Some(language) => {
            let words = redraw_run(dir, language)?;
            (words.findings, words.judgements)
        }
    };
    if !args.quiet {
        findings.iter().try_for_each(|f| print(f))?;
        print_judgements(&judged)?;
        print_report(dir, args.language())?;
    }
    refuse_unexpected(&judged)
}

/// Prints expectations that hold or are undecided; failures are printed at the end.
fn print_judgements(judged: &[Judgement]) -> Result<(), CommandError> {
    let not_failed = judged.iter().filter(|j| j.verdict != Verdict::Fails);
    not_failed
        .map(|j| &j.words)
        .try_for_each(|words| print(words))
}

/// Returns an error if an expectation has failed. Called after everything has been written.
fn refuse_unexpected(judged: &[Judgement]) -> Result<(), CommandError> {
    let failed = judged.iter().filter(|j| j.verdict == Verdict::Fails);
    let failed: Vec<&str> = failed.map(|j| j.words.as_str()).collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(CommandError::Unexpected(failed.join("\n"))),
    }
}

fn all(
    plan: &Plan,
    options: &BatchOptions,
    args: &RunArgs,
    control: RunControl<'_>,
) -> Result<(), CommandError> {
    let Batch {
        outcomes,
        mut findings,
        mut judgements,
        kept,
        damaged,
    } = batch::make(plan, options, control).map_err(|e| {
        CommandError::Run(format!(
            "error: {}",
            e.to_string().trim_start_matches("error: ")
        ))
    })?;
    let mut shown = BatchOutput {
        plan,
        outcomes: &outcomes,
        args,
        first: Vec::new(),
    };
    shown.note_trouble();
    note_damaged_parts(&damaged, &outcomes, args);
    if let Some(file) = &args.junit {
        let failed = shown.each().filter_map(|(spec, outcome)| match outcome {
            RunOutcome::Failed(error) => Some((name_of(spec, plan), error.to_string())),
            _ => None,
        });
        let failed: Vec<_> = failed.collect();
        junit::write(file, &plan.name, &plan.expectations, &judgements, &failed)?;
    }
    let is_new = |o: &RunOutcome| matches!(o, RunOutcome::Made { .. });
    let are_stopped = outcomes.iter().any(RunOutcome::is_stopped);
    if let Some(language) = to_redraw(args, outcomes.iter().all(is_new)).filter(|_| !are_stopped) {
        let runs: Vec<_> = shown.each().collect();
        let (words, first) = redraw_batch(&options.dir, &runs, language)?;
        (findings, judgements, shown.first) = (words.findings, words.judgements, first);
    }
    if !args.quiet {
        let of_runs = outcomes.iter().filter_map(|o| match o {
            RunOutcome::Made { made, .. } => Some(made),
            _ => None,
        });
        let (kept_of_runs, missing): (Vec<_>, Vec<_>) =
            of_runs.map(|made| (&made.kept, &made.missing)).unzip();
        let kept_of_runs = kept_of_runs.into_iter().flatten().cloned();
        note_kept(&kept.iter().cloned().chain(kept_of_runs).collect::<Vec<_>>());
        note_missing(&missing.into_iter().flatten().cloned().collect::<Vec<_>>());
        let kept_runs = shown
            .each()
            .filter(|(_, o)| matches!(o, RunOutcome::Kept(_)));
        note_changed_runs(&options.dir, kept_runs.map(|(spec, _)| &spec.id));
        shown.runs()?;
        findings.iter().try_for_each(|f| print(f))?;
        print_judgements(&judgements)?;
        print_report(&options.dir, args.language())?;
    }
    shown.ending(&options.dir, control.interrupt)?;
    refuse_unexpected(&judgements)
}

/// The limits on a run's time and memory.
fn limits(args: &RunArgs) -> Result<RunLimits, CommandError> {
    let read = |flag: &str, text: &Option<String>, unit: Unit, example: &str| {
        let Some(text) = text else { return Ok(None) };
        match quantity(&read_value(text)) {
            Some((value, of)) if of == unit && value > 0.0 => Ok(Some(value)),
            _ => Err(CommandError::Usage(format!(
                "error: {flag} {text:?} cannot be read; write for example {flag} {example:?}"
            ))),
        }
    };
    Ok(RunLimits {
        time_s: read("--run-time", &args.run_time, Unit::Seconds, "10 min")?,
        memory_bytes: read("--run-memory", &args.run_memory, Unit::Bytes, "2 GB")?,
    })
}

/// Notes the lines of parts that cannot be used, if any runs were executed.
fn note_damaged_parts(damaged: &[String], outcomes: &[RunOutcome], args: &RunArgs) {
    let made_any = outcomes
        .iter()
        .any(|o| matches!(o, RunOutcome::Made { .. }));
    if made_any && !args.quiet {
        let lines = damaged.iter().map(|d| format!("not used: {d}"));
        note_first(
            lines.collect(),
            MOST_NAMED,
            "lines were not used, and their runs repeated",
        );
    }
}

/// The execution with the threads of the command line, or with one per processor.
fn execution(args: &RunArgs) -> Execution {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    Execution {
        partitions: args.partitions.map(u32::from),
        ..Execution::with_threads(args.threads.map_or_else(processors, usize::from))
    }
}

/// A run's swept values, and its replica if there are several.
fn name_of(spec: &RunSpec, plan: &Plan) -> String {
    let mut parts: Vec<String> = spec
        .parameters
        .iter()
        .map(|(path, value)| format!("{} = {value}", path.rsplit('.').next().unwrap_or(path)))
        .collect();
    if plan.runs.iter().any(|r| r.replica != plan.runs[0].replica) {
        parts.push(format!("replica {}", spec.replica));
    }
    parts.join(", ")
}

/// Returns the scenario's text with the changes of the command line, or the original text if there are none.
/// Leaves out `[engine]`, which does not affect results, and replaces names of list files with their lists.
pub(super) fn changed_text(source: &SourceText, changes: &[Override]) -> String {
    let mut table: toml::Table = source.text.parse().unwrap_or_default();
    let had_engine = table.remove("engine").is_some();
    let changes: Vec<&Override> = changes.iter().filter(|c| !c.is_engine()).collect();
    let is_changed = had_engine || !changes.is_empty();
    for change in changes {
        // The plan has already applied all of them without error.
        let _ = change.apply(&mut table);
    }
    let had_files = list_file::put_in_place(&mut table);
    if !is_changed && !had_files {
        return source.text.clone();
    }
    toml::to_string(&table).unwrap_or_else(|_| source.text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Job;

    #[test]
    fn a_resumed_batch_is_estimated_by_its_missing_runs() {
        let text = "name = \"x\"\nduration = \"1 s\"\n[topology]\nkind = \"pair\"\n\
                    path = { delay = \"5 ms\" }\n[[workload]]\n\
                    arrivals = { kind = \"burst\", count = 1 }\n[sweep]\nseed = [1, 2, 3]\n";
        let source = SourceText {
            name: "x".into(),
            text: text.into(),
        };
        let plan = Plan::new(&source, &[]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let left = |force| {
            let runs = still_to_make(&plan, dir.path(), force, None).unwrap();
            runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
        };
        let all: Vec<String> = plan.runs.iter().map(|run| run.id.clone()).collect();
        assert_eq!(left(false), all);
        let made = &plan.runs[1];
        let place = dir.path().join("runs").join(&made.id);
        std::fs::create_dir_all(dir.path().join("runs")).unwrap();
        Job::new(made, &place).execute(&mut |_| ()).unwrap();
        assert_eq!(left(false), [all[0].clone(), all[2].clone()]);
        assert_eq!(left(true), all);
        assert!(
            RunsCost::new(&still_to_make(&plan, dir.path(), false, None).unwrap())
                .unwrap()
                .each()
                .len()
                == 2
        );
    }
}
