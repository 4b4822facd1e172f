//! Which workloads share a server port, and what they must agree on for that.

use std::collections::{HashMap, HashSet};

use sim_core::NodeId;

use super::workload::{Serving, Workload, WorkloadKind};
use crate::path::DottedPath;
use crate::problem::Problem;

/// Most workloads of a scenario in which some share a server port.
const MOST: usize = 128;

/// Names and server ports of the workloads before.
#[derive(Default)]
pub(super) struct Taken {
    names: HashSet<String>,
    /// Which workload had a port of a server first.
    ports: HashMap<(NodeId, u16), usize>,
}

impl Taken {
    /// Adds a workload; its class is set where it shares a port with one before.
    ///
    /// # Errors
    /// When its name is taken, or a port is shared with a workload it does not agree with.
    pub(super) fn add(
        &mut self,
        workload: &mut Workload,
        servers: &[NodeId],
        at: &DottedPath,
        before: &[Workload],
    ) -> Result<(), Problem> {
        if !self.names.insert(workload.name.clone()) {
            return Err(Problem::new(
                at.key("name"),
                format!("two workloads have the name {:?}", workload.name),
            )
            .help("give each its own `name`"));
        }
        if matches!(workload.kind, WorkloadKind::SynFlood { .. }) {
            return Ok(()); // it is served by nobody, or by whoever has the port
        }
        let mut shares = false;
        for &port in &workload.ports {
            for &server in servers {
                let first = *self.ports.entry((server, port)).or_insert(before.len());
                if let Some(first) = before.get(first) {
                    agree(workload, first, port, at)?;
                    shares = true;
                }
            }
        }
        if shares {
            workload.class = match u8::try_from(before.len()) {
                Ok(class) if before.len() < MOST => class,
                _ => {
                    return Err(Problem::new(
                        at.key("port"),
                        format!("only the first {MOST} workloads of a scenario may share ports"),
                    )
                    .help("give this workload a `port` of its own, or move it up"));
                }
            };
        }
        Ok(())
    }
}

/// A workload fits the server that an earlier one has on the same port.
fn agree(workload: &Workload, first: &Workload, port: u16, at: &DottedPath) -> Result<(), Problem> {
    let refuse = |key: &str, why: &str| {
        Err(Problem::new(
            at.key(key),
            format!(
                "port {port} of {:?} is served for the workload {:?} already, {why}",
                workload.server, first.name
            ),
        )
        .help(format!(
            "leave `{key}` out here, or give this workload a `port` of its own"
        )))
    };
    let server_differs =
        workload.serving != Serving::default() && workload.serving != first.serving;
    if workload.backlog.is_some() && workload.backlog != first.backlog {
        return refuse("backlog", "with another `backlog`");
    }
    if server_differs {
        let key = workload.serving.first_difference(&first.serving);
        return refuse(key, &format!("with another `{key}`"));
    }
    match (&workload.kind, &first.kind) {
        (WorkloadKind::Exchange { .. }, WorkloadKind::Exchange { .. }) => Ok(()),
        (WorkloadKind::Bulk { read_rate: a, .. }, WorkloadKind::Bulk { read_rate: b, .. }) if a != b => {
            refuse("read_rate", "with another `read_rate`")
        }
        (WorkloadKind::Bulk { read_delay: a, .. }, WorkloadKind::Bulk { read_delay: b, .. }) if a != b => {
            refuse("read_delay", "with another `read_delay`")
        }
        (WorkloadKind::Bulk { .. }, WorkloadKind::Bulk { .. }) => Ok(()),
        _ => Err(Problem::new(
            at.key("port"),
            format!(
                "port {port} of {:?} is served for the workload {:?} already, which is of another kind",
                workload.server, first.name
            ),
        )
        .help("give this workload a `port` of its own")),
    }
}
