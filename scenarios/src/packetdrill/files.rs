//! The scripts that the command line selects.

use std::path::{Path, PathBuf};

use crate::console::CommandError;

/// Returns the given files, and all `*.pkt` files below the given directories, sorted by name.
///
/// # Errors
/// When a path does not exist, or there is no script.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = all.len();
            below(path, &mut all)?;
            if all.len() == before {
                return Err(CommandError::Usage(format!(
                    "error: no *.pkt in {}",
                    path.display()
                )));
            }
            all[before..].sort();
        } else if path.exists() {
            all.push(path.clone());
        } else {
            return Err(CommandError::Usage(format!(
                "error: cannot read {}: there is no such file\n  = help: give scripts, or directories that hold *.pkt",
                path.display()
            )));
        }
    }
    Ok(all)
}

/// Searches a directory. Does not follow symbolic links, which could form a cycle.
fn below(dir: &Path, all: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    let fails = |e| CommandError::Usage(format!("error: cannot read {}: {e}", dir.display()));
    for entry in std::fs::read_dir(dir).map_err(fails)? {
        let entry = entry.map_err(fails)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(fails)?);
        if kind.is_dir() {
            below(&path, all)?;
        } else if path.extension().is_some_and(|e| e == "pkt") {
            all.push(path);
        }
    }
    Ok(())
}
