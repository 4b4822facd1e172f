//! Writes a run to a temporary directory and moves it into place when it is complete.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::aside::{Aside, INSIDE};
use super::install::{install, marks, sync, sync_tree};
use super::parts::Parts;
use super::path_contents::{PathContents, look};
use super::result_dir::remove_runs;
use super::{Marker, ResultKind, StoreError};

/// A run directory that is being written.
///
/// Files are written to `.NAME.tmp-PID-N` beside the final place, or to `.synfin.tmp-PID-N` inside
/// an existing directory, and moved when the run is complete. If it is dropped before
/// [`RunWriter::finish`], its files are removed. Several writers of one name do not disturb each
/// other: the first to finish gets the name.
#[derive(Debug)]
pub struct RunWriter {
    dir: PathBuf,
    aside: Aside,
    replace: bool,
}

impl RunWriter {
    /// Begins the run directory `dir`; parents are created. With `replace`, the files of an
    /// existing result are replaced once the new one is complete; files that are not synfin's stay.
    ///
    /// # Errors
    /// When `dir` cannot be created, exists and must not be replaced, or is not ours.
    pub fn create(dir: &Path, replace: bool) -> Result<RunWriter, StoreError> {
        let name = dir
            .file_name()
            .ok_or_else(|| StoreError::BadName(dir.to_path_buf()))?;
        let aside = match look(dir)? {
            PathContents::Nothing => {
                let parent = parent(dir);
                fs::create_dir_all(parent)
                    .map_err(StoreError::io("create the directory", parent))?;
                Aside::create(parent, name)?
            }
            PathContents::Ours(_) if !replace => return Err(StoreError::Exists(dir.to_path_buf())),
            PathContents::Ours(_) | PathContents::Empty => Aside::create(dir, OsStr::new(INSIDE))?,
        };
        Ok(RunWriter {
            dir: dir.to_path_buf(),
            aside,
            replace,
        })
    }

    /// Where files go until the run is complete.
    pub fn path(&self) -> &Path {
        self.aside.path()
    }

    /// Writes a text file, such as `run.toml`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_text(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let path = self.path().join(name);
        fs::write(&path, text).map_err(StoreError::io("write", &path))
    }

    /// Flushes all files to the disk, lists them in `synfin.json`, and moves them into place.
    /// `known` has the hashes that are already known, by file name. Returns the new names of
    /// existing files that had been changed and were therefore kept.
    ///
    /// # Errors
    /// When the disk is full or fails, or another result has appeared there in the meantime.
    pub fn finish(self, known: &BTreeMap<String, String>) -> Result<Vec<PathBuf>, StoreError> {
        let mut marker = Marker::new(ResultKind::Run);
        marker.files = marks(self.path(), known)?;
        marker.complete = true;
        marker.write(self.path())?;
        sync_tree(self.path())?;
        // Another writer may take the name between look and rename: then look again.
        for _ in 0..ATTEMPTS {
            match look(&self.dir)? {
                PathContents::Nothing => {
                    if self.take_name()? {
                        return sync(parent(&self.dir)).map(|()| Vec::new());
                    }
                }
                PathContents::Ours(_) if !self.replace => break,
                PathContents::Ours(_) | PathContents::Empty => return self.install(marker),
            }
        }
        Err(StoreError::Exists(self.dir.clone()))
    }

    /// Gives the directory its name; returns false if another directory has appeared there.
    fn take_name(&self) -> Result<bool, StoreError> {
        match fs::rename(self.path(), &self.dir) {
            Ok(()) => Ok(true),
            Err(e) if is_taken(&e) => Ok(false),
            Err(e) => Err(StoreError::io("complete", &self.dir)(e)),
        }
    }

    /// Moves the files into the existing directory.
    fn install(&self, marker: Marker) -> Result<Vec<PathBuf>, StoreError> {
        let _lock = super::result_dir::lock(&self.dir, PATIENCE)?;
        let old = match look(&self.dir)? {
            PathContents::Ours(old) if self.replace => *old,
            PathContents::Ours(_) => return Err(StoreError::Exists(self.dir.clone())),
            PathContents::Empty => Marker::new(ResultKind::Run),
            PathContents::Nothing => return Err(StoreError::NoResults(self.dir.clone())),
        };
        let kept = install(&self.dir, self.path(), &old, &marker)?;
        remove_runs(&self.dir, old.runs.iter().chain(&old.former_runs))?;
        if old.kind == ResultKind::Batch {
            Parts::remove_others(&self.dir, |_| false)?;
        }
        Ok(kept)
    }
}

/// How often a new name is tried if others keep taking it.
const ATTEMPTS: u32 = 100;

/// How long other processes may take to move their files.
const PATIENCE: Duration = Duration::from_secs(30);

fn is_taken(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists
    )
}

fn parent(dir: &Path) -> &Path {
    match dir.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// Renames a directory in the place of a run of a batch that is not ours, or no longer ours, to
/// `NAME.kept-N` beside it. Returns the new name.
///
/// # Errors
/// When it cannot be renamed.
pub fn set_aside(dir: &Path) -> Result<PathBuf, StoreError> {
    let kept = super::install::kept_name(dir)?;
    fs::rename(dir, &kept).map_err(StoreError::io("move away", dir))?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(dir: &Path, replace: bool, text: &str) -> Result<(), StoreError> {
        let w = RunWriter::create(dir, replace)?;
        w.write_text("summary.json", text)?;
        w.finish(&BTreeMap::new()).map(|_| ())
    }

    fn read(dir: &Path, name: &str) -> String {
        fs::read_to_string(dir.join(name)).unwrap()
    }

    #[test]
    fn a_run_appears_only_when_it_is_complete() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("deep/er/run");
        let w = RunWriter::create(&dir, false).unwrap();
        w.write_text("summary.json", "{}").unwrap();
        assert!(!dir.exists() && w.path().join("summary.json").exists());
        w.finish(&BTreeMap::new()).unwrap();
        assert!(dir.join("summary.json").exists());
        assert_eq!(fs::read_dir(dir.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn results_are_replaced_only_when_asked() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("run");
        complete(&dir, false, "old").unwrap();
        let refused = complete(&dir, false, "new").unwrap_err();
        assert!(matches!(refused, StoreError::Exists(_)));
        assert!(refused.to_string().contains("already holds results"));
        assert_eq!(read(&dir, "summary.json"), "old");
        complete(&dir, true, "new").unwrap();
        assert_eq!(read(&dir, "summary.json"), "new");
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
    }

    #[test]
    fn files_of_the_user_stay_when_results_are_replaced() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("run");
        let w = RunWriter::create(&dir, false).unwrap();
        fs::create_dir(w.path().join("figures")).unwrap();
        for name in ["figures/a.svg", "figures/b.svg", "summary.json"] {
            w.write_text(name, "old").unwrap();
        }
        w.finish(&BTreeMap::new()).unwrap();
        fs::write(dir.join("notes.txt"), "mine").unwrap();
        fs::write(dir.join("figures/mine.svg"), "mine").unwrap();
        fs::write(dir.join("figures/a.svg"), "edited").unwrap();
        fs::write(dir.join("summary.json"), "edited").unwrap();
        complete(&dir, true, "new").unwrap();
        assert_eq!(read(&dir, "summary.json"), "new");
        // An edited file that nothing replaces stays where it is; one that is replaced is kept
        // beside it.
        assert_eq!(read(&dir, "figures/a.svg"), "edited");
        assert_eq!(read(&dir, "summary.json.kept-1"), "edited");
        assert!(!dir.join("figures/b.svg").exists());
        for name in ["notes.txt", "figures/mine.svg"] {
            assert_eq!(read(&dir, name), "mine");
        }
        // A file in the way is not overwritten, and nothing changes.
        let w = RunWriter::create(&dir, true).unwrap();
        w.write_text("notes.txt", "ours").unwrap();
        w.write_text("summary.json", "newer").unwrap();
        let error = w.finish(&BTreeMap::new()).unwrap_err();
        assert!(matches!(error, StoreError::InTheWay(_)), "{error}");
        assert_eq!(read(&dir, "summary.json"), "new");
        assert_eq!(read(&dir, "notes.txt"), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_symbolic_link() {
        let tmp = tempfile::tempdir().unwrap();
        let (dir, other) = (tmp.path().join("run"), tmp.path().join("other"));
        fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&other, &dir).unwrap();
        assert!(RunWriter::create(&dir, true).is_err());
        fs::remove_file(&dir).unwrap();
        complete(&dir, false, "old").unwrap();
        std::os::unix::fs::symlink(&other, dir.join("figures")).unwrap();
        let w = RunWriter::create(&dir, true).unwrap();
        fs::create_dir(w.path().join("figures")).unwrap();
        w.write_text("figures/a.svg", "new").unwrap();
        let error = w.finish(&BTreeMap::new()).unwrap_err();
        assert!(matches!(error, StoreError::InTheWay(_)), "{error}");
        assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
        assert_eq!(read(&dir, "summary.json"), "old");
    }

    #[test]
    fn a_change_that_was_killed_halfway_is_noticed_and_mended() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("run");
        complete(&dir, false, "old").unwrap();
        let mut half = super::super::path_contents::look_at_results(&dir).unwrap();
        let new = tmp.path().join("new");
        fs::write(&new, "new").unwrap();
        let mark = super::super::marker::FileMark::of(&new, "summary.json").unwrap();
        half.arriving.insert("summary.json".into(), mark);
        half.write(&dir).unwrap();
        fs::rename(&new, dir.join("summary.json")).unwrap();
        let error = half.verify(&dir).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        complete(&dir, true, "newest").unwrap();
        let whole = super::super::path_contents::look_at_results(&dir).unwrap();
        whole.verify(&dir).unwrap();
        // Both the old and the new file were ours: none is kept.
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
    }

    #[test]
    fn a_directory_of_something_else_is_never_touched() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("thesis");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("chapter1"), "years of work").unwrap();
        for replace in [false, true] {
            let error = RunWriter::create(&dir, replace).unwrap_err();
            assert!(matches!(error, StoreError::Unrecognised { .. }), "{error}");
        }
        assert!(dir.join("chapter1").exists());
        let error = RunWriter::create(&dir.join("chapter1"), true).unwrap_err();
        assert!(error.to_string().contains("there is a file"), "{error}");
        assert!(RunWriter::create(Path::new("/"), true).is_err());
    }

    #[test]
    fn a_failed_run_leaves_nothing() {
        let tmp = tempfile::tempdir().unwrap();
        drop(RunWriter::create(&tmp.path().join("run"), false).unwrap());
        drop(RunWriter::create(tmp.path(), false).unwrap());
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_writers_of_a_name_do_not_disturb_each_other_and_the_first_has_it() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("run");
        let [first, second] = [(); 2].map(|()| RunWriter::create(&dir, false).unwrap());
        first.write_text("summary.json", "first").unwrap();
        second.write_text("summary.json", "second").unwrap();
        first.finish(&BTreeMap::new()).unwrap();
        let refused = second.finish(&BTreeMap::new()).unwrap_err();
        assert!(matches!(refused, StoreError::Exists(_)), "{refused}");
        assert_eq!(read(&dir, "summary.json"), "first");
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
    }

    #[test]
    fn of_many_writers_at_once_each_leaves_one_whole_result() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("run");
        for replace in [false, true] {
            std::thread::scope(|scope| {
                for i in 0..8 {
                    let dir = &dir;
                    scope.spawn(move || match complete(dir, replace, &i.to_string()) {
                        Ok(()) | Err(StoreError::Exists(_)) => {}
                        Err(e) => panic!("{e}"),
                    });
                }
            });
            let marker = super::super::path_contents::look_at_results(&dir).unwrap();
            marker.verify(&dir).unwrap();
            assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1, "{replace}");
            assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "{replace}");
        }
    }
}
