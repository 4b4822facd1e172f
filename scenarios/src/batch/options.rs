//! Options of a batch: how it is executed, which runs are executed, what is kept of them, and their limits.

use std::path::PathBuf;

use crate::estimate::{CostEstimate, bytes};
use crate::execution::Execution;
use crate::interrupt::Interrupt;
use crate::problem::SourceText;
use crate::progress::BatchProgress;
use crate::run::RunError;
use crate::run_spec::RunSpec;

/// Batches of more runs than this keep only the metrics, unless requested otherwise.
pub const LARGE: usize = 100;

/// Approximate disk space, bytes, of a run of which only the metrics are kept, with its rows in the index.
pub(crate) const BYTES_OF_METRICS: f64 = 3000.0;

/// What is kept of each run of a batch. Not part of the identity of a run: its metrics are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Everything, or only the metrics if there are more than [`LARGE`] runs.
    #[default]
    BySize,
    /// A directory with tables, figures and a page.
    Everything,
    /// The metrics, many runs in one file.
    Metrics,
}

impl Keep {
    /// True if the runs of a batch of this size get no directories.
    pub(crate) fn metrics_only(self, runs: usize) -> bool {
        match self {
            Keep::BySize => runs > LARGE,
            Keep::Everything => false,
            Keep::Metrics => true,
        }
    }
}

/// How to execute a batch.
#[derive(Clone, Debug)]
pub struct BatchOptions {
    /// Where the results go.
    pub dir: PathBuf,
    /// How to execute runs; they share its threads.
    pub execution: Execution,
    /// The command line, for the report.
    pub command: String,
    /// The scenario's text with its changes, kept as `batch.toml`.
    pub text: String,
    /// What is kept of each run.
    pub keep: Keep,
    /// Sentences for the report about the search that led to these runs.
    pub search: Vec<String>,
}

impl BatchOptions {
    /// Puts the results of this scenario in `dir`, and uses all processors.
    pub fn new(dir: impl Into<PathBuf>, source: &SourceText) -> BatchOptions {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        BatchOptions {
            dir: dir.into(),
            execution: Execution::with_threads(processors),
            command: String::new(),
            text: source.text.clone(),
            keep: Keep::BySize,
            search: Vec::new(),
        }
    }
}

/// Limits of time and memory; a run that would exceed them fails. Not part of its identity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunLimits {
    /// Wall-clock time, seconds.
    pub time_s: Option<f64>,
    /// Estimated memory, bytes.
    pub memory_bytes: Option<f64>,
}

impl RunLimits {
    /// Checks the estimated memory of a run before it starts.
    pub(super) fn admit(&self, spec: &RunSpec) -> Result<(), RunError> {
        let Some(limit) = self.memory_bytes else {
            return Ok(());
        };
        let estimate = CostEstimate::of_all(std::slice::from_ref(spec));
        let estimate = estimate.map_err(|p| RunError::Scenario(p.message))?;
        match estimate.first().map(|e| e.memory_bytes) {
            Some(needed) if needed > limit => Err(RunError::TooLarge(bytes(needed), bytes(limit))),
            _ => Ok(()),
        }
    }
}

/// Which runs to execute, their limits, and how they are observed and stopped.
#[derive(Clone, Copy, Debug)]
pub struct RunControl<'a> {
    /// Repeat completed runs.
    pub force: bool,
    /// Whether to execute each run, in plan order; all if `None`. Complete runs that are not chosen are kept.
    pub only: Option<&'a [bool]>,
    /// Start no more runs once one has failed.
    pub fail_fast: bool,
    /// Limits of each run.
    pub limits: RunLimits,
    /// The command line, for the provenance of runs.
    pub command: &'a str,
    /// Receives the progress of runs.
    pub progress: &'a BatchProgress,
    /// Stops the runs when set.
    pub interrupt: &'a Interrupt,
}

impl<'a> RunControl<'a> {
    /// Executes the missing runs, without limits.
    pub fn new(progress: &'a BatchProgress, interrupt: &'a Interrupt) -> RunControl<'a> {
        RunControl {
            force: false,
            only: None,
            fail_fast: false,
            limits: RunLimits::default(),
            command: "",
            progress,
            interrupt,
        }
    }

    pub(super) fn is_chosen(&self, place: usize) -> bool {
        self.only.is_none_or(|only| only.get(place) == Some(&true))
    }
}
