//! Looks for the results of a run, to decide whether it must be executed.

use std::path::Path;

use reports::RunSummary;
use reports::store::{StoreError, set_aside};

use super::{RunControl, RunOutcome, RunOutline};
use crate::existing::Existing;
use crate::run_spec::RunSpec;

/// Who chose the directory of a run: the user, or synfin within a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NamedBy {
    User,
    Batch,
}

/// Whether a run must be executed.
pub(super) enum RunLookup {
    /// No: this is its outcome.
    Ended(RunOutcome),
    /// Yes.
    Missing(MissingRun),
}

/// How to execute a missing run.
#[derive(Debug, Default)]
pub(super) struct MissingRun {
    /// It replaces existing results.
    pub(super) replace: bool,
    /// What was wrong with the existing results.
    pub(super) because: Option<String>,
}

/// Looks for the results of a run that is not to be executed.
pub(super) fn find_only(spec: &RunSpec, dir: &Path, control: RunControl<'_>) -> RunLookup {
    control.progress.kept(spec.scenario.duration);
    RunLookup::Ended(match Existing::look(spec, dir) {
        Existing::Complete(summary) => RunOutcome::Kept(outline(*summary)),
        _ => RunOutcome::LeftOut("not chosen"),
    })
}

/// Looks for the results of a run.
pub(super) fn find(
    spec: &RunSpec,
    dir: &Path,
    named_by: NamedBy,
    control: RunControl<'_>,
) -> RunLookup {
    let missing = |replace, because| RunLookup::Missing(MissingRun { replace, because });
    match Existing::look(spec, dir) {
        Existing::Absent => missing(false, None),
        Existing::Complete(_) if control.force => missing(true, None),
        Existing::Complete(summary) => {
            control.progress.kept(spec.scenario.duration);
            RunLookup::Ended(RunOutcome::Kept(outline(*summary)))
        }
        Existing::Damaged(why) => missing(true, Some(why)),
        Existing::Other(StoreError::Exists(_) | StoreError::OtherKind { .. })
            if named_by == NamedBy::User && control.force =>
        {
            missing(true, None)
        }
        Existing::Other(error) if named_by == NamedBy::Batch && gives_way(&error) => {
            match set_aside(dir) {
                Ok(kept) => missing(false, Some(moved_away(&error, &kept))),
                Err(error) => RunLookup::Ended(RunOutcome::Failed(error.into())),
            }
        }
        Existing::Other(error) => RunLookup::Ended(RunOutcome::Failed(error.into())),
    }
}

/// Says what was wrong with the existing files, and where they are now. Leaves out the advice of the error
/// message, which does not apply here.
fn moved_away(error: &StoreError, kept: &Path) -> String {
    let text = error.to_string().replace(" is left alone: ", ": ");
    let text = text.split("; choose another").next().unwrap_or_default();
    format!("{text}; it is now {}", kept.display())
}

/// True if the existing files can be moved away because they are not those of this run.
fn gives_way(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Exists(_)
            | StoreError::OtherKind { .. }
            | StoreError::Unrecognised { .. }
            | StoreError::Newer { .. }
    )
}

/// The part of an existing run that is kept in memory.
pub(super) fn outline(summary: RunSummary) -> Box<RunOutline> {
    Box::new(summary.into())
}
