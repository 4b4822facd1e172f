//! What is left of a run in its directory: all of it, something damaged, or something else.

use std::path::Path;

use reports::RunSummary;
use reports::store::hash::text_hash;
use reports::store::{Marker, ResultKind, Standing, StoreError, look};

use crate::run_spec::RunSpec;

/// What stands where a run's results belong.
#[derive(Debug)]
pub enum Existing {
    /// Nothing.
    Absent,
    /// The run, complete, with all its files as they were written.
    Complete(Box<RunSummary>),
    /// The run, but with files missing or changed, for this reason.
    Damaged(String),
    /// Something else.
    Other(StoreError),
}

impl Existing {
    /// Looks for the results of a run. Every file that results are made of is read and compared
    /// with its hash; figures and report, which can be drawn again, are not.
    pub fn look(spec: &RunSpec, dir: &Path) -> Existing {
        let marker = match look(dir) {
            Err(error) => return Existing::Other(error),
            Ok(Standing::Nothing | Standing::Empty) => return Existing::Absent,
            Ok(Standing::Ours(marker)) => *marker,
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

/// Whether a directory was written for this run: the `run.toml` that was written says so, whatever
/// has become of it.
fn is_of(marker: &Marker, spec: &RunSpec) -> bool {
    let hash = text_hash(&spec.text());
    let written = [&marker.files, &marker.arriving];
    let mut written = written
        .into_iter()
        .filter_map(|files| files.get("run.toml"));
    written.any(|mark| mark.hash == hash)
}
