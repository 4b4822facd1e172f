//! `[record]`, checked and complete.

use reports::{CaptureFilter, CaptureFilterError, SegmentsKept};
use sim_core::SimDuration;
use toml::value::Datetime;

use super::clock;
use super::topology::Topology;
use crate::dotted_path::DottedPath;
use crate::file::RecordFile;
use crate::file::values::{
    CountLimit, PayloadChoice, PcapChoice, SamplesChoice, SegmentsChoice, WarmUpChoice,
};
use crate::problem::Problem;
use crate::suggest;

/// What is recorded. With the defaults the size of a run's files is bounded, however long the run is.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordPlan {
    /// Time between two counts of sockets by state.
    pub census_interval: SimDuration,
    /// How many connections, counted from the first of the run, have their state changes recorded.
    pub states: u32,
    /// How many connections, counted from the first of the run, have rows in the table of connections.
    pub connections: u32,
    /// Which segments of traced connections are kept.
    pub segments: SegmentsKept,
    /// How many connections of each traced client, counted from the first it opens, are traced.
    pub traced_connections: u32,
    /// How many clients, counted from the first, have connections traced.
    pub traced_clients: u32,
    /// How many queues are recorded over time, those of the slowest links first.
    pub queues: u32,
    /// Write `packets.pcapng`.
    pub pcap: bool,
    /// Which packets go to it.
    pub pcap_filter: CaptureFilter,
    /// Minimum time between two samples of a traced sender.
    pub sender_interval: SimDuration,
    /// Which samples of a traced sender are kept.
    pub samples: SamplesChoice,
    /// Date and time of the start of the run in captures.
    pub pcap_start: Option<Datetime>,
    /// The payload of captured packets.
    pub pcap_payload: PayloadChoice,
    /// How the end of the warm-up of a long run is determined; the means of a long run are computed only if
    /// this is given.
    pub warm_up: Option<WarmUpChoice>,
    /// Keep distributions of latencies among the metrics.
    pub histograms: bool,
    /// Compute the slowdown of transfers.
    pub slowdown: bool,
}

impl RecordPlan {
    /// Checks the keys given and fills in the rest.
    ///
    /// # Errors
    /// When values are out of range or contradict each other.
    pub fn new(
        file: &RecordFile,
        duration: SimDuration,
        topology: &Topology,
    ) -> Result<RecordPlan, Problem> {
        let at = DottedPath::from("record");
        let (pcap, pcap_filter) = pcap(file.pcap.as_ref(), topology, &at)?;
        let (segments, traced) = match file.segments {
            None if pcap => (SegmentsKept::All, None),
            None => (SegmentsKept::Ladder, None),
            Some(SegmentsChoice::Kept(SegmentsKept::All)) => (SegmentsKept::All, None),
            Some(SegmentsChoice::Kept(kept)) if pcap => {
                let word = SegmentsChoice::name(kept);
                let text = format!("`pcap` writes every segment, and `segments` is {word:?}");
                return Err(Problem::new(at.key("segments"), text)
                    .help("write segments = \"all\", or leave `pcap` out"));
            }
            Some(SegmentsChoice::Kept(kept)) => (kept, None),
            Some(SegmentsChoice::Connections(n)) if pcap => (SegmentsKept::All, Some(n)),
            Some(SegmentsChoice::Connections(n)) => (SegmentsKept::Ladder, Some(n)),
        };
        if let (Some(n), Some(_)) = (traced, file.traced_connections) {
            let text = format!("`segments = {n}` says how many connections are traced, too");
            return Err(Problem::new(at.key("traced_connections"), text)
                .help("write segments = \"ladder\" or \"all\" beside `traced_connections`"));
        }
        Ok(RecordPlan {
            census_interval: census_interval(file, duration, &at)?,
            states: most(file.states, 1_000),
            connections: most(file.connections, 10_000),
            segments,
            traced_connections: traced.unwrap_or_else(|| most(file.traced_connections, 10)),
            traced_clients: most(file.traced_clients, 10),
            queues: file.queues.unwrap_or(4),
            pcap,
            pcap_filter,
            sender_interval: file.sender_interval.unwrap_or(SimDuration::from_millis(10)),
            samples: file.samples.unwrap_or(SamplesChoice::Grid),
            pcap_start: match file.pcap_start {
                Some(start) => Some(clock::check(start, &at.key("pcap_start"))?),
                None => None,
            },
            pcap_payload: file.pcap_payload.unwrap_or_default(),
            warm_up: warm_up(file.warm_up, duration, &at)?,
            histograms: file.histograms.unwrap_or(false),
            slowdown: file.slowdown.unwrap_or(false),
        })
    }

    pub(crate) fn to_file(&self) -> RecordFile {
        RecordFile {
            census_interval: Some(self.census_interval),
            states: Some(number(self.states)),
            connections: Some(number(self.connections)),
            segments: Some(SegmentsChoice::Kept(self.segments)),
            traced_connections: Some(number(self.traced_connections)),
            traced_clients: Some(number(self.traced_clients)),
            queues: Some(self.queues),
            pcap: Some(match self.pcap && !self.pcap_filter.is_everything() {
                true => PcapChoice::Filter(self.pcap_filter.to_string()),
                false => PcapChoice::Switch(self.pcap),
            }),
            sender_interval: Some(self.sender_interval),
            samples: Some(self.samples),
            pcap_start: self.pcap_start,
            pcap_payload: (self.pcap_payload != PayloadChoice::default())
                .then_some(self.pcap_payload),
            warm_up: self.warm_up,
            histograms: self.histograms.then_some(true),
            slowdown: self.slowdown.then_some(true),
        }
    }
}

/// Whether there is a capture, and of which packets.
fn pcap(
    choice: Option<&PcapChoice>,
    topology: &Topology,
    at: &DottedPath,
) -> Result<(bool, CaptureFilter), Problem> {
    let text = match choice {
        None => return Ok((false, CaptureFilter::default())),
        Some(PcapChoice::Switch(on)) => return Ok((*on, CaptureFilter::default())),
        Some(PcapChoice::Filter(text)) => text,
    };
    let refused = |e: CaptureFilterError| Problem::new(at.key("pcap"), e.to_string()).help(e.help);
    let filter = CaptureFilter::parse(text).map_err(refused)?;
    for host in filter.hosts() {
        if topology.nodes_named(&host.name).is_empty() {
            let problem = suggest::unknown("host", &host.name, topology.names());
            let help = "give the name of a host or of a group of hosts, or an address";
            return Err(refused(filter.error(host.at, problem, help)));
        }
    }
    Ok((true, filter))
}

/// Checks that a warm-up is shorter than the run.
fn warm_up(
    rule: Option<WarmUpChoice>,
    duration: SimDuration,
    at: &DottedPath,
) -> Result<Option<WarmUpChoice>, Problem> {
    match rule {
        Some(WarmUpChoice::Lasts(time)) if time >= duration => {
            let text = format!("a warm-up of {time} leaves nothing of a run of {duration}");
            Err(Problem::new(at.key("warm_up"), text)
                .help("shorten it, or lengthen `duration` to several times the warm-up"))
        }
        rule => Ok(rule),
    }
}

/// A limit as a number; the largest number means unlimited.
fn most(limit: Option<CountLimit>, default: u32) -> u32 {
    match limit {
        None => default,
        Some(CountLimit(None)) => u32::MAX,
        Some(CountLimit(Some(n))) => u32::try_from(n).unwrap_or(u32::MAX),
    }
}

fn number(most: u32) -> CountLimit {
    CountLimit((most != u32::MAX).then_some(u64::from(most)))
}

fn census_interval(
    file: &RecordFile,
    duration: SimDuration,
    at: &DottedPath,
) -> Result<SimDuration, Problem> {
    let interval = file
        .census_interval
        .unwrap_or_else(|| default_interval(duration));
    if interval.is_zero() {
        return Err(Problem::new(
            at.key("census_interval"),
            "`census_interval` must be longer than zero",
        ));
    }
    if duration.as_ps() / interval.as_ps() > 1_000_000 {
        return Err(Problem::new(
            at.key("census_interval"),
            "this makes more than a million counts",
        )
        .help("lengthen `census_interval`; a figure needs a few hundred"));
    }
    Ok(interval)
}

/// A round interval that gives 200 to 500 counts per run.
fn default_interval(duration: SimDuration) -> SimDuration {
    let least = (duration.as_ps() / 500).max(1);
    let power = 10u64.pow(least.ilog10());
    let round = [1, 2, 5, 10]
        .into_iter()
        .map(|k| power.saturating_mul(k))
        .find(|&r| r >= least);
    SimDuration::from_ps(round.unwrap_or(least))
}
