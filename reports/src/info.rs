//! What a report must know of a run beforehand; filled in by whoever runs it.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// A run as far as reports are concerned; kept in `summary.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunInfo {
    /// Name of the scenario.
    pub name: String,
    /// The question it answers, one sentence; may be empty.
    pub question: String,
    /// The command line that makes this run again.
    pub command: String,
    /// Resolved parameters in the order to be shown: dotted path and value with unit.
    pub parameters: Vec<(String, String)>,
    /// Seed of the run.
    pub seed: u64,
    /// Simulated time the run is to take, seconds.
    pub duration_s: f64,
    /// All nodes by number.
    pub nodes: Vec<NodeInfo>,
    /// All link directions by number.
    pub links: Vec<LinkInfo>,
    /// What to write down.
    pub record: RecordOptions,
    /// What theory needs to know; what is left out is not drawn.
    pub analytic: AnalyticHints,
}

impl RunInfo {
    /// The window of steady state in seconds: as asked for, or the second half.
    pub fn steady_window(&self) -> (f64, f64) {
        let half = (self.duration_s / 2.0, self.duration_s);
        self.record.steady_s.unwrap_or(half)
    }

    /// The same without infinities and NaN, which JSON cannot hold: nothing, or zero, instead.
    pub(crate) fn finite(mut self) -> RunInfo {
        let finite = |v: f64| if v.is_finite() { v } else { 0.0 };
        let known = |v: Option<f64>| v.filter(|v| v.is_finite());
        self.duration_s = finite(self.duration_s);
        for link in &mut self.links {
            link.rate_bps = known(link.rate_bps);
            link.delay_s = finite(link.delay_s);
        }
        self.record.interval_s = finite(self.record.interval_s);
        let both = |(a, b): &(f64, f64)| a.is_finite() && b.is_finite();
        let window = |&(from, to): &(f64, f64)| to.is_finite() && (0.0..=to).contains(&from);
        self.record.steady_s = self.record.steady_s.filter(window);
        let analytic = &mut self.analytic;
        analytic.time_wait_s = known(analytic.time_wait_s);
        analytic.hold_s = finite(analytic.hold_s);
        analytic.offered_per_s.retain(both);
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

/// A link direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkInfo {
    /// Name of the sending node.
    pub from: String,
    /// Name of the receiving node.
    pub to: String,
    /// Bit rate; `None` for a link without serialisation time.
    pub rate_bps: Option<f64>,
    /// Propagation delay, seconds.
    pub delay_s: f64,
}

/// Which segments of traced connections are written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SegmentsKept {
    /// None.
    None,
    /// Those that a ladder diagram shows; see [`tcp_model::spec::Keep::Ladder`].
    #[default]
    Ladder,
    /// Every one.
    All,
}

/// What a run writes down and how finely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordOptions {
    /// Distance of the rows of `census`, `outcomes` and `requests`, seconds.
    pub interval_s: f64,
    /// State changes of the first so many connections of the run go to `states`.
    pub states: u32,
    /// End points of the first so many connections of the run go to `connections`.
    pub connections: u32,
    /// Which segments of traced connections go to `segments`.
    pub segments: SegmentsKept,
    /// Every sample of a traced sender goes to `samples`, and not only those of a grid.
    pub all_samples: bool,
    /// Write `packets.pcapng` with the segments of recorded connections.
    pub pcapng: bool,
    /// The window of steady state, seconds, for metrics that are taken over it; `None` for the
    /// second half of the run.
    pub steady_s: Option<(f64, f64)>,
    /// At most so many ladder diagrams and lanes of the timeline.
    pub diagrams: u32,
}

impl Default for RecordOptions {
    fn default() -> Self {
        RecordOptions {
            interval_s: 1.0,
            states: 1_000,
            connections: 10_000,
            segments: SegmentsKept::Ladder,
            all_samples: false,
            pcapng: false,
            steady_s: None,
            diagrams: 4,
        }
    }
}

/// What the closed forms of a run need.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnalyticHints {
    /// How long a socket stays in TIME-WAIT (2 MSL), seconds.
    pub time_wait_s: Option<f64>,
    /// The host group that closes first and so holds TIME-WAIT.
    pub time_wait_group: Option<String>,
    /// Local ports a client address may use towards one destination.
    pub ports_per_destination: Option<u64>,
    /// Pairs of client address and destination (address and port) over which ports can be used
    /// again: 1 for one client and one server.
    pub destinations: u64,
    /// The clients' ports are kept by TIME-WAIT: the active opener closes first and nothing
    /// reuses ports early, so that population and rate are limited by the ports.
    pub ports_held_by_time_wait: bool,
    /// Offered connections per second, all clients together, over time: (seconds, rate), linear
    /// between the points, zero before the first, constant after the last. Two points with the
    /// same time make a step.
    pub offered_per_s: Vec<(f64, f64)>,
    /// Mean time from the call of connect to TIME-WAIT, seconds.
    pub hold_s: f64,
}
