//! Writes a run directory aside and renames it when it is complete.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::StoreError;

/// A run directory in the making: `.NAME.tmp-PID` beside the final place.
///
/// Dropped before [`RunWriter::finish`] it takes its files with it; a killed process leaves them,
/// and the next run of the same name removes them.
#[derive(Debug)]
pub struct RunWriter {
    dir: PathBuf,
    aside: PathBuf,
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
        let aside = parent.join(aside_name(name, &std::process::id().to_string()));
        fs::create_dir(&aside).map_err(StoreError::io("create the directory", &aside))?;
        let writer = RunWriter {
            dir: dir.to_path_buf(),
            aside,
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
        check_free(&self.dir, self.replace)?;
        let old = parent(&self.dir).join(aside_name(
            self.dir.file_name().unwrap_or_default(),
            &format!("{}-old", std::process::id()),
        ));
        let replaced = self.dir.exists();
        if replaced {
            fs::rename(&self.dir, &old).map_err(StoreError::io("move away", &self.dir))?;
        }
        fs::rename(&self.aside, &self.dir).map_err(StoreError::io("complete", &self.dir))?;
        self.finished = true;
        if replaced {
            fs::remove_dir_all(&old).map_err(StoreError::io("remove", &old))?;
        }
        sync(parent(&self.dir))
    }
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

fn aside_name(name: &std::ffi::OsStr, suffix: &str) -> OsString {
    let mut aside = OsString::from(".");
    aside.push(name);
    aside.push(".tmp-");
    aside.push(suffix);
    aside
}

/// A free place is nothing at all, an empty directory, or a result that may be replaced.
fn check_free(dir: &Path, replace: bool) -> Result<(), StoreError> {
    let mut entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(StoreError::io("use the directory", dir)(e)),
    };
    if entries.next().is_none() {
        return fs::remove_dir(dir).map_err(StoreError::io("replace the empty directory", dir));
    }
    match (dir.join("summary.json").is_file(), replace) {
        (true, true) => Ok(()),
        (true, false) => Err(StoreError::Exists(dir.to_path_buf())),
        (false, _) => Err(StoreError::NotAResult(dir.to_path_buf())),
    }
}

/// Removes what killed runs of the same name left behind.
fn remove_leftovers(parent: &Path, name: &std::ffi::OsStr) -> Result<(), StoreError> {
    let prefix = aside_name(name, "");
    let entries = fs::read_dir(parent).map_err(StoreError::io("list the directory", parent))?;
    for entry in entries.flatten() {
        let theirs = entry.file_name();
        let bytes = theirs.as_encoded_bytes();
        if bytes.starts_with(prefix.as_encoded_bytes()) {
            let path = entry.path();
            fs::remove_dir_all(&path)
                .map_err(StoreError::io("remove what an unfinished run left,", &path))?;
        }
    }
    Ok(())
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
        let killed = RunWriter::create(&dir, false).unwrap();
        killed.write_text("summary.json", "{}").unwrap();
        let other = tmp.path().join(".runner.tmp-1");
        fs::create_dir(&other).unwrap();
        let left = tmp.path().join(".run.tmp-0");
        fs::rename(killed.path(), &left).unwrap();
        std::mem::forget(killed);
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
}
