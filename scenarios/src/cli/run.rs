//! `synfin run`.

use std::path::{Path, PathBuf};

use super::{Failure, RunArgs, print};
use crate::batch::{self, Batch, Options, Outcome};
use crate::engine::Engine;
use crate::overrides::Override;
use crate::problem::Source;
use crate::progress::Progress;
use crate::run_spec::RunSpec;
use crate::sweep::Plan;

/// Makes the runs of a scenario and tells what they show.
pub(super) fn run(args: &RunArgs) -> Result<(), Failure> {
    let source = args.scenario.source()?;
    let changes = args.scenario.changes()?;
    let plan = Plan::new(&source, &changes).map_err(Failure::Usage)?;
    let dir = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("results").join(&plan.name));
    warn_of_edited_run(&plan);
    let progress = Progress::new(plan.runs.iter().map(|r| r.scenario.duration));
    match plan.runs.as_slice() {
        [only] if plan.is_single() => single(only, &dir, args, &progress),
        _ => {
            let options = Options {
                dir,
                force: args.force,
                engine: engine(args),
                command: args.scenario.command(),
                text: changed_text(&source, &changes),
            };
            all(&plan, &options, args, &progress)
        }
    }
}

/// A `run.toml` names the run it was; if it has become another, say so.
fn warn_of_edited_run(plan: &Plan) {
    if let [run] = plan.runs.as_slice()
        && let Some(was) = &run.scenario.run
        && was.id != run.id
    {
        eprintln!(
            "note: this was run {}; changed values or another version of synfin make it run {}",
            was.id, run.id
        );
    }
}

fn single(spec: &RunSpec, dir: &Path, args: &RunArgs, progress: &Progress) -> Result<(), Failure> {
    if dir.join("batch.toml").exists() {
        return Err(Failure::Usage(format!(
            "error: {} holds the results of a batch\n  = help: choose another directory with --out DIR, or delete it",
            dir.display()
        )));
    }
    let outcome = batch::make_run(spec, dir, args.force, engine(args), progress);
    progress.finish();
    if args.verbose
        && let Some(division) = outcome.division()
    {
        eprintln!("made {}: {division}", spec.id);
    }
    let summary = match outcome {
        Outcome::Failed(message) => return Err(Failure::Run(format!("error: {message}"))),
        Outcome::Kept(summary) => {
            eprintln!("this run is there already; --force makes it again");
            *summary
        }
        Outcome::Made(made) => made.summary,
    };
    if args.verbose {
        eprintln!("result hash {}", summary.result_hash);
    }
    for finding in &summary.findings {
        print(finding);
    }
    print(&format!("report: {}", dir.join("report.html").display()));
    Ok(())
}

fn all(plan: &Plan, options: &Options, args: &RunArgs, progress: &Progress) -> Result<(), Failure> {
    let Batch { outcomes, findings } =
        batch::make(plan, options, progress).map_err(|e| Failure::Run(format!("error: {e}")))?;
    for (spec, outcome) in plan.runs.iter().zip(&outcomes) {
        let name = name_of(spec, plan);
        match outcome {
            Outcome::Failed(message) => eprintln!("failed: {name}: {message}"),
            Outcome::Made(made) if args.verbose => {
                eprintln!("made {}: {name}: {}", spec.id, made.division);
            }
            Outcome::Kept(_) if args.verbose => eprintln!("kept {}: {name}", spec.id),
            _ => {}
        }
        if args.verbose
            && let Some(summary) = outcome.summary()
        {
            eprintln!("  result hash {}", summary.result_hash);
        }
        if let Some(finding) = outcome.summary().and_then(|s| s.findings.first()) {
            print(&format!("{name}: {finding}"));
        }
    }
    let count = |f: fn(&Outcome) -> bool| outcomes.iter().filter(|o| f(o)).count();
    let kept = count(|o| matches!(o, Outcome::Kept(_)));
    let failed = count(|o| matches!(o, Outcome::Failed(_)));
    if kept > 0 {
        eprintln!(
            "{kept} of {} runs were there already; --force makes them again",
            outcomes.len()
        );
    }
    print("");
    for finding in &findings {
        print(finding);
    }
    print(&format!(
        "report: {}",
        options.dir.join("report.html").display()
    ));
    if failed > 0 {
        return Err(Failure::Run(format!(
            "error: {failed} of {} runs failed; the others are complete",
            outcomes.len()
        )));
    }
    Ok(())
}

/// As many threads as the command line says, or as there are processors.
fn engine(args: &RunArgs) -> Engine {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    Engine {
        partitions: args.partitions.map(u32::from),
        ..Engine::with_threads(args.threads.map_or_else(processors, usize::from))
    }
}

/// The swept values of a run, and its replica where there are several.
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

/// The scenario's text with the changes of the command line: the original where there are none.
/// What says how to run is left out; results are the same without.
fn changed_text(source: &Source, changes: &[Override]) -> String {
    let mut table: toml::Table = source.text.parse().unwrap_or_default();
    let had_engine = table.remove("engine").is_some();
    let changes: Vec<&Override> = changes.iter().filter(|c| !c.is_engine()).collect();
    if changes.is_empty() && !had_engine {
        return source.text.clone();
    }
    for change in changes {
        // The plan has applied them all before.
        let _ = change.apply(&mut table);
    }
    toml::to_string(&table).unwrap_or_else(|_| source.text.clone())
}
