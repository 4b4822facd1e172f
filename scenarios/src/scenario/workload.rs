//! Workloads, checked: who talks to whom, when, and about what.

use std::sync::Arc;

use sim_core::plugin::Plugin;
use sim_core::{Bytes, SimDuration};
use tcp_model::app::named::AnyApplication;
use tcp_model::spec::{Arrivals, CloseHow, Closer, Exchange};

use super::arrivals;
use super::topology::Topology;
use crate::file::values::{Dist, Limit, OrModel, PerSecond, PortList};
use crate::file::workload::{BulkSize, WORKLOAD_KINDS, WorkloadFile};
use crate::path::{DottedPath, is_name};
use crate::problem::Problem;
use crate::suggest;

mod named;

pub(crate) use named::{applications, install_applications};

/// A checked workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Unique name.
    pub name: String,
    /// Group or host that opens connections.
    pub client: String,
    /// Group or host that accepts them.
    pub server: String,
    /// Server ports, each once.
    pub ports: Vec<u16>,
    /// Addresses used of each client; `None` for all.
    pub client_addresses: Option<u32>,
    /// Addresses used of each server; `None` for all.
    pub server_addresses: Option<u32>,
    /// Backlog of the listen call; `None` for the host's `somaxconn`.
    pub backlog: Option<u32>,
    /// First opening at the earliest.
    pub start: SimDuration,
    /// No opening from then on.
    pub stop: SimDuration,
    /// What it does.
    pub kind: Kind,
}

/// What a workload does.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Requests and responses.
    Exchange {
        /// When connections are opened, all clients together.
        arrivals: Arrivals,
        /// Most connections, all clients together.
        limit: Option<u64>,
        /// Connections per second a server accepts; `None` for all at once.
        accept_rate: Option<f64>,
        /// What happens on each.
        exchange: Arc<Exchange>,
    },
    /// Bulk transfer from each client to a server.
    Bulk {
        /// Bytes of each flow; `None` for ever.
        bytes: Option<u64>,
        /// Flows of each client.
        flows: u32,
        /// Time between the starts of two flows.
        stagger: SimDuration,
        /// Bytes per second that a sink reads; `None` for all at once.
        read_rate: Option<u64>,
    },
    /// An application with a name of its own.
    Named {
        /// It and its parameters.
        application: Plugin<AnyApplication>,
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
        let kind = file.kind.as_deref().unwrap_or("exchange");
        check_keys(file, kind, at)?;
        let name = file.name.clone().unwrap_or_else(|| kind.to_owned());
        if !is_name(&name) {
            return Err(
                Problem::new(at.key("name"), format!("{name:?} cannot name a workload"))
                    .help("use letters, digits, - and _"),
            );
        }
        let (start, stop) = (
            file.start.unwrap_or_default(),
            file.stop.unwrap_or(duration),
        );
        if start >= duration {
            return Err(Problem::new(
                at.key("start"),
                format!("this workload starts at {start}, when the run of {duration} is over"),
            )
            .help("start it earlier, or make `duration` longer"));
        }
        if stop <= start {
            return Err(Problem::new(
                at.key("stop"),
                format!("this workload stops at {stop}, before it starts at {start}"),
            )
            .help("`stop` is a time since the start of the run, not a length"));
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
        Ok(Workload {
            name,
            client,
            server,
            ports: ports(file, at)?,
            client_addresses: file.client_addresses,
            server_addresses: file.server_addresses,
            backlog: file.backlog,
            start,
            stop,
            kind: match kind {
                "bulk" => bulk(file, at)?,
                "application" => named::read(file, at)?,
                _ => exchange(file, at)?,
            },
        })
    }

    /// Everything written out; what means "all" or "as the host" stays absent.
    pub fn to_file(&self) -> WorkloadFile {
        let common = WorkloadFile {
            name: Some(self.name.clone()),
            client: Some(self.client.clone()),
            server: Some(self.server.clone()),
            ports: Some(PortList::List(self.ports.clone())),
            client_addresses: self.client_addresses,
            server_addresses: self.server_addresses,
            backlog: self.backlog,
            start: Some(self.start),
            stop: Some(self.stop),
            ..WorkloadFile::default()
        };
        match &self.kind {
            Kind::Exchange {
                arrivals,
                limit,
                accept_rate,
                exchange,
            } => WorkloadFile {
                kind: Some("exchange".to_owned()),
                limit: Some(Limit(*limit)),
                accept_rate: accept_rate.map(PerSecond),
                arrivals: Some(arrivals::to_file(arrivals)),
                requests: Some(exchange.requests),
                request: Some(Dist::new(exchange.request)),
                response: Some(Dist::new(exchange.response)),
                think: Some(Dist::new(exchange.think)),
                service: Some(Dist::new(exchange.service)),
                close: Some(word(&CLOSERS, exchange.closer).to_owned()),
                how: Some(word(&HOWS, exchange.how).to_owned()),
                close_after: Some(exchange.close_after),
                linger: Some(exchange.linger),
                fast_open: Some(exchange.fast_open),
                ..common
            },
            Kind::Bulk {
                bytes,
                flows,
                stagger,
                read_rate,
            } => WorkloadFile {
                kind: Some("bulk".to_owned()),
                bytes: Some(BulkSize(*bytes)),
                flows: Some(*flows),
                stagger: Some(*stagger),
                read_rate: read_rate.map(Bytes),
                ..common
            },
            Kind::Named { application } => WorkloadFile {
                kind: Some("application".to_owned()),
                application: Some(OrModel::Model(named::to_file(application))),
                ..common
            },
        }
    }
}

const CLOSERS: [(&str, Closer); 3] = [
    ("client", Closer::Client),
    ("server", Closer::Server),
    ("both", Closer::Both),
];
const HOWS: [(&str, CloseHow); 3] = [
    ("fin", CloseHow::Fin),
    ("half", CloseHow::Half),
    ("rst", CloseHow::Rst),
];

fn word<T: PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table
        .iter()
        .find(|(_, v)| *v == value)
        .map_or("", |(w, _)| w)
}

fn choice<T: Copy + Default>(
    table: &[(&str, T)],
    text: &Option<String>,
    key: &str,
    at: &DottedPath,
) -> Result<T, Problem> {
    let Some(text) = text else {
        return Ok(T::default());
    };
    table
        .iter()
        .find(|(w, _)| w == text)
        .map(|(_, v)| *v)
        .ok_or_else(|| {
            let words: Vec<&str> = table.iter().map(|(w, _)| *w).collect();
            Problem::new(
                at.key(key),
                suggest::unknown(&format!("value of `{key}`,"), text, words.iter().copied()),
            )
        })
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
                    format!("there are no {n} ports from {first} upwards"),
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

fn exchange(file: &WorkloadFile, at: &DottedPath) -> Result<Kind, Problem> {
    let d = Exchange::default();
    let exchange = Exchange {
        requests: file.requests.unwrap_or(d.requests),
        request: file.request.map_or(d.request, |x| x.0),
        response: file.response.map_or(d.response, |x| x.0),
        think: file.think.map_or(d.think, |x| x.0),
        service: file.service.map_or(d.service, |x| x.0),
        closer: choice(&CLOSERS, &file.close, "close", at)?,
        how: choice(&HOWS, &file.how, "how", at)?,
        close_after: file.close_after.unwrap_or(d.close_after),
        linger: file.linger.unwrap_or(d.linger),
        fast_open: file.fast_open.unwrap_or(d.fast_open),
    };
    if exchange.requests == 0 {
        return Err(Problem::new(at.key("requests"), "`requests` must be at least 1")
            .help("for a connection that carries almost nothing, write requests = 1 and request = \"1 B\""));
    }
    if exchange.how == CloseHow::Half && exchange.closer != Closer::Client {
        return Err(Problem::new(at.key("how"), "only the client half-closes")
            .help("write close = \"client\" with how = \"half\""));
    }
    let limit = file.limit.and_then(|l| l.0);
    if limit == Some(0) {
        return Err(
            Problem::new(at.key("limit"), "a limit of 0 opens no connection")
                .help("leave it out for no limit"),
        );
    }
    if file.accept_rate.is_some_and(|r| r.0 == 0.0) {
        return Err(Problem::new(
            at.key("accept_rate"),
            "an accept rate of zero accepts nothing",
        )
        .help("leave it out to accept all connections at once"));
    }
    let Some(arrivals) = &file.arrivals else {
        return Err(
            Problem::new(at.clone(), format!("`arrivals` is missing in {at}"))
                .help("add arrivals = { kind = \"fixed\", rate = \"100 /s\" }"),
        );
    };
    Ok(Kind::Exchange {
        arrivals: arrivals::read(arrivals, &at.key("arrivals"))?,
        limit,
        accept_rate: file.accept_rate.map(|r| r.0),
        exchange: Arc::new(exchange),
    })
}

fn bulk(file: &WorkloadFile, at: &DottedPath) -> Result<Kind, Problem> {
    let positive = |key: &str, value: Option<u64>| match value {
        Some(0) => Err(Problem::new(
            at.key(key),
            format!("`{key}` must not be zero"),
        )),
        other => Ok(other),
    };
    Ok(Kind::Bulk {
        bytes: positive("bytes", file.bytes.and_then(|b| b.0))?,
        flows: positive("flows", file.flows.map(u64::from))?.unwrap_or(1) as u32,
        stagger: file.stagger.unwrap_or_default(),
        read_rate: positive("read_rate", file.read_rate.map(|b| b.0))?,
    })
}

/// Refuses keys of the other kind.
fn check_keys(file: &WorkloadFile, kind: &str, at: &DottedPath) -> Result<(), Problem> {
    let exchange = [
        ("arrivals", file.arrivals.is_some()),
        ("accept_rate", file.accept_rate.is_some()),
        ("limit", file.limit.is_some()),
        ("requests", file.requests.is_some()),
        ("request", file.request.is_some()),
        ("response", file.response.is_some()),
        ("think", file.think.is_some()),
        ("service", file.service.is_some()),
        ("close", file.close.is_some()),
        ("how", file.how.is_some()),
        ("close_after", file.close_after.is_some()),
        ("linger", file.linger.is_some()),
        ("fast_open", file.fast_open.is_some()),
    ];
    let bulk = [
        ("bytes", file.bytes.is_some()),
        ("flows", file.flows.is_some()),
        ("stagger", file.stagger.is_some()),
        ("read_rate", file.read_rate.is_some()),
    ];
    let named = [("application", file.application.is_some())];
    let others = |own: &str| {
        let all = [
            ("exchange", &exchange[..]),
            ("bulk", &bulk),
            ("application", &named),
        ];
        let keys = all.into_iter().filter(|(of, _)| *of != own);
        let mut keys = keys.flat_map(|(_, keys)| keys.iter().copied());
        keys.find(|(_, given)| *given)
    };
    let foreign = match kind {
        "exchange" | "bulk" | "application" => others(kind),
        other => {
            return Err(Problem::new(
                at.key("kind"),
                suggest::unknown("workload", other, WORKLOAD_KINDS),
            ));
        }
    };
    match foreign {
        Some((key, _)) => Err(Problem::new(
            at.key(key),
            format!("`{key}` does not belong to a workload of kind {kind:?}"),
        )
        .help("leave it out, or change `kind`")),
        None => Ok(()),
    }
}
