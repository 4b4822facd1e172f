//! A temporary directory for files that are being written, beside their destination.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::files::{is_plain_dir, is_plain_file};
use super::{DirLock, MARKER, Marker, ResultKind, StoreError};

/// How often a new name is tried if others keep taking it.
const ATTEMPTS: u32 = 100;

/// Where locks are not supported, anything older than this is a leftover.
const AGE_OF_LEFTOVERS: Duration = Duration::from_secs(24 * 3600);

/// Part of the name of every such directory.
const TMP: &str = ".tmp-";

/// Name before [`TMP`] of the directories inside a result directory.
pub(crate) const INSIDE: &str = "synfin";

/// The next number of a directory of this process. A number is never reused: another writer that is
/// about to remove the directory with the old number would remove the new one.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A directory `.NAME.tmp-PID-N`, locked while in use and removed with its contents when dropped.
/// What a killed process leaves behind is removed by the next one that uses the same name.
#[derive(Debug)]
pub(crate) struct Aside {
    path: PathBuf,
    /// Shows other processes that the directory is in use.
    _lock: DirLock,
}

impl Aside {
    /// Creates and locks a directory in `parent` for the result called `name`.
    pub(crate) fn create(parent: &Path, name: &OsStr) -> Result<Aside, StoreError> {
        remove_leftovers(parent, name)?;
        let pid = std::process::id();
        let mut path = parent.to_path_buf();
        for _ in 0..ATTEMPTS {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            path = parent.join(aside_name(name, &format!("{pid}-{n}")));
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
                Err(e) => return Err(StoreError::io("create the directory", &path)(e)),
            }
            // Until it is locked, another writer may take it for a leftover.
            match DirLock::take(&path) {
                Ok(DirLock::Theirs) => {}
                Ok(_lock) if path.is_dir() => {
                    let aside = Aside { path, _lock };
                    Marker::new(ResultKind::Unfinished).write(&aside.path)?;
                    return Ok(aside);
                }
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    return Err(StoreError::io("lock the directory", &path)(e));
                }
                _ => {}
            }
        }
        let taken = std::io::Error::from(ErrorKind::AlreadyExists);
        Err(StoreError::io("create the directory", &path)(taken))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Best effort: what remains is removed by the next run of this name. After a successful
        // rename there is nothing left under this name.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn aside_name(name: &OsStr, suffix: &str) -> OsString {
    let mut aside = OsString::from(".");
    aside.push(name);
    aside.push(TMP);
    aside.push(suffix);
    aside
}

/// Returns true for what a killed process left inside a result directory.
pub(crate) fn is_leftover(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let prefix = aside_name(OsStr::new(INSIDE), "");
    (starts_with(name, &prefix) && is_aside(path)) || is_unfinished_mark(path)
}

/// Returns true for a marker under its temporary name `.synfin.json.tmp-PID-N`, used until it is
/// complete.
fn is_unfinished_mark(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = aside_name(OsStr::new(MARKER), "");
    let numbers = name
        .strip_prefix(&*prefix.to_string_lossy())
        .and_then(|rest| rest.split_once('-'));
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    numbers.is_some_and(|(pid, n)| is_number(pid) && is_number(n)) && is_plain_file(path)
}

/// Removes unfinished markers from a result directory. The caller holds its lock, so nobody else is
/// writing it.
pub(crate) fn remove_unfinished_marks(dir: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(dir).map_err(StoreError::io("list the directory", dir))?;
    let paths = entries.flatten().map(|entry| entry.path());
    for path in paths.filter(|path| is_unfinished_mark(path)) {
        fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
    }
    Ok(())
}

fn starts_with(name: &OsStr, prefix: &OsStr) -> bool {
    name.as_encoded_bytes()
        .starts_with(prefix.as_encoded_bytes())
}

/// Returns true for a directory made by [`Aside::create`]: it has a marker, or its maker got no
/// further than writing the marker under its temporary name.
fn is_aside(path: &Path) -> bool {
    let unwritten = aside_name(OsStr::new(MARKER), "");
    let only_unwritten = |entries: fs::ReadDir| {
        let mut entries = entries.flatten();
        entries.all(|e| starts_with(&e.file_name(), &unwritten))
    };
    is_plain_dir(path)
        && (matches!(Marker::read(path), Ok(Some(_)))
            || fs::read_dir(path).is_ok_and(only_unwritten))
}

/// Removes what killed runs of the same name left behind, but nothing of runs that are alive.
fn remove_leftovers(parent: &Path, name: &OsStr) -> Result<(), StoreError> {
    let prefix = aside_name(name, "");
    let entries = fs::read_dir(parent).map_err(StoreError::io("list the directory", parent))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if !starts_with(&entry.file_name(), &prefix) || !is_aside(&path) {
            continue;
        }
        match DirLock::take(&path) {
            Ok(DirLock::Theirs) => {}
            Ok(DirLock::Unknown) => {
                let changed = entry.metadata().and_then(|m| m.modified()).ok();
                let age = changed.and_then(|t| t.elapsed().ok());
                if age.is_some_and(|age| age > AGE_OF_LEFTOVERS) {
                    remove_leftover(&path)?;
                }
            }
            // The lock is held until the directory is gone, so that its maker does not continue to
            // use it.
            Ok(_lock @ DirLock::Ours(_)) => remove_leftover(&path)?,
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => {
                let what = "look at what an unfinished run left,";
                return Err(StoreError::io(what, &path)(e));
            }
        }
    }
    Ok(())
}

fn remove_leftover(path: &Path) -> Result<(), StoreError> {
    // The marker goes last: if this is killed in between, the rest is still recognised.
    if let Ok(entries) = fs::read_dir(path) {
        for entry in entries.flatten().filter(|e| e.file_name() != MARKER) {
            let path = entry.path();
            let _ = if is_plain_dir(&path) {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
        }
    }
    match fs::remove_dir_all(path) {
        // Another writer has removed it, or parts of it, in the meantime.
        Err(e) if e.kind() != ErrorKind::NotFound => Err(StoreError::io(
            "remove what an unfinished run left,",
            path,
        )(e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_removed_by_the_next_of_its_name() {
        let tmp = tempfile::tempdir().unwrap();
        let at = |name: &str| tmp.path().join(name);
        for (name, marked) in [
            (".runner.tmp-1", true),
            (".run.tmp-1-0", true),
            (".run.tmp-2-0", false),
            (".run.tmp-3-0", false),
            (".run.tmp-mine", false),
        ] {
            fs::create_dir(at(name)).unwrap();
            if marked {
                let marker = Marker::new(ResultKind::Unfinished);
                marker.write(&at(name)).unwrap();
            }
        }
        fs::write(at(".run.tmp-mine").join("notes"), "x").unwrap();
        // Killed while writing the marker.
        let half = at(".run.tmp-3-0").join(format!(".{MARKER}.tmp-3-0"));
        fs::write(half, "{").unwrap();
        let aside = Aside::create(tmp.path(), OsStr::new("run")).unwrap();
        let left = [
            ".runner.tmp-1",
            ".run.tmp-1-0",
            ".run.tmp-2-0",
            ".run.tmp-3-0",
        ];
        let left = left.map(|name| at(name).exists());
        assert_eq!(left, [true, false, false, false]);
        assert!(at(".run.tmp-mine").join("notes").exists());
        let path = aside.path().to_path_buf();
        let second = Aside::create(tmp.path(), OsStr::new("run")).unwrap();
        assert!(path.exists() && second.path() != path);
        drop(aside);
        assert!(!path.exists());
        let third = Aside::create(tmp.path(), OsStr::new("run")).unwrap();
        assert_ne!(third.path(), path, "a name is never used again");
    }
}
