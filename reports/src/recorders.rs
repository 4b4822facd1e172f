//! Turns the records of a run into tables, metrics and packets, while it runs.

mod capture;
mod census;
mod connections;
mod flows;
mod grid;
mod histogram;
mod level;
mod links;
mod names;
mod outcomes;
mod requests;
mod samples;
mod segments;
mod states;

use std::collections::BTreeMap;
use std::io;

use sim_core::{Record, Recorder, RunStats, SimDuration, SimTime};
use tcp_model::TcpSample;

use crate::findings::findings;
use crate::info::RunInfo;
use crate::metrics::Metrics;
use crate::render::render_files;
use crate::store::hash::{file_hash, joint_hash};
use crate::store::{MemorySummary, RunSummary, RunWriter, StoreError};
use capture::Capture;
use census::Census;
use connections::Connections;
use flows::Flows;
use names::Names;
use outcomes::Outcomes;
use requests::Requests;
use samples::Samples;
use segments::Segments;
use states::States;

/// What is known only after the run.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// The engine's numbers.
    pub stats: RunStats,
    /// More metrics, which win over the recorder's own; those not finite are left out. Their names
    /// must be registered (see [`metrics`](crate::metrics)); your own begin with `custom.`.
    pub metrics: BTreeMap<String, f64>,
    /// Counters of hosts or groups: owner, then counter.
    pub counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// Memory of the simulator's objects.
    pub memory: MemorySummary,
    /// Wall-clock facts for `timing.json`: name and value.
    pub timing: BTreeMap<String, f64>,
}

/// Receives the records of one run and makes its directory.
#[derive(Debug)]
pub struct RunRecorder {
    writer: RunWriter,
    info: RunInfo,
    names: Names,
    census: Census,
    outcomes: Outcomes,
    requests: Requests,
    connections: Connections,
    flows: Flows,
    states: States,
    samples: Samples,
    segments: Segments,
    capture: Option<Capture>,
    records: u64,
}

impl RunRecorder {
    /// Opens the tables.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn new(writer: RunWriter, info: RunInfo) -> Result<RunRecorder, StoreError> {
        let info = info.finite();
        let dir = writer.path().to_path_buf();
        let at = |s: f64| SimTime::ZERO + SimDuration::from_secs_f64(s);
        let (from, to) = info.steady_window();
        let window = (at(from), at(to));
        let record = &info.record;
        let capture = record
            .pcapng
            .then(|| Capture::new(&dir, &info.nodes))
            .transpose()?;
        Ok(RunRecorder {
            names: Names::new(&info.nodes),
            census: Census::new(&dir, record.interval_s, &info.nodes, window)?,
            outcomes: Outcomes::new(&dir, record.interval_s, window)?,
            requests: Requests::new(&dir, record.interval_s)?,
            connections: Connections::new(&dir, record.connections)?,
            flows: Flows::default(),
            states: States::new(&dir, record.states)?,
            samples: Samples::new(&dir)?,
            segments: Segments::new(&dir)?,
            capture,
            records: 0,
            writer,
            info,
        })
    }

    /// Writes what is left, the summary, figures and report, and puts the directory in place.
    ///
    /// # Errors
    /// When anything cannot be written; there is then no run directory.
    pub fn complete(self, completion: Completion) -> Result<RunSummary, StoreError> {
        let dir = self.writer.path().to_path_buf();
        let end = completion.stats.reached;
        let mut metrics = Metrics::default();
        let acked = self.connections.bytes_acked();
        metrics.put("records", self.records as f64);
        self.census.close(end, &mut metrics)?;
        self.outcomes.close(end, &mut metrics)?;
        self.requests.close(end, &mut metrics)?;
        self.connections.close(&mut metrics)?;
        self.flows.close(&mut metrics);
        self.states.close()?;
        self.samples.close(end, acked, &self.names, &mut metrics)?;
        self.segments.close(&self.names)?;
        self.capture.map(Capture::close).transpose()?;
        links::write(&dir, &self.info.links, &completion.stats, &mut metrics)?;
        for (id, value) in &completion.metrics {
            metrics.put(id, *value);
        }
        let metrics = metrics.finish().map_err(StoreError::UnknownMetric)?;
        let mut summary = RunSummary {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reached_s: end.as_secs_f64(),
            findings: findings(&self.info, &metrics),
            info: self.info,
            metrics,
            counters: completion.counters,
            memory: completion.memory,
            files: BTreeMap::new(),
            result_hash: String::new(),
        };
        hash_results(&dir, &mut summary)?;
        write_timing(&self.writer, &completion.stats, completion.timing)?;
        summary.write(&dir)?;
        render_files(&dir, &summary, &dir)?;
        self.writer.finish(&summary.files)?;
        Ok(summary)
    }

    fn on_record(&mut self, record: &Record<TcpSample>) -> Result<(), StoreError> {
        let (time, node) = (record.time, record.node);
        self.census.advance(time)?;
        self.outcomes.advance(time)?;
        match &record.sample {
            TcpSample::State(change) => {
                self.census.on_state(time, node, change);
                self.states.on_state(time, node, change, &self.names)?;
            }
            TcpSample::Connect(attempt) => self.outcomes.on_connect(time, attempt),
            TcpSample::Outcome(outcome) => self.outcomes.on_outcome(time, outcome),
            TcpSample::Request(request) => self.requests.on_request(time, request)?,
            TcpSample::Unanswered(request) => self.requests.on_unanswered(time, request),
            TcpSample::Flow(flow) => self.flows.on_flow(flow),
            TcpSample::Ended(end) => {
                self.flows.on_ended(end);
                self.connections.on_ended(node, end, &self.names)?;
                self.samples.on_ended(end);
            }
            TcpSample::Segment(trace) => {
                self.segments.on_segment(time, node, trace, &self.names)?;
                if let Some(capture) = &mut self.capture {
                    capture.on_segment(time, node, trace)?;
                }
            }
            TcpSample::Sender(sample) => {
                self.samples.on_sender(time, node, sample, &self.names)?;
            }
        }
        Ok(())
    }
}

impl Recorder<TcpSample> for RunRecorder {
    fn write(&mut self, batch: &[Record<TcpSample>]) -> io::Result<()> {
        self.records += batch.len() as u64;
        for record in batch {
            self.on_record(record)?;
        }
        Ok(())
    }

    fn finish(&mut self, end: SimTime) -> io::Result<()> {
        self.census.advance(end)?;
        self.outcomes.advance(end)?;
        Ok(())
    }
}

/// Hashes the files of numbers there are, and them together with the metrics and counters.
fn hash_results(dir: &std::path::Path, summary: &mut RunSummary) -> Result<(), StoreError> {
    let entries = std::fs::read_dir(dir).map_err(StoreError::io("list the directory", dir))?;
    for entry in entries {
        let path = entry
            .map_err(StoreError::io("list the directory", dir))?
            .path();
        let kind = path.extension().and_then(|e| e.to_str());
        if let Some("parquet" | "pcapng") = kind
            && let Some(name) = path.file_name().and_then(|n| n.to_str())
        {
            summary.files.insert(name.to_owned(), file_hash(&path)?);
        }
    }
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

/// What depends on machine, threads or partitions.
fn write_timing(
    writer: &RunWriter,
    stats: &RunStats,
    mut timing: BTreeMap<String, f64>,
) -> Result<(), StoreError> {
    timing.insert("max_pending_events".into(), stats.max_pending as f64);
    timing.insert("max_packets_in_flight".into(), stats.max_packets as f64);
    timing.insert("packet_memory_bytes".into(), stats.packet_bytes as f64);
    timing.insert("windows".into(), stats.windows as f64);
    timing.insert("partition_visits".into(), stats.visits as f64);
    timing.retain(|_, value| value.is_finite());
    let text = serde_json::to_string_pretty(&timing).unwrap_or_default();
    writer.write_text("timing.json", &(text + "\n"))
}
