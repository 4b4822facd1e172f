//! Result directories: written aside, put in place when complete, recognised by their mark
//! `synfin.json`, read back for figures.

mod aside;
mod error;
mod files;
pub mod hash;
mod install;
mod lock;
mod marker;
pub mod reader;
mod result_dir;
mod run_writer;
mod standing;
mod summary;
pub mod table;
mod texts;

pub use error::StoreError;
pub(crate) use files::read_own_text;
pub use files::{read_file, read_text_file};
pub use lock::DirLock;
pub(crate) use marker::is_drawn;
pub use marker::{FORMAT, FileMark, MARKER, Marker, ResultKind};
pub use result_dir::ResultDir;
pub use run_writer::{RunWriter, set_aside};
pub use standing::{Standing, look, look_at_results, resolve};
pub use summary::{ConnectionMemory, MemorySummary, RunSummary};
pub(crate) use summary::{write_json, write_whole};
pub use texts::Texts;
