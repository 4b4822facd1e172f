//! `synfin rerun`: repeats one run, recording more or with changed settings.

use std::path::{Path, PathBuf};

use reports::RunSummary;
use reports::store::runs_and_id;

use super::args::{RerunArgs, RunArgs};
use super::run;
use super::scenario_args::ScenarioArgs;
use super::unfold::unfold;
use crate::console::{CommandError, note};

/// Repeats a run in another directory and reports whether its metrics are the same.
pub(super) fn rerun(args: &RerunArgs) -> Result<(), CommandError> {
    let run = unfold(&args.run)?;
    let file = run.join("run.toml");
    let before = RunSummary::read(&run).map_err(|e| CommandError::Usage(format!("error: {e}")))?;
    let mut set = args.set.clone();
    if args.with_segments {
        set.push("record.segments=all".to_owned());
    }
    let out = args.out.clone().unwrap_or_else(|| beside(&args.run));
    run::run(&RunArgs {
        scenario: ScenarioArgs {
            scenario: file.display().to_string(),
            set,
            pcap: args.pcap.clone(),
            ..ScenarioArgs::default()
        },
        out: Some(out.clone()),
        force: args.force,
        ..RunArgs::default()
    })?;
    let after = RunSummary::read(&out).map_err(|e| CommandError::Run(format!("error: {e}")))?;
    note(&comparison(&before, &after, &args.run));
    Ok(())
}

/// The default directory: `DIR-again` beside the run, or in `results` for a run of a batch, because a batch
/// directory holds only its own runs.
fn beside(run: &Path) -> PathBuf {
    let name = run.file_name().map(|n| n.to_string_lossy().into_owned());
    let name = format!("{}-again", name.unwrap_or_else(|| "run".to_owned()));
    let parent = run.parent().unwrap_or_else(|| Path::new(""));
    match runs_and_id(run).is_some() {
        true => Path::new("results").join(name),
        false => parent.join(name),
    }
}

/// Compares the metrics that both runs have.
fn comparison(before: &RunSummary, after: &RunSummary, run: &Path) -> String {
    let both = before.metrics.iter().filter_map(|(name, a)| {
        let b = after.metrics.get(name)?;
        (a != b && !(a.is_nan() && b.is_nan())).then_some(name.as_str())
    });
    let differ: Vec<&str> = both.collect();
    let run = run.display();
    match differ.as_slice() {
        [] => format!("its metrics equal those of {run}"),
        names => format!(
            "{} of its metrics differ from those of {run}: {}",
            names.len(),
            names[..names.len().min(8)].join(", ")
        ),
    }
}
