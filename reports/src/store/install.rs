//! Moves finished files into an existing result directory.
//!
//! All files are first written to a temporary directory. Then `synfin.json` records what is about
//! to change, each file is renamed into place, old files without a successor are deleted, and
//! `synfin.json` records the new contents. If the process is killed in between, the directory is
//! recognised as half changed, and every file of ours in it is still known to be ours.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use super::files::{is_plain_dir, is_there};
use super::marker::FileMark;
use super::{MARKER, Marker, StoreError};

/// Marks of all files below `dir` except the marker, by path. Hashes that are already known are
/// taken from `known`.
pub(crate) fn marks(
    dir: &Path,
    known: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, FileMark>, StoreError> {
    let mut all = BTreeMap::new();
    for name in names(dir)? {
        let path = dir.join(&name);
        let mark = match known.get(&name) {
            Some(hash) => FileMark {
                bytes: fs::metadata(&path)
                    .map_err(StoreError::io("read", &path))?
                    .len(),
                hash: hash.clone(),
            },
            None => FileMark::of(&path, &name)?,
        };
        all.insert(name, mark);
    }
    Ok(all)
}

/// Paths below `dir` of all files in it except the marker, with `/` between their parts.
fn names(dir: &Path) -> Result<Vec<String>, StoreError> {
    let mut all = Vec::new();
    let mut open = vec![String::new()];
    while let Some(prefix) = open.pop() {
        let here = dir.join(&prefix);
        let entries = fs::read_dir(&here).map_err(StoreError::io("list the directory", &here))?;
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list the directory", &here))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if is_plain_dir(&entry.path()) {
                open.push(name + "/");
            } else if name != MARKER {
                all.push(name);
            }
        }
    }
    Ok(all)
}

/// Moves the files in `aside` to `dir`, whose marker is `old`, and writes the marker `new`, which
/// lists the moved and the remaining files. Files of `old` that `new` does not list are deleted.
///
/// A listed file that the user has changed is kept as `NAME.kept-N`; returns the names of these
/// files.
pub(crate) fn install(
    dir: &Path,
    aside: &Path,
    old: &Marker,
    new: &Marker,
) -> Result<Vec<PathBuf>, StoreError> {
    let mut all_kept = Vec::new();
    let arriving = names(aside)?;
    let ways = arriving
        .iter()
        .map(|name| way(dir, name, old, new))
        .collect::<Result<Vec<FilePlace>, _>>()?;
    let change = Marker {
        complete: false,
        arriving: new.files.clone(),
        ..old.clone()
    };
    change.write(dir)?;
    for (name, way) in arriving.iter().zip(ways) {
        let (from, to) = (aside.join(name), dir.join(name));
        if let FilePlace::Kept(kept) = way {
            fs::rename(&to, &kept).map_err(StoreError::io("keep what was changed as", &kept))?;
            all_kept.push(kept);
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(StoreError::io("create the directory", parent))?;
        }
        fs::rename(&from, &to).map_err(StoreError::io("write", &to))?;
    }
    let gone: Vec<&String> = (old.files.keys())
        .filter(|name| !new.files.contains_key(*name))
        .collect();
    remove_files(dir, old, gone.into_iter())?;
    new.write(dir)?;
    sync(dir)?;
    Ok(all_kept)
}

/// How a file gets to its place.
enum FilePlace {
    /// Nothing exists there, or an unchanged file of synfin's.
    Free,
    /// The file there was synfin's but has been changed: it is kept under this name.
    Kept(PathBuf),
}

fn way(dir: &Path, name: &str, old: &Marker, new: &Marker) -> Result<FilePlace, StoreError> {
    let path = dir.join(name);
    let mut above = path.parent();
    while let Some(parent) = above.filter(|parent| *parent != dir) {
        if is_there(parent) && !is_plain_dir(parent) {
            return Err(StoreError::InTheWay(parent.to_path_buf()));
        }
        above = parent.parent();
    }
    let same = || (new.files.get(name)).is_some_and(|mark| mark.fits(&path).is_ok());
    if !is_there(&path) || old.owns(dir, name) || same() {
        Ok(FilePlace::Free)
    } else if old.lists(name) {
        kept_name(&path).map(FilePlace::Kept)
    } else {
        Err(StoreError::InTheWay(path))
    }
}

/// The first free name of `NAME.kept-1`, `NAME.kept-2`, ….
pub(crate) fn kept_name(path: &Path) -> Result<PathBuf, StoreError> {
    (1..=u32::MAX)
        .map(|n| path.with_added_extension(format!("kept-{n}")))
        .find(|kept| !is_there(kept))
        .ok_or_else(|| StoreError::InTheWay(path.to_path_buf()))
}

/// Deletes the given files that are ours, and directories that become empty.
fn remove_files<'a>(
    dir: &Path,
    marker: &Marker,
    names: impl Iterator<Item = &'a String>,
) -> Result<(), StoreError> {
    let mut parents: Vec<PathBuf> = Vec::new();
    for name in names {
        let path = dir.join(name);
        if marker.owns(dir, name) {
            fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        }
        let above = path.parent().filter(|parent| *parent != dir);
        parents.extend(above.map(Path::to_path_buf));
    }
    for parent in parents.iter().filter(|parent| is_plain_dir(parent)) {
        // Fails, as it should, if anything else is in it.
        let _ = fs::remove_dir(parent);
    }
    Ok(())
}

/// Deletes the files of a result directory that are ours, and the directory if it becomes empty.
pub(crate) fn remove_results(dir: &Path, marker: &Marker) -> Result<(), StoreError> {
    remove_files(dir, marker, marker.files.keys())?;
    remove_files(dir, marker, marker.arriving.keys())?;
    let path = dir.join(MARKER);
    fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
    let _ = fs::remove_dir(dir);
    Ok(())
}

/// Flushes a file or directory to the disk.
pub(crate) fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|f| f.sync_all())
        .map_err(StoreError::io("flush", path))
}

/// Number of files that one thread flushes.
const FLUSHED_IN_TURN: usize = 4;

/// Flushes a directory and everything in it. Each flush waits for the disk; in parallel the waits
/// overlap.
pub(crate) fn sync_tree(dir: &Path) -> Result<(), StoreError> {
    let names = names(dir)?;
    let flush = |names: &[String]| names.iter().try_for_each(|name| sync(&dir.join(name)));
    thread::scope(|scope| {
        let mut parts = names.chunks(FLUSHED_IN_TURN);
        let own = parts.next_back().unwrap_or_default();
        let others: Vec<_> = parts.map(|part| scope.spawn(move || flush(part))).collect();
        let own = flush(own);
        let joined = others.into_iter().map(|thread| thread.join());
        let joined = joined.map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)));
        joined.fold(own, Result::and)
    })?;
    sync(dir)
}
