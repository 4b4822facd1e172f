//! Appends runs to a part.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{DIGITS, ENDING, PARTS, PartLine, PartRun};
use crate::store::hash::text_hash;
use crate::store::install::sync;
use crate::store::row_metrics::RowMetrics;
use crate::store::{Provenance, StoreError};

/// Version of the lines; raised when older programs cannot read them.
const PART: u32 = 1;
/// Time between flushes to the disk: what is lost in a power failure is made again.
const BETWEEN_SYNCS: Duration = Duration::from_secs(2);

/// A part being written. Threads may share it.
#[derive(Debug)]
pub struct PartWriter {
    path: PathBuf,
    state: Mutex<PartState>,
}

#[derive(Debug)]
struct PartState {
    /// `None` until the first line: a process that makes no run leaves no file.
    file: Option<File>,
    head: String,
    lists: Vec<Arc<[String]>>,
    synced: Instant,
}

impl PartWriter {
    /// Begins a part `NAME-N.runs` of the batch in `dir`, with the first free number. The file is
    /// created with the first run.
    ///
    /// # Errors
    /// When the directory of the parts cannot be made.
    pub fn new(dir: &Path, name: &str, by: &Provenance) -> Result<PartWriter, StoreError> {
        let head = PartLine {
            part: Some(PART),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            by: serde_json::to_value(by).ok(),
            ..PartLine::default()
        };
        let parts = dir.join(PARTS);
        fs::create_dir_all(&parts).map_err(StoreError::io("create the directory", &parts))?;
        Ok(PartWriter {
            path: parts.join(name),
            state: Mutex::new(PartState {
                file: None,
                head: text(&head),
                lists: Vec::new(),
                synced: Instant::now(),
            }),
        })
    }

    /// Appends a run: once this has returned it is complete, even if the process then dies.
    ///
    /// # Errors
    /// When it cannot be written; a half-written line does not count.
    pub fn add(&self, id: &str, run: &PartRun) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = String::new();
        if state.file.is_none() {
            state.file = Some(self.create()?);
            lines.push_str(&state.head);
        }
        let known = state.lists.len();
        let line = match run {
            PartRun::Complete {
                metrics,
                simulation_s,
            } => PartLine {
                run: Some(id.to_owned()),
                of: Some(list(&mut state.lists, metrics)),
                values: Some(metrics.values().to_vec()),
                s: Some(*simulation_s),
                ..PartLine::default()
            },
            PartRun::Failed(why) => PartLine {
                run: Some(id.to_owned()),
                failed: Some(why.clone()),
                ..PartLine::default()
            },
        };
        for (i, names) in state.lists.iter().enumerate().skip(known) {
            lines.push_str(&text(&PartLine {
                list: Some(i),
                names: Some(names.to_vec()),
                ..PartLine::default()
            }));
        }
        lines.push_str(&text(&line));
        let written = self.append(&mut state, &lines);
        if written.is_err() {
            // The last line may be half written: the next run begins a new file.
            state.file = None;
            state.lists.clear();
        }
        written
    }

    fn append(&self, state: &mut PartState, lines: &str) -> Result<(), StoreError> {
        let Some(file) = &mut state.file else {
            return Ok(());
        };
        let write = StoreError::io("write", &self.path);
        file.write_all(lines.as_bytes()).map_err(write)?;
        if state.synced.elapsed() >= BETWEEN_SYNCS {
            file.sync_data()
                .map_err(StoreError::io("flush", &self.path))?;
            state.synced = Instant::now();
        }
        Ok(())
    }

    /// Flushes everything to the disk.
    ///
    /// # Errors
    /// When the disk reports an error.
    pub fn finish(self) -> Result<(), StoreError> {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let parts = self.path.parent().unwrap_or(Path::new("."));
        match state.file {
            Some(file) => {
                file.sync_all()
                    .map_err(StoreError::io("flush", &self.path))?;
                sync(parts)
            }
            None => {
                // Unless another process has parts there.
                let _ = fs::remove_dir(parts);
                Ok(())
            }
        }
    }

    /// Creates a file under a name that no other file has, not even one of an earlier process with
    /// the same id.
    fn create(&self) -> Result<File, StoreError> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let parent = self.path.parent().unwrap_or(Path::new("."));
        // Another process may have found the directory empty, and removed it.
        fs::create_dir_all(parent).map_err(StoreError::io("create the directory", parent))?;
        for n in 1..u32::MAX {
            let path = self.path.with_file_name(format!("{name}-{n:04}.{ENDING}"));
            match File::create_new(&path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(StoreError::io("create", &path)(e)),
                Ok(file) => return Ok(file),
            }
        }
        Err(StoreError::InTheWay(self.path.clone()))
    }
}

/// The number of the list with the names of these metrics.
fn list(lists: &mut Vec<Arc<[String]>>, metrics: &RowMetrics) -> usize {
    let names = metrics.names();
    let known = lists
        .iter()
        .position(|l| Arc::ptr_eq(l, names) || l == names);
    known.unwrap_or_else(|| {
        lists.push(Arc::clone(names));
        lists.len() - 1
    })
}

/// A line preceded by its hash.
fn text(line: &PartLine) -> String {
    let text = serde_json::to_string(line).unwrap_or_default();
    format!("{} {text}\n", &text_hash(&text)[..DIGITS])
}
