//! `summary.json`: a run in numbers, and the proof that it is complete.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::info::RunInfo;

/// A run in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Version of the crate that wrote it.
    pub version: String,
    /// What was known beforehand.
    pub info: RunInfo,
    /// Simulated time reached, seconds.
    pub reached_s: f64,
    /// Results by name; names end in their unit. All are finite.
    pub metrics: BTreeMap<String, f64>,
    /// Counters of hosts or groups of hosts: owner, then counter.
    pub counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// The results in words, most important first.
    pub findings: Vec<String>,
    /// Hash of each file of numbers, by file name.
    pub files: BTreeMap<String, String>,
    /// Hash over `files`: two runs with equal hashes have equal results.
    pub result_hash: String,
}

impl RunSummary {
    /// Reads `summary.json` of a run directory.
    ///
    /// # Errors
    /// When there is none, or it is not one.
    pub fn read(dir: &Path) -> Result<RunSummary, StoreError> {
        let path = dir.join("summary.json");
        let text = std::fs::read_to_string(&path).map_err(StoreError::io("read", &path))?;
        serde_json::from_str(&text).map_err(|e| StoreError::Damaged {
            path,
            why: e.to_string(),
        })
    }

    /// Writes `summary.json`; the bytes are a function of the summary.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), StoreError> {
        write_json(&dir.join("summary.json"), self)
    }
}

/// Writes a value as JSON through a file of another name, so that it is there whole or not at all.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let text = serde_json::to_string_pretty(value).map_err(|e| StoreError::Damaged {
        path: path.to_path_buf(),
        why: e.to_string(),
    })?;
    write_whole(path, &(text + "\n"))
}

/// Writes a text file through one of another name.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<(), StoreError> {
    let aside = path.with_added_extension("tmp");
    std::fs::write(&aside, text).map_err(StoreError::io("write", &aside))?;
    std::fs::rename(&aside, path).map_err(StoreError::io("write", path))
}
