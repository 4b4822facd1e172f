//! What to say of files that are not as they were written, and that are no results: figures, pages,
//! and how long a run took.

use std::path::{Path, PathBuf};

use reports::store::look_at_results;

use crate::console::note;
use crate::place::shell_words;

/// Most files or runs that are named.
const MOST_NAMED: usize = 3;

/// Figures and pages of a kept run that are missing, or that somebody has changed; and its
/// `timing.json`.
pub(super) fn note_changed_drawings(dir: &Path) {
    note_lost_timing(dir);
    let marker = look_at_results(dir);
    let changed = marker.map(|marker| marker.changed_drawings(dir));
    if let [first, rest @ ..] = changed.unwrap_or_default().as_slice() {
        let (verb, them) = match rest.len() {
            0 => (" was".to_owned(), "it"),
            n => (format!(" and {n} more were"), "them"),
        };
        let again = shell_words(["synfin", "report", &dir.display().to_string()]);
        note(&format!(
            "{}{verb} changed or removed since synfin drew {them}; `{again}` draws {them} again",
            dir.join(first).display(),
        ));
    }
}

/// The record of how long a kept run took, if it is gone.
pub(super) fn note_lost_timing(dir: &Path) {
    if look_at_results(dir).is_ok_and(|marker| marker.has_lost_timing(dir)) {
        note(&format!(
            "{} is missing or was changed: how long the run took is not known any more; its results are \
             as they were (--force makes them, and it, again)",
            dir.join("timing.json").display()
        ));
    }
}

/// The same of the runs of a batch, of the first few.
pub(super) fn note_changed_runs<'a>(dir: &Path, ids: impl IntoIterator<Item = &'a String>) {
    let run = |id: &String| dir.join("runs").join(id);
    let changed = |run: &PathBuf| {
        let marker = look_at_results(run);
        marker.is_ok_and(|marker| {
            marker.has_lost_timing(run) || !marker.changed_drawings(run).is_empty()
        })
    };
    let all: Vec<PathBuf> = ids.into_iter().map(run).filter(changed).collect();
    for run in all.iter().take(MOST_NAMED) {
        note_changed_drawings(run);
    }
    if all.len() > MOST_NAMED {
        note(&format!(
            "… files of {} runs were changed or removed in all",
            all.len()
        ));
    }
}

/// Files that somebody had changed and that new ones took the place of.
pub(super) fn note_kept(kept: &[PathBuf]) {
    for path in kept.iter().take(MOST_NAMED) {
        note(&format!(
            "what stood in the place of a file of synfin's, and was not as synfin had written it, is now {}",
            path.display()
        ));
    }
    if kept.len() > MOST_NAMED {
        note(&format!("… and {} more files", kept.len() - MOST_NAMED));
    }
}
