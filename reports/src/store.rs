//! Result directories: written to a temporary place, moved into place when complete, recognised by
//! their marker `synfin.json`, and read back for figures.

mod aside;
pub(crate) mod beside;
mod error;
mod files;
pub mod hash;
mod install;
mod left_out;
mod lock;
mod marker;
pub mod parts;
mod path_contents;
mod provenance;
pub mod reader;
mod result_dir;
pub(crate) mod row_metrics;
mod run_place;
mod run_writer;
mod summary;
pub mod table;
mod texts;

pub use error::StoreError;
pub(crate) use files::read_own_text;
pub use files::{read_file, read_text_file};
pub use left_out::LeftOut;
pub use lock::DirLock;
pub use marker::{FileMark, Marker, ResultKind};
pub(crate) use marker::{Timing, is_drawn};
pub use path_contents::{PathContents, look, look_at_results, resolve};
pub use provenance::Provenance;
pub use result_dir::ResultDir;
pub(crate) use run_place::run_link;
pub use run_place::{new_run_place, run_place, runs_and_id, runs_with_directories};
pub use run_writer::{RunWriter, set_aside};
pub use summary::{ConnectionMemory, MemorySummary, RunSummary};
pub(crate) use summary::{write_json, write_whole};
pub use texts::Texts;

/// Name of the file that marks a result directory and lists its files.
pub const MARKER: &str = "synfin.json";

/// Version of the layout of a result directory; raised when older programs cannot read the new
/// layout.
pub const FORMAT: u32 = 1;
