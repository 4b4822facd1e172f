//! Where the directories of a batch's runs are: `runs/ID`, or `runs/AB/ID` in a large batch, where `AB` are the first
//! two characters of the identity.
//!
//! File systems and tools become slow with thousands of entries in one directory, and every
//! run lists its parent directory when it begins. A batch that grows keeps its runs where they are.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::is_plain_dir;

/// Batches of more runs than this have subdirectories.
const MOST_SIDE_BY_SIDE: usize = 256;
/// Characters of an identity in the name of its subdirectory: hexadecimal digits, thus 256 subdirectories.
const PREFIX: usize = 2;

/// The directory of a run below `runs`, the directory of a batch's runs: where it exists, otherwise `runs/ID`.
pub fn run_place(runs: &Path, id: &str) -> PathBuf {
    below(runs, id)
        .filter(|place| place.is_dir())
        .unwrap_or_else(|| runs.join(id))
}

/// The directory for a run of a batch of `count` runs: where it exists, otherwise where it is to be written.
pub fn new_run_place(runs: &Path, id: &str, count: usize) -> PathBuf {
    let flat = runs.join(id);
    match below(runs, id) {
        Some(below) if below.is_dir() || (count > MOST_SIDE_BY_SIDE && !flat.exists()) => below,
        _ => flat,
    }
}

/// Splits the directory of a run into that of its batch's runs and its identity. `None` if the path is not below a
/// directory `runs`.
pub fn runs_and_id(place: &Path) -> Option<(&Path, &str)> {
    let id = place.file_name()?.to_str()?;
    let above = place.parent()?;
    let runs = match above.file_name()?.to_str()? {
        "runs" => above,
        prefix if id.get(..PREFIX) == Some(prefix) => above.parent()?,
        _ => return None,
    };
    runs.ends_with("runs").then_some((runs, id))
}

/// The identities of all runs that have a directory below `runs`.
pub fn runs_with_directories(runs: &Path) -> HashSet<String> {
    let mut all = HashSet::new();
    for (name, place) in directories(runs) {
        match name.len() {
            PREFIX => all.extend(directories(&place).map(|(id, _)| id)),
            _ => drop(all.insert(name)),
        }
    }
    all
}

/// The path of a run's directory relative to that of its batch, for links. `None` if the run has none: only its
/// metrics are kept.
pub(crate) fn run_link(runs: &Path, id: &str) -> Option<String> {
    if below(runs, id).is_some_and(|below| below.is_dir()) {
        Some(format!("runs/{}/{id}", &id[..PREFIX]))
    } else {
        runs.join(id).is_dir().then(|| format!("runs/{id}"))
    }
}

/// The place of a run in a large batch; `None` for an identity that is too short.
fn below(runs: &Path, id: &str) -> Option<PathBuf> {
    let prefix = id.get(..PREFIX).filter(|_| id.len() > PREFIX)?;
    Some(runs.join(prefix).join(id))
}

/// The directories in a directory, without those that are being written.
fn directories(dir: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let entries = entries.filter(|entry| is_plain_dir(&entry.path()));
    let named = entries.filter_map(|e| Some((e.file_name().into_string().ok()?, e.path())));
    named.filter(|(name, _)| !name.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_a_large_batch_are_in_subdirectories_and_found_in_either_place() {
        let tmp = tempfile::tempdir().unwrap();
        let runs = &tmp.path().join("b/runs");
        let [old, new] = ["0123456789ab", "01fedcba9876"];
        assert_eq!(new_run_place(runs, old, 256), runs.join(old));
        fs::create_dir_all(runs.join(old)).unwrap();
        // The batch grows: what is there stays.
        assert_eq!(new_run_place(runs, old, 257), runs.join(old));
        let place = new_run_place(runs, new, 257);
        assert_eq!(place, runs.join("01").join(new));
        assert_eq!(run_place(runs, new), runs.join(new));
        fs::create_dir_all(&place).unwrap();
        assert_eq!(run_place(runs, new), place);
        assert_eq!(run_place(runs, old), runs.join(old));
        // And shrinks.
        assert_eq!(new_run_place(runs, new, 3), place);
        assert_eq!(run_link(runs, new), Some(format!("runs/01/{new}")));
        assert_eq!(run_link(runs, old), Some(format!("runs/{old}")));
        assert_eq!(run_link(runs, "01aaaaaaaaaa"), None, "without a directory");
        assert_eq!(runs_and_id(&place), Some((runs.as_path(), new)));
        assert_eq!(runs_and_id(&runs.join(old)), Some((runs.as_path(), old)));
        assert_eq!(runs_and_id(&runs.join("02").join(new)), None);
        assert_eq!(runs_and_id(Path::new("results/dumbbell")), None);
        fs::create_dir(runs.join(".01.tmp-1-1")).unwrap();
        let all = [old, new].map(str::to_owned);
        assert_eq!(runs_with_directories(runs), all.into());
    }

    #[test]
    fn a_short_name_has_no_subdirectory() {
        let runs = Path::new("runs");
        assert_eq!(new_run_place(runs, "a", 1000), runs.join("a"));
        assert_eq!(new_run_place(runs, "ab", 1000), runs.join("ab"));
        assert_eq!(run_link(runs, "é"), None);
    }
}
