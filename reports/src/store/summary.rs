//! `summary.json`: the numbers of a run, and the proof that it is complete.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::LeftOut;
use super::{StoreError, read_own_text};
use crate::info::{NodeGroup, RunInfo};

/// Longest simulated time, seconds: 2^64 picoseconds.
const LONGEST_S: f64 = 18_446_745.0;

/// Memory of a run's objects. A function of the scenario and the program; what depends on the
/// partitions or the machine is in `timing.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemorySummary {
    /// Bytes of one object of each kind, including its share of tables.
    pub object_bytes: BTreeMap<String, u64>,
    /// Largest number of objects of a kind at a time, summed over hosts.
    pub peaks: BTreeMap<String, u64>,
    /// Bytes of tables at the end, summed over hosts; they do not shrink.
    pub table_bytes: BTreeMap<String, u64>,
    /// Connections that exist at the end, by state.
    pub at_end: BTreeMap<String, ConnectionMemory>,
}

/// Memory of the connections in one state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionMemory {
    /// Number of connections.
    pub connections: u64,
    /// Their bytes in total.
    pub bytes: u64,
    /// Bytes of the largest.
    pub largest: u64,
}

/// The numbers of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Version of the crate that wrote it.
    pub version: String,
    /// What was known in advance.
    pub info: RunInfo,
    /// Its nodes, by groups.
    #[serde(default)]
    pub nodes: Vec<NodeGroup>,
    /// Simulated time reached, seconds.
    pub reached_s: f64,
    /// Results by name; names end in their unit. All are finite.
    pub metrics: BTreeMap<String, f64>,
    /// Counters of hosts or groups of hosts: owner, then counter.
    pub counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// The results in words, most important first.
    pub findings: Vec<String>,
    /// What was not written, and the key that includes it.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// Memory of the simulator's objects; a property of the program, not part of the hash.
    #[serde(default)]
    pub memory: MemorySummary,
    /// Hash of each file of numbers, by file name.
    pub files: BTreeMap<String, String>,
    /// Hash over `files`, `metrics` and `counters`: two runs with equal hashes have equal results.
    /// The same for every event queue, number of threads and division of the network; see
    /// [`hash`](super::hash).
    pub result_hash: String,
}

impl RunSummary {
    /// Reads `summary.json` of a run directory.
    ///
    /// # Errors
    /// When the file does not exist, or is not a summary.
    pub fn read(dir: &Path) -> Result<RunSummary, StoreError> {
        let path = dir.join("summary.json");
        let text = read_own_text(&path)?;
        let damaged = |why: String| StoreError::Damaged {
            path: path.clone(),
            why,
        };
        let summary: RunSummary =
            serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?;
        match summary.impossible_time() {
            None => Ok(summary),
            Some(time) => Err(damaged(format!("it has the impossible time {time} s"))),
        }
    }

    /// A time that no run can have; figures over it would have no end.
    fn impossible_time(&self) -> Option<f64> {
        let info = &self.info;
        let steady = info
            .record
            .steady_s
            .map_or([0.0; 2], |(from, to)| [from, to]);
        let times = [self.reached_s, info.duration_s, info.record.interval_s];
        let mut all = times.into_iter().chain(steady);
        all.find(|time| !(0.0..=LONGEST_S).contains(time))
    }

    /// Writes `summary.json`; the bytes are a function of the summary.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), StoreError> {
        write_json(&dir.join("summary.json"), self)
    }
}

/// Writes a value as JSON through a temporary file, so that it appears atomically.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    write_whole(path, &json_text(path, value)?)
}

/// The text that [`write_json`] writes.
pub(crate) fn json_text(path: &Path, value: &impl Serialize) -> Result<String, StoreError> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => Ok(written_out(text) + "\n"),
        Err(e) => Err(StoreError::Damaged {
            path: path.to_path_buf(),
            why: e.to_string(),
        }),
    }
}

/// Escapes the control characters from U+007F to U+009F, which JSON leaves as they are but a
/// terminal may obey. They can occur only in strings, where their escapes mean the same.
fn written_out(text: String) -> String {
    let is_plain = |c: char| !matches!(c, '\u{7f}'..='\u{9f}');
    if text.chars().all(is_plain) {
        return text;
    }
    let each = text.chars().map(|c| match is_plain(c) {
        true => c.to_string(),
        false => format!("\\u{:04x}", u32::from(c)),
    });
    each.collect()
}

/// Writes a text file under a temporary name and renames it.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<(), StoreError> {
    let (mut file, aside) = new_file_beside(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| std::fs::rename(&aside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&aside);
    }
    written.map_err(StoreError::io("write", path))
}

/// Creates a file in the directory of `path` under a name that nothing has, not even a symbolic
/// link.
fn new_file_beside(path: &Path) -> Result<(File, PathBuf), StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for n in 0..u32::MAX {
        let aside = path.with_file_name(format!(".{name}.tmp-{}-{n}", std::process::id()));
        match File::create_new(&aside) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(StoreError::io("write", &aside)(e)),
            Ok(file) => return Ok((file, aside)),
        }
    }
    Err(StoreError::InTheWay(path.to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_no_control_character_that_a_terminal_obeys() {
        let value = "a\u{1b}[31m\u{7f}\u{85}\u{9b}31m\u{a0}ü";
        let text = json_text(Path::new("x"), &value).unwrap();
        assert_eq!(text, "\"a\\u001b[31m\\u007f\\u0085\\u009b31m\u{a0}ü\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }

    #[test]
    fn a_file_is_written_through_no_name_that_somebody_has() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("f");
        let other = tmp.path().join(format!(".f.tmp-{}-0", std::process::id()));
        std::fs::write(&other, "mine").unwrap();
        write_whole(&path, "text").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
        assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 2);
    }
}
