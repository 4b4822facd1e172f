//! Turns the records of a run into tables, metrics and packets while it runs.
//!
//! ```text
//!   simulation ── batches of records ──► recording thread ──► tables, packets.pcapng
//!        ▲                                     │
//!        └──────────── used batches ───────────┘              the end ──► metrics, summary.json
//! ```
//!
//! The simulating thread only passes its records on; when a few batches are queued, it waits. With
//! [`RecorderOptions::same_thread`] it records them itself. The amount recorded by default is bounded, however long the run; see [`LeftOut`].

mod capture;
mod census;
mod connections;
mod end_points;
mod exchanges;
mod first;
mod flows;
mod grid;
mod half_open;
mod histogram;
mod left_out;
mod level;
mod links;
mod long_run;
mod numbers;
mod outcomes;
mod pools;
mod proxies;
mod queues;
mod recording;
mod requests;
mod row_texts;
mod samples;
mod segments;
mod slowdown;
mod states;
mod tracked;

use std::collections::BTreeMap;
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use sim_core::{Record, Recorder, RunStats, SimTime};
use tcp_model::TcpSample;
use tcp_model::app::http::HttpPayloads;

use crate::bilingual::Language;
use crate::findings::findings;
use crate::info::{LinkInfo, NodeGroup, RunInfo};
use crate::metrics::Metrics;
use crate::render::render_files;
use crate::store::LeftOut;
use crate::store::beside::{Beside, Worker};
use crate::store::hash::{file_hash, joint_hash};
use crate::store::table::Tables;
use crate::store::{MemorySummary, Provenance, RunSummary, RunWriter, StoreError, Timing};
pub use numbers::NumbersRecorder;
use recording::Recording;
use row_texts::NodeNames;
pub(crate) use segments::COLUMNS as SEGMENT_COLUMNS;

/// What is known only at the end of the run.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// Additional metrics, which override the recorder's own; values that are not finite are dropped. Their
    /// names must be registered (see [`metrics`](crate::metrics)); names of your own start with `custom.`.
    pub metrics: BTreeMap<String, f64>,
    /// Counters of hosts or groups: owner, then counter.
    pub counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// Memory of the simulator's objects.
    pub memory: MemorySummary,
    /// Wall-clock facts for `timing.json`: name and value.
    pub timing: BTreeMap<String, f64>,
    /// Who made the run, for `timing.json`.
    pub provenance: Option<Provenance>,
}

/// A completed run directory.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The summary of the run.
    pub summary: RunSummary,
    /// Files that the user had edited and that were kept under another name.
    pub kept: Vec<PathBuf>,
    /// Tables that could not be read and figures that could not be drawn, each with the reason.
    pub missing: Vec<String>,
}

/// How a run is recorded.
#[derive(Debug, Default)]
pub struct RecorderOptions {
    /// HTTP as the payload of captured packets.
    pub http: Option<HttpPayloads>,
    /// Record in the thread that simulates, instead of in one beside it: less processor time in all, but a run
    /// takes longer. Results do not depend on it.
    pub same_thread: bool,
}

/// Receives the records of one run and writes its directory.
#[derive(Debug)]
pub struct RunRecorder {
    /// Declared before the writer, so that its thread ends before the directory is removed.
    worker: Worker<Recording>,
    writer: RunWriter,
    info: RunInfo,
}

impl RunRecorder {
    /// Opens the tables.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn new(writer: RunWriter, info: RunInfo) -> Result<RunRecorder, StoreError> {
        RunRecorder::with_options(writer, info, RecorderOptions::default())
    }

    /// Like [`RunRecorder::new`], with these options.
    ///
    /// # Errors
    /// As [`RunRecorder::new`].
    pub fn with_options(
        writer: RunWriter,
        info: RunInfo,
        options: RecorderOptions,
    ) -> Result<RunRecorder, StoreError> {
        let info = info.finite();
        let dir = writer.path();
        let recording = Recording::new(&dir.into(), &info, options.http)?;
        let worker = if options.same_thread {
            Worker::Here(Some(recording))
        } else {
            let beside = Beside::new("recording", recording, WAITING);
            Worker::Beside(beside.map_err(StoreError::io("record into", dir))?)
        };
        Ok(RunRecorder {
            worker,
            writer,
            info,
        })
    }

    /// Writes the remaining records, the summary, figures and report, and puts the directory in place.
    ///
    /// # Errors
    /// When anything cannot be written; there is then no run directory.
    ///
    /// # Panics
    /// When recording panicked.
    pub fn complete(
        self,
        stats: &RunStats,
        completion: Completion,
    ) -> Result<RunSummary, StoreError> {
        let done = self.complete_beside(stats, || completion);
        done.map(|done| done.summary)
    }

    /// Like [`RunRecorder::complete`], with a completion computed while the tables of a large
    /// network are closed. Also returns which edited files were kept.
    ///
    /// # Errors
    /// As [`RunRecorder::complete`].
    ///
    /// # Panics
    /// As [`RunRecorder::complete`].
    pub fn complete_beside(
        self,
        stats: &RunStats,
        completion: impl FnOnce() -> Completion,
    ) -> Result<Completed, StoreError> {
        let dir = self.writer.path().to_path_buf();
        let is_large = self.info.nodes.len() >= WORTH_A_THREAD;
        let (worker, links) = (self.worker, &self.info.links);
        let tables = || close_tables(worker, &dir, links, stats);
        let (closed, completion) = both(is_large, tables, completion);
        let (mut metrics, left_out) = closed?;
        for (id, value) in &completion.metrics {
            metrics.put(id, *value);
        }
        let metrics = metrics.finish()?;
        let findings = findings(&self.info, &metrics);
        let mut info = self.info;
        // Return the summary as it will be read back.
        info.links = Vec::new();
        let nodes = std::mem::take(&mut info.nodes);
        let mut summary = RunSummary {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reached_s: stats.reached.as_secs_f64(),
            findings,
            nodes: NodeGroup::of_nodes(&nodes),
            info,
            metrics,
            counters: completion.counters,
            left_out,
            memory: completion.memory,
            files: BTreeMap::new(),
            result_hash: String::new(),
        };
        hash_results(&dir, &mut summary)?;
        write_timing(
            &self.writer,
            stats,
            completion.timing,
            completion.provenance,
        )?;
        summary.write(&dir)?;
        let missing = render_files(&dir, &summary, &dir, Language::English)?;
        let kept = self.writer.finish(&summary.files)?;
        Ok(Completed {
            summary,
            kept,
            missing,
        })
    }
}

impl Recorder<TcpSample> for RunRecorder {
    fn write(&mut self, batch: &[Record<TcpSample>]) -> io::Result<()> {
        Ok(self.worker.write(batch)?)
    }

    fn take(&mut self, batch: &mut Vec<Record<TcpSample>>) -> io::Result<()> {
        Ok(self.worker.take(batch)?)
    }

    fn finish(&mut self, _end: SimTime) -> io::Result<()> {
        // The end time comes with the completion.
        Ok(())
    }
}

/// Batches of records that may wait for the recording thread.
const WAITING: usize = 4;

/// Number of rows of a table above which writing it takes longer than starting a thread.
const WORTH_A_THREAD: usize = 2_000;

/// Writes the tables of links and queues and adds their metrics.
fn write_network(
    to: &Tables,
    infos: &[LinkInfo],
    names: &NodeNames,
    stats: &RunStats,
    metrics: &mut Metrics,
) -> Result<(), StoreError> {
    links::write(to, infos, names, stats, metrics)?;
    queues::write(to, infos, names, stats, metrics)
}

/// Hashes each file of numbers, and all hashes together with the metrics and counters.
fn hash_results(dir: &Path, summary: &mut RunSummary) -> Result<(), StoreError> {
    let entries = std::fs::read_dir(dir).map_err(StoreError::io("list the directory", dir))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io("list the directory", dir))?;
        let path = entry.path();
        let kind = path.extension().and_then(|e| e.to_str());
        if let Some("parquet" | "pcapng") = kind
            && let Some(name) = path.file_name().and_then(|n| n.to_str())
        {
            let size = entry.metadata().map_or(0, |m| m.len());
            files.push((size, name.to_owned(), path));
        }
    }
    // The largest file takes about as long as all the others combined.
    files.sort_unstable();
    let (others, largest) = files.split_at(files.len().saturating_sub(1));
    let hashes = |files: &[(u64, String, PathBuf)]| {
        let each = files.iter();
        let each = each.map(|(_, name, path)| Ok((name.clone(), file_hash(path)?)));
        each.collect::<Result<Vec<_>, StoreError>>()
    };
    let is_large = largest.iter().any(|(size, ..)| *size >= 1 << 17);
    let (of_largest, of_others) = both(is_large, || hashes(largest), || hashes(others));
    summary.files = of_largest?.into_iter().chain(of_others?).collect();
    let mut text = String::new();
    for (name, value) in &summary.metrics {
        text.push_str(&format!("{name} {value:?}\n"));
    }
    for (owner, counters) in &summary.counters {
        text.push_str(&format!("{owner} {counters:?}\n"));
    }
    summary.result_hash = joint_hash(&summary.files, &text);
    Ok(())
}

/// Closes all tables; returns their metrics, and what was not recorded.
fn close_tables(
    worker: Worker<Recording>,
    dir: &Path,
    links: &[LinkInfo],
    stats: &RunStats,
) -> Result<(Metrics, Vec<LeftOut>), StoreError> {
    let recording = worker.join()?;
    let names = Arc::clone(&recording.names);
    // In parallel: a table of 10^5 links takes as long to write as everything else.
    let of_links = || {
        let (to, mut metrics) = (Tables::from(dir), Metrics::default());
        write_network(&to, links, &names, stats, &mut metrics)?;
        Ok::<_, StoreError>(metrics)
    };
    let mut metrics = Metrics::default();
    let close = || recording.close(stats.reached, &mut metrics);
    let (of_links, left_out) = both(links.len() >= WORTH_A_THREAD, of_links, close);
    metrics.merge(of_links?);
    Ok((metrics, left_out?))
}

/// Runs two functions, the first on another thread if that is worthwhile.
fn both<A: Send, B>(
    is_worth_it: bool,
    beside: impl FnOnce() -> A + Send,
    here: impl FnOnce() -> B,
) -> (A, B) {
    if !is_worth_it {
        return (beside(), here());
    }
    thread::scope(|scope| {
        let beside = scope.spawn(beside);
        let here = here();
        (
            beside.join().unwrap_or_else(|panic| resume_unwind(panic)),
            here,
        )
    })
}

/// Writes facts that depend on the machine, threads or partitions.
fn write_timing(
    writer: &RunWriter,
    stats: &RunStats,
    mut timing: BTreeMap<String, f64>,
    provenance: Option<Provenance>,
) -> Result<(), StoreError> {
    timing.insert("max_pending_events".into(), stats.max_pending as f64);
    timing.insert("max_packets_in_flight".into(), stats.max_packets as f64);
    timing.insert("packet_memory_bytes".into(), stats.packet_bytes as f64);
    timing.insert("windows".into(), stats.windows as f64);
    timing.insert("partition_visits".into(), stats.visits as f64);
    timing.retain(|_, value| value.is_finite());
    let timing = Timing {
        numbers: timing,
        provenance,
    };
    let text = serde_json::to_string_pretty(&timing).unwrap_or_default();
    writer.write_text("timing.json", &(text + "\n"))
}
