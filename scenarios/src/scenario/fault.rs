//! Nodes that crash at given times, checked.

use sim_core::{NodeId, Outage, SimDuration, SimTime};

use super::topology::Topology;
use crate::file::fault::FaultFile;
use crate::path::DottedPath;
use crate::problem::Problem;
use crate::suggest;

/// A crash of a node, or of each node of a group.
///
/// Everything a host knows is lost without a segment: connections, TIME-WAIT entries, listeners. When it
/// comes up, its applications start again: clients make no arrivals for the time they missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Host, router or group.
    pub node: String,
    /// When it goes down.
    pub at: SimDuration,
    /// How long it is down; `None` for good.
    pub lasts: Option<SimDuration>,
    /// How long a host that has come up neither opens nor accepts connections.
    pub quiet: SimDuration,
}

impl Fault {
    /// Checks faults as written.
    ///
    /// # Errors
    /// When a node is unknown, a time is missing, or two outages of a node overlap.
    pub(super) fn all(files: &[FaultFile], topology: &Topology) -> Result<Vec<Fault>, Problem> {
        let mut faults: Vec<Fault> = Vec::new();
        for (i, file) in files.iter().enumerate() {
            let at = DottedPath::from("fault").index(i);
            let fault = Fault::new(file, topology, &at)?;
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

    fn new(file: &FaultFile, topology: &Topology, at: &DottedPath) -> Result<Fault, Problem> {
        if topology.nodes_named(&file.node).is_empty() {
            let message = suggest::unknown("node or group", &file.node, topology.names());
            return Err(Problem::new(at.key("node"), message));
        }
        let Some(time) = file.at else {
            return Err(Problem::new(at.clone(), format!("`at` is missing in {at}"))
                .help("add at = \"30 s\", when the node goes down"));
        };
        if file.lasts.is_some_and(SimDuration::is_zero) {
            return Err(
                Problem::new(at.key("for"), "an outage takes longer than no time").help(
                    "write for example for = \"10 s\", or leave it out for an outage for good",
                ),
            );
        }
        Ok(Fault {
            node: file.node.clone(),
            at: time,
            lasts: file.lasts,
            quiet: file.quiet.unwrap_or_default(),
        })
    }

    fn end(&self) -> SimDuration {
        self.lasts.map_or(SimDuration::MAX, |lasts| self.at + lasts)
    }

    fn overlaps(&self, other: &Fault) -> bool {
        self.at <= other.end() && other.at <= self.end()
    }

    /// Everything written out.
    pub(crate) fn to_file(&self) -> FaultFile {
        FaultFile {
            node: self.node.clone(),
            at: Some(self.at),
            lasts: self.lasts,
            quiet: Some(self.quiet),
        }
    }

    /// The nodes that go down, each with its outage.
    pub(crate) fn outages(&self, topology: &Topology) -> impl Iterator<Item = (NodeId, Outage)> {
        let (down, up) = (
            SimTime::ZERO + self.at,
            self.lasts.map(|_| SimTime::ZERO + self.end()),
        );
        let nodes = topology.nodes_named(&self.node).into_iter();
        nodes.map(move |node| (node, Outage { node, down, up }))
    }
}
