//! Notes about changed or missing files that are not results: figures, pages and `timing.json`.

use std::path::{Path, PathBuf};

use reports::store::{look_at_results, run_place};

use crate::console::note;
use crate::output_dir::shell_words;

/// Maximum number of files or runs that are named one by one.
const MOST_NAMED: usize = 3;

/// Notes missing or edited figures and pages of a kept run, and a lost `timing.json`.
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
            "{}{verb} changed or removed since synfin drew {them}; `{again}` redraws {them}",
            dir.join(first).display(),
        ));
    }
}

/// Notes that `timing.json` of a kept run is missing or was changed.
pub(super) fn note_lost_timing(dir: &Path) {
    if look_at_results(dir).is_ok_and(|marker| marker.has_lost_timing(dir)) {
        note(&format!(
            "{} is missing or was changed: the run's duration is no longer known, but its results are \
             intact (--force repeats the run)",
            dir.join("timing.json").display()
        ));
    }
}

/// The same for the first few runs of a batch.
pub(super) fn note_changed_runs<'a>(dir: &Path, ids: impl IntoIterator<Item = &'a String>) {
    let run = |id: &String| run_place(&dir.join("runs"), id);
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

/// Notes where edited files are kept after new ones have replaced them.
pub(super) fn note_kept(kept: &[PathBuf]) {
    for path in kept.iter().take(MOST_NAMED) {
        note(&format!(
            "an edited file has been kept as {}",
            path.display()
        ));
    }
    if kept.len() > MOST_NAMED {
        note(&format!("… and {} more files", kept.len() - MOST_NAMED));
    }
}

/// Notes what the reports of new runs lack, with the reasons.
pub(super) fn note_missing(missing: &[String]) {
    for what in missing.iter().take(MOST_NAMED) {
        note(&format!("the report lacks something: {what}"));
    }
    if missing.len() > MOST_NAMED {
        note(&format!("… and {} more", missing.len() - MOST_NAMED));
    }
}
