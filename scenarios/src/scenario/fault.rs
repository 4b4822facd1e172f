//! Crashes of nodes, pauses of hosts, and clocks that wrap around, checked.

use sim_core::{NodeId, Outage, SimDuration, SimTime};
use tcp_model::host::Pause;

use super::topology::Topology;
use crate::dotted_path::DottedPath;
use crate::file::fault::FaultFile;
use crate::problem::Problem;
use crate::suggest;

/// A crash of a node, or of each node of a group.
///
/// A host loses all its state without sending a segment: connections, TIME-WAIT entries, listeners. When it
/// comes up, its applications start again; clients do not make up for arrivals that they missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFault {
    /// Host, router or group.
    pub node: String,
    /// When it goes down.
    pub at: SimDuration,
    /// How long it is down; `None` for good.
    pub lasts: Option<SimDuration>,
    /// Delay between the crashes of successive nodes of the group.
    pub stagger: SimDuration,
    /// Number of nodes in the group.
    nodes: u32,
    /// How long a restarted host neither opens nor accepts connections.
    pub quiet: SimDuration,
    /// What happens.
    pub kind: FaultKind,
}

/// What happens to a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaultKind {
    /// It crashes.
    #[default]
    Crash,
    /// The applications of a host pause; nothing is lost.
    Pause,
    /// The timestamp clock of a host passes 2^32; nothing goes down.
    ClockWrap,
}

impl NodeFault {
    /// Checks faults as written.
    ///
    /// # Errors
    /// When a node is unknown, a time is missing, or two outages of a node overlap.
    pub(super) fn all(files: &[FaultFile], topology: &Topology) -> Result<Vec<NodeFault>, Problem> {
        let mut faults: Vec<NodeFault> = Vec::new();
        for (i, file) in files.iter().enumerate() {
            let at = DottedPath::from("fault").index(i);
            let fault = NodeFault::new(file, topology, &at)?;
            let mine = topology.nodes_named(&fault.node);
            let overlapping = faults.iter().find(|other| {
                let same = topology.nodes_named(&other.node);
                mine.iter().any(|n| same.contains(n)) && fault.overlaps(other)
            });
            if let Some(other) = overlapping
                && fault.kind == FaultKind::ClockWrap
            {
                return Err(Problem::new(
                    at.key("clock_wrap"),
                    format!(
                        "the clock of {:?} wraps around already, at {} (by the fault of {:?})",
                        fault.node, other.at, other.node
                    ),
                )
                .help(
                    "a clock of milliseconds wraps around every 49.7 days: leave one of them out",
                ));
            }
            if let Some(other) = overlapping {
                return Err(Problem::new(
                    at.key("at"),
                    format!(
                        "{:?} is down already, since {} (by the fault of {:?})",
                        fault.node, other.at, other.node
                    ),
                )
                .help("let one outage end before the next begins"));
            }
            faults.push(fault);
        }
        Ok(faults)
    }

    fn new(file: &FaultFile, topology: &Topology, at: &DottedPath) -> Result<NodeFault, Problem> {
        let nodes = topology.nodes_named(&file.node).len() as u32;
        if nodes == 0 {
            let message = suggest::unknown("node or group", &file.node, topology.names());
            return Err(Problem::new(at.key("node"), message));
        }
        let Some(time) = file.at else {
            return Err(Problem::new(at.clone(), format!("`at` is missing in {at}"))
                .help("add at = \"30 s\", when the node goes down"));
        };
        if file.lasts.is_some_and(SimDuration::is_zero) {
            return Err(
                Problem::new(at.key("for"), "an outage must be longer than zero").help(
                    "write for example for = \"10 s\", or leave it out for a permanent outage",
                ),
            );
        }
        let kind = match (file.pause == Some(true), file.clock_wrap == Some(true)) {
            (false, false) => FaultKind::Crash,
            (true, false) => FaultKind::Pause,
            (false, true) => FaultKind::ClockWrap,
            (true, true) => {
                return Err(Problem::new(at.key("clock_wrap"), "a fault is of one kind")
                    .help("write two [[fault]]s, one with `pause` and one with `clock_wrap`"));
            }
        };
        let (key, what) = match kind {
            FaultKind::Crash => ("node", ""),
            FaultKind::Pause => ("pause", "a pause"),
            FaultKind::ClockWrap => ("clock_wrap", "a clock that wraps around"),
        };
        if kind == FaultKind::Pause && file.lasts.is_none() {
            return Err(Problem::new(at.key("pause"), "a pause must end")
                .help("add for = \"5 s\", how long it lasts"));
        }
        if kind == FaultKind::ClockWrap && file.lasts.is_some() {
            return Err(
                Problem::new(at.key("for"), "a clock wraps around in no time")
                    .help("leave `for` out"),
            );
        }
        if kind != FaultKind::Crash && file.quiet.is_some() {
            return Err(
                Problem::new(at.key("quiet"), format!("nothing restarts after {what}"))
                    .help("leave `quiet` out"),
            );
        }
        let hosts = topology.hosts_named(&file.node).len();
        if kind != FaultKind::Crash && hosts < nodes as usize {
            return Err(
                Problem::new(at.key(key), format!("{:?} has no applications", file.node))
                    .help(format!("{what} is a fault of hosts")),
            );
        }
        Ok(NodeFault {
            kind,
            node: file.node.clone(),
            at: time,
            lasts: file.lasts,
            stagger: file.stagger.unwrap_or_default(),
            nodes,
            quiet: file.quiet.unwrap_or_default(),
        })
    }

    /// When the `i`-th node goes down, and when it comes up.
    fn times(&self, i: u32) -> (SimDuration, Option<SimDuration>) {
        let down = self.at + self.stagger * u64::from(i);
        (down, self.lasts.map(|lasts| down + lasts))
    }

    /// When the last node comes up.
    fn end(&self) -> SimDuration {
        let (_, up) = self.times(self.nodes.saturating_sub(1));
        up.unwrap_or(SimDuration::MAX)
    }

    /// The names of the nodes concerned, or of the group if it happens to all at once, with the start and end.
    pub(crate) fn named(
        &self,
        topology: &Topology,
    ) -> Vec<(String, SimDuration, Option<SimDuration>)> {
        let all_at_once = self.stagger.is_zero();
        let nodes = topology.nodes_named(&self.node);
        let several = nodes.len() > 1 && !all_at_once;
        let count = if several { nodes.len() as u32 } else { 1 };
        (0..count)
            .map(|i| {
                let (down, up) = self.times(i);
                let up = if self.kind == FaultKind::ClockWrap {
                    Some(down)
                } else {
                    up
                };
                let name = match several {
                    true => format!("{}-{i}", self.node),
                    false => self.node.clone(),
                };
                (name, down, up)
            })
            .collect()
    }

    fn overlaps(&self, other: &NodeFault) -> bool {
        let wraps = |fault: &NodeFault| fault.kind == FaultKind::ClockWrap;
        if wraps(self) || wraps(other) {
            return wraps(self) && wraps(other);
        }
        self.at <= other.end() && other.at <= self.end()
    }

    /// Converts back to a file with every value written out.
    pub(crate) fn to_file(&self) -> FaultFile {
        FaultFile {
            node: self.node.clone(),
            at: Some(self.at),
            lasts: self.lasts,
            stagger: (!self.stagger.is_zero()).then_some(self.stagger),
            quiet: (self.kind == FaultKind::Crash).then_some(self.quiet),
            pause: (self.kind == FaultKind::Pause).then_some(true),
            clock_wrap: (self.kind == FaultKind::ClockWrap).then_some(true),
        }
    }

    /// The nodes that go down, each with its outage; none for other faults.
    pub(crate) fn outages(
        &self,
        topology: &Topology,
    ) -> impl Iterator<Item = (NodeId, Outage)> + use<'_> {
        let crashes = self.kind == FaultKind::Crash;
        self.spans(topology).filter(move |_| crashes)
    }

    /// The nodes that pause, and when.
    pub(crate) fn pauses(
        &self,
        topology: &Topology,
    ) -> impl Iterator<Item = (NodeId, Pause)> + use<'_> {
        let pauses = self.kind == FaultKind::Pause;
        let spans = self.spans(topology).filter(move |_| pauses);
        spans.map(|(node, span)| {
            let (from, until) = (span.down, span.up.unwrap_or(SimTime::MAX));
            (node, Pause { from, until })
        })
    }

    /// The hosts whose clock wraps around, and when.
    pub(crate) fn clock_wraps(
        &self,
        topology: &Topology,
    ) -> impl Iterator<Item = (NodeId, SimTime)> + use<'_> {
        let wraps = self.kind == FaultKind::ClockWrap;
        let spans = self.spans(topology).filter(move |_| wraps);
        spans.map(|(node, span)| (node, span.down))
    }

    fn spans(&self, topology: &Topology) -> impl Iterator<Item = (NodeId, Outage)> + use<'_> {
        let nodes = topology.nodes_named(&self.node).into_iter().zip(0u32..);
        nodes.map(|(node, i)| {
            let (down, up) = self.times(i);
            let (down, up) = (SimTime::ZERO + down, up.map(|up| SimTime::ZERO + up));
            (node, Outage { node, down, up })
        })
    }
}
