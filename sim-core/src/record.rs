//! The records of a run, and the recorders that receive them.

use std::io;

use crate::event::{NodeId, Tie};
use crate::time::SimTime;

/// One observation of a node, stamped with the event during which it was made.
///
/// Canonical order is (time, tie, order of recording); recorders receive records in that order,
/// whatever the partitions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<S> {
    /// The time of the observation.
    pub time: SimTime,
    /// The event being handled.
    pub tie: Tie,
    /// The observing node.
    pub node: NodeId,
    /// The observation.
    pub sample: S,
}

/// Receives the records of a run in canonical order, in batches.
pub trait Recorder<S> {
    /// Takes a batch; batches may end anywhere, also between records of one event.
    ///
    /// # Errors
    /// When the records cannot be written; the run stops.
    fn write(&mut self, batch: &[Record<S>]) -> io::Result<()>;

    /// Takes a batch by value, for a recorder that keeps it: it leaves another batch in its place,
    /// whose records must already have been written; their memory is reused
    /// ([`Host::reuse`](crate::Host::reuse)). Calls [`Recorder::write`] by default.
    ///
    /// # Errors
    /// As [`Recorder::write`].
    fn take(&mut self, batch: &mut Vec<Record<S>>) -> io::Result<()> {
        self.write(batch)
    }

    /// Called once, at the end of the run at `end`.
    ///
    /// # Errors
    /// When remaining records cannot be written.
    fn finish(&mut self, end: SimTime) -> io::Result<()>;
}

/// Keeps every record in memory.
#[derive(Clone, Debug)]
pub struct Collect<S>(pub Vec<Record<S>>);

impl<S> Default for Collect<S> {
    fn default() -> Self {
        Collect(Vec::new())
    }
}

impl<S: Clone> Recorder<S> for Collect<S> {
    fn write(&mut self, batch: &[Record<S>]) -> io::Result<()> {
        self.0.extend_from_slice(batch);
        Ok(())
    }

    fn finish(&mut self, _end: SimTime) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl<S> Recorder<S> for Discard {
    fn write(&mut self, _batch: &[Record<S>]) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _end: SimTime) -> io::Result<()> {
        Ok(())
    }
}
