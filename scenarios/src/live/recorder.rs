//! A recorder that counts records on their way to another one.

use std::io;
use std::time::{Duration, Instant};

use reports::live::LiveCounts;
use sim_core::{Record, Recorder, SimDuration, SimTime};
use tcp_model::TcpSample;

use super::RunWatch;

/// Time between two snapshots.
const BETWEEN: Duration = Duration::from_millis(100);

/// Counts records, shows the counts from time to time, and passes the records on as they are.
pub(crate) struct WatchedRecorder<'a> {
    to: &'a mut dyn Recorder<TcpSample>,
    watch: &'a RunWatch,
    counts: LiveCounts,
    shown: Instant,
}

impl<'a> WatchedRecorder<'a> {
    /// Watches a run of this length, whose records go to `to`.
    pub(crate) fn new(
        to: &'a mut dyn Recorder<TcpSample>,
        watch: &'a RunWatch,
        length: SimDuration,
    ) -> WatchedRecorder<'a> {
        WatchedRecorder {
            to,
            watch,
            counts: LiveCounts::new(length),
            shown: Instant::now(),
        }
    }

    fn count(&mut self, batch: &[Record<TcpSample>]) {
        batch
            .iter()
            .for_each(|record| self.counts.on_record(record));
        if let Some(last) = batch.last()
            && self.shown.elapsed() >= BETWEEN
        {
            self.shown = Instant::now();
            self.watch.show(self.counts.snapshot(last.time));
        }
    }
}

impl Recorder<TcpSample> for WatchedRecorder<'_> {
    fn write(&mut self, batch: &[Record<TcpSample>]) -> io::Result<()> {
        self.count(batch);
        self.to.write(batch)
    }

    fn take(&mut self, batch: &mut Vec<Record<TcpSample>>) -> io::Result<()> {
        self.count(batch);
        self.to.take(batch)
    }

    fn finish(&mut self, end: SimTime) -> io::Result<()> {
        self.watch.show(self.counts.snapshot(end));
        self.to.finish(end)
    }
}
