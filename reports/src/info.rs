//! What a report needs to know about a run in advance; provided by the program that runs it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::capture_filter::CaptureFilter;
use crate::expectations::Expectation;
use crate::ideal::IdealPaths;
use crate::stats::WarmUpRule;

/// The texts of a scenario in another language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Translation {
    /// The question.
    pub question: String,
    /// The description.
    pub description: String,
    /// Names of variants, by their names in the scenario.
    pub variants: BTreeMap<String, String>,
}

/// The description of a run for reports; stored in `summary.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunInfo {
    /// Name of the scenario.
    pub name: String,
    /// The question it answers, one sentence; may be empty.
    pub question: String,
    /// The scenario's description.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Question and description in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zh: Option<Translation>,
    /// The command line that repeats this run.
    pub command: String,
    /// Resolved parameters in display order: dotted path and value with unit.
    pub parameters: Vec<(String, String)>,
    /// Seed of the run.
    pub seed: u64,
    /// Simulated duration of the run, seconds.
    pub duration_s: f64,
    /// All nodes by number; `summary.json` has them in groups ([`NodeGroup`]).
    #[serde(skip)]
    pub nodes: Vec<NodeInfo>,
    /// All link directions by number; kept in the table `links`.
    #[serde(skip)]
    pub links: Vec<LinkInfo>,
    /// The idle paths, for the slowdown of transfers.
    #[serde(skip)]
    pub paths: IdealPaths,
    /// Nodes and links that are down for a time, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<OutageSpan>,
    /// Expectations on a single run; those on the runs of a batch are kept with the batch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<Expectation>,
    /// What to record.
    pub record: RecordOptions,
    /// A queue at which phase effects are possible, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_risk: Option<PhaseRisk>,
    /// Inputs of the closed forms; without them no theoretical curves are drawn.
    pub analytic: AnalyticHints,
}

impl RunInfo {
    /// The window of steady state, seconds: the requested one, or the second half of the run.
    pub fn steady_window(&self) -> (f64, f64) {
        let half = (self.duration_s / 2.0, self.duration_s);
        self.record.steady_s.unwrap_or(half)
    }

    /// The same with infinite and NaN values, which JSON cannot hold, replaced by `None` or zero.
    pub(crate) fn finite(mut self) -> RunInfo {
        let finite = |v: f64| if v.is_finite() { v } else { 0.0 };
        let known = |v: Option<f64>| v.filter(|v| v.is_finite());
        self.duration_s = finite(self.duration_s);
        for link in &mut self.links {
            link.rate_bps = known(link.rate_bps);
            link.delay_s = finite(link.delay_s);
        }
        for outage in &mut self.outages {
            outage.from_s = finite(outage.from_s);
            outage.to_s = known(outage.to_s);
        }
        if let Some(risk) = &mut self.phase_risk {
            risk.packet_s = finite(risk.packet_s);
        }
        self.record.interval_s = finite(self.record.interval_s);
        let both = |(a, b): &(f64, f64)| a.is_finite() && b.is_finite();
        let window = |&(from, to): &(f64, f64)| to.is_finite() && (0.0..=to).contains(&from);
        self.record.steady_s = self.record.steady_s.filter(window);
        let is_known = |rule: &WarmUpRule| !matches!(rule, WarmUpRule::After(s) if !s.is_finite());
        self.record.warm_up = self.record.warm_up.filter(is_known);
        let analytic = &mut self.analytic;
        analytic.time_wait_s = known(analytic.time_wait_s);
        analytic.offered_per_s.retain(both);
        analytic.theory = analytic.theory.take().filter(Theory::is_finite);
        self
    }
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeInfo {
    /// Its unique name, "client-1".
    pub name: String,
    /// The group of hosts it belongs to, "clients"; empty for routers, which hold no sockets.
    pub group: String,
    /// Its addresses.
    pub addresses: Vec<Ipv4Addr>,
}

/// Consecutive nodes that belong to one group of hosts, or to none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeGroup {
    /// The group of hosts, "clients"; empty for routers.
    pub group: String,
    /// Number of nodes.
    pub nodes: u64,
    /// Names of the first and the last, "client-1" and "client-10000".
    pub names: (String, String),
    /// The first address of the first node and the last address of the last node; `None` without
    /// addresses.
    pub addresses: Option<(Ipv4Addr, Ipv4Addr)>,
}

impl NodeGroup {
    /// Splits nodes into groups, in order.
    pub fn of_nodes(nodes: &[NodeInfo]) -> Vec<NodeGroup> {
        let groups = nodes.chunk_by(|a, b| a.group == b.group);
        let group = |nodes: &[NodeInfo]| {
            let (first, last) = (nodes.first()?, nodes.last()?);
            let first_address = nodes.iter().find_map(|n| n.addresses.first());
            let last_address = nodes.iter().rev().find_map(|n| n.addresses.last());
            Some(NodeGroup {
                group: first.group.clone(),
                nodes: nodes.len() as u64,
                names: (first.name.clone(), last.name.clone()),
                addresses: first_address.copied().zip(last_address.copied()),
            })
        };
        groups.filter_map(group).collect()
    }
}

/// A link direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkInfo {
    /// Number of the sending node.
    pub from: u32,
    /// Number of the receiving node.
    pub to: u32,
    /// Bit rate; `None` for a link without serialisation time.
    pub rate_bps: Option<f64>,
    /// Propagation delay, seconds.
    pub delay_s: f64,
}

/// Flows that may become synchronised with a drop-tail queue, because nothing in the scenario is
/// random (phase effects, Floyd and Jacobson 1992).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhaseRisk {
    /// The node with the queue.
    pub from: String,
    /// The node at the end of its link.
    pub to: String,
    /// Number of flows through it.
    pub flows: u64,
    /// Transmission time of a full-sized packet there, seconds.
    pub packet_s: f64,
}

/// What happens to a node or link during an [`OutageSpan`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutageKind {
    /// It is down.
    #[default]
    Down,
    /// The applications of a host pause.
    Paused,
    /// The timestamp clock of a host wraps around, at the start.
    ClockWrapped,
}

impl OutageKind {
    fn is_down(&self) -> bool {
        *self == OutageKind::Down
    }
}

/// A time during which a node or link is down, or has another fault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutageSpan {
    /// The node or link: "server", "the link between client and server".
    pub of: String,
    /// What happens to it.
    #[serde(skip_serializing_if = "OutageKind::is_down")]
    pub kind: OutageKind,
    /// Its start, seconds.
    pub from_s: f64,
    /// Its end, seconds; `None` if it lasts to the end of the run.
    pub to_s: Option<f64>,
}

/// Which segments of traced connections are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SegmentsKept {
    /// None.
    None,
    /// Those that a ladder diagram shows; see [`tcp_model::spec::KeptSegments::Ladder`].
    #[default]
    Ladder,
    /// Every one.
    All,
}

/// What a run records, and at which resolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordOptions {
    /// Interval of the rows of `census`, `outcomes` and `requests`, seconds.
    pub interval_s: f64,
    /// How many connections, from the first of the run, have their state changes in `states`.
    pub states: u32,
    /// How many connections, from the first of the run, have their end points in `connections`.
    pub connections: u32,
    /// Which segments of traced connections go to `segments`.
    pub segments: SegmentsKept,
    /// Record every sample of a traced sender in `samples`, not only those of a grid.
    pub all_samples: bool,
    /// Interval of the rows of each traced sender in `samples`, seconds, if it is fixed.
    pub samples_every_s: Option<f64>,
    /// Write `packets.pcapng` with the segments of recorded connections.
    pub pcapng: bool,
    /// Which of their packets go to it.
    #[serde(skip_serializing_if = "CaptureFilter::is_everything")]
    pub capture_filter: CaptureFilter,
    /// The capture's time stamp for the start of the run, nanoseconds since 1970 (UTC).
    pub capture_start_ns: u64,
    /// The window of steady state, seconds, for metrics that are taken over it; `None` for the
    /// second half of the run.
    pub steady_s: Option<(f64, f64)>,
    /// Maximum number of ladder diagrams and lanes of the timeline.
    pub diagrams: u32,
    /// If set, means of a single long run are computed, and this rule finds its warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUpRule>,
    /// Distributions of latencies are stored as metrics too, so that runs can be pooled.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub histograms: bool,
    /// The slowdown of transfers is computed, by their size; needs [`RunInfo::paths`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub slowdown: bool,
}

impl Default for RecordOptions {
    fn default() -> Self {
        RecordOptions {
            interval_s: 1.0,
            states: 1_000,
            connections: 10_000,
            segments: SegmentsKept::Ladder,
            all_samples: false,
            samples_every_s: None,
            pcapng: false,
            capture_filter: CaptureFilter::default(),
            capture_start_ns: 0,
            steady_s: None,
            diagrams: 4,
            warm_up: None,
            histograms: false,
            slowdown: false,
        }
    }
}

/// What is known in advance about a run's connections, and its closed forms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnalyticHints {
    /// How long a socket stays in TIME-WAIT (2 MSL), seconds.
    pub time_wait_s: Option<f64>,
    /// The host group that closes first and so enters TIME-WAIT.
    pub time_wait_group: Option<String>,
    /// Local ports a client address may use towards one destination.
    pub ports_per_destination: Option<u64>,
    /// Pairs of client address and destination (address and port) over which ports can be used
    /// again: 1 for one client and one server.
    pub destinations: u64,
    /// Offered connections per second, all clients together, over time: (seconds, rate), linear
    /// between the points, zero before the first, constant after the last. Two points with the
    /// same time make a step.
    pub offered_per_s: Vec<(f64, f64)>,
    /// The inputs of the closed forms; `None` if their conditions do not hold.
    pub theory: Option<Theory>,
    /// Why some or all closed forms are missing; one sentence each.
    pub no_closed_form: Vec<String>,
}

/// Bounds of a mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Span {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Span {
    /// The midpoint.
    pub fn middle(self) -> f64 {
        (self.low + self.high) / 2.0
    }

    /// The distance between the bounds.
    pub fn width(self) -> f64 {
        self.high - self.low
    }
}

/// How connects arrive at a pair of client address and destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalLaw {
    /// Evenly spaced.
    #[default]
    Even,
    /// A Poisson process.
    Poisson,
    /// Every n-th arrival of a Poisson process, since pairs take turns.
    Turns,
}

/// The terms of a run's closed forms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Theory {
    /// How connects arrive at each pair.
    pub arrivals: ArrivalLaw,
    /// When arrivals start, seconds.
    pub start_s: f64,
    /// Ports of a pair.
    pub ports: f64,
    /// Pairs of client address and destination.
    pub pairs: f64,
    /// Time of a successful connect, seconds.
    pub connect_s: f64,
    /// Mean time from connect until the port is free again, seconds.
    pub held_s: Span,
    /// Standard deviation of that time, seconds.
    pub held_sd_s: f64,
    /// Time after which less than 0.02 % of the mean holding time is outstanding, seconds; `None` if no run
    /// is long enough.
    pub settles_s: Option<f64>,
    /// The group in TIME-WAIT, and for how long it stays; `None` if there is none or its population has no
    /// closed form.
    pub time_wait: Option<TimeWaitTheory>,
}

impl Theory {
    /// How far waves of connects have spread by time `t`, seconds: each reuse of a port adds the
    /// standard deviation of its holding time.
    pub fn blur_s(&self, t: f64) -> f64 {
        self.held_sd_s * (t / self.held_s.low).max(0.0).sqrt()
    }

    /// Returns false if a value is infinite or NaN, which JSON cannot hold.
    fn is_finite(&self) -> bool {
        let mut all = vec![
            self.start_s,
            self.ports,
            self.pairs,
            self.connect_s,
            self.held_s.low,
            self.held_s.high,
            self.held_sd_s,
            self.settles_s.unwrap_or_default(),
        ];
        if let Some(stay) = &self.time_wait {
            all.extend([stay.after_s.low, stay.after_s.high, stay.stay_s]);
        }
        all.iter().all(|v| v.is_finite())
    }
}

/// The terms of a population in TIME-WAIT.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimeWaitTheory {
    /// The group of hosts in TIME-WAIT.
    pub group: String,
    /// Mean time from connect to TIME-WAIT, seconds.
    pub after_s: Span,
    /// Time in TIME-WAIT, seconds.
    pub stay_s: f64,
}
