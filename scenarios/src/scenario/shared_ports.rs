//! Workloads that share a server port, and the settings on which they must agree.

use std::collections::{HashMap, HashSet};

use sim_core::NodeId;

use super::workload::{Serving, Workload, WorkloadKind};
use crate::dotted_path::DottedPath;
use crate::problem::Problem;

/// Maximum number of workloads in a scenario with shared server ports.
const MOST: usize = 128;

/// The names and server ports of earlier workloads.
#[derive(Default)]
pub(super) struct TakenPorts {
    names: HashSet<String>,
    /// The first workload on each server and port.
    ports: HashMap<(NodeId, u16), usize>,
    /// The ports on which proxies listen.
    proxies: HashSet<(NodeId, u16)>,
}

impl TakenPorts {
    /// Adds a workload, and sets its class if it shares a port with an earlier workload.
    ///
    /// # Errors
    /// When its name is taken, or it conflicts with an earlier workload on the same port.
    pub(super) fn add(
        &mut self,
        workload: &mut Workload,
        servers: &[NodeId],
        proxies: &[NodeId],
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
            return Ok(()); // no server, or the one that has the port
        }
        let mut shares = false;
        for &port in &workload.ports {
            let served = proxies
                .iter()
                .any(|&proxy| self.ports.contains_key(&(proxy, port)));
            let fronted = proxies.iter().chain(servers);
            let fronted = fronted.map(|&node| (node, port));
            if served || fronted.into_iter().any(|key| self.proxies.contains(&key)) {
                return Err(Problem::new(
                    at.key("port"),
                    format!("port {port} of the proxy already serves another workload"),
                )
                .help("give this workload a `port` of its own"));
            }
            self.proxies
                .extend(proxies.iter().map(|&proxy| (proxy, port)));
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

/// Requests in flight at a time on a connection of a workload.
fn streams(workload: &Workload) -> u32 {
    match &workload.kind {
        WorkloadKind::Exchange {
            pool: Some(pool), ..
        } => pool.streams,
        _ => 1,
    }
}

/// Checks that a workload fits the server of an earlier one on the same port.
fn agree(workload: &Workload, first: &Workload, port: u16, at: &DottedPath) -> Result<(), Problem> {
    let refuse = |key: &str, why: &str| {
        Err(Problem::new(
            at.key(key),
            format!(
                "port {port} of {:?} already serves the workload {:?}, {why}",
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
        return refuse("backlog", "with a different `backlog`");
    }
    if server_differs {
        let key = workload.serving.first_difference(&first.serving);
        return refuse(key, &format!("with a different `{key}`"));
    }
    match (&workload.kind, &first.kind) {
        (WorkloadKind::Exchange { .. }, WorkloadKind::Exchange { .. })
            if streams(workload) > 1 || streams(first) > 1 =>
        {
            refuse(
                "port",
                "and one of them has several `streams` on a connection",
            )
        }
        (WorkloadKind::Exchange { .. }, WorkloadKind::Exchange { .. }) => Ok(()),
        (WorkloadKind::Bulk { read_rate: a, .. }, WorkloadKind::Bulk { read_rate: b, .. })
            if a != b =>
        {
            refuse("read_rate", "with a different `read_rate`")
        }
        (WorkloadKind::Bulk { read_delay: a, .. }, WorkloadKind::Bulk { read_delay: b, .. })
            if a != b =>
        {
            refuse("read_delay", "with a different `read_delay`")
        }
        (WorkloadKind::Bulk { .. }, WorkloadKind::Bulk { .. }) => Ok(()),
        _ => Err(Problem::new(
            at.key("port"),
            format!(
                "port {port} of {:?} already serves the workload {:?}, which is of another kind",
                workload.server, first.name
            ),
        )
        .help("give this workload a `port` of its own")),
    }
}
