//! What exists at the place for results, and what a path means.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::aside::is_leftover;
use super::files::is_there;
use super::{Marker, StoreError};

/// What exists at a path.
#[derive(Clone, Debug)]
pub enum PathContents {
    /// Nothing at all.
    Nothing,
    /// An empty directory.
    Empty,
    /// A result directory of synfin's.
    Ours(Box<Marker>),
}

/// Examines a path.
///
/// # Errors
/// When something else exists there: a file, a symbolic link, a directory that is not ours, or one
/// whose `synfin.json` is damaged or of a newer version.
pub fn look(dir: &Path) -> Result<PathContents, StoreError> {
    let kind = match fs::symlink_metadata(dir) {
        Ok(kind) => kind,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(PathContents::Nothing),
        Err(e) => return Err(StoreError::io("use the directory", dir)(e)),
    };
    let unrecognised = |why: String| {
        Err(StoreError::Unrecognised {
            path: dir.to_path_buf(),
            why,
        })
    };
    if kind.is_symlink() {
        let target = fs::read_link(dir).unwrap_or_default();
        return unrecognised(format!(
            "it is a symbolic link to {}, which synfin does not write through",
            target.display()
        ));
    }
    if !kind.is_dir() {
        let error = std::io::Error::from(ErrorKind::NotADirectory);
        return Err(StoreError::io("use the directory", dir)(error));
    }
    if let Some(marker) = Marker::read(dir)? {
        return Ok(PathContents::Ours(Box::new(marker)));
    }
    let mut entries = fs::read_dir(dir).map_err(StoreError::io("list the directory", dir))?;
    if entries.all(|entry| entry.is_ok_and(|entry| is_leftover(&entry.path()))) {
        return Ok(PathContents::Empty);
    }
    let has = |name: &str| is_there(&dir.join(name));
    if has("summary.json") || has("batch.json") || (has("batch.toml") && has("runs")) {
        return unrecognised(format!(
            "it looks like results of an earlier synfin, but has no {} that lists which files are synfin's",
            super::MARKER
        ));
    }
    unrecognised(format!(
        "it is not empty and holds no synfin results (no {})",
        super::MARKER
    ))
}

/// The marker of a directory that must hold results.
///
/// # Errors
/// As [`look`]; also if nothing exists there.
pub fn look_at_results(dir: &Path) -> Result<Marker, StoreError> {
    match look(dir)? {
        PathContents::Ours(marker) => Ok(*marker),
        PathContents::Nothing | PathContents::Empty => {
            Err(StoreError::NoResults(dir.to_path_buf()))
        }
    }
}

/// The normalised path of a result directory: `new/.` is `new`, and for `a/../b` only `b` is
/// created. A `..` goes up from where symbolic links before it lead, as in the rest of the system.
///
/// # Errors
/// When the directory has no name, such as `/`.
pub fn resolve(path: &Path) -> Result<PathBuf, StoreError> {
    let plain = |c: Component<'_>| !matches!(c, Component::ParentDir | Component::CurDir);
    let bad = || StoreError::BadName(path.to_path_buf());
    if path.as_os_str().is_empty() {
        return Err(bad());
    }
    if path.components().all(plain) {
        // Rebuilt from its components, so that no `/` or `/.` is left at its end.
        let path: PathBuf = path.components().collect();
        return path.file_name().map(|_| path.clone()).ok_or_else(bad);
    }
    let here = std::env::current_dir().map_err(StoreError::io("find the directory of", path))?;
    let mut whole = here.canonicalize().unwrap_or(here.clone());
    let canonical_here = whole.clone();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if let Ok(real) = whole.canonicalize() {
                    whole = real;
                }
                whole.pop();
            }
            other => whole.push(other),
        }
    }
    if whole.file_name().is_none() {
        return Err(bad());
    }
    Ok(match whole.strip_prefix(&canonical_here) {
        Ok(rest) if !rest.as_os_str().is_empty() => rest.to_path_buf(),
        _ => whole,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_as_they_are_meant() {
        for (given, meant) in [
            ("new", "new"),
            ("new/", "new"),
            ("new/.", "new"),
            ("./new", "new"),
            ("no-such/../b", "b"),
            ("a/./b//c/", "a/b/c"),
            ("/x/y/../z/.", "/x/z"),
        ] {
            assert_eq!(resolve(Path::new(given)).unwrap(), Path::new(meant));
        }
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(resolve(Path::new(".")).unwrap(), here);
        assert_eq!(
            resolve(Path::new("..")).unwrap(),
            here.parent().unwrap().to_path_buf()
        );
        for none in ["", "/", "/..", "/a/.."] {
            assert!(resolve(Path::new(none)).is_err(), "{none}");
        }
    }

    #[test]
    fn what_is_not_ours_is_left_alone_with_the_reason() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("d");
        assert!(matches!(look(&dir).unwrap(), PathContents::Nothing));
        fs::create_dir(&dir).unwrap();
        assert!(matches!(look(&dir).unwrap(), PathContents::Empty));
        let why = |path: &Path| look(path).unwrap_err().to_string();
        fs::write(dir.join("chapter1"), "years of work").unwrap();
        assert!(why(&dir).contains("holds no synfin results"));
        assert!(why(&dir.join("chapter1")).contains("there is a file"));
        fs::write(dir.join("summary.json"), "{}").unwrap();
        assert!(why(&dir).contains("earlier synfin"));
        #[cfg(unix)]
        {
            let link = tmp.path().join("link");
            std::os::unix::fs::symlink(&dir, &link).unwrap();
            assert!(why(&link).contains("symbolic link"), "{}", why(&link));
        }
    }
}
