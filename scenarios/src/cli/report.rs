//! `synfin report`.

use std::path::Path;

use reports::store::{ResultDir, ResultKind, StoreError, look_at_results, resolve};
use reports::{Language, render_batch_in, render_run_in};

use super::drawings::{note_changed_runs, note_kept, note_lost_timing, note_missing};
use super::unfold::unfold;
use crate::batch;
use crate::console::{CommandError, note, print};
use crate::interrupt::Interrupt;
use crate::output_dir::shell_words;

/// Maximum number of damaged runs that are named one by one.
const MOST_NAMED: usize = 5;

/// Redraws the figures and rewrites the report of a run or batch directory.
pub(super) fn report(dir: &Path, verbose: bool, language: Language) -> Result<(), CommandError> {
    let dir = &resolve(dir).map_err(|e| CommandError::Usage(format!("error: {e}")))?;
    let dir = &unfold(dir)?;
    let interrupt = Interrupt::on_signals();
    let marker = look_at_results(dir).map_err(|e| match e {
        StoreError::NoResults(_) | StoreError::Unrecognised { .. } => no_results(&e),
        other => failed(dir, &other),
    })?;
    let mut bad = Vec::new();
    match marker.kind {
        ResultKind::Run => {
            let mut place = ResultDir::open(dir).map_err(|e| failed(dir, &e))?;
            let rendered = render_run_in(&mut place, language).map_err(|e| failed(dir, &e))?;
            note_kept(place.kept());
            note_missing(&rendered.missing);
            note_lost_timing(dir);
            rendered.findings.iter().try_for_each(|f| print(f))?;
        }
        _ if marker.complete => {
            let mut place = ResultDir::open(dir).map_err(|e| failed(dir, &e))?;
            let rendered = render_batch_in(&mut place, language).map_err(|e| failed(dir, &e))?;
            note_kept(place.kept());
            rendered.findings.iter().try_for_each(|f| print(f))?;
            if verbose {
                note("the reports of the individual runs are left unchanged");
            }
            note_changed_runs(dir, &marker.runs);
            bad = batch::damaged_runs(dir, &marker.runs).map_err(|e| failed(dir, &e))?;
        }
        _ => {
            let part = batch::collect(dir).map_err(|e| match e {
                crate::run::RunError::Store(e) => failed(dir, &e),
                other => {
                    let message = other.to_string();
                    CommandError::Run(format!("error: {}", message.trim_start_matches("error: ")))
                }
            })?;
            note_kept(&part.kept);
            part.findings.iter().try_for_each(|f| print(f))?;
            if part.made < part.all {
                note(&format!(
                    "this batch was stopped: {} of {} runs are complete; `{}` runs the others",
                    part.made,
                    part.all,
                    batch::go_on(dir)
                ));
            }
        }
    }
    print_report(dir, language)?;
    if interrupt.is_set() {
        return Err(CommandError::Stopped {
            message: String::new(),
            code: interrupt.exit_code(),
        });
    }
    if bad.is_empty() {
        return Ok(());
    }
    Err(CommandError::Run(damaged(dir, &bad, marker.runs.len())))
}

/// Prints where the page is.
pub(super) fn print_report(dir: &Path, language: Language) -> Result<(), CommandError> {
    let word = match language {
        Language::English => "report: ",
        Language::Chinese => "报告：",
    };
    print(&format!("{word}{}", dir.join("report.html").display()))
}

/// The message for a batch with a complete report and some damaged runs.
fn damaged(dir: &Path, bad: &[String], all: usize) -> String {
    let mut message = format!(
        "error: the report is complete, but {} of {all} runs are damaged:\n",
        bad.len()
    );
    for line in bad.iter().take(MOST_NAMED) {
        message.push_str(&format!("  {line}\n"));
    }
    if bad.len() > MOST_NAMED {
        message.push_str(&format!("  and {} more\n", bad.len() - MOST_NAMED));
    }
    message + &format!("  = help: `{}` repeats these", batch::go_on(dir))
}

fn no_results(error: &StoreError) -> CommandError {
    let text = error.to_string();
    // Advice about --out does not apply here.
    let text = text.split("; choose another").next().unwrap_or(&text);
    CommandError::Usage(format!(
        "error: {text}\n  = help: give the directory that `synfin run` printed, for example results/NAME"
    ))
}

pub(super) fn failed(dir: &Path, error: &StoreError) -> CommandError {
    match error {
        StoreError::Damaged { path, why } => {
            let shown = dir.display().to_string();
            let scenario = match look_at_results(dir) {
                Ok(marker) if marker.kind == ResultKind::Batch => "batch.toml",
                _ => "run.toml",
            };
            let scenario = dir.join(scenario).display().to_string();
            let again = shell_words(["synfin", "run", &scenario, "--out", &shown]);
            CommandError::Run(format!(
                "error: {} is damaged: {why}; figures and report are left unchanged\n  = help: `{again}` reproduces the results if {scenario} is intact; otherwise run the original scenario into the same directory",
                path.display()
            ))
        }
        other => CommandError::Run(format!("error: {other}")),
    }
}
