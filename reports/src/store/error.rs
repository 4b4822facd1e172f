//! What can go wrong with a run directory, and what to try.

use std::io;
use std::path::{Path, PathBuf};

/// A result could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory holds results already.
    #[error(
        "{} already holds results; replace them with `--force`, or choose another directory with `--out DIR`",
        .0.display()
    )]
    Exists(PathBuf),
    /// Something that is no run directory stands where one is to be.
    #[error(
        "{} exists and is no result of synfin (it has no summary.json); it is left alone: choose another directory with `--out DIR`, or delete it",
        .0.display()
    )]
    NotAResult(PathBuf),
    /// The name cannot be that of a directory.
    #[error("{} is no usable name for a run directory; its last part must be a plain name", .0.display())]
    BadName(PathBuf),
    /// A recorder or runner emits a metric that is not in the registry.
    #[error(
        "no metric is called {0:?}: register it in reports/src/metrics/table.rs, or begin the name of one of your own with \"custom.\""
    )]
    UnknownMetric(String),
    /// The operating system refused.
    #[error("cannot {what} {}: {source}{}", path.display(), hint(source))]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A file of a run directory is not what it should be.
    #[error("{} cannot be used: {why}; run the scenario again with `--force` to replace it", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A figure could not be drawn.
    #[error("cannot draw {figure}: {why}")]
    Figure {
        /// Which.
        figure: String,
        /// Why.
        why: String,
    },
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; choose a directory you may write to with `--out DIR`"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room, or record less (fewer connections, a longer interval, no packets)"
        }
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "; a file stands where a directory is needed"
        }
        _ => "",
    }
}

impl StoreError {
    /// Wraps an error of the operating system: `what` as in "cannot WHAT PATH".
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        move |source| StoreError::Io {
            what,
            path: path.to_path_buf(),
            source,
        }
    }
}

impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> io::Error {
        match &error {
            StoreError::Io { source, .. } => io::Error::new(source.kind(), error),
            _ => io::Error::other(error),
        }
    }
}
