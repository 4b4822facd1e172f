//! Why a run ends early.

use std::io;

use crate::time::SimTime;

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The recorder failed.
    #[error("cannot write results: {0}")]
    Record(#[from] io::Error),
    /// It asks for something that its hosts do not model, in words.
    #[error("{0}")]
    NotModelled(String),
    /// Simulated time stands still.
    #[error(
        "the run makes no progress: {events} events within a microsecond of simulated time from {since} \
         on; a host sets timers that fire at once, or far too many of them"
    )]
    NoProgress {
        /// Since when.
        since: SimTime,
        /// Events handled since.
        events: u64,
    },
}
