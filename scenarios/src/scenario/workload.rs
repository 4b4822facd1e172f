//! Workloads, checked: which hosts communicate, when, and what they exchange.

use std::sync::Arc;

use sim_core::plugin::Plugin;
use sim_core::{Bytes, SimDuration};
use tcp_model::app::named::AnyApplication;
use tcp_model::spec::{Arrivals, BreakerSpec, Exchange, PoolSpec, Retries};

use super::arrivals;
use super::topology::Topology;
use crate::dotted_path::{DottedPath, is_name};
use crate::file::values::{CountLimit, OrModel, PortList};
use crate::file::workload::{BulkSize, WorkloadFile};
use crate::problem::Problem;
use crate::suggest;

mod breaker;
mod exchange;
mod flood;
mod http;
mod kinds;
mod named;
mod pool;
mod proxy;
mod serving;
mod time_outs;

pub(crate) use named::{applications, install_applications};
pub use proxy::WorkloadProxy;
pub use serving::Serving;

/// A checked workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Unique name.
    pub name: String,
    /// Group or host that opens connections.
    pub client: String,
    /// Group or host that accepts them.
    pub server: String,
    /// Router to whose addresses clients connect; `None` for the servers' addresses.
    pub via: Option<String>,
    /// Server ports, each once.
    pub ports: Vec<u16>,
    /// Number of addresses of each client that are used; `None` for all.
    pub client_addresses: Option<u32>,
    /// Number of addresses of each server that are used; `None` for all.
    pub server_addresses: Option<u32>,
    /// Backlog of the listen call; `None` for the host's `somaxconn`.
    pub backlog: Option<u32>,
    /// Earliest time at which a connection is opened.
    pub start: SimDuration,
    /// Time from which no connection is opened; not after the end of the run.
    pub stop: SimDuration,
    /// How its servers accept, read and serve.
    pub serving: Serving,
    /// Its number among the workloads that share its server port; 0 for the only or first one.
    pub class: u8,
    /// What it does.
    pub kind: WorkloadKind,
}

/// What a workload does.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkloadKind {
    /// Requests and responses.
    Exchange {
        /// When connections are opened, all clients together.
        arrivals: Arrivals,
        /// Maximum number of connections, all clients together.
        limit: Option<u64>,
        /// What happens on each connection.
        exchange: Arc<Exchange>,
        /// What clients do if an attempt fails.
        retries: Retries,
        /// Whether the time of each exchange with all its attempts is measured.
        exchange_times: bool,
        /// The clients' circuit breaker for each server.
        breaker: Option<BreakerSpec>,
        /// The proxy between clients and servers.
        proxy: Option<Box<WorkloadProxy>>,
        /// True if clients bind to a port before they connect.
        bind_first: bool,
        /// The connection pool of each client. With a pool, the arrivals are those of requests.
        pool: Option<PoolSpec>,
    },
    /// Bulk transfer from each client to a server.
    Bulk {
        /// Bytes of each flow; `None` for ever.
        bytes: Option<u64>,
        /// Number of flows of each client.
        flows: u32,
        /// Time between the starts of two flows.
        stagger: SimDuration,
        /// Bytes per second that a sink reads; `None` for all at once.
        read_rate: Option<u64>,
        /// Time from the arrival of data to their read.
        read_delay: SimDuration,
    },
    /// A named application.
    Named {
        /// The application and its parameters.
        application: Plugin<AnyApplication>,
    },
    /// SYNs to the servers from addresses that belong to no host.
    SynFlood {
        /// When SYNs are sent, all clients together.
        arrivals: Arrivals,
        /// Maximum number of SYNs, all clients together.
        limit: Option<u64>,
        /// Number of source addresses.
        sources: u32,
    },
}

impl Workload {
    /// Checks a workload as written.
    ///
    /// # Errors
    /// When something is missing, unknown or out of range, or does not belong to the kind.
    pub fn new(
        file: &WorkloadFile,
        at: &DottedPath,
        topology: &Topology,
        duration: SimDuration,
    ) -> Result<Workload, Problem> {
        let kind = kinds::of(file);
        kinds::check_keys(file, kind, at)?;
        let name = file.name.clone().unwrap_or_else(|| kind.to_owned());
        if !is_name(&name) {
            return Err(
                Problem::new(at.key("name"), format!("{name:?} cannot name a workload"))
                    .help("use letters, digits, - and _"),
            );
        }
        let (start, stop) = (
            file.start.unwrap_or_default(),
            file.stop.unwrap_or(duration).min(duration),
        );
        if start >= duration {
            return Err(Problem::new(
                at.key("start"),
                format!("this workload starts at {start}, but the run ends at {duration}"),
            )
            .help("start it earlier, or make `duration` longer"));
        }
        if stop <= start {
            return Err(Problem::new(
                at.key("stop"),
                format!("this workload stops at {stop}, before it starts at {start}"),
            )
            .help("`stop` is counted from the start of the run; it is not a length"));
        }
        let client = endpoint(&file.client, "client", at, topology)?;
        let server = endpoint(&file.server, "server", at, topology)?;
        if file.backlog == Some(0) {
            return Err(
                Problem::new(at.key("backlog"), "a backlog of 0 accepts nothing")
                    .help("write at least 1"),
            );
        }
        for (key, value) in [
            ("client_addresses", file.client_addresses),
            ("server_addresses", file.server_addresses),
        ] {
            if value == Some(0) {
                return Err(
                    Problem::new(at.key(key), format!("`{key}` must be at least 1"))
                        .help("leave it out to use all addresses"),
                );
            }
        }
        let does = match kind {
            "bulk" => bulk(file, at)?,
            "application" => named::read(file, at)?,
            "syn-flood" => flood::read(file, at)?,
            _ => exchange::read(&*http::fill_in(file, at)?, (&client, &server), at, topology)?,
        };
        Ok(Workload {
            name,
            client,
            server,
            via: via(file, at, topology)?,
            ports: ports(file, at)?,
            client_addresses: file.client_addresses,
            server_addresses: file.server_addresses,
            backlog: file.backlog,
            start,
            stop,
            serving: Serving::new(file, at)?,
            class: 0,
            kind: does,
        })
    }

    /// The proxy between its clients and servers.
    pub fn proxy(&self) -> Option<&WorkloadProxy> {
        match &self.kind {
            WorkloadKind::Exchange { proxy, .. } => proxy.as_deref(),
            WorkloadKind::Bulk { .. }
            | WorkloadKind::Named { .. }
            | WorkloadKind::SynFlood { .. } => None,
        }
    }

    /// Converts back to a file with every value written out, except for keys whose absence means "all" or "as
    /// the host".
    pub fn to_file(&self) -> WorkloadFile {
        let common = WorkloadFile {
            name: Some(self.name.clone()),
            client: Some(self.client.clone()),
            server: Some(self.server.clone()),
            via: self.via.clone(),
            ports: Some(PortList::List(self.ports.clone())),
            client_addresses: self.client_addresses,
            server_addresses: self.server_addresses,
            backlog: self.backlog,
            start: Some(self.start),
            stop: Some(self.stop),
            ..WorkloadFile::default()
        };
        let common = self.serving.to_file(common);
        match &self.kind {
            WorkloadKind::Exchange {
                arrivals,
                limit,
                exchange,
                retries,
                exchange_times,
                breaker,
                proxy,
                bind_first,
                pool,
            } => WorkloadFile {
                ip_bind_address_no_port: bind_first.then_some(false),
                limit: Some(CountLimit(*limit)),
                arrivals: Some(arrivals::to_file(arrivals)),
                exchange_times: exchange_times.then_some(true),
                breaker: breaker.as_ref().map(breaker::to_file),
                proxy: proxy.as_ref().map(|proxy| proxy.to_file()),
                ..exchange::to_file(exchange, retries, pool.as_ref(), common)
            },
            WorkloadKind::SynFlood {
                arrivals,
                limit,
                sources,
            } => WorkloadFile {
                kind: Some("syn-flood".to_owned()),
                limit: Some(CountLimit(*limit)),
                arrivals: Some(arrivals::to_file(arrivals)),
                sources: Some(*sources),
                ..common
            },
            WorkloadKind::Bulk {
                bytes,
                flows,
                stagger,
                read_rate,
                read_delay,
            } => WorkloadFile {
                kind: Some("bulk".to_owned()),
                bytes: Some(BulkSize(*bytes)),
                flows: Some(*flows),
                stagger: Some(*stagger),
                read_rate: read_rate.map(Bytes),
                read_delay: (!read_delay.is_zero()).then_some(*read_delay),
                ..common
            },
            WorkloadKind::Named { application } => WorkloadFile {
                kind: Some("application".to_owned()),
                application: Some(OrModel::Model(named::to_file(application))),
                ..common
            },
        }
    }
}

fn endpoint(
    name: &Option<String>,
    key: &str,
    at: &DottedPath,
    topology: &Topology,
) -> Result<String, Problem> {
    let name = name.clone().unwrap_or_else(|| key.to_owned());
    if topology.hosts_named(&name).is_empty() {
        let groups = topology.groups();
        let message = suggest::unknown("host group", &name, groups.iter().map(String::as_str));
        let help = format!("`{key}` names a group of hosts, or a host, of the topology");
        return Err(Problem::new(at.key(key), message).help(help));
    }
    Ok(name)
}

fn via(
    file: &WorkloadFile,
    at: &DottedPath,
    topology: &Topology,
) -> Result<Option<String>, Problem> {
    let Some(name) = &file.via else {
        return Ok(None);
    };
    let nodes = topology.nodes_named(name);
    let middleboxes = topology.middleboxes();
    let has_function = |node| middleboxes.iter().any(|(other, _)| *other == node);
    if nodes.is_empty() || !nodes.into_iter().all(has_function) {
        let message = format!("{name:?} is not a router with a middlebox");
        let help = "give a router middlebox = { kind = \"balancer\", servers = \"server\" } and name it here";
        return Err(Problem::new(at.key("via"), message).help(help));
    }
    Ok(Some(name.clone()))
}

fn ports(file: &WorkloadFile, at: &DottedPath) -> Result<Vec<u16>, Problem> {
    let first = file.port.unwrap_or(80);
    let at_ports = at.key("ports");
    let ports: Vec<u16> = match &file.ports {
        None => vec![first],
        Some(PortList::Count(n)) => {
            let last = u32::from(first) + u32::from(*n);
            if *n == 0 || last > 65_536 {
                return Err(Problem::new(
                    at_ports,
                    format!("there are fewer than {n} ports from {first} upwards"),
                )
                .help("ports go from 1 to 65535"));
            }
            (first..=(last - 1) as u16).collect()
        }
        Some(PortList::List(_)) if file.port.is_some() => {
            return Err(
                Problem::new(at_ports, "both `port` and a list of `ports` are given")
                    .help("keep one of them"),
            );
        }
        Some(PortList::List(list)) => list.clone(),
    };
    let mut sorted = ports.clone();
    sorted.sort_unstable();
    let twice = sorted.windows(2).find(|w| w[0] == w[1]);
    if ports.is_empty() || sorted[0] == 0 || twice.is_some() {
        let key = if file.ports.is_some() {
            "ports"
        } else {
            "port"
        };
        return Err(Problem::new(
            at.key(key),
            "server ports must be some of 1 to 65535, each once",
        ));
    }
    Ok(ports)
}

fn bulk(file: &WorkloadFile, at: &DottedPath) -> Result<WorkloadKind, Problem> {
    let positive = |key: &str, value: Option<u64>| match value {
        Some(0) => Err(Problem::new(
            at.key(key),
            format!("`{key}` must not be zero"),
        )),
        other => Ok(other),
    };
    Ok(WorkloadKind::Bulk {
        bytes: positive("bytes", file.bytes.and_then(|b| b.0))?,
        flows: positive("flows", file.flows.map(u64::from))?.unwrap_or(1) as u32,
        stagger: file.stagger.unwrap_or_default(),
        read_rate: positive("read_rate", file.read_rate.map(|b| b.0))?,
        read_delay: file.read_delay.unwrap_or_default(),
    })
}
