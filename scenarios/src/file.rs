//! The mirror of a scenario's text: what may be written, before anything is checked.
//!
//! [`crate::scenario::Scenario`] is the checked and complete form; written out, it is a
//! [`ScenarioFile`] again, with every default spelled out.

use serde::{Deserialize, Serialize};
use sim_core::SimDuration;

pub mod fault;
pub mod tcp;
pub mod topology;
pub mod values;
pub mod workload;

use values::{Limit, Samples, Segments};

/// A scenario as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Name: letters, digits, `-`, `_` and `.`; the results go to `results/NAME`.
    pub name: String,
    /// The question it answers, in one line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub question: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Simulated time.
    pub duration: Option<SimDuration>,
    /// Seed of all randomness; 1 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Runs of each variant with different randomness; 1 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// How to run; changes no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineFile>,
    /// TCP parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<tcp::TcpFile>,
    /// The network.
    pub topology: Option<topology::TopologyFile>,
    /// What the hosts do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workload: Vec<workload::WorkloadFile>,
    /// Nodes that go down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<fault::FaultFile>,
    /// What is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordFile>,
    /// Values to vary, by dotted path.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub sweep: toml::Table,
    /// Figures over the runs of a batch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figure: Vec<FigureFile>,
    /// Which run this is: in a `run.toml` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunFile>,
}

impl ScenarioFile {
    /// Takes what stands under a top-level key from another file; `None` when there is no such key.
    pub(crate) fn take(&mut self, key: &str, from: &mut ScenarioFile) -> Option<()> {
        use std::mem::take;
        match key {
            "name" => self.name = take(&mut from.name),
            "question" => self.question = take(&mut from.question),
            "description" => self.description = take(&mut from.description),
            "duration" => self.duration = from.duration,
            "seed" => self.seed = from.seed,
            "replicas" => self.replicas = from.replicas,
            "engine" => self.engine = from.engine.take(),
            "tcp" => self.tcp = from.tcp.take(),
            "topology" => self.topology = from.topology.take(),
            "workload" => self.workload = take(&mut from.workload),
            "record" => self.record = from.record.take(),
            "figure" => self.figure = take(&mut from.figure),
            "run" => self.run = from.run.take(),
            _ => return None,
        }
        Some(())
    }
}

/// `[engine]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineFile {
    /// Which event queue; the results are the same for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_queue: Option<String>,
}

/// `[record]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordFile {
    /// Time between two counts of sockets by state; duration / 400 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub census_interval: Option<SimDuration>,
    /// Connections whose state changes are kept, the first of the run; 1000 unless given, or `"all"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub states: Option<Limit>,
    /// Connections with rows in the table of connections, the first of the run; 10000 unless given,
    /// or `"all"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Limit>,
    /// Segments of traced connections that are kept: `"ladder"` for the first and last of each end
    /// and those around trouble, `"all"`, or `"none"`; a number for the ladders of so many connections
    /// of each client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments: Option<Segments>,
    /// Connections of each client that are traced, the first it opens: their segments and senders'
    /// variables are kept; 10 unless given, or `"all"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traced_connections: Option<Limit>,
    /// Clients of which connections are traced; the first 10 unless given, or `"all"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traced_clients: Option<Limit>,
    /// Write every segment of the traced connections as `packets.pcapng`, too; false unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pcap: Option<bool>,
    /// Least time between two samples of a traced sender; 10 ms unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_interval: Option<SimDuration>,
    /// Samples of traced senders that are kept: `"grid"` for the extremes of up to a thousand steps of
    /// time, or `"all"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
}

/// `[[figure]]`: a metric of the runs over a swept value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureFile {
    /// Name of the file.
    pub name: String,
    /// Swept path along the x axis.
    pub x: String,
    /// Metric on the y axis.
    pub y: String,
    /// Swept path that makes one curve for each of its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// Draws only the runs in which these swept paths have these values.
    #[serde(
        default,
        rename = "where",
        skip_serializing_if = "toml::Table::is_empty"
    )]
    pub only: toml::Table,
}

/// `[run]`: which run of its batch a `run.toml` describes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// Identity: the beginning of a hash of everything that decides the results.
    pub id: String,
    /// Which replica, from 0.
    pub replica: u32,
    /// Seed of the run, made from the scenario's seed and the replica, in hexadecimal.
    pub seed: String,
    /// Version of the results: the same content under another version is another run.
    pub results_version: u32,
    /// Values of the sweep: dotted path and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<[String; 2]>,
}
