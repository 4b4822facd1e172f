//! Runs that share files: `parts/NAME-N.runs` of a batch, with a line for each run.
//!
//! ```text
//!   HASH {"part":1,"version":"0.1.0","by":{…}}             first: who wrote it
//!   HASH {"list":0,"names":["a","b"]}                      names of metrics
//!   HASH {"run":"ID","of":0,"values":[1.5,2.0],"s":0.01}   a run with the metrics of list 0
//!   HASH {"run":"ID","failed":"why"}                       a run that failed
//! ```
//!
//! Each line begins with its own hash, so a line that a killed process has left half written, or
//! that somebody has changed, is detected: its runs count as missing and are made again. A file is
//! written by one process, which appends lines and changes none. Values are those of
//! `index.parquet`; `s` is the wall-clock time of the simulation and not a result.

mod writer;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::files::is_plain_file;
use super::hash::text_hash;
use super::row_metrics::{RowMetrics, SharedNames};

pub use writer::PartWriter;

/// Directory of the parts, below that of the batch.
pub const PARTS: &str = "parts";
/// File name extension of parts.
const ENDING: &str = "runs";
/// Number of digits of the hash at the start of a line.
const DIGITS: usize = 16;
/// Longest line that is read: a line with 10,000 metrics is far shorter.
const MOST_LINE: usize = 1 << 24;

/// What is stored about a run.
#[derive(Clone, Debug, PartialEq)]
pub enum PartRun {
    /// It is complete.
    Complete {
        /// Its metrics.
        metrics: RowMetrics,
        /// Wall-clock seconds that the simulation took.
        simulation_s: f64,
    },
    /// It failed, for this reason.
    Failed(String),
}

/// A line of a part: each of the four kinds uses some of the fields.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct PartLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

/// The runs found in the parts of a batch.
#[derive(Debug, Default)]
pub struct Parts {
    /// By identity. If a run occurs twice, a complete one.
    pub runs: HashMap<String, PartRun>,
    /// Lines that cannot be used, with the reason.
    pub damaged: Vec<String>,
}

impl Parts {
    /// Reads the parts of the batch in `dir`; empty if there are none.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub fn read(dir: &Path) -> Result<Parts, StoreError> {
        let mut parts = Parts::default();
        let mut shared = SharedNames::default();
        for path in files(dir)? {
            parts.add(&path, &mut shared)?;
        }
        Ok(parts)
    }

    fn add(&mut self, path: &Path, shared: &mut SharedNames) -> Result<(), StoreError> {
        let mut lists: HashMap<usize, Arc<[String]>> = HashMap::new();
        let damaged = &mut self.damaged;
        let mut note = |n: usize, why: &str| {
            damaged.push(format!("{}: line {n}: {why}", path.display()));
        };
        let runs = &mut self.runs;
        each_line(path, |n, line| {
            let Some(line) = line else {
                return note(n, "it was changed, or not written to its end");
            };
            let line: PartLine = match serde_json::from_str(line) {
                Ok(line) => line,
                Err(e) => return note(n, &e.to_string()),
            };
            if let (Some(list), Some(names)) = (line.list, line.names) {
                lists.insert(list, shared.list(names.into()));
            } else if let (Some(run), Some(why)) = (&line.run, line.failed) {
                runs.entry(run.clone()).or_insert(PartRun::Failed(why));
            } else if let (Some(run), Some(of)) = (line.run, line.of) {
                let names = lists.get(&of).cloned();
                let values = line.values.unwrap_or_default();
                match names.and_then(|names| RowMetrics::from_parts(names, values)) {
                    Some(metrics) => {
                        let simulation_s = line.s.unwrap_or_default();
                        let run_is = PartRun::Complete {
                            metrics,
                            simulation_s,
                        };
                        runs.insert(run, run_is);
                    }
                    None => note(n, "the list of its metrics is missing"),
                }
            }
        })
    }

    /// The runs in the parts of `dir` that are complete, and those that failed, according to their
    /// lines; the hashes of lines are not checked.
    ///
    /// # Errors
    /// As [`Parts::read`].
    pub fn glance(dir: &Path) -> Result<HashMap<String, Option<String>>, StoreError> {
        let mut runs: HashMap<String, Option<String>> = HashMap::new();
        for path in files(dir)? {
            let mut reader = BufReader::with_capacity(1 << 16, open(&path)?);
            let mut line = Vec::new();
            while next_line(&mut reader, &mut line, &path)? {
                if !line.ends_with(b"\n") {
                    continue;
                }
                let Some(text) = line.get(DIGITS + 1..).and_then(|t| str::from_utf8(t).ok()) else {
                    continue;
                };
                let Some((run, rest)) = text
                    .strip_prefix("{\"run\":\"")
                    .and_then(|t| t.split_once('"'))
                else {
                    continue;
                };
                match rest.starts_with(",\"of\":") {
                    true => {
                        runs.insert(run.to_owned(), None);
                    }
                    false => {
                        let line: PartLine = serde_json::from_str(text).unwrap_or_default();
                        if let Some(why) = line.failed {
                            runs.entry(run.to_owned()).or_insert(Some(why));
                        }
                    }
                }
            }
        }
        Ok(runs)
    }

    /// Removes the parts in `dir` that have no run for which `wanted` is true. Files that somebody
    /// has changed stay.
    ///
    /// # Errors
    /// When a part cannot be read or removed.
    pub fn remove_others(dir: &Path, wanted: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        for path in files(dir)? {
            let (mut has_wanted, mut is_ours) = (false, false);
            each_line(&path, |n, line| {
                is_ours = line.is_some() && (n == 1 || is_ours);
                let line: Option<PartLine> = line.and_then(|line| serde_json::from_str(line).ok());
                has_wanted |= line.and_then(|l| l.run).is_some_and(|run| wanted(&run));
            })?;
            if is_ours && !has_wanted {
                fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
            }
        }
        // If it is empty.
        let _ = fs::remove_dir(dir.join(PARTS));
        Ok(())
    }
}

/// The parts of a batch, sorted by name.
fn files(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let dir = dir.join(PARTS);
    if !super::files::is_plain_dir(&dir) {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&dir).map_err(StoreError::io("list the directory", &dir))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let is_part =
        |path: &PathBuf| path.extension().is_some_and(|e| e == ENDING) && is_plain_file(path);
    let mut paths: Vec<PathBuf> = paths.filter(is_part).collect();
    paths.sort();
    Ok(paths)
}

fn open(path: &Path) -> Result<File, StoreError> {
    File::open(path).map_err(StoreError::io("read", path))
}

/// Reads the next line with its terminator; returns false after the last. Of a line that is too
/// long, only the end is returned.
fn next_line(
    reader: &mut BufReader<File>,
    line: &mut Vec<u8>,
    path: &Path,
) -> Result<bool, StoreError> {
    line.clear();
    loop {
        let available = reader.fill_buf().map_err(StoreError::io("read", path))?;
        if available.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = available.iter().position(|b| *b == b'\n');
        let n = end.map_or(available.len(), |end| end + 1);
        if line.len() > MOST_LINE {
            line.clear();
        }
        line.extend_from_slice(&available[..n]);
        reader.consume(n);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// Calls `with` for each line with its number, from 1, and its text; `None` if hash and text
/// differ.
fn each_line(path: &Path, mut with: impl FnMut(usize, Option<&str>)) -> Result<(), StoreError> {
    let mut reader = BufReader::with_capacity(1 << 16, open(path)?);
    let mut line = Vec::new();
    let mut n = 0;
    while next_line(&mut reader, &mut line, path)? {
        n += 1;
        with(n, whole(&line));
    }
    Ok(())
}

/// The text of a line, if it is as it was written.
fn whole(line: &[u8]) -> Option<&str> {
    let line = str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (hash, text) = line.split_at_checked(DIGITS)?;
    let text = text.strip_prefix(' ')?;
    (text_hash(text)[..DIGITS] == *hash).then_some(text)
}

#[cfg(test)]
mod tests;
