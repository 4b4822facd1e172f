//! The run directory: written aside, renamed when complete, read back for figures.

mod error;
pub mod hash;
mod lock;
pub mod reader;
mod run_writer;
mod summary;
pub mod table;

pub use error::StoreError;
pub use lock::DirLock;
pub use run_writer::RunWriter;
pub use summary::{ConnectionMemory, MemorySummary, RunSummary};
pub(crate) use summary::{write_json, write_whole};
