//! The output of `synfin run` about a finished batch.

use std::path::Path;

use reports::Language;

use super::{MOST_LINES, MOST_NAMED, name_of};
use crate::batch::{self, RunOutcome};
use crate::cli::args::RunArgs;
use crate::console::{CommandError, note, print};
use crate::interrupt::Interrupt;
use crate::run_spec::RunSpec;
use crate::sweep::Plan;

/// The output about a finished batch.
pub(super) struct BatchOutput<'a> {
    pub(super) plan: &'a Plan,
    pub(super) outcomes: &'a [RunOutcome],
    pub(super) args: &'a RunArgs,
    /// The first finding of each run in another language than English; empty if there is none.
    pub(super) first: Vec<Option<String>>,
}

impl BatchOutput<'_> {
    pub(super) fn each(&self) -> impl Iterator<Item = (&RunSpec, &RunOutcome)> {
        self.plan.runs.iter().zip(self.outcomes)
    }

    pub(super) fn count(&self, is: impl Fn(&RunOutcome) -> bool) -> usize {
        self.outcomes.iter().filter(|o| is(o)).count()
    }

    /// Notes the first few failed and damaged runs.
    pub(super) fn note_trouble(&self) {
        let most = if self.args.verbose {
            usize::MAX
        } else {
            MOST_NAMED
        };
        let failed = self.each().filter_map(|(spec, outcome)| match outcome {
            RunOutcome::Failed(error) if !outcome.is_stopped() => {
                Some(format!("failed: {}: {error}", name_of(spec, self.plan)))
            }
            _ => None,
        });
        note_first(failed.collect(), most, "runs failed");
        if self.args.quiet {
            return;
        }
        let damaged = self.each().filter_map(|(_, outcome)| match outcome {
            RunOutcome::Made {
                because: Some(why), ..
            } => Some(format!("repeated, because results were damaged: {why}")),
            _ => None,
        });
        note_first(damaged.collect(), most, "runs were damaged and repeated");
    }

    /// Prints a line per run if there are few runs.
    pub(super) fn runs(&self) -> Result<(), CommandError> {
        let verbose = self.args.verbose;
        let few = self.outcomes.len() <= MOST_LINES;
        for (i, (spec, outcome)) in self.each().enumerate() {
            let name = name_of(spec, self.plan);
            match outcome {
                RunOutcome::Made { made, .. } if verbose => match &made.division {
                    Some(division) => note(&format!("made {}: {name}: {division}", spec.id)),
                    None => note(&format!("made {}: {name}", spec.id)),
                },
                RunOutcome::Kept(_) if verbose => note(&format!("kept {}: {name}", spec.id)),
                _ => {}
            }
            let Some(outline) = outcome.outline() else {
                continue;
            };
            if verbose && !outline.result_hash.is_empty() {
                note(&format!("  result hash {}", outline.result_hash));
            }
            let translated = self.first.get(i).and_then(Option::as_ref);
            let first = translated.or_else(|| outline.findings.first());
            if let Some(finding) = first.filter(|_| few || verbose) {
                let colon = match self.args.language() {
                    Language::English => ": ",
                    Language::Chinese => "：",
                };
                print(&format!("{name}{colon}{finding}"))?;
            }
        }
        let kept = self.count(|o| matches!(o, RunOutcome::Kept(_)));
        if kept > 0 {
            note(&format!(
                "{kept} of {} runs were complete already; --force repeats them",
                self.outcomes.len()
            ));
        }
        let left_out = self.outcomes.iter().filter_map(|o| match o {
            RunOutcome::LeftOut(why) => Some(*why),
            _ => None,
        });
        let left_out: Vec<&str> = left_out.collect();
        if let Some(why) = left_out.first() {
            let (n, all) = (left_out.len(), self.outcomes.len());
            note(&format!("{n} of {all} runs were not started: {why}"));
        }
        if few || verbose { print("") } else { Ok(()) }
    }

    /// Returns the result of the command: an error if runs failed or were stopped.
    pub(super) fn ending(&self, dir: &Path, interrupt: &Interrupt) -> Result<(), CommandError> {
        let all = self.outcomes.len();
        let failed = self.count(|o| matches!(o, RunOutcome::Failed(_)) && !o.is_stopped());
        let complete = self.count(|o| o.outline().is_some());
        if self.outcomes.iter().any(RunOutcome::is_stopped) {
            return Err(CommandError::Stopped {
                message: format!(
                    "stopped: {complete} of {all} runs are complete and in the report; `{}` runs the others",
                    batch::go_on(dir)
                ),
                code: interrupt.exit_code(),
            });
        }
        let others = match all - failed - complete {
            0 => "the others are complete".to_owned(),
            left_out => format!("{complete} are complete and {left_out} were not started"),
        };
        let message = match (failed, complete) {
            (0, _) => return Ok(()),
            (n, _) if n == all => format!("error: all {all} runs failed"),
            _ => format!("error: {failed} of {all} runs failed; {others}"),
        };
        Err(CommandError::Run(message))
    }
}

/// Prints the first few lines and the total count.
pub(super) fn note_first(lines: Vec<String>, most: usize, what: &str) {
    lines.iter().take(most).for_each(|line| note(line));
    if lines.len() > most {
        note(&format!(
            "… {} {what} in all; --verbose names each",
            lines.len()
        ));
    }
}
