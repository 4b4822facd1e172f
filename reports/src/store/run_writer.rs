//! Writes a run directory aside and renames it when it is complete.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{DirLock, StoreError};

/// A run directory in the making: `.NAME.tmp-PID-N` beside the final place, locked while it is
/// written.
///
/// Dropped before [`RunWriter::finish`] it takes its files with it; a killed process leaves them,
/// and the next run of the same name removes them. Several writers of one name do not disturb each
/// other: the first to finish has the name.
#[derive(Debug)]
pub struct RunWriter {
    dir: PathBuf,
    aside: PathBuf,
    /// Tells others that this is no leftover.
    _lock: DirLock,
    replace: bool,
    finished: bool,
}

impl RunWriter {
    /// Begins the run directory `dir`; parents are made. With `replace` an existing result gives
    /// way once the new one is complete.
    ///
    /// # Errors
    /// When `dir` exists and is not to be replaced or is no result, or cannot be made.
    pub fn create(dir: &Path, replace: bool) -> Result<RunWriter, StoreError> {
        let name = dir
            .file_name()
            .ok_or_else(|| StoreError::BadName(dir.to_path_buf()))?;
        check_free(dir, replace)?;
        let parent = parent(dir);
        fs::create_dir_all(parent).map_err(StoreError::io("create the directory", parent))?;
        remove_leftovers(parent, name)?;
        let (aside, lock) = make_aside(parent, name)?;
        let writer = RunWriter {
            dir: dir.to_path_buf(),
            aside,
            _lock: lock,
            replace,
            finished: false,
        };
        Ok(writer)
    }

    /// Where files go until the run is complete.
    pub fn path(&self) -> &Path {
        &self.aside
    }

    /// Where the run directory will be.
    pub fn final_path(&self) -> &Path {
        &self.dir
    }

    /// Writes a text file, `run.toml` say.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_text(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let path = self.aside.join(name);
        fs::write(&path, text).map_err(StoreError::io("write", &path))
    }

    /// Flushes all files to the disk and gives the directory its name.
    ///
    /// # Errors
    /// When the disk refuses, or a result has come to stand there meanwhile.
    pub fn finish(mut self) -> Result<(), StoreError> {
        sync_tree(&self.aside)?;
        // Another writer may take the name between our look and our rename: look again then.
        for _ in 0..ATTEMPTS {
            check_free(&self.dir, self.replace)?;
            if self.take_name()? {
                self.finished = true;
                return sync(parent(&self.dir));
            }
        }
        Err(StoreError::Exists(self.dir.clone()))
    }

    /// Gives the directory its name; false when another has come to stand there.
    fn take_name(&self) -> Result<bool, StoreError> {
        let mut old = self.aside.clone().into_os_string();
        old.push("-old");
        let old = PathBuf::from(old);
        let replaced = self.replace
            && match fs::rename(&self.dir, &old) {
                Ok(()) => true,
                Err(e) if e.kind() == ErrorKind::NotFound => false,
                Err(e) => return Err(StoreError::io("move away", &self.dir)(e)),
            };
        let renamed = fs::rename(&self.aside, &self.dir);
        match &renamed {
            Err(e) if replaced && !is_taken(e) => {
                // Best effort: the old result rather than none.
                let _ = fs::rename(&old, &self.dir);
            }
            _ if replaced => match fs::remove_dir_all(&old) {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    return Err(StoreError::io("remove", &old)(e));
                }
                _ => {}
            },
            _ => {}
        }
        match renamed {
            Ok(()) => Ok(true),
            Err(e) if is_taken(&e) => Ok(false),
            Err(e) => Err(StoreError::io("complete", &self.dir)(e)),
        }
    }
}

/// How often a name is tried for that others take at the same time.
const ATTEMPTS: u32 = 100;

fn is_taken(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists
    )
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        if !self.finished {
            // Best effort: what stays is removed by the next run of this name.
            let _ = fs::remove_dir_all(&self.aside);
        }
    }
}

fn parent(dir: &Path) -> &Path {
    match dir.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// Makes and locks a directory to write to.
fn make_aside(parent: &Path, name: &OsStr) -> Result<(PathBuf, DirLock), StoreError> {
    let pid = std::process::id();
    let mut aside = parent.to_path_buf();
    for n in 0..ATTEMPTS {
        aside = parent.join(aside_name(name, &format!("{pid}-{n}")));
        match fs::create_dir(&aside) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(StoreError::io("create the directory", &aside)(e)),
        }
        // Until it is locked another writer may take it for a leftover.
        match DirLock::take(&aside) {
            Ok(DirLock::Theirs) => {}
            Ok(lock) if aside.is_dir() => return Ok((aside, lock)),
            Err(e) if e.kind() != ErrorKind::NotFound => {
                return Err(StoreError::io("lock the directory", &aside)(e));
            }
            _ => {}
        }
    }
    let taken = std::io::Error::from(ErrorKind::AlreadyExists);
    Err(StoreError::io("create the directory", &aside)(taken))
}

fn aside_name(name: &OsStr, suffix: &str) -> OsString {
    let mut aside = OsString::from(".");
    aside.push(name);
    aside.push(".tmp-");
    aside.push(suffix);
    aside
}

/// A free place is nothing at all, an empty directory, or a result that may be replaced.
fn check_free(dir: &Path, replace: bool) -> Result<(), StoreError> {
    // What gives way to another writer's result while we look seems to lack its summary.
    for _ in 0..LOOKS {
        let mut entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(StoreError::io("use the directory", dir)(e)),
        };
        if entries.next().is_none() {
            match fs::remove_dir(dir) {
                Ok(()) => return Ok(()),
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
                Err(e) if is_taken(&e) => {}
                Err(e) => return Err(StoreError::io("replace the empty directory", dir)(e)),
            }
        } else if is_result(dir) {
            return if replace {
                Ok(())
            } else {
                Err(StoreError::Exists(dir.to_path_buf()))
            };
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(StoreError::NotAResult(dir.to_path_buf()))
}

/// A complete result, or one that has lost its summary; not a mere copy of a `run.toml`.
fn is_result(dir: &Path) -> bool {
    let has = |name: &str| dir.join(name).is_file();
    has("summary.json") || (has("run.toml") && has("census.parquet"))
}

/// How often a place is looked at before it counts as somebody else's.
const LOOKS: u32 = 5;

/// Where locks tell nothing, what is older is left over.
const AGE_OF_LEFTOVERS: Duration = Duration::from_secs(24 * 3600);

/// Removes what killed runs of the same name left behind, and nothing of those that are alive.
fn remove_leftovers(parent: &Path, name: &OsStr) -> Result<(), StoreError> {
    let prefix = aside_name(name, "");
    let entries = fs::read_dir(parent).map_err(StoreError::io("list the directory", parent))?;
    for entry in entries.flatten() {
        let theirs = entry.file_name();
        if !theirs
            .as_encoded_bytes()
            .starts_with(prefix.as_encoded_bytes())
        {
            continue;
        }
        let path = entry.path();
        let left = match DirLock::take(&path) {
            Ok(DirLock::Theirs) => false,
            Ok(DirLock::Unknown) => {
                let changed = entry.metadata().and_then(|m| m.modified()).ok();
                let age = changed.and_then(|t| t.elapsed().ok());
                age.is_some_and(|age| age > AGE_OF_LEFTOVERS)
            }
            // The lock is held until it is gone, lest its maker go on with it.
            Ok(_lock @ DirLock::Ours(_)) => {
                remove_leftover(&path)?;
                false
            }
            Err(e) if e.kind() == ErrorKind::NotFound => false,
            Err(e) => {
                return Err(StoreError::io(
                    "look at what an unfinished run left,",
                    &path,
                )(e));
            }
        };
        if left {
            remove_leftover(&path)?;
        }
    }
    Ok(())
}

fn remove_leftover(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        // Another writer has removed it, or parts of it, meanwhile.
        Err(e) if e.kind() != ErrorKind::NotFound => Err(StoreError::io(
            "remove what an unfinished run left,",
            path,
        )(e)),
        _ => Ok(()),
    }
}

fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|f| f.sync_all())
        .map_err(StoreError::io("flush", path))
}

fn sync_tree(dir: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(dir).map_err(StoreError::io("list the directory", dir))?;
    for entry in entries {
        let path = entry
            .map_err(StoreError::io("list the directory", dir))?
            .path();
        if path.is_dir() {
            sync_tree(&path)?;
        } else {
            sync(&path)?;
        }
    }
    sync(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(dir: &Path, replace: bool, text: &str) -> Result<(), StoreError> {
        let w = RunWriter::create(dir, replace)?;
        w.write_text("summary.json", text)?;
        w.finish()
    }

    #[test]
    fn a_run_appears_only_when_it_is_complete() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("deep/er/run");
        let w = RunWriter::create(&dir, false).unwrap();
        w.write_text("summary.json", "{}").unwrap();
        assert!(!dir.exists() && w.path().join("summary.json").exists());
        w.finish().unwrap();
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
        assert_eq!(fs::read_to_string(dir.join("summary.json")).unwrap(), "old");
        complete(&dir, true, "new").unwrap();
        assert_eq!(fs::read_to_string(dir.join("summary.json")).unwrap(), "new");
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_of_something_else_is_never_touched() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("thesis");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("chapter1"), "years of work").unwrap();
        for replace in [false, true] {
            let error = RunWriter::create(&dir, replace).unwrap_err();
            assert!(matches!(error, StoreError::NotAResult(_)), "{error}");
        }
        assert!(dir.join("chapter1").exists());
        let error = RunWriter::create(&dir.join("chapter1"), true).unwrap_err();
        assert!(error.to_string().contains("a file stands"), "{error}");
        assert!(RunWriter::create(Path::new("/"), true).is_err());
    }

    #[test]
    fn what_a_killed_run_left_is_removed_by_the_next_of_its_name() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("run");
        let other = tmp.path().join(".runner.tmp-1");
        fs::create_dir(&other).unwrap();
        let left = tmp.path().join(".run.tmp-1-0");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("summary.json"), "{}").unwrap();
        assert!(!dir.exists());
        complete(&dir, false, "{}").unwrap();
        assert!(!left.exists() && other.exists());
    }

    #[test]
    fn a_failed_run_leaves_nothing() {
        let tmp = tempfile::tempdir().unwrap();
        drop(RunWriter::create(&tmp.path().join("run"), false).unwrap());
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_writers_of_a_name_do_not_disturb_each_other_and_the_first_has_it() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("run");
        let [first, second] = [(); 2].map(|()| RunWriter::create(&dir, false).unwrap());
        first.write_text("summary.json", "first").unwrap();
        second.write_text("summary.json", "second").unwrap();
        first.finish().unwrap();
        let refused = second.finish().unwrap_err();
        assert!(matches!(refused, StoreError::Exists(_)), "{refused}");
        let read = || fs::read_to_string(dir.join("summary.json")).unwrap();
        assert_eq!(read(), "first");
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
            assert!(fs::read_to_string(dir.join("summary.json")).is_ok());
            assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1, "{replace}");
        }
    }

    #[test]
    fn a_result_without_its_summary_gives_way_but_a_copied_run_file_does_not() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join("run.toml"), "").unwrap();
        let error = RunWriter::create(tmp.path(), true).unwrap_err();
        assert!(matches!(error, StoreError::NotAResult(_)), "{error}");
        fs::write(tmp.path().join("census.parquet"), "").unwrap();
        let error = RunWriter::create(tmp.path(), false).unwrap_err();
        assert!(error.to_string().contains("--force"), "{error}");
        assert!(RunWriter::create(tmp.path(), true).is_ok());
    }
}
