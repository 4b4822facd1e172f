//! The content of a run's directory: the complete run, a damaged one, or something else.

use std::path::Path;

use reports::RunSummary;
use reports::store::hash::text_hash;
use reports::store::{Marker, PathContents, ResultKind, StoreError, look};

use crate::run_spec::RunSpec;

/// The content of a run's directory.
#[derive(Debug)]
pub enum Existing {
    /// Nothing.
    Absent,
    /// The complete run, with all its files unchanged.
    Complete(Box<RunSummary>),
    /// The run, but with missing or changed files, which are named.
    Damaged(String),
    /// Something else.
    Other(StoreError),
}

impl Existing {
    /// Looks for the results of a run. Compares every result file with its recorded hash, but not figures
    /// and report, which can be redrawn.
    pub fn look(spec: &RunSpec, dir: &Path) -> Existing {
        let marker = match look(dir) {
            Err(error) => return Existing::Other(error),
            Ok(PathContents::Nothing | PathContents::Empty) => return Existing::Absent,
            Ok(PathContents::Ours(marker)) => *marker,
        };
        if marker.kind != ResultKind::Run {
            return Existing::Other(StoreError::OtherKind {
                path: dir.to_path_buf(),
                there: "batch",
                wanted: "single run",
            });
        }
        if !is_of(&marker, spec) {
            return Existing::Other(StoreError::Exists(dir.to_path_buf()));
        }
        match marker.verify(dir).and_then(|()| RunSummary::read(dir)) {
            Ok(summary) => Existing::Complete(Box::new(summary)),
            Err(StoreError::Damaged { path, why }) => {
                Existing::Damaged(format!("{}: {why}", path.display()))
            }
            Err(other) => Existing::Damaged(other.to_string()),
        }
    }
}

/// True if a directory was written for this run, according to the recorded hash of its `run.toml`; that file
/// may have changed since.
fn is_of(marker: &Marker, spec: &RunSpec) -> bool {
    let hash = text_hash(&spec.text());
    let written = [&marker.files, &marker.arriving];
    let mut written = written
        .into_iter()
        .filter_map(|files| files.get("run.toml"));
    written.any(|mark| mark.hash == hash)
}
