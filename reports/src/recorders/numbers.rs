//! Computes only the metrics of a run from its records, in the thread that simulates.

use std::collections::BTreeMap;
use std::io;

use sim_core::{Record, Recorder, RunStats, SimTime};
use tcp_model::TcpSample;

use super::{Completion, Recording, write_network};
use crate::batch::with_derived;
use crate::info::RunInfo;
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::store::beside::BatchWork;
use crate::store::table::Tables;

/// Receives the records of a run of which only the metrics are kept: the same metrics as in the run
/// directory of the same run. There are no tables, packets, figures or findings.
#[derive(Debug)]
pub struct NumbersRecorder {
    recording: Recording,
    info: RunInfo,
}

impl NumbersRecorder {
    /// A recorder for a run.
    ///
    /// # Errors
    /// None at present: nothing is written.
    pub fn new(info: RunInfo) -> Result<NumbersRecorder, StoreError> {
        let info = info.finite();
        let recording = Recording::new(&Tables::Nowhere, &info, None)?;
        Ok(NumbersRecorder { recording, info })
    }

    /// The metrics of the run as in the index of a batch, see [`row_metrics`](crate::row_metrics).
    ///
    /// # Errors
    /// When a metric has a name that is not registered.
    pub fn complete(
        self,
        stats: &RunStats,
        completion: &Completion,
    ) -> Result<BTreeMap<String, f64>, StoreError> {
        let names = std::sync::Arc::clone(&self.recording.names);
        let mut of_links = Metrics::default();
        let links = &self.info.links;
        write_network(&Tables::Nowhere, links, &names, stats, &mut of_links)?;
        let mut metrics = Metrics::default();
        self.recording.close(stats.reached, &mut metrics)?;
        metrics.merge(of_links);
        for (id, value) in &completion.metrics {
            metrics.put(id, *value);
        }
        Ok(with_derived(metrics.finish()?, &self.info))
    }
}

impl Recorder<TcpSample> for NumbersRecorder {
    fn write(&mut self, batch: &[Record<TcpSample>]) -> io::Result<()> {
        Ok(self.recording.work(batch)?)
    }

    fn finish(&mut self, _end: SimTime) -> io::Result<()> {
        Ok(())
    }
}
