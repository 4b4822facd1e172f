//! Crashes of nodes and pauses of hosts, checked.

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
    /// If true, the applications pause instead, and nothing is lost.
    pub pause: bool,
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
        let pause = file.pause.unwrap_or_default();
        if pause && file.lasts.is_none() {
            return Err(Problem::new(at.key("pause"), "a pause must end")
                .help("add for = \"5 s\", how long it lasts"));
        }
        if pause && file.quiet.is_some() {
            return Err(
                Problem::new(at.key("quiet"), "nothing restarts after a pause")
                    .help("leave `quiet` out"),
            );
        }
        if pause && topology.hosts_named(&file.node).len() < nodes as usize {
            return Err(Problem::new(
                at.key("pause"),
                format!("{:?} has no applications", file.node),
            )
            .help("a pause is of hosts"));
        }
        Ok(NodeFault {
            pause,
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

    /// The names of the nodes that go down, or of the group if all go down at once, with the start and end of
    /// the outage.
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
                let name = match several {
                    true => format!("{}-{i}", self.node),
                    false => self.node.clone(),
                };
                (name, down, up)
            })
            .collect()
    }

    fn overlaps(&self, other: &NodeFault) -> bool {
        self.at <= other.end() && other.at <= self.end()
    }

    /// Converts back to a file with every value written out.
    pub(crate) fn to_file(&self) -> FaultFile {
        FaultFile {
            node: self.node.clone(),
            at: Some(self.at),
            lasts: self.lasts,
            stagger: (!self.stagger.is_zero()).then_some(self.stagger),
            quiet: (!self.pause).then_some(self.quiet),
            pause: self.pause.then_some(true),
        }
    }

    /// The nodes that go down, each with its outage; none for a pause.
    pub(crate) fn outages(
        &self,
        topology: &Topology,
    ) -> impl Iterator<Item = (NodeId, Outage)> + use<'_> {
        self.spans(topology).filter(|_| !self.pause)
    }

    /// The nodes that pause, and when.
    pub(crate) fn pauses(
        &self,
        topology: &Topology,
    ) -> impl Iterator<Item = (NodeId, Pause)> + use<'_> {
        let spans = self.spans(topology).filter(|_| self.pause);
        spans.map(|(node, span)| {
            let (from, until) = (span.down, span.up.unwrap_or(SimTime::MAX));
            (node, Pause { from, until })
        })
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
