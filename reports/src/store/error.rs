//! What can go wrong with a result directory, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::metrics::UnknownMetric;

/// A result could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory holds the results of another run.
    #[error(
        "{} already holds results of another run; choose another directory with `--out DIR`, or replace them with `--force`",
        .0.display()
    )]
    Exists(PathBuf),
    /// The directory holds a batch that is not part of the new one.
    #[error(
        "{} already holds results of another batch: {missing} of its {runs} runs are not in this one; choose another directory with `--out DIR`, or replace it with `--force`",
        path.display()
    )]
    OtherBatch {
        /// Which directory.
        path: PathBuf,
        /// Runs of the batch that is there.
        runs: usize,
        /// How many of them the new batch lacks.
        missing: usize,
    },
    /// The directory holds a run where a batch was expected, or the other way round.
    #[error(
        "{} holds the results of a {there}, not of a {wanted}; choose another directory with `--out DIR`, or replace them with `--force`",
        path.display()
    )]
    OtherKind {
        /// Which directory.
        path: PathBuf,
        /// What is there.
        there: &'static str,
        /// What was expected there.
        wanted: &'static str,
    },
    /// The directory is not recognised as one of synfin's.
    #[error(
        "{0} is left alone: {why}; choose another directory with `--out DIR`, or move this one away (`mv '{0}' '{0}.old'`)",
        path.display()
    )]
    Unrecognised {
        /// Which directory.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A later version of the program wrote it.
    #[error(
        "{} was written by a newer synfin (format {format}; this one knows up to {}) and is left alone; use that version, or choose another directory with `--out DIR`",
        path.display(), super::FORMAT
    )]
    Newer {
        /// Which directory.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
    /// The directory holds no results.
    #[error("{} holds no synfin results: it has no {}; give the directory that `synfin run` printed, for example results/NAME", .0.display(), super::MARKER)]
    NoResults(PathBuf),
    /// A user's file has the name of a file to be written.
    #[error("{} was not written by synfin, and its name is needed for the results; rename it, then try again", .0.display())]
    InTheWay(PathBuf),
    /// Another process is using the directory.
    #[error("another synfin is using {}; try again when it has finished", .0.display())]
    Busy(PathBuf),
    /// The path cannot name a result directory.
    #[error("{} cannot be used as a result directory; give a path whose last part is a plain name", .0.display())]
    BadName(PathBuf),
    /// A recorder or runner emits a metric that is not in the registry.
    #[error(transparent)]
    UnknownMetric(#[from] UnknownMetric),
    /// The operating system reported an error.
    #[error("cannot {what} {}: {source}{}", path.display(), hint(source))]
    Io {
        /// What was attempted.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Its error.
        source: io::Error,
    },
    /// A file of a result directory is damaged.
    #[error("{} cannot be used: {why}; run the same scenario into the same directory to restore it", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A table is too large for memory.
    #[error("{} has {rows} rows, too many for memory; read it with DuckDB or polars, or run the scenario again and record less (fewer connections, a longer interval)", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Its rows.
        rows: i64,
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
            "; you have no permission to write there: use another directory, or a copy of this one"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space, or record less (fewer connections, a longer interval, no packets)"
        }
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "; there is a file where a directory is needed"
        }
        _ => "",
    }
}

impl StoreError {
    /// Wraps an operating-system error; `what` as in "cannot WHAT PATH".
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
