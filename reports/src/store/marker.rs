//! `synfin.json`: marks a result directory, and lists the files in it that are ours.
//!
//! A file is ours if it is in the list and still has the bytes with which it was written. Only such
//! files are ever replaced or deleted; everything else in the directory belongs to the user.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::{is_plain_file, read_own_text};
use super::hash::{file_hash, text_hash};
use super::summary::json_text;
use super::{FORMAT, MARKER, Provenance, StoreError, write_json};

/// Wall-clock facts, which differ from run to run and therefore have no hash in the list.
pub(crate) const TIMING: &str = "timing.json";

const ABOUT: &str = "Results of synfin. Only the files listed here, while they have these hashes, \
                     are ever replaced or deleted by it.";

/// What a result directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultKind {
    /// One run.
    Run,
    /// A batch, with its runs under `runs/`.
    Batch,
    /// Files being written, to be moved once they are complete.
    Unfinished,
}

/// How a file differs from what was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mismatch {
    #[error("it is missing")]
    Missing,
    #[error("it cannot be read: {0}")]
    Unreadable(std::io::Error),
    #[error("something else has taken its place")]
    NotAFile,
    #[error("it was changed after it was written")]
    Edited,
    #[error("it has {now} bytes instead of the {written} that were written")]
    Length { now: u64, written: u64 },
    #[error("its bytes have changed since they were written")]
    Bytes,
    #[error(transparent)]
    NoHash(#[from] StoreError),
}

/// A file as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    /// Its length; 0 for `timing.json`.
    pub bytes: u64,
    /// Its hash, see [`hash`](super::hash); empty for `timing.json`.
    pub hash: String,
}

impl FileMark {
    /// The mark of the file `name` at `path`.
    pub(crate) fn of(path: &Path, name: &str) -> Result<FileMark, StoreError> {
        if name == TIMING {
            return Ok(FileMark::default());
        }
        let kind = fs::metadata(path).map_err(StoreError::io("read", path))?;
        Ok(FileMark {
            bytes: kind.len(),
            hash: file_hash(path)?,
        })
    }

    /// Checks that a file is still as it was written.
    pub(crate) fn fits(&self, path: &Path) -> Result<(), Mismatch> {
        let kind = match fs::symlink_metadata(path) {
            Ok(kind) => kind,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(Mismatch::Missing);
            }
            Err(e) => return Err(Mismatch::Unreadable(e)),
        };
        if !kind.is_file() {
            return Err(Mismatch::NotAFile);
        }
        if self.hash.is_empty() {
            return match is_timing(path) {
                true => Ok(()),
                false => Err(Mismatch::Edited),
            };
        }
        if kind.len() != self.bytes {
            return Err(Mismatch::Length {
                now: kind.len(),
                written: self.bytes,
            });
        }
        match file_hash(path)? == self.hash {
            true => Ok(()),
            false => Err(Mismatch::Bytes),
        }
    }
}

/// `timing.json` contains names with numbers and the provenance; anything else with that name is
/// not ours.
fn is_timing(path: &Path) -> bool {
    is_plain_file(path)
        && read_own_text(path).is_ok_and(|text| serde_json::from_str::<Timing>(&text).is_ok())
}

/// The contents of `timing.json`: what a run cost, and who made it. Not part of its results.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Timing {
    /// Numbers by name.
    #[serde(flatten)]
    pub(crate) numbers: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provenance: Option<Provenance>,
}

/// The contents of `synfin.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// What the directory holds.
    pub kind: ResultKind,
    /// Version of the layout.
    pub format: u32,
    /// False while the directory is being created or changed, and if that was interrupted.
    pub complete: bool,
    /// The files that are ours, by path relative to the directory.
    pub files: BTreeMap<String, FileMark>,
    /// Files that were about to replace others when this was written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arriving: BTreeMap<String, FileMark>,
    /// The runs of a batch, by identity.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub runs: BTreeSet<String>,
    /// Runs of the batch that was here before, to be removed once this one is complete.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub former_runs: BTreeSet<String>,
}

/// The file: the marker with a hash that proves that it is whole.
#[derive(Serialize, Deserialize)]
struct MarkerFile {
    about: String,
    /// Hash of everything that follows.
    check: String,
    #[serde(flatten)]
    marker: Marker,
}

impl Marker {
    /// The marker of a directory with nothing in it yet.
    pub(crate) fn new(kind: ResultKind) -> Marker {
        Marker {
            kind,
            format: FORMAT,
            complete: false,
            files: BTreeMap::new(),
            arriving: BTreeMap::new(),
            runs: BTreeSet::new(),
            former_runs: BTreeSet::new(),
        }
    }

    /// Reads the marker of a directory; `None` if there is none.
    pub(crate) fn read(dir: &Path) -> Result<Option<Marker>, StoreError> {
        let path = dir.join(MARKER);
        if !super::files::is_there(&path) {
            return Ok(None);
        }
        let unusable = |why: String| StoreError::Unrecognised {
            path: dir.to_path_buf(),
            why,
        };
        if !is_plain_file(&path) {
            return Err(unusable(format!("its {MARKER} is not a regular file")));
        }
        let text = match read_own_text(&path) {
            Ok(text) => text,
            Err(StoreError::Damaged { why, .. }) => {
                return Err(unusable(format!("its {MARKER} is damaged: {why}")));
            }
            Err(other) => return Err(other),
        };
        let damaged = |why: String| unusable(format!("its {MARKER} is damaged: {why}"));
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?;
        if let Some(format) = value.get("format").and_then(serde_json::Value::as_u64)
            && format > u64::from(FORMAT)
        {
            return Err(StoreError::Newer {
                path: dir.to_path_buf(),
                format,
            });
        }
        let file: MarkerFile = serde_json::from_value(value).map_err(|e| damaged(e.to_string()))?;
        if file.check != file.marker.digest() || !file.marker.names_are_inside() {
            return Err(damaged("its own hash does not match".to_owned()));
        }
        // Changes that no hash covers, such as blanks, are changes too.
        if file.about != ABOUT || json_text(&path, &file)? != text {
            return Err(damaged("it was changed after it was written".to_owned()));
        }
        Ok(Some(file.marker))
    }

    /// Writes the marker atomically.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let file = MarkerFile {
            about: ABOUT.to_owned(),
            check: self.digest(),
            marker: self.clone(),
        };
        write_json(&dir.join(MARKER), &file)
    }

    fn digest(&self) -> String {
        text_hash(&serde_json::to_string(self).unwrap_or_default())
    }

    /// A list with a path that leads out of the directory is not synfin's.
    fn names_are_inside(&self) -> bool {
        let files = self.files.keys().chain(self.arriving.keys());
        let runs = self.runs.iter().chain(&self.former_runs);
        files.chain(runs).all(|name| is_inside(name))
    }

    /// Returns true if the file `name` in `dir` is ours: listed, and as it was written.
    pub(crate) fn owns(&self, dir: &Path, name: &str) -> bool {
        let marks = [self.files.get(name), self.arriving.get(name)];
        let path = dir.join(name);
        marks
            .into_iter()
            .flatten()
            .any(|mark| mark.fits(&path).is_ok())
    }

    /// Returns true if the file `name` was once ours.
    pub(crate) fn lists(&self, name: &str) -> bool {
        self.files.contains_key(name) || self.arriving.contains_key(name)
    }

    /// Checks the files with results, but not the figures and pages drawn from them.
    ///
    /// # Errors
    /// For the first file that is missing or changed; or if the directory was left half changed.
    pub fn verify(&self, dir: &Path) -> Result<(), StoreError> {
        let damaged = |name: &str, why: String| StoreError::Damaged {
            path: dir.join(name),
            why,
        };
        if !self.arriving.is_empty() {
            let why = "a change of this directory was interrupted".to_owned();
            return Err(damaged(MARKER, why));
        }
        for (name, mark) in self.files.iter().filter(|(name, _)| !is_drawn(name)) {
            // How long a run took proves nothing about its results.
            if name != TIMING {
                mark.fits(&dir.join(name))
                    .map_err(|why| damaged(name, why.to_string()))?;
            }
        }
        Ok(())
    }

    /// Returns true if `timing.json` is listed but missing, or no longer as it was written. It is
    /// not part of the results, which do not depend on how long they took.
    pub fn has_lost_timing(&self, dir: &Path) -> bool {
        let mark = self.files.get(TIMING);
        mark.is_some_and(|mark| mark.fits(&dir.join(TIMING)).is_err())
    }

    /// The figures and pages that are missing or changed.
    pub fn changed_drawings(&self, dir: &Path) -> Vec<String> {
        let drawn = self.files.iter().filter(|(name, _)| is_drawn(name));
        let changed = drawn.filter(|(name, mark)| mark.fits(&dir.join(name)).is_err());
        changed.map(|(name, _)| name.clone()).collect()
    }
}

/// Returns true for files that are drawn from results and can be drawn again.
pub(crate) fn is_drawn(name: &str) -> bool {
    name == "report.html" || name.starts_with("figures/")
}

/// Returns true for a path that stays below its directory.
fn is_inside(name: &str) -> bool {
    let plain = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
    !name.is_empty() && Path::new(name).components().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_ours_only_while_it_is_listed_and_unchanged() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("a");
        fs::write(&path, "results").unwrap();
        let mut marker = Marker::new(ResultKind::Run);
        assert!(!marker.owns(tmp.path(), "a"));
        let mark = FileMark::of(&path, "a").unwrap();
        marker.files.insert("a".into(), mark);
        assert!(marker.owns(tmp.path(), "a"));
        marker.verify(tmp.path()).unwrap();
        for (text, why) in [("resulta", "bytes have changed"), ("x", "1 bytes instead")] {
            fs::write(&path, text).unwrap();
            assert!(!marker.owns(tmp.path(), "a"));
            let error = marker.verify(tmp.path()).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        fs::remove_file(&path).unwrap();
        let error = marker.verify(tmp.path()).unwrap_err().to_string();
        assert!(error.contains("is missing"), "{error}");
    }

    #[test]
    fn a_damaged_foreign_or_newer_mark_is_recognised() {
        let tmp = tempfile::tempdir().unwrap();
        let marker = Marker::new(ResultKind::Batch);
        marker.write(tmp.path()).unwrap();
        let path = tmp.path().join(MARKER);
        let whole = fs::read_to_string(&path).unwrap();
        assert!(Marker::read(tmp.path()).unwrap().is_some());
        for (text, why) in [
            (whole.replace("\"batch\"", "\"run\""), "hash does not match"),
            (whole[..whole.len() / 2].to_owned(), "damaged"),
            ("{}".to_owned(), "damaged"),
            (whole.replace("of synfin", "of Synfin"), "was changed"),
            (whole.replace("  ", " "), "was changed"),
            (whole.replace("\"format\": 1", "\"format\": 2"), "newer"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Marker::read(tmp.path()).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
