//! The outcome of a run of a batch.

use serde::{Deserialize, Serialize};

/// The outcome of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// It is complete.
    Ok,
    /// It failed; the row's message says why.
    Failed,
    /// It has not run yet.
    #[default]
    Missing,
}

impl RunStatus {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            RunStatus::Ok => "ok",
            RunStatus::Failed => "failed",
            RunStatus::Missing => "missing",
        }
    }

    /// True for a run with results.
    pub fn is_ok(self) -> bool {
        self == RunStatus::Ok
    }
}
