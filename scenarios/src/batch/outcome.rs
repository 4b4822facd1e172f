//! Outcomes of the runs of a batch.

use std::path::PathBuf;

use reports::{Expectation, Judgement, RowMetrics, RunSummary, judge_run, row_metrics};

use crate::execution::Division;
use crate::run::{FinishedRun, RunError};

/// What a batch keeps in memory about a run: little, because there may be 100,000 runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOutline {
    /// Its metrics, as in the index.
    pub metrics: RowMetrics,
    /// Its findings, in words; empty if only its metrics are kept.
    pub findings: Vec<String>,
    /// Hash of its results; empty if only its metrics are kept.
    pub result_hash: String,
}

impl RunOutline {
    /// Returns the verdicts on the expectations for the run.
    pub fn judge(&self, expectations: &[Expectation]) -> Vec<Judgement> {
        judge_run(&self.metrics, expectations)
    }

    /// The outline of a run of which only the metrics are kept.
    pub(super) fn of_metrics(metrics: RowMetrics) -> RunOutline {
        RunOutline {
            metrics,
            ..RunOutline::default()
        }
    }
}

impl From<RunSummary> for RunOutline {
    fn from(summary: RunSummary) -> RunOutline {
        RunOutline {
            metrics: row_metrics(&summary).into(),
            findings: summary.findings,
            result_hash: summary.result_hash,
        }
    }
}

/// A run that was executed now.
#[derive(Clone, Debug)]
pub struct MadeNow {
    /// Its results.
    pub outline: RunOutline,
    /// How its network was divided.
    pub division: Option<Division>,
    /// Where files that somebody had edited are kept, if this run replaced them.
    pub kept: Vec<PathBuf>,
    /// Tables that could not be read and figures that could not be drawn, each with the reason.
    pub missing: Vec<String>,
}

impl From<FinishedRun> for MadeNow {
    fn from(made: FinishedRun) -> MadeNow {
        MadeNow {
            outline: made.summary.into(),
            division: Some(made.division),
            kept: made.kept,
            missing: made.missing,
        }
    }
}

/// The outcome of a run.
#[derive(Debug)]
pub enum RunOutcome {
    /// It was executed now.
    Made {
        /// The run.
        made: Box<MadeNow>,
        /// What was wrong with existing results.
        because: Option<String>,
    },
    /// It existed already.
    Kept(Box<RunOutline>),
    /// It failed, for this reason.
    Failed(RunError),
    /// It was left out, for this reason.
    LeftOut(&'static str),
}

impl RunOutcome {
    /// Its results, if it has any.
    pub fn outline(&self) -> Option<&RunOutline> {
        match self {
            RunOutcome::Made { made, .. } => Some(&made.outline),
            RunOutcome::Kept(outline) => Some(outline),
            RunOutcome::Failed(_) | RunOutcome::LeftOut(_) => None,
        }
    }

    /// How the network was divided, if the run was executed now.
    pub fn division(&self) -> Option<&Division> {
        match self {
            RunOutcome::Made { made, .. } => made.division.as_ref(),
            _ => None,
        }
    }

    /// True if a signal stopped it.
    pub fn is_stopped(&self) -> bool {
        matches!(self, RunOutcome::Failed(RunError::Stopped))
    }
}
