//! A scenario as written in TOML: everything that a file may contain, before it is checked.
//!
//! [`crate::scenario::Scenario`] is the checked and complete form, which can be converted back to a
//! [`ScenarioFile`] with every default spelled out.

use serde::{Deserialize, Serialize};
use sim_core::SimDuration;

pub mod fault;
pub mod keys;
pub(crate) mod ranges;
pub mod tcp;
pub mod topology;
pub mod values;
pub mod workload;

use keys::described;
use values::{CountLimit, PayloadChoice, PcapChoice, SamplesChoice, SegmentsChoice, WarmUpChoice};

described! {
/// A scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Letters, digits, `-`, `_` and `.`; the results go to `results/NAME`.
    pub name: String => { example: r#""my-proxy""#, needed: true },
    /// The question it answers, on one line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub question: String => { default: "none", example: r#""Do four addresses carry 1500 connections per second?""# },
    /// More about it, in sentences.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String => { default: "none", example: r#""One client, one server, four addresses.""# },
    /// Question and description in Chinese, for readers of reports who choose that language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zh: Option<TextsFile> => { default: "none", example: r#"{ question = "四个地址每秒够建立 1500 条连接吗？" }"# },
    /// Simulated time of a run.
    pub duration: Option<SimDuration> => { example: r#""200 s""#, needed: true },
    /// Seed of the random numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64> => { default: "1", example: "7" },
    /// Number of runs of each variant, with different random numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32> => { default: "1", example: "10", within: Some((1.0, 100_000.0)) },
    /// Adds replicas of each variant until the mean of a metric is known well enough; starts with
    /// `replicas` of them, at least five.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<UntilFile> => { default: "as many as `replicas` says", example: r#"{ metric = "connect_latency_p50_s", relative = 0.05, max_replicas = 50 }"# },
    /// How to run; does not affect results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineFile> => { default: "the fastest", example: r#"{ event_queue = "wheel" }"# },
    /// TCP parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<tcp::TcpFile> => { default: "the profile linux", example: r#"{ profile = "linux", tcp_fin_timeout = "30 s" }"# },
    /// The network.
    pub topology: Option<topology::TopologyFile> => { example: r#"{ kind = "pair", path = { rate = "1 Gbit/s", delay = "1 ms" } }"#, needed: true },
    /// What the hosts do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workload: Vec<workload::WorkloadFile> => { example: r#"[{ arrivals = { kind = "fixed", rate = "100 /s" } }]"#, needed: true },
    /// Nodes that go down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<fault::FaultFile> => { default: "none", example: r#"[{ node = "server", at = "10 s", for = "5 s" }]"# },
    /// What is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordFile> => { default: "what a report needs", example: "{ traced_connections = 100 }" },
    /// What varies, by dotted path: a list of values, or a range with `from`, `to`, and `step` or `count`,
    /// and with `scale = "log"` for equal ratios. Every combination becomes a run, except those that meet
    /// an `exclude` condition or fail a `constraint`. `[[sweep.together]]` lists values that change in
    /// step; `[sweep.sample]` draws points (`method`, `count`, `seed`) from the ranges in
    /// `[sweep.sample.over]`.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub sweep: toml::Table => { default: "nothing is varied", example: r#"{ "tcp.tw_reuse" = [false, true] }"# },
    /// Alternatives to compare, each with a name and what it changes; each is run with all values of
    /// the sweep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variant: Vec<VariantFile> => { default: "none", example: r#"[{ name = "as it is" }, { name = "reuse", set = { "tcp.tw_reuse" = true } }]"# },
    /// Expectations on the results; `synfin run` exits with 3 if one fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<ExpectFile> => { default: "nothing", example: r#"[{ metric = "connects_failed_share", below = 0.001 }]"# },
    /// Figures over the runs of a batch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figure: Vec<FigureFile> => { default: "none", example: r#"[{ name = "failed", x = "tcp.tw_reuse", y = "connects_failed" }]"# },
    /// Which run this is: in a `run.toml` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunFile>,
}
}

impl ScenarioFile {
    /// Moves the value of a top-level key from another file; `None` if there is no such key.
    pub(crate) fn take(&mut self, key: &str, from: &mut ScenarioFile) -> Option<()> {
        use std::mem::take;
        match key {
            "name" => self.name = take(&mut from.name),
            "question" => self.question = take(&mut from.question),
            "description" => self.description = take(&mut from.description),
            "zh" => self.zh = from.zh.take(),
            "duration" => self.duration = from.duration,
            "seed" => self.seed = from.seed,
            "replicas" => self.replicas = from.replicas,
            "until" => self.until = from.until.take(),
            "engine" => self.engine = from.engine.take(),
            "tcp" => self.tcp = from.tcp.take(),
            "topology" => self.topology = from.topology.take(),
            "workload" => self.workload = take(&mut from.workload),
            "record" => self.record = from.record.take(),
            "fault" => self.fault = take(&mut from.fault),
            "variant" => self.variant = take(&mut from.variant),
            "expect" => self.expect = take(&mut from.expect),
            "figure" => self.figure = take(&mut from.figure),
            "run" => self.run = from.run.take(),
            _ => return None,
        }
        Some(())
    }
}

described! {
/// `[zh]`: texts of the scenario in Chinese.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextsFile {
    /// The question.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub question: String => { default: "the original", example: r#""四个地址每秒够建立 1500 条连接吗？""# },
    /// The description.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String => { default: "the original", example: r#""一个客户端，一个服务器，四个地址。""# },
}
}

described! {
/// An alternative: `[[variant]]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantFile {
    /// What it is called in tables and figures.
    pub name: String => { example: r#""reuse""#, needed: true },
    /// What it is called in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zh: Option<String> => { default: "its name", example: r#""重用端口""# },
    /// What it changes, by dotted path; nothing for the baseline.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub set: toml::Table => { default: "nothing", example: r#"{ "tcp.tw_reuse" = true }"# },
    /// What it costs or needs, in a few words. The report then says which variants are enough, with this
    /// note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String> => { default: "none", example: r#""needs timestamps at both ends""# },
    /// What it puts at risk, in a few words. The report then calls the variant unsafe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hazard: Option<String> => { default: "none", example: r#""may lose data that the other end has not read""# },
}
}

described! {
/// `[until]`: replicas of each variant are added until half the 95 % interval of a metric is a small part of
/// its mean. Since replicas stop when the interval is narrow, it contains the true mean a little less often,
/// in some 93 of 100 batches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UntilFile {
    /// The metric it is about.
    pub metric: String => { example: r#""connect_latency_p50_s""#, needed: true },
    /// Half the interval divided by the mean: small enough to stop.
    pub relative: f64 => { example: "0.05", needed: true, within: Some((0.0, 1.0)) },
    /// Maximum number of replicas of a variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<u32> => { default: "50", example: "200", within: Some((2.0, 100_000.0)) },
}
}

described! {
/// `[engine]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineFile {
    /// Which event queue; the results are the same for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_queue: Option<String> => { default: "the fastest", example: r#""wheel""#, one_of: |_| event_queues() },
}
}

described! {
/// `[record]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordFile {
    /// Time between two counts of sockets by state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub census_interval: Option<SimDuration> => { default: "a round time near duration / 400", example: r#""100 ms""# },
    /// How many connections, counted from the first of the run, have their state changes recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub states: Option<CountLimit> => { default: "1000", example: r#""all""# },
    /// How many connections, counted from the first of the run, have rows in the table of connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<CountLimit> => { default: "10000", example: r#""all""# },
    /// Segments of traced connections that are kept: `"ladder"` for the first and last of each end and
    /// those around losses and other trouble, `"all"`, or `"none"`; a number for the ladders of that many
    /// connections of each client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments: Option<SegmentsChoice> => { default: r#""ladder""#, example: r#""all""# },
    /// How many connections of each client, counted from the first it opens, are traced: their segments and
    /// senders' variables are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traced_connections: Option<CountLimit> => { default: "10", example: "100" },
    /// How many clients, counted from the first, have connections traced; servers of a named application,
    /// which may open connections too, count after them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traced_clients: Option<CountLimit> => { default: "10", example: r#""all""# },
    /// How many queues are recorded over time: those with a limit or a discipline, on the slowest links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queues: Option<u32> => { default: "4", example: "2", within: Some((0.0, 1_000.0)) },
    /// Also write every segment of the traced connections to `packets.pcapng`, or those that a filter
    /// selects, in the words of tcpdump: `host` (an address, or the name of a host or a group of hosts),
    /// `net`, `port` and `portrange`, each after `src` or `dst` or alone; `syn`, `fin`, `rst` and the other
    /// control bits; `state TIME-WAIT` for the state of the sender; `data`, `retransmission`, `less`,
    /// `greater`; `and`, `or`, `not` and parentheses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pcap: Option<PcapChoice> => { default: "false", example: r#""host server and port 80""# },
    /// Shortest time between two samples of a traced sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_interval: Option<SimDuration> => { default: "10 ms", example: r#""1 ms""# },
    /// Date and time of the start of the run in the time stamps of `packets.pcapng`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pcap_start: Option<toml::value::Datetime> => { default: "1970-01-01T00:00:00Z", example: "2026-11-29T10:00:00Z" },
    /// The payload of packets in `packets.pcapng`: letters, or the requests and responses of exchanges as
    /// HTTP/1.1 messages of the same size. Messages too short for that are letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pcap_payload: Option<PayloadChoice> => { default: r#""letters""#, example: r#""http""# },
    /// Samples of traced senders that are kept: `"grid"` for the extremes in each of up to a thousand time
    /// steps, `"all"`, or a time, for the latest sample at each multiple of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<SamplesChoice> => { default: r#""grid""#, example: r#""all""# },
    /// Takes the run as one long experiment: the means of latencies and of sockets by state after the
    /// warm-up, each with a 95 % interval by the means of twenty batches, as metrics `long_run_…`.
    /// `"mser-5"` finds the end of each warm-up; a duration fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUpChoice> => { default: "no such means", example: r#""mser-5""# },
    /// Keeps the distributions of latencies among the metrics, 20 bins for each power of ten, so that
    /// `[[figure]] distribution` can pool the connects or requests of all replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub histograms: Option<bool> => { default: "false", example: "true" },
    /// Computes the slowdown of each complete transfer, the time it took divided by that on its idle path, by
    /// classes of sizes: metrics `slowdown_…`, a table and a figure. See `slowdown_mean` in the metrics'
    /// reference for how the ideal is computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowdown: Option<bool> => { default: "false", example: "true" },
}
}

/// The scales of an axis.
pub(crate) const SCALES: [&str; 2] = ["linear", "log"];

described! {
/// `[[figure]]`: a metric of the runs over a swept value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureFile {
    /// Name of the file.
    pub name: String => { example: r#""failed""#, needed: true },
    /// Swept path along the x axis.
    pub x: String => { example: r#""tcp.tw_reuse""#, needed: true },
    /// Metric on the y axis.
    pub y: String => { example: r#""connects_failed_share""#, needed: true },
    /// Swept path that makes one curve for each of its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<String> => { default: "one curve", example: r#""tcp.congestion""# },
    /// Scale of the x axis; a logarithmic one shows numbers greater than zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x_scale: Option<String> => { default: "linear", example: r#""log""#, one_of: |_| SCALES.to_vec() },
    /// Scale of the y axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y_scale: Option<String> => { default: "linear", example: r#""log""#, one_of: |_| SCALES.to_vec() },
    /// Theoretical curves to draw beside `y`, each where its conditions hold. The goodput of one transfer with
    /// random losses and a constant delay: `"mathis"`, `"pftk"`, `"cubic"`. The queue of a single link that
    /// a Poisson flood of SYNs has to itself, as `queue_wait_mean_s` and `busiest_link_utilisation`:
    /// `"m/d/1"`, and with an exponential `rate_process` `"m/m/1"`, and `"m/m/1/k"` for a queue of K packets
    /// (also `queue_drops_pkts`). The least `busiest_link_utilisation` by 50 endless NewReno transfers or
    /// more over a single drop-tail link: `"square-root"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub theory: Vec<String> => { default: "none", example: r#"["mathis"]"# },
    /// Another metric to draw `y` against: a point for each value of `x`, and the Pareto front, the points
    /// for which no other point has more of `y` and less of this metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<String> => { default: "none", example: r#""queue_wait_mean_s""# },
    /// Draws how `y` is distributed over the runs: the share of them with at most a value, or with more. A
    /// curve for each value of `series`, or of `x` without one. With `record.histograms`, `y` may be
    /// `"connect_latency"`, `"request_latency"` or `"flow_completion"`: the distribution over the
    /// connects, requests or flows of all replicas together, with intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<String> => { default: "none", example: r#""cdf""#, one_of: |_| reports::batch::DistributionKind::NAMES.to_vec() },
    /// Draws this quantile of `y` over the replicas instead of their mean, with an interval by the order of
    /// their values where there are enough of them (six for the median).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantile: Option<f64> => { default: "the mean", example: "0.9", within: Some((0.0, 1.0)) },
    /// Draws the effect of each swept path on `y` as a bar, the largest first (a tornado diagram): from
    /// the mean over all runs with one value of it to that with another. For a sample, also the share of the
    /// variance that each explains. Which swept path `x` names makes no difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effects: Option<bool> => { default: "false", example: "true" },
    /// Draws a phase diagram instead: for each pair of values of `x` and `series`, whether `y` is at most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64> => { default: "none", example: "0.01" },
    /// Draws only the runs in which these swept paths have these values.
    #[serde(
        default,
        rename = "where",
        skip_serializing_if = "toml::Table::is_empty"
    )]
    pub only: toml::Table => { name: "where", default: "all runs", example: r#"{ "tcp.tw_reuse" = true }"# },
}
}

described! {
/// An expectation: `[[expect]]`. It holds if the 95 % interval over the replicas is within the bounds,
/// fails if it is outside, and is undecided if it crosses a bound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectFile {
    /// The metric it is about.
    pub metric: String => { example: r#""connects_failed_share""#, needed: true },
    /// The metric is less than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<toml::Value> => { default: "no bound", example: "0.001" },
    /// The metric is at most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<toml::Value> => { default: "no bound", example: r#""20 ms""# },
    /// The metric is greater than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<toml::Value> => { default: "no bound", example: r#""9 Mbit/s""# },
    /// The metric is at least this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<toml::Value> => { default: "no bound", example: r#""100 /s""# },
    /// Applies only to the runs in which these swept paths have these values.
    #[serde(
        default,
        rename = "where",
        skip_serializing_if = "toml::Table::is_empty"
    )]
    pub only: toml::Table => { name: "where", default: "all runs", example: r#"{ "tcp.tw_reuse" = true }"# },
}
}

described! {
/// `[run]`: which run of its batch a `run.toml` describes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// Identity: the first digits of a hash of everything that determines the results.
    pub id: String,
    /// Which replica, from 0.
    pub replica: u32,
    /// Seed of the run, derived from the scenario's seed and the replica, in hexadecimal.
    pub seed: String,
    /// Version of the results: the same content under another version is another run.
    pub results_version: u32,
    /// Values of the sweep: dotted path and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<[String; 2]>,
}
}

/// The names of event queues.
fn event_queues() -> Vec<&'static str> {
    let all = sim_core::event_queue::EventQueueKind::ALL.iter();
    all.map(|kind| kind.name()).collect()
}
