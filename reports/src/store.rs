//! The run directory: written aside, renamed when complete, read back for figures.

mod error;
mod run_writer;
mod summary;

pub use error::StoreError;
pub use run_writer::RunWriter;
pub use summary::RunSummary;
