//! A locked result directory, which can be claimed for a batch or changed as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::aside::{Aside, INSIDE, remove_unfinished_marks};
use super::install::{install, marks, remove_results, sync_tree};
use super::parts::Parts;
use super::path_contents::{PathContents, look, look_at_results};
use super::run_place::run_place;
use super::{DirLock, Marker, ResultKind, StoreError};

/// How long another process may take to draw a report.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long several processes may take to prepare a directory for all of them.
const JOINING: Duration = Duration::from_secs(60);

/// A result directory locked against other processes in order to change it.
#[derive(Debug)]
pub struct ResultDir {
    dir: PathBuf,
    _lock: DirLock,
    marker: Marker,
    kept: Vec<PathBuf>,
}

impl ResultDir {
    /// Opens an existing result directory to redraw its figures and report. Waits for other
    /// processes that do the same.
    ///
    /// # Errors
    /// When there are no results, or another process is using the directory.
    pub fn open(dir: &Path) -> Result<ResultDir, StoreError> {
        let marker = look_at_results(dir)?;
        let _lock = lock(dir, patience(Some(&marker)))?;
        // Others may have changed it in the meantime.
        let marker = look_at_results(dir)?;
        Ok(ResultDir {
            dir: dir.to_path_buf(),
            _lock,
            marker,
            kept: Vec::new(),
        })
    }

    /// Claims a directory for the batch with these runs. It may be new, empty, or hold a batch all
    /// of whose runs are among these. With `force`, other results are replaced once this batch is
    /// complete.
    ///
    /// # Errors
    /// When the directory is not ours, holds something else, or another process is using it.
    pub fn claim_for_batch(
        dir: &Path,
        runs: BTreeSet<String>,
        force: bool,
    ) -> Result<ResultDir, StoreError> {
        let standing = look(dir)?;
        fs::create_dir_all(dir).map_err(StoreError::io("create the directory", dir))?;
        let _lock = lock(
            dir,
            patience(match &standing {
                PathContents::Ours(marker) => Some(marker),
                _ => None,
            }),
        )?;
        let marker = match look(dir)? {
            PathContents::Ours(there) => widened(dir, *there, runs, force)?,
            _ => Marker {
                runs,
                ..Marker::new(ResultKind::Batch)
            },
        };
        marker.write(dir)?;
        Ok(ResultDir {
            dir: dir.to_path_buf(),
            _lock,
            marker,
            kept: Vec::new(),
        })
    }

    /// Prepares a directory for a batch with these runs and this `batch.toml`, unless it is
    /// prepared already, for one of several processes that make runs there in parallel. The
    /// directory is not locked afterwards.
    ///
    /// # Errors
    /// As [`ResultDir::claim_for_batch`]; also when the runs there are different ones.
    pub fn join_batch(
        dir: &Path,
        runs: BTreeSet<String>,
        text: &str,
        force: bool,
    ) -> Result<(), StoreError> {
        let is_ready = || match look(dir) {
            Ok(PathContents::Ours(marker)) => {
                let hash = super::hash::text_hash(text);
                let file = marker.files.get("batch.toml");
                marker.kind == ResultKind::Batch
                    && !marker.complete
                    && marker.runs == runs
                    && file.is_some_and(|mark| mark.hash == hash)
            }
            _ => false,
        };
        if is_ready() {
            return Ok(());
        }
        fs::create_dir_all(dir).map_err(StoreError::io("create the directory", dir))?;
        // Others start at the same moment, and one of them prepares it.
        let begun = std::time::Instant::now();
        loop {
            match ResultDir::claim_for_batch(dir, runs.clone(), force) {
                Ok(mut place) => return place.put("batch.toml", text),
                Err(StoreError::Busy(_)) if begun.elapsed() < JOINING => {
                    std::thread::sleep(Duration::from_millis(50));
                    if is_ready() {
                        return Ok(());
                    }
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Where files are kept that somebody had changed and that have been replaced.
    pub fn kept(&self) -> &[PathBuf] {
        &self.kept
    }

    /// What the directory holds.
    pub fn marker(&self) -> &Marker {
        &self.marker
    }

    /// Writes one text file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&mut self, name: &str, text: &str) -> Result<(), StoreError> {
        let complete = self.marker.complete;
        let stays = |other: &str| other != name;
        self.change(stays, complete, |aside| {
            let path = aside.join(name);
            fs::write(&path, text).map_err(StoreError::io("write", &path))
        })
    }

    /// Changes the directory: `write` writes new files to the directory it is given; they then
    /// replace the files for which `stays` is false. Nothing changes until all are written.
    ///
    /// # Errors
    /// When `write` fails, or the files cannot be put in place.
    pub fn change<T>(
        &mut self,
        stays: impl Fn(&str) -> bool,
        complete: bool,
        write: impl FnOnce(&Path) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let aside = Aside::create(&self.dir, OsStr::new(INSIDE))?;
        let done = write(aside.path())?;
        let mut new = self.marker.clone();
        new.files.retain(|name, _| stays(name));
        new.files.extend(marks(aside.path(), &BTreeMap::new())?);
        new.arriving.clear();
        new.complete = complete;
        sync_tree(aside.path())?;
        let kept = install(&self.dir, aside.path(), &self.marker, &new)?;
        self.kept.extend(kept);
        self.marker = new;
        Ok(done)
    }

    /// Removes the runs of the batch that was here before.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn remove_former_runs(&mut self) -> Result<(), StoreError> {
        if self.marker.former_runs.is_empty() {
            return Ok(());
        }
        let runs = &self.marker.runs;
        Parts::remove_others(&self.dir, |id| runs.contains(id))?;
        remove_runs(&self.dir, self.marker.former_runs.iter())?;
        self.marker.former_runs.clear();
        self.marker.write(&self.dir)
    }
}

/// The marker of a directory that is extended to a batch with these runs.
fn widened(
    dir: &Path,
    there: Marker,
    runs: BTreeSet<String>,
    force: bool,
) -> Result<Marker, StoreError> {
    let missing: BTreeSet<String> = there.runs.difference(&runs).cloned().collect();
    if !force && there.kind != ResultKind::Batch {
        return Err(StoreError::OtherKind {
            path: dir.to_path_buf(),
            there: "single run",
            wanted: "batch",
        });
    }
    if !force && !missing.is_empty() {
        return Err(StoreError::OtherBatch {
            path: dir.to_path_buf(),
            runs: there.runs.len(),
            missing: missing.len(),
        });
    }
    let mut former_runs: BTreeSet<String> = there.former_runs.difference(&runs).cloned().collect();
    former_runs.extend(missing);
    Ok(Marker {
        kind: ResultKind::Batch,
        complete: false,
        runs,
        former_runs,
        ..there
    })
}

/// A batch in progress may take any time; a report is done soon.
fn patience(marker: Option<&Marker>) -> Duration {
    match marker {
        Some(marker) if marker.complete => PATIENCE,
        _ => Duration::ZERO,
    }
}

/// Locks a result directory, or fails if another process is using it. Unfinished markers left by a
/// killed process are removed.
pub(crate) fn lock(dir: &Path, patience: Duration) -> Result<DirLock, StoreError> {
    match DirLock::wait(dir, patience) {
        Ok(DirLock::Theirs) => Err(StoreError::Busy(dir.to_path_buf())),
        Ok(lock) => {
            if matches!(lock, DirLock::Ours(_)) {
                remove_unfinished_marks(dir)?;
            }
            Ok(lock)
        }
        Err(e) => Err(StoreError::io("lock the directory", dir)(e)),
    }
}

/// Removes runs of a batch: the files that are ours, and directories that become empty.
pub(crate) fn remove_runs<'a>(
    dir: &Path,
    ids: impl Iterator<Item = &'a String>,
) -> Result<(), StoreError> {
    let runs = dir.join("runs");
    for id in ids {
        let run = run_place(&runs, id);
        // A run that is not ours, or no longer ours, is left as it is.
        if let Ok(PathContents::Ours(marker)) = look(&run)
            && marker.kind == ResultKind::Run
        {
            remove_results(&run, &marker)?;
        }
        if let Some(above) = run.parent().filter(|above| *above != runs) {
            let _ = fs::remove_dir(above);
        }
    }
    let _ = fs::remove_dir(&runs);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
        names.map(str::to_owned).into()
    }

    #[test]
    fn a_batch_may_be_widened_but_not_replaced_unless_forced() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("b");
        let claim = |runs, force| ResultDir::claim_for_batch(&dir, runs, force);
        let mut first = claim(ids(["a", "b"]), false).unwrap();
        first.put("batch.toml", "first").unwrap();
        let busy = claim(ids(["a", "b"]), false).unwrap_err();
        assert!(matches!(busy, StoreError::Busy(_)), "{busy}");
        drop(first);
        drop(claim(ids(["a", "b", "c"]), false).unwrap());
        let run = crate::RunWriter::create(&dir.join("runs/c"), false).unwrap();
        run.finish(&BTreeMap::new()).unwrap();
        let refused = claim(ids(["a", "d"]), false).unwrap_err();
        assert!(refused.to_string().contains("2 of its 3 runs"), "{refused}");
        let mut forced = claim(ids(["a", "d"]), true).unwrap();
        assert_eq!(forced.marker().former_runs, ids(["b", "c"]));
        fs::write(dir.join("runs/c/notes"), "mine").unwrap();
        forced.remove_former_runs().unwrap();
        let left: Vec<_> = fs::read_dir(dir.join("runs/c"))
            .unwrap()
            .flatten()
            .collect();
        assert_eq!(left.len(), 1);
        let text = fs::read_to_string(dir.join("batch.toml")).unwrap();
        assert_eq!(text, "first");
    }

    #[test]
    fn a_mark_that_was_not_written_to_its_end_is_removed_and_makes_no_directory_foreign() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("b");
        fs::create_dir(&dir).unwrap();
        let half = dir.join(".synfin.json.tmp-4294967295-0");
        let names = || {
            let entries = fs::read_dir(&dir).unwrap().flatten();
            let mut names: Vec<_> = entries.map(|e| e.file_name()).collect();
            names.sort();
            names
        };
        // Killed while it claimed the directory, and later while it changed it.
        for _ in 0..2 {
            fs::write(&half, "{").unwrap();
            drop(ResultDir::claim_for_batch(&dir, ids(["a"]), false).unwrap());
            assert_eq!(names(), ["synfin.json"]);
        }
        fs::write(&half, "{").unwrap();
        drop(ResultDir::open(&dir).unwrap());
        assert_eq!(names(), ["synfin.json"]);
        // A file whose name only resembles one belongs to somebody else.
        for other in [".synfin.json.tmp-mine", ".synfin.json.tmp-1-x"] {
            fs::write(dir.join(other), "{").unwrap();
        }
        drop(ResultDir::open(&dir).unwrap());
        assert_eq!(names().len(), 3);
        fs::remove_file(dir.join("synfin.json")).unwrap();
        let refused = ResultDir::claim_for_batch(&dir, ids(["a"]), false).unwrap_err();
        assert!(
            matches!(refused, StoreError::Unrecognised { .. }),
            "{refused}"
        );
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("b");
        let mut batch = ResultDir::claim_for_batch(&dir, ids(["a"]), false).unwrap();
        batch.put("index.csv", "good").unwrap();
        let failed = batch.change(
            |_| false,
            true,
            |aside| {
                fs::write(aside.join("index.csv"), "half").unwrap();
                Err::<(), _>(StoreError::NoResults(aside.to_path_buf()))
            },
        );
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(dir.join("index.csv")).unwrap(), "good");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
        assert!(!batch.marker().complete);
    }
}
