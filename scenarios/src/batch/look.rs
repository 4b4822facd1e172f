//! What is to be done about a run: nothing, or to make it.

use std::path::Path;

use reports::RunSummary;
use reports::store::{StoreError, set_aside};

use super::{RunControl, RunOutcome, RunOutline};
use crate::existing::Existing;
use crate::run_spec::RunSpec;

/// Whether a run's directory was named by the user, or by us within a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NamedBy {
    User,
    Batch,
}

/// What is to be done about a run.
pub(super) enum RunLookup {
    /// Nothing.
    Ended(RunOutcome),
    /// It is to be made.
    Missing(MissingRun),
}

/// How a run that is not there is to be made.
#[derive(Debug, Default)]
pub(super) struct MissingRun {
    /// In place of results of ours.
    pub(super) replace: bool,
    /// What was wrong with these.
    pub(super) because: Option<String>,
}

/// Looks for a run that is not to be made.
pub(super) fn find_only(spec: &RunSpec, dir: &Path, control: RunControl<'_>) -> RunLookup {
    control.progress.kept(spec.scenario.duration);
    RunLookup::Ended(match Existing::look(spec, dir) {
        Existing::Complete(summary) => RunOutcome::Kept(outline(*summary)),
        _ => RunOutcome::LeftOut("not chosen"),
    })
}

/// Looks for a run.
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

/// What was wrong with what stood there, and where it is now. What a user could do about it is of no
/// use here.
fn moved_away(error: &StoreError, kept: &Path) -> String {
    let text = error.to_string().replace(" is left alone: ", ": ");
    let text = text.split("; choose another").next().unwrap_or_default();
    format!("{text}; it is now {}", kept.display())
}

/// True if what exists in the place of a run of a batch is not this run.
fn gives_way(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Exists(_)
            | StoreError::OtherKind { .. }
            | StoreError::Unrecognised { .. }
            | StoreError::Newer { .. }
    )
}

/// What is held of a run that is there.
pub(super) fn outline(summary: RunSummary) -> Box<RunOutline> {
    Box::new(summary.into())
}
